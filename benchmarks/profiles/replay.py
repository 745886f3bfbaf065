"""Replay: a history is posted event by event to the service, and every field of every profile compared with what training makes of it.

What is posted is what the reader kept, told as it happened: purchases whole, refunds as refunds (training.profile_rows). Both see the same
time. Counts, times and money must be equal; floats of the shared picture to 1e-9.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from models.profile import Profile, describe, load, rfc3339
from models.settings import HistorySettings, Shop, TierRule, TierSettings
from service import create_app
from service.event_lines import MOST_LINES
from service.settings import ServiceSettings
from service.store.open import open_store
from training.fit import lifetime, tiers
from training.history import EVENTS
from training.profile_rows import Rows, rows_of
from training.profiles import Names, profiles
from training.read import Reading, read

MINOR = 100
BATCH = 500  # events a call
EXACT = 1e-9
TOO_LATE = 4_000_000_000  # a clock that every history lies before
RUNGS = TierSettings(  # tiers that ask more of a profile than its spend
    rules=(
        TierRule("member"),
        TierRule("silver", 200, when="customer.days_since_order < 120.0 && customer.items >= 5.0"),
        TierRule("gold", 1_000, when="refunds <= 3.0 && spent(180) > 0.0", keep="customer.days_since_order < 200.0"),
    )
)


@dataclass(frozen=True)
class Replay:
    """What was compared. differing: field -> how many customers it differs for; nothing, as it should be."""

    events: int
    lines: int
    customers: int
    fields: int
    differing: Mapping[str, int]
    seconds: float

    def __str__(self) -> str:
        found = ", ".join(f"{name} {count:,}" for name, count in self.differing.items()) or "none"
        return (
            f"{self.lines:,} lines in {self.events:,} events, {self.customers:,} customers, {self.fields} fields each: "
            f"differing {found}; {self.events / self.seconds:,.0f} events/s"
        )


def replay(paths: Sequence[str], store: str, folder: Path, *, of: int = 1) -> Replay:
    """Post the history of every `of`-th customer to a service on an empty store, and compare. `folder` is for what the service needs."""
    reading = read(paths, columns={}, settings=HistorySettings(), shop=Shop(), now=TOO_LATE, threads=1)
    reading = Reading(
        **{**vars(reading), "history": _some(reading, "history", of), "returned": _some(reading, "returned", of)}
    )
    now = max(reading.history.newest or 0, reading.returned.newest or 0)
    rows = rows_of(reading.history, now=now, returned=reading.returned)
    config = folder / "valet.toml"
    config.write_text("event_max_age_days = 0\n")
    app = create_app(
        ServiceSettings(models_dir=folder / "models", store=store, config=config, now=now, secret=b"replay")
    )
    begun, events = time.perf_counter(), payloads(rows, Names.of(rows))
    count = _post(app.test_client(), events)
    seconds = time.perf_counter() - begun
    for watching in (app.extensions["valet"].overlay, app.extensions["valet"].live):
        watching.stop()
    trained = dict(profiles(reading.history, now=now, returned=reading.returned))
    compared, differing = _compare(trained, store, reading, now)
    return Replay(count, len(rows), len(trained), compared, differing, seconds)


def payloads(rows: Rows, names: Names) -> Iterator[dict[str, Any]]:
    """The rows as GA4 tells them: one event a basket, refund or deed, its items in a list; in the order of time."""
    by = rows.at.argsort(kind="stable")
    columns = (rows.customer, rows.at, rows.event, rows.order, rows.item, rows.quantity, rows.amount)
    lines = zip(*(column[by].tolist() for column in columns), strict=True)
    alone = 0
    for (customer, at, event, order), together in groupby(lines, key=lambda line: line[:4]):
        order_id = names.order(order)
        items = [
            {"item_id": names.items[item], "quantity": quantity / 1000, "value": amount / MINOR}
            for *_, item, quantity, amount in together
        ]
        told = {
            "event": EVENTS[event],
            "customer_id": names.customers[customer],
            "time": rfc3339(at),
            "transaction_id": order_id,
        }
        most = MOST_LINES if order_id is not None else 1
        for basket in (items[start : start + most] for start in range(0, len(items), most)):
            alone += 1
            yield {**told, "event_id": f"replay-{alone}", "ecommerce": {"items": basket}}


def _some(reading: Reading, name: str, of: int) -> Any:
    history = getattr(reading, name)
    return history.where((history.customer >= 0) & (history.customer % of == 0))


def _post(client: Any, events: Iterator[dict[str, Any]]) -> int:
    """Post all; how many. Whatever is not accepted is an error."""
    count = 0
    while batch := list(islice(events, BATCH)):
        answer = client.post("/events", json={"events": batch})
        document = answer.get_json()
        if answer.status_code != 200 or document["accepted"] != len(batch):
            refused = [row for row in document.get("results", [document]) if row.get("status") != "accepted"]
            raise RuntimeError(f"{answer.status_code}: {refused[:3]}")
        count += len(batch)
    return count


def _compare(trained: Mapping[str, bytes], store: str, reading: Reading, now: int) -> tuple[int, Mapping[str, int]]:
    """How many fields a customer has, and which differ for how many."""
    opened = open_store(store)
    assert opened is not None
    rungs, life = tiers.fit(reading.history, RUNGS, now=now), lifetime.fit(reading.history, now=now)
    differing: Counter[str] = Counter()
    names: set[str] = set()
    for customer_id, document in trained.items():
        kept = opened.customer(customer_id)
        told, made = load(None if kept is None else kept.profile), load(document)
        pictures = [
            describe(profile, customer_id=customer_id, facts={}, now=now, tiers=rungs, lifetime=life, currency=None)
            for profile in (told, made)
        ]
        one, other = (
            {**_fields(profile), **_flat(shown)} for profile, shown in zip((told, made), pictures, strict=True)
        )
        names |= one.keys() | other.keys()
        differing.update(name for name in one.keys() | other.keys() if not _equal(one.get(name), other.get(name)))
    differing.update({"customers unknown to training": len(set(opened.customer_ids()) - trained.keys())})
    opened.close()
    return len(names), {name: count for name, count in sorted(differing.items()) if count}


def _fields(profile: Profile) -> dict[str, Any]:
    return {f"profile.{field.name}": getattr(profile, field.name) for field in fields(Profile)}


def _flat(shown: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """The leaves of a document by their paths."""
    leaves: dict[str, Any] = {}
    for name, value in shown.items():
        leaves |= _flat(value, f"{path}{name}.") if isinstance(value, dict) else {f"{path}{name}": value}
    return leaves


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=EXACT, abs_tol=EXACT)
    return bool(one == other)
