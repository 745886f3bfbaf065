"""Everybody's next mailing: the lists that the service gives, in one file, for those who may be written to."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from models.profile import EMPTY, Event, dump, fold
from service.lists.links import read as read_link
from service.lists.tokens import verify
from service.people import facts
from service.signing import signing_key
from service.store.open import open_store
from tests.service.http.apps import tiny_client
from tests.training.mailing import BOUGHT, TOLD, a_shop, say
from tests.worlds import NOW, save, tiny_models
from training.crowd import Permission
from training.picks import main


@pytest.fixture
def shop(tmp_path: Path, store_url: str) -> tuple[Path, str]:
    return a_shop(tmp_path, store_url)


def picked(shop: tuple[Path, str], *flags: str, name: str = "picks.jsonl", soft: bool = True) -> list[dict[str, Any]]:
    folder, url = shop
    out = folder / name
    arguments = ["--models-dir", str(folder / "models"), "--store", url, "--out", str(out), "--as-of", "2026-01-01"]
    assert main([*arguments, "--threads", "1", *(["--soft-opt-in"] if soft else []), *flags]) == 0
    return [json.loads(line) for line in out.read_text().splitlines()]


def test_the_lists_are_those_of_the_service_in_the_same_order(shop: tuple[Path, str]) -> None:
    rows = picked(shop, "--n", "5")
    client = tiny_client(shop[0], store=shop[1], secret=None)
    assert {row["customer_id"] for row in rows} == set(BOUGHT)
    for name in BOUGHT:
        body = {"customer_id": name, "placement": "email", "intent": "for_you", "n": 5}
        answer = client.post("/recommend", json=body).json
        assert answer is not None
        mine = [row for row in rows if row["customer_id"] == name]
        assert [(row["rank"], row["item_id"], row["reason"]) for row in mine] == [
            (item["rank"], item["item_id"], item["reason"]["text"]) for item in answer["items"]
        ]
        assert [row["score"] for row in mine] == pytest.approx([item["score"] for item in answer["items"]], abs=2e-6)
        assert {row["recommendation_id"] for row in mine} == {answer["recommendation_id"]}


def test_the_shop_s_merchandising_holds_for_the_mailing_too(shop: tuple[Path, str]) -> None:
    settings = shop[0] / "valet.toml"
    settings.write_text(
        '[placements.email]\nintent = "for_you"\nn = 3\n'
        '[[merchandising]]\nname = "vitamins first"\nitems = ["VT-001"]\npin = 1\nwhen = "customer.orders > 0"\n'
        '[[merchandising]]\nname = "no red"\nfilter = { field = "colour", value = "red" }\nhide = true\n'
    )
    rows = picked(shop, "--config", str(settings))
    client = tiny_client(shop[0], store=shop[1], secret=None, config=settings)
    for name in BOUGHT:
        answer = client.post("/recommend", json={"customer_id": name, "placement": "email"}).json
        assert answer is not None
        mine = [(row["item_id"], row["source"]) for row in rows if row["customer_id"] == name]
        assert mine == [(item["item_id"], item["source"]) for item in answer["items"]]
        assert (mine[0] == ("VT-001", "pinned")) is (name != "cid")  # she owns them
        assert not {"DR-002", "SH-015"} & {item_id for item_id, _ in mine}


def test_only_who_said_yes_is_written_to(shop: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    store = open_store(shop[1])
    assert store is not None
    say(store, "ann", "denied")
    say(store, "bob", "withdrawn", channel="all")
    say(store, "cid", "granted")
    store.change("dan", "facts", lambda _: facts.dump(facts.with_do_not_contact(facts.load(None), "email", "bounced")))
    say(store, "fay", "granted", channel="sms")  # she never bought
    store.close()
    assert {row["customer_id"] for row in picked(shop, soft=False)} == {"cid"}
    said = capsys.readouterr().out
    assert "left out: 2 who never said yes to marketing on email, 3 who said no or cannot be reached" in said
    assert "--soft-opt-in" in said
    assert {row["customer_id"] for row in picked(shop, soft=True)} == {"cid", "eve"}
    assert "SOFT OPT-IN let in 1 who never said yes or no" in capsys.readouterr().out
    assert {row["customer_id"] for row in picked(shop, "--channel", "sms")} == {"ann", "cid", "dan", "eve", "fay"}
    assert {row["customer_id"] for row in picked(shop, "--threads", "2", soft=False)} == {"cid"}


def test_links_and_recommendation_ids_are_signed_with_the_service_s_key(shop: tuple[Path, str]) -> None:
    row = picked(shop, "--links", "https://valet.example/")[0]
    store = open_store(shop[1])
    assert store is not None
    secret = signing_key(store)
    store.close()
    token = verify(row["recommendation_id"], secret)
    link = read_link(row["link"].removeprefix("https://valet.example/r/"), secret=secret)
    assert token is not None and link is not None  # noqa: PT018
    assert (token.placement, token.at, link.recommendation_id) == ("email", NOW, row["recommendation_id"])
    assert link.item_ids[0] == row["item_id"]
    assert row["customer_id"] not in row["link"]


def test_from_history_files_without_a_store_there_are_no_links_because_nobody_could_open_them(tmp_path: Path) -> None:
    save(tmp_path / "models", "one", tiny_models())
    (tmp_path / "till.csv").write_text("customer_id,item_id,time\nann,DR-001,2025-12-01\nbob,VT-001,2025-12-24\n")
    out = tmp_path / "picks.jsonl"
    arguments = ["--models-dir", str(tmp_path / "models"), "--history", str(tmp_path / "till.csv"), "--out", str(out)]
    assert main([*arguments, "--threads", "1"]) == 0
    assert out.read_text() == ""  # no file of purchases says who may be written to
    assert main([*arguments, "--threads", "1", "--soft-opt-in"]) == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert {row["customer_id"] for row in rows} == {"ann", "bob"}
    assert rows[0]["item_id"] == "SH-014"
    assert {row["as_of"] for row in rows} == {"2025-12-24T00:00:00Z"}
    assert {(row["link"], row["recommendation_id"]) for row in rows} == {(None, None)}


def test_several_processes_write_what_one_writes(shop: tuple[Path, str]) -> None:
    one = picked(shop)
    assert picked(shop, "--threads", "2", name="again.jsonl") == one


KILLED = """
import os, signal, sys
from training.picks import Sheet, main
write = Sheet.write
def written(sheet, *rows, **named):
    write(sheet, *rows, **named)
    if b"\\n[" in sheet._part.read_bytes():  # the mark of those who stand in it whole
        os.kill(os.getpid(), signal.SIGKILL)
Sheet.write = written
main(sys.argv[1:])
"""


def test_a_mailing_that_was_killed_goes_on_where_it_ended_and_names_everybody_once(tmp_path: Path) -> None:
    save(tmp_path / "models", "one", tiny_models())
    url = f"sqlite:///{tmp_path / 'valet.db'}"
    store = open_store(url)
    assert store is not None
    profile = dump(fold(EMPTY, Event("purchase", NOW, item_id="DR-001")))
    store.publish(((f"c{number:05}", profile) for number in range(3_000)), sequence=0, fold=lambda *_: b"")
    store.close()
    out = tmp_path / "picks.jsonl"
    command = [sys.executable, "-m", "training.picks", "--models-dir", str(tmp_path / "models"), "--store", url]
    command += ["--out", str(out), "--threads", "1", "--n", "3", "--as-of", "2026-01-01", "--soft-opt-in"]
    killed = subprocess.run([sys.executable, "-c", KILLED, *command[3:]], check=False, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    assert not out.exists()
    again = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert "of them in an earlier run" in again.stdout
    ids = [json.loads(line)["customer_id"] for line in out.read_text().splitlines()]
    assert ids == [f"c{number:05}" for number in range(3_000) for _ in range(3)]


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--out", "picks.xlsx"], "picks.xlsx"),
        (["--store", "none"], "no customers"),
        (["--models-dir", "nowhere"], "is not a bundle"),
        (["--history", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_exit_2(
    shop: tuple[Path, str], flags: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, url = shop
    common = ["--models-dir", str(folder / "models"), "--store", url, "--out", str(folder / "p.csv")]
    assert main([*common, *flags]) == 2
    told = capsys.readouterr().err
    assert says in told
    assert told.count("\n") == 1


def test_a_store_that_knows_nobody_is_no_mailing_to_nobody(
    shop: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "p.csv"
    store = f"sqlite:///{tmp_path / 'mistyped.db'}"
    assert main(["--models-dir", str(shop[0] / "models"), "--store", store, "--out", str(out)]) == 2
    assert "the store knows no customer" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(("soft", "names"), [(False, ["yes"]), (True, ["yes", "buyer"])])
def test_nobody_knows_is_no_yes_and_soft_opt_in_asks_customers_alone(soft: bool, names: list[str]) -> None:
    yes = facts.dump(facts.with_consents(facts.load(None), [{**TOLD, "status": "granted"}]))
    bought = dump(fold(EMPTY, Event("purchase", NOW, "DR-001")))
    people = [("yes", None, yes), ("buyer", bought, None), ("visitor", dump(EMPTY), None), ("stranger", None, None)]
    permission = Permission("email", soft=soft)
    assert [one[0] for one in permission.among(people)] == names
    assert (permission.silent, permission.unasked, permission.refused) == (3 - soft, int(soft), 0)


def test_what_is_sold_out_since_training_is_in_no_mailing(shop: tuple[Path, str]) -> None:
    assert "SH-014" in {row["item_id"] for row in picked(shop)}
    client = tiny_client(shop[0], store=shop[1])
    assert client.patch("/items/SH-014", json={"stock": 0}).status_code == 200
    new = {"item_id": "NEW", "title": "Green dress", "price": 1.0}
    assert client.put("/items", json={"items": [new]}).status_code == 200
    for flags in (("--threads", "1"), ("--threads", "2")):
        assert "SH-014" not in {row["item_id"] for row in picked(shop, *flags, name=f"{flags[1]}.jsonl")}
