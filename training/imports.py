"""`python -m training.imports --consents FILE… --sends FILE…`: what other systems know of customers, into the store.

rows of files (CSV, TSV, JSON lines, Parquet, Excel) → our fields → consents into the history, sends into log and ledger → a line a file

Every row is kept, known already, or refused with its place; none names a customer. Who was erased is not brought back.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from models.errors import InputError
from models.words import yes
from service import event_forms, events
from service.decisions import ledger
from service.decisions.ledger import Contact
from service.decisions.reservation import CONTACTS_KEPT_S
from service.fields import brief, digest
from service.people import consents, facts
from service.people.erasure import Tombs
from service.people.pseudonyms import Pseudonyms
from service.store import Store
from service.store.open import open_store
from training.command import ended
from training.reading.columns import plain
from training.reading.files import find
from training.reading.rows import table_rows
from training.settings import DEFAULT_STORE, parse_time, read_settings

BATCH = event_forms.MOST_ROWS
EXAMPLES = 3  # of each reason, that are told
_WHOSE = "customerid userid customer user clientid memberid contactid subscriberid รหัสลูกค้า"
CONSENT: Mapping[str, str] = {
    "customer_id": _WHOSE,
    "purpose": "purpose topic",
    "channel": "channel medium",
    "status": "status consent optin state subscribed",
    "at": "at time date timestamp consentdate statusdate consentedat updatedat",
    "source": "source origin",
    "lawful_basis": "lawfulbasis legalbasis basis",
    "proof": "proof evidence reference formid",
}
SEND: Mapping[str, str] = {
    "customer_id": _WHOSE,
    "channel": "channel medium",
    "at": "at time date timestamp sentat senddate deliveredat",
    "campaign": "campaign campaignid action actionid mailing template subject",
    "item_id": "itemid productid sku articleid",
    "event_id": "eventid messageid sendid id",
}


@dataclass
class Told:
    """What became of the rows of a file; reasons with some places, and never a customer's id."""

    kept: int = 0
    known: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    places: dict[str, list[str]] = field(default_factory=dict)

    def refuse(self, place: str, reason: str, shown: str = "") -> None:
        """Count a row that cannot be kept."""
        self.refused[reason] += 1
        if len(examples := self.places.setdefault(reason, [])) < EXAMPLES:
            examples.append(f"{place}{shown and f': {shown}'}")

    def __str__(self) -> str:
        refused = [f"{reason} {count:,} ({'; '.join(self.places[reason])})" for reason, count in self.refused.items()]
        return f"{self.kept:,} kept, {self.known:,} known already, {sum(self.refused.values()):,} refused" + (
            f": {'; '.join(refused)}" if refused else ""
        )


@dataclass(frozen=True)
class Row:
    """One row of a file under our names, and where it stands. `at`: seconds since 1970 UTC."""

    place: str
    customer_id: str
    at: int
    said: Mapping[str, str]


def rows(paths: Sequence[str], fields: Mapping[str, str], told: Told, *, time_zone: str) -> Iterator[Row]:
    """The rows that say whose they are, and when; the others are refused. Raises InputError for a file that cannot be read."""
    for file in find(list(paths)):
        headers: dict[str, str] = {}
        for name, number, row in table_rows(file, torn=lambda place: told.refuse(place, "cells missing or too many")):
            place = f"{name}, row {number}"
            headers |= row
            said = _named(row, fields)
            if missing := _missing(said):
                told.refuse(place, f"{missing} missing")
                continue
            try:
                at = parse_time(said["at"], time_zone)
            except InputError:
                told.refuse(place, "no time, write 2026-11-21T02:15:00Z", f"at {brief(said['at'])}")
                continue
            yield Row(place, said["customer_id"], at, said)
        if headers and (missing := _missing(_named(headers, fields))):
            listed = ", ".join(map(repr, headers))
            raise InputError(f"{file}: no column says {missing} among {listed}. Write {missing} at its head.")


def import_consents(store: Store, given: Iterable[Row], told: Told, *, now: int) -> None:
    """Add to the history of consents of each customer; what stands there already counts once."""
    tombs = Tombs(store, Pseudonyms(store))
    for batch in _batches(given):
        erased = tombs.erased(row.customer_id for row in batch)
        hers: dict[str, list[dict[str, Any]]] = {}
        for row in batch:
            consent = _consent(row, told, erased=row.customer_id in erased, now=now)
            if consent is not None:
                hers.setdefault(row.customer_id, []).append(consent)
        for customer_id, said in hers.items():
            before, after = _histories(store, customer_id, said)
            told.kept += after - before
            told.known += len(said) - (after - before)


def import_sends(store: Store, given: Iterable[Row], told: Told, *, now: int) -> None:
    """Put past messages where limits, fatigue and rotation look: the log, and the ledger."""
    for batch in _batches(given):
        receipts = events.record(
            [_sent(row) for row in batch], store=store, rules=events.Rules(max_age_days=0), now=now, new_id=lambda: ""
        )
        contacts: dict[str, list[Contact]] = {}
        for row, receipt in zip(batch, receipts, strict=True):
            if receipt.status == "refused":
                [(name, messages), *_] = receipt.errors.items()
                told.refuse(
                    row.place, f"{name} {messages[0]}" if receipt.errors == events.ERASED else f"{name} is wrong"
                )
                continue
            told.kept += receipt.status == "accepted"
            told.known += receipt.status == "repeated"
            contacts.setdefault(row.customer_id, []).append(_contact(row))
        for customer_id, made in contacts.items():
            store.change(customer_id, "ledger", lambda document, made=made: _with(document, made))  # type: ignore[misc]


def _missing(said: Mapping[str, str]) -> str:
    """What a row must say, and this one does not."""
    return " and ".join(sorted({"customer_id", "at"} - said.keys()))


def _named(row: Mapping[str, str], fields: Mapping[str, str]) -> dict[str, str]:
    """The row under our names."""
    by_header = {plain(header): value for header, value in row.items()}
    found = ((name, by_header.get(alias)) for name, aliases in fields.items() for alias in aliases.split())
    said: dict[str, str] = {}
    for name, value in found:
        if value is not None:
            said.setdefault(name, value)
    return said


def _batches(given: Iterable[Row]) -> Iterator[list[Row]]:
    left = iter(given)
    while batch := list(islice(left, BATCH)):
        yield batch


def _consent(row: Row, told: Told, *, erased: bool, now: int) -> dict[str, Any] | None:
    """The consent of a row; None for one that is refused."""
    status = _status(row.said.get("status", ""))
    if erased:
        told.refuse(row.place, "erased since, not taken back")
    elif status is None:
        shown = f"status {brief(row.said.get('status'))}"
        told.refuse(row.place, f"no status, write {', '.join(facts.STATUSES)}", shown)
    elif row.at > now:
        told.refuse(row.place, "in the future", f"at {brief(row.said['at'])}")
    else:
        more = {name: row.said[name] for name in ("source", "lawful_basis", "proof") if name in row.said}
        purpose, channel = row.said.get("purpose", facts.MARKETING), row.said.get("channel", facts.EVERY)
        return {"source": "import", **more, "purpose": purpose, "channel": channel, "status": status, "at": row.at}
    return None


def _status(text: str) -> str | None:
    """granted, denied or withdrawn; yes and no in many words are granted and denied."""
    word = text.strip().casefold()
    if word in facts.STATUSES:
        return word
    answer = yes(word)
    return None if answer is None else "granted" if answer else "denied"


def _histories(store: Store, customer_id: str, said: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """How long her history of consents was, and is with these."""
    lengths = [0, 0]

    def tells(known: facts.Facts) -> facts.Facts:
        changed = facts.with_consents(known, said)
        lengths[:] = [len(known["consents"]), len(changed["consents"])]
        return changed

    consents.change(store, customer_id, tells)
    return lengths[0], lengths[1]


def _sent(row: Row) -> dict[str, Any]:
    """A past message as an event."""
    channel = row.said.get("channel", "email")
    more = {name: row.said[name] for name in ("item_id", "campaign") if name in row.said}
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(row.at))
    return {"event": f"{channel}_sent", "event_id": _key(row), "customer_id": row.customer_id, "time": at, **more}


def _contact(row: Row) -> Contact:
    """The same message as a contact: it was sent, so that it counts for good."""
    channel, campaign = row.said.get("channel", "email"), row.said.get("campaign", "import")
    return Contact(_key(row), channel, row.at, until=None, counted=True, actions=(campaign,))


def _key(row: Row) -> str:
    """By what a message is known again: its id, else all that is said of it."""
    return f"import:{digest([row.said.get('event_id') or dict(row.said), row.said.get('item_id')])}"


def _with(document: bytes | None, made: Sequence[Contact]) -> bytes:
    told = ledger.load(document)
    for contact in made:
        told = ledger.reserve(told, contact, keep_s=CONTACTS_KEPT_S)
    return ledger.dump(replace(told, contacts=tuple(sorted(told.contacts, key=lambda one: one.at))))


# --- the command line -------------------------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Import, and say what became of the rows; exit 2 for what cannot be used."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if not given.consents and not given.sends:
        parser.error("say --consents FILE… or --sends FILE…")

    def work() -> int:
        for line in run(given, now=int(time.time())):
            sys.stdout.write(f"{line}\n")
        return 0

    return ended(work, interrupted="interrupted; what was imported stays, and counts once when it comes again")


def run(given: argparse.Namespace, *, now: int) -> Iterator[str]:
    """Import what is asked; a line for each kind. Raises ValetError."""
    config = given.config or os.environ.get("VALET_CONFIG") or ("valet.toml" if Path("valet.toml").exists() else None)
    settings = read_settings(Path(config) if config else None)
    store = open_store(given.store or os.environ.get("VALET_STORE") or DEFAULT_STORE)
    if store is None:
        raise InputError("--store none: there is nowhere to import to; name a store")
    try:
        for name, paths, fields, keep in (
            ("consents", given.consents, CONSENT, import_consents),
            ("sends", given.sends, SEND, import_sends),
        ):
            if paths:
                told = Told()
                keep(store, rows(paths, fields, told, time_zone=settings.shop.time_zone), told, now=now)
                yield f"{name}: {told}"
    finally:
        store.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="valet-import", description="Import consents and past sends into the store.")
    add = parser.add_argument
    add("--consents", nargs="+", metavar="PATH", help="customer_id, purpose, channel, status, at, source, proof …")
    add("--sends", nargs="+", metavar="PATH", help="customer_id, channel, at, campaign, item_id, event_id")
    add("--store", metavar="URL", help=f"default: {DEFAULT_STORE}")
    add("--config", metavar="PATH", help="valet.toml (default: ./valet.toml where it exists)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
