"""Experiments: what the variants of each placement brought, per customer who was shown a list, beside the control (see credit, models.lift)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.experiment import Experiment
from models.lift import Estimate, lift, mismatch, ratio
from service.credit import Arm, Tally, credited
from service.store import Store

DISTRUST = 0.001  # a split less likely than that is broken
MINOR = 100

Columns = Mapping[str, NDArray[np.float64]]


def report(store: Store, experiments: Sequence[tuple[str, Experiment]], *, secret: bytes) -> dict[str, Any]:
    """The contract's answer of GET /experiments; `experiments` are (placement, experiment). Raises StoreUnavailable."""
    arms = credited(store, secret=secret).arms
    return {"experiments": [_document(placement, one, arms) for placement, one in experiments]}


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
        (
            len(one.shown),
            len(one.clicked),
            sum(map(len, one.bought.values())),
            sum(map(sum, one.bought.values())),
        )
        for one in tallies
    ]
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    return dict(zip(("exposures", "clicks", "conversions", "value"), table.T, strict=True))


def _counts(column: Columns) -> dict[str, Any]:
    whole = {name: int(column[name].sum()) for name in ("exposures", "clicks", "conversions")}
    return {"customers": len(column["exposures"]), **whole, "value": float(column["value"].sum()) / MINOR}


def _rates(column: Columns) -> dict[str, Estimate | None]:
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
