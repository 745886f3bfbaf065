"""What the archive holds of one customer, as a file for her."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from service import events
from service.events import Rules
from service.people.erasure import Tombs, erase
from service.people.identity import merge
from service.people.pseudonyms import Pseudonyms
from service.retention import cap
from service.store import Store
from service.store.open import open_store
from tests.worlds import NOW
from training import drained
from training.archive import Archive


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "valet.toml").write_text('[history]\nevents = "old"\n')
    return tmp_path


def orders(folder: Path, redis_url: str, customer_id: str) -> list[str]:
    said = ["--customer", customer_id, "--store", redis_url, "--config", "shop/valet.toml", "--out", "her.jsonl"]
    assert drained.main(said) == 0
    return [orjson.loads(line)["order_id"] for line in (folder / "her.jsonl").read_bytes().splitlines()]


def drain(redis_url: str, folder: Path) -> Store:
    """A log of a visit and three customers, drained, and capped to its newest event."""
    store = open_store(f"{redis_url}?timeout_ms=5000")
    assert store is not None
    for number, name in enumerate(["visitor", "anna", "bob", "anna", "cid", "anna"]):
        row = {"event": "purchase", "item_id": "i", "customer_id": name, "order_id": f"o{number}", "price": 5}
        events.record(row, store=store, rules=Rules(), now=NOW + number, new_id=lambda number=number: f"e{number}")
    archive = Archive(folder / "shop" / "old", Tombs(store, Pseudonyms(store)))
    archive.drain(store)
    cap(store, upto=archive.upto(store), most=1)
    merge(store, anonymous="visitor", known="anna")
    return store


def test_her_events_under_all_her_names_and_nobody_elses_stand_in_the_file(
    folder: Path, redis_url: str, capsys
) -> None:
    store = drain(redis_url, folder)
    assert orders(folder, redis_url, "anna") == ["o0", "o1", "o3"]  # o5 is on the server still
    assert orders(folder, redis_url, "visitor") == ["o0", "o1", "o3"]
    assert orders(folder, redis_url, "bob") == ["o2"]
    assert "1 events in her.jsonl" in capsys.readouterr().out
    (line,) = (folder / "her.jsonl").read_bytes().splitlines()
    assert orjson.loads(line)["amount"] == 5.0
    store.close()


def test_the_archive_may_lie_elsewhere(folder: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drain(redis_url, folder).close()
    (folder / "shop" / "old").rename(folder / "elsewhere")
    monkeypatch.setenv("VALET_EVENTS_DIR", "elsewhere")
    assert orders(folder, redis_url, "bob") == ["o2"]


def test_who_was_erased_is_known_to_nobody(folder: Path, redis_url: str, capsys) -> None:
    store = drain(redis_url, folder)
    erase(store, Tombs(store, Pseudonyms(store)), "bob", now=NOW + 9)
    said = ["--customer", "bob", "--store", redis_url, "--config", "shop/valet.toml", "--out", "her.jsonl"]
    assert drained.main(said) == 2
    assert "nobody knows her" in capsys.readouterr().err
    assert not (folder / "her.jsonl").exists()
    store.close()


def test_a_file_that_cannot_be_written_is_named(folder: Path, redis_url: str, capsys) -> None:
    drain(redis_url, folder).close()
    said = ["--customer", "bob", "--store", redis_url, "--config", "shop/valet.toml", "--out", "nowhere/her.jsonl"]
    assert drained.main(said) == 5
    assert "nowhere/her.jsonl" in capsys.readouterr().err


def test_an_archive_that_is_not_there_is_not_taken_for_an_empty_one(folder: Path, redis_url: str, capsys) -> None:
    drain(redis_url, folder).close()
    assert drained.main(["--customer", "bob", "--store", redis_url, "--out", "her.jsonl"]) == 2
    assert "events: there is no such folder" in capsys.readouterr().err
