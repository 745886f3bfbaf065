"""Events drained from Redis: nothing is lost before it is drained, and training reads what was."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from redis import Redis

import training.archive
import training.people
from models.errors import DiskError
from models.event_log import decode
from service import events
from service.events import Rules
from service.people.erasure import Tombs, erase
from service.people.identity import merge
from service.people.pseudonyms import Pseudonyms
from service.retention import cap
from service.store import Store
from service.store.open import open_store
from tests.conftest import start_redis
from tests.worlds import NOW
from training import run
from training.archive import Archive
from training.drained import drained as of_one
from training.people import Told, bought_and_seen, drained, logged, told
from training.settings import resolve

DAY_S = 86_400


@pytest.fixture
def store(redis_url: str) -> Iterator[Store]:
    store = opened(redis_url)
    yield store
    store.close()


def opened(redis_url: str) -> Store:
    store = open_store(f"{redis_url}?timeout_ms=5000")
    assert store is not None
    return store


@pytest.fixture
def archive(store: Store, tmp_path: Path) -> Archive:
    return Archive(tmp_path / "events", Tombs(store, Pseudonyms(store)))


def post(store: Store, number: int, *, now: int = NOW, **said: object) -> None:
    row = {"event": "purchase", "item_id": f"i{number % 5}", "customer_id": f"c{number % 3}", "order_id": f"o{number}"}
    events.record(row | said, store=store, rules=Rules(), now=now, new_id=lambda: f"e{number}")


def bodies(archive: Archive) -> bytes:
    with duckdb.connect() as con:
        rows = con.execute("FROM read_parquet(?)", [str(archive.folder / "*.parquet")]).fetchall()
    return str(rows).encode()


def orders(store: Store, archive: Archive) -> list[tuple[str, str]]:
    return sorted(
        (entry.customer_id, str(decode(entry.body).order_id)) for entry in logged(store, archive, upto=store.newest())
    )


def test_what_was_drained_and_capped_is_read_with_what_came_since_once_each(store: Store, archive: Archive) -> None:
    for number in range(20):
        post(store, number)
    before = orders(store, archive)
    assert archive.drain(store) == 20
    assert orders(store, archive) == before
    assert cap(store, upto=archive.upto(store), most=5) == 15
    post(store, 20)
    assert archive.drain(store) == 1
    assert archive.drain(store) == 0
    assert orders(store, archive) == sorted([*before, ("c2", "o20")])


def night(store: Store, folder: Path) -> Told:
    """What a training reads, after which three events stay in the log."""
    archive = drained(store, folder, keep_days=9)
    assert archive is not None
    known = told(store, archive)
    cap(store, upto=archive.upto(store), most=3)
    assert len(list(store.events())) == min(3, store.newest())
    return known


def bought(store: Store, folder: Path) -> list[str]:
    """The orders that the next training learns from, by number."""
    known, archive = night(store, folder), Archive(folder, Tombs(store, Pseudonyms(store)))
    rows = bought_and_seen(store, known.sequence, archive)
    return sorted((str(row["order_id"]) for row in rows), key=lambda order: int(order[1:]))


@pytest.mark.parametrize("more", [2, 12, 40])
def test_a_log_that_came_back_empty_is_drained_from_its_start(
    store: Store, redis_url: str, tmp_path: Path, more: int
) -> None:
    for number in range(20):
        post(store, number)
    night(store, tmp_path)
    with Redis.from_url(redis_url) as redis:
        redis.flushall()
    for number in range(18, 18 + more):  # two of which the shop sends again
        post(store, number)
    assert night(store, tmp_path).sequence == more
    assert bought(store, tmp_path) == [f"o{number}" for number in range(18, 18 + more)]


@pytest.mark.parametrize("more", [2, 12, 40])
def test_a_log_that_was_put_back_loses_nothing_that_came_before_the_backup_or_after_the_restore(
    tmp_path: Path, more: int
) -> None:
    before, after, folder = tmp_path / "before", tmp_path / "after", tmp_path / "events"
    before.mkdir()
    with start_redis(before, options={"appendfsync": "always"}) as server:
        store = opened(server.url)
        for number in range(10):
            post(store, number, now=NOW + number)
        night(store, folder)
        for number in range(10, 15):
            post(store, number, now=NOW + number)
        shutil.copytree(before, after)
        for number in range(15, 20):
            post(store, number, now=NOW + number)
        night(store, folder)
        store.close()
    with start_redis(after) as server:
        store = opened(server.url)
        for number in range(18, 18 + more):  # two of which the shop sends again
            post(store, number, now=NOW + number)
        assert night(store, folder).sequence == 15 + more
        assert bought(store, folder) == [f"o{number}" for number in range(max(20, 18 + more))]
        cap(store, upto=store.newest(), most=0)
        hers = [row["order_id"] for row in of_one(store, folder, "c0")]
        assert hers == sorted(hers, key=lambda order: int(order[1:]))
        store.close()


def test_a_folder_that_was_put_back_is_filled_up_from_the_log(store: Store, archive: Archive) -> None:
    for number in range(4):
        post(store, number)
        archive.drain(store)
    newest = max(archive.folder.glob("*.parquet"), key=lambda path: path.stat().st_mtime_ns)
    newest.unlink()
    assert archive.upto(store) == 3
    assert archive.drain(store) == 1
    cap(store, upto=archive.upto(store), most=0)
    assert [order for _, order in orders(store, archive)] == ["o0", "o3", "o1", "o2"]


def test_a_log_that_is_emptied_while_it_is_drained_does_not_count_as_drained(
    store: Store, redis_url: str, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def emptied(lines: Path, out: Path) -> None:
        convert(lines, out)
        with Redis.from_url(redis_url) as redis:
            redis.flushall()

    convert = training.archive._convert
    monkeypatch.setattr(training.archive, "_convert", emptied)
    post(store, 1)
    assert archive.drain(store) == 1
    post(store, 2)
    assert archive.upto(store) == 0


def test_events_without_a_key_are_told_apart(store: Store, archive: Archive) -> None:
    for number in range(4):
        post(store, number, event="view_item", order_id=None, customer_id="ann")
    archive.drain(store)
    cap(store, upto=archive.upto(store), most=1)
    assert [decode(entry.body).item_id for entry in logged(store, archive, upto=store.newest())] == [
        "i0",
        "i1",
        "i2",
        "i3",
    ]


def test_a_file_names_nobody_and_nothing_personal(store: Store, archive: Archive) -> None:
    post(store, 1, customer_id="anna@shop", event_id="anna@shop 1", note="red", email="anna@shop")
    archive.drain(store)
    assert b"red" in bodies(archive)
    assert b"anna" not in bodies(archive)


def test_who_was_erased_is_read_no_more_and_leaves_the_files_with_the_next_run(store: Store, archive: Archive) -> None:
    for number in range(6):
        post(store, number)
    archive.drain(store)
    cap(store, upto=archive.upto(store), most=0)
    erase(store, archive.tombs, "c1", now=NOW)
    assert {customer_id for customer_id, _ in orders(store, archive)} == {"c0", "c2"}
    assert archive.forget(keep_s=DAY_S) == 2
    assert archive.forget(keep_s=DAY_S) == 0
    assert b"o4" not in bodies(archive)
    assert archive.drain(store) == 0


def test_what_was_drained_of_a_visit_is_hers_once_she_says_who_she_is(store: Store, archive: Archive) -> None:
    post(store, 1, customer_id="visitor")
    post(store, 2, customer_id="visitor")
    archive.drain(store)
    cap(store, upto=1, most=0)
    merge(store, anonymous="visitor", known="anna")
    archive.drain(store)
    assert orders(store, archive) == [("anna", "o1"), ("anna", "o2")]
    cap(store, upto=archive.upto(store), most=0)  # o2 lies in two files now
    assert orders(store, archive) == [("anna", "o1"), ("anna", "o2")]


def test_what_was_kept_long_enough_leaves_the_files(store: Store, archive: Archive) -> None:
    for number in range(4):
        post(store, number, now=NOW + number * DAY_S)
    archive.drain(store)
    assert archive.forget(keep_s=2 * DAY_S) == 1


def test_a_folder_that_cannot_be_written_says_so_and_loses_nothing(store: Store, archive: Archive) -> None:
    post(store, 1)
    archive.folder.write_text("no folder")
    with pytest.raises(DiskError, match="events"):
        archive.drain(store)
    assert len(list(store.events())) == 1


def test_a_store_that_keeps_its_events_is_not_drained(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'valet.db'}")
    assert store is not None
    post(store, 1)
    assert drained(store, tmp_path / "events", keep_days=1) is None
    assert not (tmp_path / "events").exists()
    store.close()


def shop(folder: Path) -> None:
    """A till's export, and settings by which two events stay in the log."""
    (folder / "valet.toml").write_text('events_keep_most = 2\n[history]\nfiles = ["till.csv"]\n')
    lines = [f"x{day % 4},i{day % 5},2025-12-{day:02}T10:00:00Z,t{day},1,10" for day in range(1, 29)]
    (folder / "till.csv").write_text("\n".join(["customer_id,item_id,time,order_id,quantity,price", *lines]))


def test_a_training_drains_caps_and_learns_the_same_the_next_time(
    store: Store, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shop(tmp_path)
    for number in range(20):
        post(store, number, price=10)
    profiles = []
    for _ in range(2):
        options = resolve(["--store", redis_url, "--no-evaluate", "--threads", "1"], {})
        assert run.run(options, now=NOW + DAY_S) == 0
        assert len(list(store.events())) == 2
        profiles.append([None if one is None else one.profile for one in store.customers(["c0", "c1", "c2", "x1"])])
    assert profiles[0] == profiles[1]
    assert None not in profiles[0]


def test_what_comes_while_a_training_drains_stays_in_the_log(
    store: Store, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*given: Any) -> Told:
        for number in range(20, 25):
            post(store, number, price=10)
        return told(*given)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(training.people, "told", late)
    shop(tmp_path)
    for number in range(20):
        post(store, number, price=10)
    options = resolve(["--store", redis_url, "--no-evaluate", "--threads", "1"], {})
    assert run.run(options, now=NOW + DAY_S) == 0
    assert [decode(entry.body).order_id for entry in store.events()] == [f"o{number}" for number in range(20, 25)]
