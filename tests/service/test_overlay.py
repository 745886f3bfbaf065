import gc
import threading
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from models.changes import Change
from service.items import dump, name
from service.live import Live
from service.overlay import Overlay
from service.store import Store
from tests.fakes import FakeStore
from tests.waiting import until
from tests.worlds import save, switch, tiny_models


def price(overlay: Overlay, item_id: str = "SH-014") -> int:
    bundle = overlay.bundle()
    assert bundle is not None
    return int(bundle.models.catalogue.price[bundle.models.catalogue.items.row(item_id)])


def put(store: Store, item_id: str, price: int) -> None:
    store.upsert_items({item_id: dump(Change({"price": price}))})


@pytest.fixture
def live(tmp_path: Path) -> Live:
    save(tmp_path, "one", tiny_models())
    return Live(tmp_path, poll_s=1_000)


def test_what_another_worker_changed_is_laid_over_soon(live: Live) -> None:
    store = FakeStore()
    overlay = Overlay(live, store, poll_s=0.02)
    assert price(overlay) == 129_000
    put(store, "SH-014", 7)
    until(lambda: price(overlay) == 7)
    overlay.stop()


def test_only_what_changed_since_the_last_look_is_read(live: Live) -> None:
    class Asked(FakeStore):
        def __init__(self) -> None:
            super().__init__()
            self.asked: list[int] = []

        def items(self, *, after_version: int = 0) -> tuple[int, dict[str, bytes]]:
            self.asked.append(after_version)
            return super().items(after_version=after_version)

    store = Asked()
    overlay = Overlay(live, store, poll_s=1_000)
    for number in range(3):
        put(store, f"new {number}", number)
        overlay.refresh()
        overlay.refresh()
    assert store.asked == [0, 1, 2]
    assert [price(overlay, f"new {number}") for number in range(3)] == [0, 1, 2]


def test_a_new_bundle_comes_with_the_changes_that_its_training_had_not_read(tmp_path: Path, live: Live) -> None:
    store = FakeStore()
    overlay = Overlay(live, store, poll_s=1_000)
    put(store, "SH-014", 7)
    put(store, "SH-015", 8)
    overlay.refresh()
    save(tmp_path, "two", tiny_models(), items={"store": name(store), "version": 1})
    live.refresh()
    assert (price(overlay), price(overlay, "SH-015")) == (129_000, 8)
    switch(tmp_path, "one")
    live.refresh()
    assert (price(overlay), price(overlay, "SH-015")) == (7, 8)


def test_what_training_read_of_another_store_is_not_taken_for_read(tmp_path: Path, live: Live) -> None:
    store = FakeStore()
    put(store, "SH-014", 7)
    save(tmp_path, "two", tiny_models(), items={"store": "another", "version": 5})
    live.refresh()
    assert price(Overlay(live, store, poll_s=1_000)) == 7


def test_a_store_that_was_emptied_leaves_what_training_knew(live: Live) -> None:
    store = FakeStore()
    put(store, "SH-014", 7)
    overlay = Overlay(live, store, poll_s=1_000)
    store.changed, store.version = {}, 0
    overlay.refresh()
    assert price(overlay) == 129_000


def test_while_the_store_is_away_what_stands_answers_and_it_is_said_once(live: Live) -> None:
    store = FakeStore()
    put(store, "SH-014", 7)
    store.away = True
    with capture_logs() as logs:
        overlay = Overlay(live, store, poll_s=1_000)
        overlay.refresh()
    assert price(overlay) == 129_000
    assert [entry["event"] for entry in logs] == ["changes of items cannot be read"]
    store.away = False
    overlay.refresh()
    assert price(overlay) == 7
    store.away = True
    overlay.refresh()
    assert price(overlay) == 7


def test_a_request_keeps_the_catalogue_it_began_with(live: Live) -> None:
    store = FakeStore()
    overlay = Overlay(live, store, poll_s=1_000)
    begun = overlay.bundle()
    put(store, "new", 7)
    overlay.refresh()
    assert begun is not None
    assert len(begun.models.catalogue) + 1 == len(overlay.bundle().models.catalogue)  # type: ignore[union-attr]


def test_the_watch_ends_with_what_it_watches_for(live: Live) -> None:
    overlay = Overlay(live, FakeStore(), poll_s=0.01)
    overlay.bundle()
    before = threading.active_count()
    live.swapped = lambda: None
    del overlay
    gc.collect()
    until(lambda: threading.active_count() < before)
