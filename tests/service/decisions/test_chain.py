"""The chain: it holds as long as nobody touched it, also after an erasure, and says where somebody did."""

import os
import threading
from pathlib import Path

import orjson
import pytest

from models.errors import StoreUnavailable
from service.decisions.chain import ANCHOR, ANCHOR_S, EMPTIED, Chain, name_of, verify
from service.store import Store
from tests.fakes import FakeStore

NOW = 1_764_000_000
DAY_S = 86_400
KEEP_S = 90 * DAY_S


def note(chain: Chain, store: Store, decision_id: str, *, now: int = NOW) -> None:
    document = f"record of {decision_id}".encode()
    store.put("decision", decision_id, document, customer_id="ann")
    chain.note(decision_id, document, now)


@pytest.fixture
def written(store, tmp_path: Path) -> Path:
    """The file of a chain of five decisions, anchored at its first, third and fifth."""
    chain = Chain(tmp_path / "audit", store, keep_s=KEEP_S)
    for number in range(5):
        note(chain, store, f"d{number}", now=NOW + number * ANCHOR_S // 2)
    (path,) = (tmp_path / "audit").iterdir()
    return path


def test_a_chain_that_nobody_touched_holds(written, store):
    found = verify(written.parent, store)
    assert (found.chains, found.lines, found.anchors, found.faults) == (1, 5, 3, ())
    assert found.records == {"whole": 5}


def test_erasure_empties_the_records_and_the_chain_still_holds(written, store):
    store.put(EMPTIED, name_of("d0"), b"")
    store.erase("ann")
    found = verify(written.parent, store)
    assert (found.faults, found.records) == ((), {"emptied": 1, "expired": 4})


def test_a_chain_says_nothing_of_anybody(written):
    text = written.read_text()
    assert "ann" not in text
    assert '"d1"' not in text


def _changed(lines: list[bytes]) -> list[bytes]:
    line = orjson.loads(lines[1])
    return [lines[0], orjson.dumps({**line, "of": name_of("another")}) + b"\n", *lines[2:]]


@pytest.mark.parametrize(
    ("touch", "says"),
    [
        (_changed, ":2: the chain is broken here"),
        (lambda lines: [lines[0], *lines[2:]], ":2: the chain is broken here"),
        (lambda lines: [lines[1], lines[0], *lines[2:]], ":1: the chain is broken here"),
        (lambda lines: lines[:3], "it was cut after line 3; 5 lines were anchored"),
        (lambda lines: [*lines[:2], b"nonsense\n"], ":3: the chain is broken here"),
    ],
)
def test_what_was_changed_cut_or_moved_is_found(written, store, touch, says):
    written.write_bytes(b"".join(touch(written.read_bytes().splitlines(keepends=True))))
    assert any(says in fault for fault in verify(written.parent, store).faults)


def test_a_chain_that_was_written_anew_is_not_what_was_anchored(written, store, tmp_path):
    other = Chain(tmp_path / "forged", FakeStore(), keep_s=KEEP_S)
    for number in range(5):
        other.note(f"d{number}", b"other", NOW)
    (forged,) = (tmp_path / "forged").iterdir()
    written.write_bytes(forged.read_bytes())
    faults = verify(written.parent, store).faults
    assert any("not what was anchored" in fault for fault in faults)
    assert any("the record of this decision was changed" in fault for fault in faults)


def test_a_chain_that_is_gone_is_missed(written, store):
    written.unlink()
    assert "the whole chain is missing" in verify(written.parent, store).faults[0]


def test_a_line_that_was_being_written_when_the_process_died_is_no_fault(written, store):
    with written.open("ab") as file:
        file.write(b'{"n":6,"at"')
    assert verify(written.parent, store).faults == ()


def test_threads_share_a_chain_and_a_child_begins_its_own(store, tmp_path):
    chain = Chain(tmp_path, store, keep_s=KEEP_S)
    threads = [
        threading.Thread(target=lambda name=name: [note(chain, store, f"{name}{n}") for n in range(20)])
        for name in "abcd"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    child = os.fork()
    if child == 0:
        chain.note("of the child", b"1", NOW)
        os._exit(0)
    os.waitpid(child, 0)
    found = verify(tmp_path, store)
    assert (found.chains, found.lines, found.faults) == (2, 81, ())


def test_a_chain_is_noted_while_the_store_is_away_and_anchored_when_it_is_back(tmp_path):
    fake = FakeStore()
    chain = Chain(tmp_path, fake, keep_s=KEEP_S)
    fake.away = True
    chain.note("d0", b"0", NOW)
    fake.away = False
    chain.note("d1", b"1", NOW + 1)
    assert [orjson.loads(document)["n"] for _, document in fake.documents(ANCHOR)] == [2]
    fake.away = True
    with pytest.raises(StoreUnavailable):
        verify(tmp_path, fake)


def test_a_disk_that_takes_nothing_stops_no_decision(tmp_path):
    (tmp_path / "file").write_text("")
    Chain(tmp_path / "file", FakeStore(), keep_s=KEEP_S).note("d0", b"0", NOW)


def test_old_chains_go_when_a_new_one_begins(written, store):
    os.utime(written, (NOW, NOW))
    Chain(written.parent, store, keep_s=KEEP_S).note("later", b"1", NOW + KEEP_S + 1)
    assert written not in set(written.parent.iterdir())


def test_a_process_begins_a_chain_a_day_and_those_of_long_ago_go_while_it_lives(store, tmp_path):
    folder = tmp_path / "audit"
    chain = Chain(folder, store, keep_s=2 * DAY_S)
    for now in (NOW + day * DAY_S + second for day in range(5) for second in range(2)):
        note(chain, store, f"d{now}", now=now)
        os.utime(max(folder.iterdir()), (now, now))
    paths = sorted(folder.iterdir())
    assert [int(path.name.split("-")[0]) for path in paths] == [NOW + day * DAY_S for day in (2, 3, 4)]
    assert verify(folder, store).lines == 6
    paths[1].write_bytes(paths[1].read_bytes().splitlines(keepends=True)[0])
    assert any("was cut after line 1; 2 lines were anchored" in fault for fault in verify(folder, store).faults)


def test_a_file_that_was_moved_is_begun_anew_and_what_is_missing_is_found(written, store, tmp_path):
    chain = Chain(tmp_path / "moved", store, keep_s=KEEP_S)
    note(chain, store, "m0")
    (path,) = (tmp_path / "moved").iterdir()
    path.rename(tmp_path / "elsewhere")
    note(chain, store, "m1")
    assert orjson.loads(path.read_bytes())["n"] == 2
    assert (tmp_path / "elsewhere").read_bytes().count(b"\n") == 1
    assert verify(tmp_path / "moved", store).faults
