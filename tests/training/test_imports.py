"""Consents and past sends of other systems, from real files, into both stores."""

from __future__ import annotations

from pathlib import Path

import duckdb
import openpyxl
import pytest

from models.profile import load
from service.decisions import ledger as ledger_of
from service.decisions.past import past
from service.people import facts as facts_of
from service.people.erasure import Tombs, erase
from service.people.pseudonyms import Pseudonyms
from service.store import Store
from tests.worlds import NOW
from training.imports import main

CONSENTS = (
    ("Customer ID", "Channel", "Status", "Date", "Source", "Legal basis", "Proof"),
    ("anna", "email", "granted", "2025-11-01", "till", "consent", "form 3"),
    ("anna", "email", "withdrawn", "2025-12-01T10:00:00Z", "letter", "consent", "no. 7"),
    ("bob", "sms", "no", "2025-11-02", "till", "consent", "form 4"),
)
SENDS = (
    ("customer_id", "sent_at", "campaign", "item_id", "message_id"),
    ("anna", "2025-12-02T08:00:00Z", "spring", "A", "m1"),
    ("anna", "2025-12-03T08:00:00Z", "summer", "B", "m2"),
)


def write(path: Path, rows: tuple[tuple[str, ...], ...]) -> str:
    """The rows as a file of the kind that its name says."""
    lines = path.with_suffix(".csv")
    lines.write_text("\n".join(",".join(row) for row in rows))
    if path.suffix == ".parquet":
        with duckdb.connect() as con:
            con.execute(f"COPY (FROM read_csv('{lines}', all_varchar = true)) TO '{path}'")
    if path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(path)
    return str(path)


def facts(store: Store, customer_id: str) -> facts_of.Facts:
    customer = store.customer(customer_id)
    return facts_of.load(None if customer is None else customer.facts)


@pytest.mark.parametrize("name", ["consents.csv", "consents.parquet", "consents.xlsx"])
def test_consents_of_any_file_are_in_the_history_and_in_force_once(
    store: Store, store_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    file = write(tmp_path / name, CONSENTS)
    for _ in range(2):
        assert main(["--consents", file, "--store", store_url]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told == ["consents: 3 kept, 0 known already, 0 refused", "consents: 0 kept, 3 known already, 0 refused"]
    hers = facts(store, "anna")
    assert [(one["status"], one["source"], one["lawful_basis"], one["proof"]) for one in hers["consents"]] == [
        ("granted", "till", "consent", "form 3"),
        ("withdrawn", "letter", "consent", "no. 7"),
    ]
    assert facts_of.consent(hers, "marketing", "email") == "no"
    assert facts_of.consent(facts(store, "bob"), "marketing", "sms") == "no"


def test_a_bad_row_is_refused_by_its_place_and_never_by_her_name_and_the_rest_is_kept(
    store: Store, store_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = [
        ("anna", "email", "perhaps", "2025-11-01"),
        ("anna", "email", "granted", "soon"),
        ("", "email", "granted", ""),
    ]
    bad.append(("anna", "email", "granted", "2999-01-01"))
    torn = ("anna", "email")
    file = write(tmp_path / "c.csv", (CONSENTS[0], *((*row, "", "", "") for row in bad), CONSENTS[1], torn))
    assert main(["--consents", file, "--store", store_url]) == 0
    told = capsys.readouterr().out
    assert told.startswith("consents: 1 kept, 0 known already, 5 refused")
    for place in ("row 2: status 'perhaps'", "row 3: at 'soon'", "row 5: at '2999-01-01'", "line 7"):
        assert place in told
    assert "anna" not in told
    assert len(facts(store, "anna")["consents"]) == 1


def test_past_sends_are_in_the_log_and_count_as_contacts_once(
    store: Store, store_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "sends.csv", SENDS)
    for _ in range(2):
        assert main(["--sends", file, "--store", store_url]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "sends: 0 kept, 2 known already, 0 refused"
    customer = store.customer("anna")
    assert customer is not None
    assert load(customer.profile).counts == {"email_sent": 2}
    told = ledger_of.load(customer.ledger)
    assert [contact.actions for contact in told.contacts] == [("spring",), ("summer",)]
    later = [one for one in past(told, since=0, now=NOW, asked=()).standing if one.at > told.contacts[0].at]
    assert [contact.channel for contact in later] == ["email"]


def test_an_import_brings_nobody_back(
    store: Store, store_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    erase(store, Tombs(store, Pseudonyms(store)), "anna", now=NOW)
    files = ["--consents", write(tmp_path / "c.csv", CONSENTS), "--sends", write(tmp_path / "s.csv", SENDS)]
    assert main([*files, "--store", store_url]) == 0
    assert store.customer_ids() == ["bob"]
    assert "erased" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--consents", "none.csv"], "no such file"),
        (["--sends", "x", "--store", "none"], "store"),
        (["--consents", "strange.csv"], "strange.csv: no column says at among 'customer_id', 'since'. Write at"),
    ],
)
def test_what_cannot_be_used_is_said_with_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "strange.csv", (("customer_id", "since"), ("anna", "2025-11-01")))
    assert main(arguments) == 2
    assert says in capsys.readouterr().err


def test_an_import_of_nothing_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([])
    assert "--consents FILE" in capsys.readouterr().err
