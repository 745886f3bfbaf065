"""A cut of benchmarks.events, small enough for every run: real services, real stores, a real kill -9."""

import pytest

from benchmarks.events import main

EVENTS = 4_000


def test_with_a_worker_killed_half_way_every_acknowledged_event_is_there_once_and_both_stores_count_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--events", str(EVENTS)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:5] for line in lines[1:3]] == [
        ["sqlite", "4,000", "0", "0", "4,000"],
        ["redis", "4,000", "0", "0", "4,000"],
    ]
