"""A watch goes on, whatever it comes upon, and says so."""

from __future__ import annotations

from structlog.testing import capture_logs

from service import keys, overlay
from service.decisions import beliefs, shelf
from service.settings import ServiceSettings
from service.watch import Watch
from tests.waiting import until

SOMEBODY = "somebody"


class Stumbling:
    """Raises at its first look."""

    def __init__(self) -> None:
        self.looks = 0

    def look(self) -> None:
        self.looks += 1
        if self.looks == 1:
            raise KeyError(SOMEBODY)


def looked_again(watched: Stumbling) -> None:
    watch = Watch(watched.look, every_s=0.01, name="valet-stumbling")
    watch.start()
    until(lambda: watched.looks >= 3)
    watch.stop()


def test_what_a_look_raises_is_logged_by_its_type_and_it_looks_again() -> None:
    with capture_logs() as logs:
        looked_again(Stumbling())
    assert [(one["event"], one["watch"], one["error"]) for one in logs] == [
        ("watch failed", "valet-stumbling", "KeyError")
    ]
    assert SOMEBODY not in str(logs)


def test_what_counts_within_a_second_everywhere_is_looked_for_twice_in_it() -> None:
    assert max(module.POLL_S for module in (beliefs, keys, overlay, shelf)) <= 0.5
    assert ServiceSettings().poll_s <= 0.5
