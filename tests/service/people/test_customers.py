from pathlib import Path

from models.profile import EMPTY, Event, dump, fold
from service.people.customers import AWAY, NOBODY, key, read, read_many
from service.people.facts import dump as dump_facts
from service.people.facts import load as load_facts
from service.people.facts import with_consents
from service.store.open import open_store

PROFILE = fold(EMPTY, Event("view_item", 1_767_225_600, item_id="DR-001"))
REFUSAL = {"purpose": "profiling", "channel": "all", "status": "denied", "at": 1}


def test_a_visitor_is_the_customer_else_the_session() -> None:
    assert [key("c", "s"), key("c", None), key(None, "s"), key(None, None)] == ["c", "c", "session:s", None]


def test_reads_what_the_store_keeps(store_url: str) -> None:
    store = open_store(store_url)
    assert store is not None
    store.publish([("c", dump(PROFILE))], sequence=0, fold=lambda *_: b"")
    assert read(store, "c").profile == PROFILE
    assert read(store, "d") == read(store, None) == NOBODY
    assert read_many(store, ["c", "d", None]) == {"c": read(store, "c"), "d": NOBODY, None: NOBODY}
    store.close()


def test_who_refused_to_be_profiled_tells_nothing(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/valet.db")
    assert store is not None
    store.publish([("c", dump(PROFILE))], sequence=0, fold=lambda *_: b"")
    store.change("c", "facts", lambda document: dump_facts(with_consents(load_facts(document), [REFUSAL])))
    known = read(store, "c")
    assert known.profile == PROFILE
    assert known.telling == EMPTY
    store.close()


def test_while_the_store_is_away_everybody_is_unknown_and_it_says_so() -> None:
    store = open_store("redis://127.0.0.1:1/0")
    assert read(store, "c") == AWAY
    assert read_many(store, ["c", None]) == {"c": AWAY, None: NOBODY}


def test_without_a_store_nobody_is_known_and_nothing_is_degraded() -> None:
    assert read(None, "c") == NOBODY
    assert read_many(None, ["c"]) == {"c": NOBODY, None: NOBODY}
