"""What a training must not bring back, on both stores, from real files."""

from __future__ import annotations

from pathlib import Path

from models.profile import EMPTY, Event, dump, fold, load
from service import events
from service.events import Rules
from service.people import consents, lookup
from service.people.erasure import Tombs, erase
from service.people.facts import with_consents
from service.people.identity import merge
from service.people.pseudonyms import Pseudonyms
from service.store import Store
from tests.worlds import NOW
from training import rights, run
from training.people import publish_attributes
from training.settings import resolve

ORDERS = [("anna", "A"), ("anna", "B"), ("bob", "A"), ("old bob", "B"), ("cid", "A"), ("cid", "B")]
REFUSAL = {"purpose": "profiling", "channel": "all", "status": "denied", "at": NOW}


def train(folder: Path, store_url: str) -> None:
    """A whole run on the till's file, with a customer file beside it."""
    lines = [
        f"{who},{item},2025-12-{day:02}T10:00:00Z,o-{who}-{day},1,10" for day in range(1, 29) for who, item in ORDERS
    ]
    header = "customer_id,item_id,time,order_id,quantity,price"
    (folder / "till.csv").write_text("\n".join([header, *lines]))
    (folder / "customers.csv").write_text(
        "customer_id,city,email\nanna,Bangkok,anna@x\nbob,Trang,bob@x\ncid,Trang,c@x\n"
    )
    options = ["--history", str(folder / "till.csv"), "--customers", str(folder / "customers.csv")]
    options += ["--store", store_url, "--models-dir", str(folder / "models"), "--no-evaluate", "--threads", "1"]
    options += ["--events-dir", str(folder / "events")]
    assert run.run(resolve(options, {}), now=NOW) == 0


def orders(store: Store, customer_id: str) -> int:
    customer = store.customer(customer_id)
    return 0 if customer is None else load(customer.profile).orders


def test_the_next_training_brings_nobody_back_and_keeps_everybody_else(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    train(tmp_path, store_url)
    assert (orders(store, "anna"), orders(store, "bob")) == (28, 28)
    erase(store, Tombs(store, Pseudonyms(store)), "anna", now=NOW)
    train(tmp_path, store_url)
    assert store.customer("anna") is None
    assert lookup.find(store, Pseudonyms(store), "email", "anna@x") == []
    assert lookup.find(store, Pseudonyms(store), "email", "bob@x") == ["bob"]
    assert orders(store, "bob") == 28
    assert not [path for path in (tmp_path / "models").rglob("*") if path.is_file() and b"anna" in path.read_bytes()]


def test_who_came_back_keeps_what_she_did_since_and_nothing_of_before(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    erase(store, Tombs(store, Pseudonyms(store)), "anna", now=NOW)
    bought = {"event": "purchase", "customer_id": "anna", "item_id": "A", "order_id": "new"}
    events.record(bought, store=store, rules=Rules(), now=NOW, new_id=lambda: "1")
    train(tmp_path, store_url)
    assert orders(store, "anna") == 1


def test_who_refused_to_be_profiled_gets_no_profile_from_the_till(store: Store, store_url: str, tmp_path: Path) -> None:
    consents.change(store, "anna", lambda facts: with_consents(facts, [REFUSAL]))
    train(tmp_path, store_url)
    assert (orders(store, "anna"), orders(store, "bob")) == (0, 28)


def test_what_the_till_knows_under_another_name_of_hers_is_hers(store: Store, store_url: str, tmp_path: Path) -> None:
    store.change("old bob", "facts", lambda _: b"{}")
    merge(store, anonymous="old bob", known="bob")
    train(tmp_path, store_url)
    assert (orders(store, "bob"), orders(store, "old bob")) == (56, 56)


def test_who_is_erased_while_profiles_are_published_stays_erased(store: Store) -> None:
    profile = dump(fold(EMPTY, Event("purchase", NOW, item_id="A")))
    before = rights.erased(store)
    erase(store, Tombs(store, Pseudonyms(store)), "anna", now=NOW)
    store.publish([("anna", profile), ("bob", profile)], sequence=0, fold=events.fold)
    assert rights.erase_again(store, ["anna", "bob"], before) == 1
    assert store.customer_ids() == ["bob"]
    assert rights.erase_again(store, ["anna", "bob"], rights.erased(store)) == 0


def test_a_customer_file_brings_nobody_back(store: Store) -> None:
    erase(store, Tombs(store, Pseudonyms(store)), "anna", now=NOW)
    rows = [{"customer_id": "anna", "city": "Bangkok"}, {"customer_id": "bob", "city": "Trang"}]
    assert publish_attributes(store, rows) == 1
    assert store.customer_ids() == ["bob"]
