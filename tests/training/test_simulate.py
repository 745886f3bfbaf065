"""Simulation: what a changed catalogue would do beside the live one, and that nothing of the store is touched by asking."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import orjson
import pytest
from redis import Redis

from models.action_catalogue import parse
from models.event_log import encode
from models.profile import Event
from models.settings import Settings
from service.decisions import ledger as ledger_of
from service.decisions.ledger import Contact, Ledger
from service.decisions.shelf import Shelf, known
from service.events import fold
from service.people import facts as facts_of
from service.store import Entry, Store
from service.store.open import open_store
from tests.service.decisions.worlds import DAY, NOW, SILENCE, action, catalogue
from tests.worlds import save, tiny_models
from training.side_by_side import COLUMNS
from training.simulate import main, sampled

LIMIT = '[[limits]]\ncontacts = 1\ndays = 7\nchannel = "email"\n'
SETTLED = '[learning]\nexploration = "none"\n'
BUDGET = '[[budgets]]\nname = "sale"\namount = {amount}\ndays = 30\npacing = 0.0\n'
LIVE = SETTLED + LIMIT + action("news", value=10) + action("sale", value=100, needs={"orders": [1]}) + SILENCE
PEOPLE = 8  # of the even ones an order is known, number 6 said no, number 7 was written to yesterday


@pytest.fixture
def shop(tmp_path: Path, store_url: str) -> tuple[Path, str]:
    """A folder with a bundle and settings, and a store with customers and a catalogue that was put."""
    save(tmp_path / "models", "one", tiny_models())
    (tmp_path / "valet.toml").write_text("", encoding="utf-8")
    store = open_store(store_url)
    assert store is not None
    for number in range(PEOPLE):
        _customer(store, number)
    Shelf(catalogue(action("old")), store, known=known(Settings())).put(parse(LIVE, "actions.toml"))
    store.close()
    return tmp_path, store_url


def _customer(store: Store, number: int) -> None:
    name = f"c{number}"
    if number % 2 == 0:
        bought = Event("purchase", NOW - 3 * DAY, item_id="A", amount=100_000, order_id=f"o{number}")
        store.record([Entry(name, (f"e{number}",), bought.at, encode(bought))], fold)
    said = {"purpose": "marketing", "channel": "email", "status": "denied" if number == 6 else "granted", "at": 1}
    store.change(name, "facts", lambda _: facts_of.dump(facts_of.with_consents(facts_of.load(None), [said])))
    if number == 7:
        contact = Contact("d", "email", NOW - DAY, None, True, ("news",), groups=("news",))
        store.change(name, "ledger", lambda _: ledger_of.dump(Ledger((contact,))))


def simulated(shop: tuple[Path, str], changed: str, *flags: str) -> dict:
    folder, url = shop
    (folder / "new.toml").write_text(changed, encoding="utf-8")
    command = ["--actions", str(folder / "new.toml"), "--store", url, "--models-dir", str(folder / "models")]
    command += [
        "--config",
        str(folder / "valet.toml"),
        "--as-of",
        "2025-11-24T16:00:00Z",
        "--out",
        str(folder / "o.json"),
    ]
    assert main([*command, *flags]) == 0
    return orjson.loads((folder / "o.json").read_bytes())


def counts(found: dict, measure: str, tier: str = "all") -> dict[str, tuple[float, float]]:
    return {
        row["name"]: (row["live"], row["changed"])
        for row in found["rows"]
        if row["measure"] == measure and row["tier"] == tier
    }


def contents(url: str, folder: Path) -> object:
    """All bytes of a store."""
    if url.startswith("sqlite"):
        return hashlib.sha256((folder / "valet.db").read_bytes()).hexdigest()
    with Redis.from_url(url.partition("?")[0]) as client:
        return {key: client.dump(key) for key in client.keys("*")}


def test_volumes_reach_and_who_is_left_with_nothing_stand_beside_those_of_the_live_catalogue(shop):
    found = simulated(shop, LIVE.replace("value = 10\n", 'value = 10\nstate = "paused"\n'))
    assert counts(found, "customers") == {"": (8, 8)}
    assert counts(found, "said") == {"news": (3, 0), "sale": (3, 3)}
    assert counts(found, "reached") == {"": (6, 3)}
    assert counts(found, "nothing") == {"CONSENT": (1, 1), "CONTACT_LIMIT": (1, 0), "APPLICABILITY": (0, 4)}
    assert found["live"]["catalogue_version"] != found["changed"]["catalogue_version"]


def test_the_live_catalogue_is_the_one_that_was_put_and_the_same_one_makes_no_difference(shop):
    found = simulated(shop, LIVE)
    assert found["live"]["catalogue_version"] == found["changed"]["catalogue_version"]
    assert {row["difference"] for row in found["rows"]} == {0}


def test_a_budget_goes_to_the_highest_priorities_and_is_said_to_be_drained(shop):
    paid = LIVE.replace("needs = ", 'budget = "sale"\nspend = 1.0\nneeds = ')
    found = simulated(shop, BUDGET.format(amount=2) + paid)
    assert counts(found, "said") == {"news": (3, 4), "sale": (3, 2)}
    assert counts(found, "spent") == {"budget sale": (0, 2)}
    assert counts(found, "left") == {"budget sale": (0, 0)}
    assert counts(found, "turned_away") == {"budget sale": (0, 1)}
    assert found["changed"]["drained"] == ["budget sale"]
    assert found["live"]["drained"] == []


@pytest.mark.parametrize("channel", ["email", "website", "agent"])
def test_nothing_of_the_store_is_touched(shop, channel):
    folder, url = shop
    before = contents(url, folder)
    simulated(shop, BUDGET.format(amount=2) + LIVE, "--channel", channel)
    assert contents(url, folder) == before


def test_a_sample_is_drawn_by_its_seed_and_scaled_up_to_everybody(shop):
    found = simulated(shop, LIVE, "--sample", "4")
    assert (found["customers"], found["decided"]) == (8, 4)
    assert counts(found, "customers") == {"": (8, 8)}
    assert all(row["live_margin"] > 0 for row in found["rows"] if row["live"] and row["measure"] != "left")
    assert {row["difference_margin"] for row in found["rows"]} == {0}  # of a catalogue and itself
    names = [f"c{number:02}" for number in range(100)]
    assert sampled(names, 10, seed=1) == sampled(names, 10, seed=1) != sampled(names, 10, seed=2)
    assert sampled(names, 10, seed=1) == sorted(sampled(names, 10, seed=1))
    assert sampled(names, 0, seed=1) == names


def test_it_is_written_as_a_table_and_as_a_page_too(shop):
    folder, _ = shop
    simulated(shop, LIVE)
    for name in ("o.csv", "o.html"):
        simulated(shop, LIVE, "--out", str(folder / name))
    with (folder / "o.csv").open(newline="") as file:
        assert set(next(csv.DictReader(file))) == set(COLUMNS)
    page = (folder / "o.html").read_text(encoding="utf-8")
    assert "What the changed catalogue would do" in page
    assert "http" not in page


@pytest.mark.parametrize(
    ("changed", "flags", "says"),
    [
        (LIVE, ["--channel", "pigeon"], "--channel pigeon: unknown; known are website, email, agent"),
        (LIVE, ["--store", "none"], "there is nobody to decide for"),
        (LIVE, ["--out", "o.xls"], "write a file that ends in .json, .csv, .html"),
        ("[[actions]]\nid = 3\n", [], "new.toml, line 1: actions.0: issue is missing"),
        (LIVE, ["--actions", "gone.toml"], "'gone.toml'. Name another one."),
    ],
)
def test_what_cannot_be_used_is_said_with_its_cure(tmp_path, capsys, changed, flags, says):
    (tmp_path / "new.toml").write_text(changed, encoding="utf-8")
    store = f"sqlite:///{tmp_path / 'valet.db'}"
    assert main(["--actions", str(tmp_path / "new.toml"), "--store", store, *flags]) == 2
    assert says in capsys.readouterr().err
