"""Experiments: what the variants of each placement brought, per customer who was shown a list, and what the arms of decisions did, per customer
who was decided for; each beside its control (see evidence, credit, dealt, models.lift)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from models.arms import Arm, Arms
from models.experiment import Experiment
from models.lift import EFFECT, POWER, Estimate, lift, mismatch, needed, ratio
from service.credit import Sums, sums
from service.dealt import WITHIN_DAYS, Dealt
from service.evidence import Evidence
from service.store import Store

DISTRUST = 0.001  # a split less likely than that is broken
MINOR = 100
NOBODY = -1  # the number of an arm that no list was ever shown in

Rates = Mapping[str, Estimate | None]


def report(
    store: Store, evidence: Evidence, experiments: Sequence[tuple[str, Experiment]], *, arms: Arms
) -> dict[str, Any]:
    """The contract's answer of GET /experiments; `experiments` are (placement, experiment). Raises StoreUnavailable.

    Nothing is read where nothing is tried.
    """
    return {
        "experiments": _documents(store, evidence, experiments) if experiments else [],
        "arms": _arms(arms, evidence.dealt(store)) if arms.dealt else None,
    }


def _documents(store: Store, evidence: Evidence, experiments: Sequence[tuple[str, Experiment]]) -> list[dict[str, Any]]:
    numbers, rows = evidence.credits(store)

    def told(name: str, variant: str) -> Sums:
        return sums(rows, numbers.get((name, variant), NOBODY))

    return [
        _document(placement, one, [told(one.name, variant.name) for variant in one.variants])
        for placement, one in experiments
    ]


def _arms(arms: Arms, people: Mapping[Arm, Dealt]) -> dict[str, Any]:
    """What each arm of decisions brought; the control is the first that anybody is dealt into, holdout before all."""
    names = [arm for arm, share in arms.shares.items() if share > 0]
    rates = {arm: _bought(people[arm]) for arm in names}
    p_value = mismatch([len(people[arm].at) for arm in names], [arms.shares[arm] for arm in names])
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
                "customers": len(people[arm].at),
                "buyers": int((people[arm].orders > 0).sum()),
                "orders": int(people[arm].orders.sum()),
                "value": int(people[arm].spent.sum()) / MINOR,
                **{name: None if rate is None else round(rate.value, 6) for name, rate in rates[arm].items()},
                "lift": None if arm == names[0] else _each(_lift, rates[names[0]], rates[arm]),
                "needed": None if arm == names[0] else _each(_needed, rates[names[0]], rates[arm]),
            }
            for arm in names
        ],
        "warnings": list(_warnings(p_value)),
    }


def _bought(people: Dealt) -> Rates:
    ones = np.ones(len(people.at))
    bought = (people.orders > 0).astype(np.float64)
    return {"buyers_per_customer": ratio(bought, ones), "value_per_customer": ratio(people.spent / MINOR, ones)}


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


def _document(placement: str, experiment: Experiment, told: Sequence[Sums]) -> dict[str, Any]:
    rates = [_rates(one) for one in told]
    p_value = mismatch([len(one.exposures) for one in told], experiment.shares)
    variants = [
        {
            "name": one.name,
            "share": round(share, 6),
            **_counts(one_told),
            **{name: None if rate is None else round(rate.value, 6) for name, rate in rate_by_name.items()},
            "lift": None if nth == 0 else {name: _lift(rates[0][name], rate) for name, rate in rate_by_name.items()},
        }
        for nth, (one, share, one_told, rate_by_name) in enumerate(
            zip(experiment.variants, experiment.shares, told, rates, strict=True)
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


def _counts(told: Sums) -> dict[str, Any]:
    counts = {name: int(getattr(told, name).sum()) for name in ("exposures", "clicks", "conversions")}
    return {"customers": len(told.exposures), **counts, "value": int(told.value.sum()) / MINOR}


def _rates(told: Sums) -> Rates:
    ones = np.ones(len(told.exposures))
    return {
        "click_rate": ratio(told.clicks.astype(np.float64), told.exposures.astype(np.float64)),
        "conversions_per_customer": ratio(told.conversions.astype(np.float64), ones),
        "value_per_customer": ratio(told.value / MINOR, ones),
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
