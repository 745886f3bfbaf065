"""Experiments: what the variants of each placement brought, per customer who was shown a list, and what the arms of decisions did, per customer
who was decided for; each beside its control (see credit, dealt, models.lift)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arms import Arms
from models.experiment import Experiment
from models.lift import EFFECT, POWER, Estimate, lift, mismatch, needed, ratio
from service.credit import Arm, Tally, credited
from service.dealt import WITHIN_DAYS, Dealing, Dealt
from service.store import Store

DISTRUST = 0.001  # a split less likely than that is broken
MINOR = 100

Columns = Mapping[str, NDArray[np.float64]]
Rates = Mapping[str, Estimate | None]


def report(store: Store, experiments: Sequence[tuple[str, Experiment]], *, arms: Arms, secret: bytes) -> dict[str, Any]:
    """The contract's answer of GET /experiments; `experiments` are (placement, experiment). Raises StoreUnavailable.

    The log is walked once for all of it, and not at all where nothing is tried.
    """
    dealing = Dealing(store) if arms.dealt else None
    if dealing is None and not experiments:
        return {"experiments": [], "arms": None}
    told = credited(store, secret=secret, note=dealing.note if dealing else lambda _: None).arms
    return {
        "experiments": [_document(placement, one, told) for placement, one in experiments],
        "arms": None if dealing is None else _arms(arms, dealing),
    }


def _arms(arms: Arms, dealing: Dealing) -> dict[str, Any]:
    """What each arm of decisions brought; the control is the first that anybody is dealt into, holdout before all."""
    names = [arm for arm, share in arms.shares.items() if share > 0]
    people = {arm: dealing.of(arm) for arm in names}
    rates = {arm: _bought(people[arm]) for arm in names}
    p_value = mismatch([len(people[arm]) for arm in names], [arms.shares[arm] for arm in names])
    return {
        "control": names[0],
        "within_days": WITHIN_DAYS,
        "minimum_effect": EFFECT,
        "power": POWER,
        "sample_ratio": {"p_value": round(p_value, 6), "trusted": p_value >= DISTRUST},
        "arms": [
            {
                "name": arm,
                "share": round(arms.shares[arm], 6),
                "customers": len(people[arm]),
                "buyers": sum(bool(one.orders) for one in people[arm]),
                "orders": sum(len(one.orders) for one in people[arm]),
                "value": sum(one.spent for one in people[arm]) / MINOR,
                **{name: None if rate is None else round(rate.value, 6) for name, rate in rates[arm].items()},
                "lift": None if arm == names[0] else _each(_lift, rates[names[0]], rates[arm]),
                "needed": None if arm == names[0] else _each(_needed, rates[names[0]], rates[arm]),
            }
            for arm in names
        ],
        "warnings": list(_warnings(p_value)),
    }


def _bought(people: Sequence[Dealt]) -> Rates:
    ones, bought = np.ones(len(people)), np.array([bool(one.orders) for one in people], dtype=np.float64)
    spent = np.array([one.spent / MINOR for one in people], dtype=np.float64)
    return {"buyers_per_customer": ratio(bought, ones), "value_per_customer": ratio(spent, ones)}


def _each(
    of: Callable[[Estimate | None, Estimate | None], dict[str, Any] | None], control: Rates, other: Rates
) -> dict[str, Any]:
    return {name: of(control[name], rate) for name, rate in other.items()}


def _needed(control: Estimate | None, other: Estimate | None) -> dict[str, Any] | None:
    """How many customers an effect that should not be missed needs in both, and how many of them are still to come."""
    counts = needed(control, other)
    if counts is None or control is None or other is None:
        return None
    missing = [max(wanted - there.customers, 0) for wanted, there in zip(counts, (control, other), strict=True)]
    return {"customers": list(counts), "still": missing}


def _document(placement: str, experiment: Experiment, arms: Mapping[Arm, Mapping[str, Tally]]) -> dict[str, Any]:
    told = [_of_shown(arms.get((experiment.name, one.name), {})) for one in experiment.variants]
    columns = [_columns(tallies) for tallies in told]
    rates = [_rates(column) for column in columns]
    p_value = mismatch([len(tallies) for tallies in told], experiment.shares)
    variants = [
        {
            "name": one.name,
            "share": round(share, 6),
            **_counts(column),
            **{name: None if rate is None else round(rate.value, 6) for name, rate in rate_by_name.items()},
            "lift": None if nth == 0 else {name: _lift(rates[0][name], rate) for name, rate in rate_by_name.items()},
        }
        for nth, (one, share, column, rate_by_name) in enumerate(
            zip(experiment.variants, experiment.shares, columns, rates, strict=True)
        )
    ]
    return {
        "name": experiment.name,
        "placement": placement,
        "control": experiment.variants[0].name,
        "sample_ratio": {"p_value": round(p_value, 6), "trusted": p_value >= DISTRUST},
        "variants": variants,
        "warnings": list(_warnings(p_value)),
    }


def _of_shown(tallies: Mapping[str, Tally]) -> list[Tally]:
    """Only who was shown a list can have been moved by it."""
    return [tally for tally in tallies.values() if tally.shown]


def _columns(tallies: Sequence[Tally]) -> Columns:
    """float64[customers] of each count."""
    rows = [
        (len(one.shown), len(one.clicked), sum(map(len, one.bought.values())), sum(map(sum, one.bought.values())))
        for one in tallies
    ]
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    return dict(zip(("exposures", "clicks", "conversions", "value"), table.T, strict=True))


def _counts(column: Columns) -> dict[str, Any]:
    whole = {name: int(column[name].sum()) for name in ("exposures", "clicks", "conversions")}
    return {"customers": len(column["exposures"]), **whole, "value": float(column["value"].sum()) / MINOR}


def _rates(column: Columns) -> Rates:
    ones = np.ones(len(column["exposures"]))
    return {
        "click_rate": ratio(column["clicks"], column["exposures"]),
        "conversions_per_customer": ratio(column["conversions"], ones),
        "value_per_customer": ratio(column["value"] / MINOR, ones),
    }


def _lift(control: Estimate | None, variant: Estimate | None) -> dict[str, Any] | None:
    found = lift(control, variant)
    if found is None:
        return None
    return {
        "relative": round(found.relative, 6),
        "interval": [round(bound, 6) for bound in found.interval],
        "always_valid": [round(bound, 6) for bound in found.always_valid],
    }


def _warnings(p_value: float) -> Iterator[str]:
    if p_value < DISTRUST:
        yield "The customers were not counted as they were dealt (sample ratio mismatch): trust no lift before the cause is found."
    yield "`interval` is for one look at an end set beforehand; if you look more often, read `always_valid`."
