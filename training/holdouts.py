"""What deciding is worth: customers for whom everything is decided beside those who are held out, by tier, and whether we know for whom.

Both were dealt by hash at their first decision, and are compared by what they bought in the weeks after it, whatever they were told then: so
the difference is what the decisions did. The score of a customer is the uplift that the other half of the customers shows in her tier and
with as many orders before; the Qini curve says whether it finds those who are moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.lift import Estimate
from models.settings import DAY_S
from models.uplift import Qini, Uplift, by_group, qini, uplift
from models.vocabulary import MISSING
from training.decision_log import FULL, HOLDOUT, Dealt
from training.history import History

WITHIN_DAYS = 28
LEAST = 50  # customers in each arm; below, no share has a normal interval
MOST_ORDERS = 3  # orders before are told apart up to so many
EVIDENCE = 200.0  # customers that the uplift of all weighs as much as, in that of a cell
MINOR, SEED = 100, 0
ALL = "all"

Values = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class People:
    """Who was dealt, in the order of their ids; arrays [people]. `bought` 0 or 1, `spend` in the currency's unit, within WITHIN_DAYS."""

    tiers: tuple[str, ...]
    treated: NDArray[np.bool_]
    before: Ints
    bought: Values
    spend: Values


@dataclass(frozen=True)
class Worth:
    """The uplift of purchase and spend, of all and then by tier, and the curve of the score; `refusal`: why there is none."""

    bought: tuple[Uplift, ...] = ()
    spend: tuple[Uplift, ...] = ()
    curve: Qini | None = None
    refusal: str | None = None

    @property
    def manifest(self) -> dict[str, Any]:
        """As JSON."""
        rows = [
            {"tier": share.group, "treated": share.treated.customers, "held_out": share.alone.customers}
            | {"bought": _plain(share.treated), "bought_held_out": _plain(share.alone)}
            | {"uplift": _plain(share.difference), "spend_uplift": _plain(money.difference)}
            for share, money in zip(self.bought, self.spend, strict=True)
        ]
        qini = None if self.curve is None else _drawn(self.curve)
        return {"within_days": WITHIN_DAYS, "refusal": self.refusal, "tiers": rows, "qini": qini}


def worth(dealt: Mapping[str, Dealt], history: History) -> Worth:
    """What the decisions did for the customers who were dealt long enough before the history's end."""
    people = gather(dealt, history)
    arms = np.bincount(people.treated, minlength=2)
    if arms.min() < LEAST:
        return Worth(
            refusal=f"{arms[1]:,} customers with decisions and {arms[0]:,} held out were dealt {WITHIN_DAYS} days ago or earlier; "
            f"{LEAST} of each are needed. Hold some out: arms.holdout in actions.toml."
        )
    return Worth(
        bought=_uplifts(people, people.bought),
        spend=_uplifts(people, people.spend),
        curve=qini(scores(people), people.bought, people.treated),
    )


def gather(dealt: Mapping[str, Dealt], history: History) -> People:
    """The people in the two arms, with what they bought."""
    until = (history.newest or 0) - WITHIN_DAYS * DAY_S
    ids = sorted(who for who, one in dealt.items() if one.arm in (FULL, HOLDOUT) and one.at <= until)
    start = np.array([dealt[who].at for who in ids], dtype=np.int64)
    person, bought = _purchases(ids, history)
    since = bought.at - start[person]
    within = (since > 0) & (since <= WITHIN_DAYS * DAY_S)
    orders = np.unique(np.stack((person, bought.order))[:, since <= 0], axis=1)[0]
    return People(
        tiers=tuple(dealt[who].tier for who in ids),
        treated=np.array([dealt[who].arm == FULL for who in ids], dtype=np.bool_),
        before=np.minimum(np.bincount(orders, minlength=len(ids)), MOST_ORDERS),
        bought=(np.bincount(person[within], minlength=len(ids)) > 0).astype(np.float64),
        spend=np.bincount(person[within], weights=bought.amount[within], minlength=len(ids)) / MINOR,
    )


def scores(people: People) -> Values:
    """float64[people]: the uplift in her cell (tier, orders before) among the other half, shrunk to that of all."""
    cells = list(zip(people.tiers, people.before.tolist(), strict=True))
    half = np.random.default_rng(SEED).permutation(len(cells)) % 2
    found = np.zeros(len(cells))
    for own in (0, 1):
        other = half != own
        groups = [cells[nth] for nth in np.flatnonzero(other)]
        known = {one.group: one.difference for one in by_group(groups, people.bought[other], people.treated[other])}
        whole = uplift(ALL, people.bought[other], people.treated[other])
        everybody = whole.difference.value if whole else 0.0
        shrunk = {cell: _shrunk(one, everybody) for cell, one in known.items()}
        found[half == own] = [shrunk.get(cells[nth], everybody) for nth in np.flatnonzero(half == own)]
    return found


def _shrunk(found: Estimate, everybody: float) -> float:
    return (found.customers * found.value + EVIDENCE * everybody) / (found.customers + EVIDENCE)


def _uplifts(people: People, outcome: Values) -> tuple[Uplift, ...]:
    """Of all, then of each tier by name; those without two in each arm are left out."""
    names = [tier or "none" for tier in people.tiers]
    whole = uplift(ALL, outcome, people.treated)
    tiers = by_group(names, outcome, people.treated)
    return (*([whole] if whole else []), *sorted(tiers, key=lambda one: str(one.group)))


def _purchases(ids: list[str], history: History) -> tuple[Ints, History]:
    """(the person of each, the purchases) of these people."""
    rows = history.customers.rows(ids)
    person = np.full(len(history.customers) + 1, MISSING, dtype=np.int64)
    person[rows[rows != MISSING]] = np.flatnonzero(rows != MISSING)
    person[-1] = MISSING  # of unknown buyers
    bought = history.purchases
    kept = person[bought.customer] != MISSING
    return person[bought.customer[kept]], bought.where(kept)


def _drawn(curve: Qini) -> dict[str, Any]:
    return {
        "value": round(curve.coefficient, 6),
        "interval": [round(bound, 6) for bound in curve.interval],
        "share": curve.share.round(6).tolist(),
        "gained": curve.gained.round(6).tolist(),
    }


def _plain(found: Estimate) -> dict[str, Any]:
    return {"value": round(found.value, 6), "interval": [round(bound, 6) for bound in found.interval]}
