"""What training tells the store of customers."""

import openpyxl
import pytest

from models.profile import load
from models.settings import HistorySettings, Shop
from service.store.open import open_store
from tests.service.http.apps import tiny_client
from training import people
from training.catalogue import read_table
from training.read import read

LATER = 4_000_000_000  # a clock that all events lie before


def a_file(path, rows):
    if path.suffix == ".xlsx":
        workbook = openpyxl.Workbook()
        for row in rows:
            workbook.active.append(row)
        workbook.save(path)
    else:
        path.write_text("\n".join(("\t" if path.suffix == ".tsv" else ",").join(row) for row in rows))


@pytest.mark.parametrize("name", ["customers.csv", "customers.tsv", "customers.xlsx"])
def test_a_customer_known_by_attributes_alone_has_a_profile(tmp_path, store_url, name):
    a_file(tmp_path / name, [("customer_id", "city", "persona"), ("new", "Bangkok", "gifts")])
    store = open_store(store_url)
    assert people.publish_attributes(store, read_table(str(tmp_path / name))) == 1
    shown = tiny_client(tmp_path, store=store_url).get("/customers/new").json
    assert (shown["lifecycle"], shown["orders"]["count"]) == ("visitor", 0)
    assert (shown["person"]["city"], shown["person"]["persona"]) == ("Bangkok", "gifts")


def test_what_she_searched_for_in_vain_is_the_same_from_events_and_from_training(tmp_path, store_url):
    def told(day, name, **more):
        return {"event": name, "customer_id": "ann", "time": f"2025-12-{day:02}T10:00:00Z", **more}

    bought = told(12, "purchase", order_id="o1", items=[{"item_id": "DR-001", "price": 5, "quantity": 2}])
    searches = [told(day, "search", search_term=term) for day, term in ((11, "belt"), (13, "Red  Hat"), (14, "bag"))]
    client, store = tiny_client(tmp_path, store=store_url), open_store(store_url)
    assert client.post("/events", json=[*searches, bought]).json["accepted"] == 4
    shown, kept = client.get("/customers/ann").json, store.customer("ann").profile
    assert [search["term"] for search in shown["intent"]["searches"]] == ["bag", "red hat"]

    known = people.told(store)
    events = people.bought_and_seen(store, known.sequence)
    reading = read([], columns={}, settings=HistorySettings(), shop=Shop(), now=LATER, events=events, threads=1)
    assert people.publish_profiles(store, reading.history, reading.returned, known, now=LATER) == 1
    assert load(store.customer("ann").profile) == load(kept)
    assert client.get("/customers/ann").json["intent"] == shown["intent"]
