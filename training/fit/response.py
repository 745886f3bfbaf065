"""Learning who takes up what: a regularised logistic regression on the log of decisions, beside what the counters believed then.

The log says, for what stood first and was seen, what the counters believed of its chance (without her own answers), her traits, and what came
of it. The counters' log-odds are an offset: what is learnt is what they do not know. Slopes of a group of actions lean on those of all, levels
of actions and groups on none; how much is chosen on a cut in time within what it learns from, and whether it serves at all is decided by log
loss on the newest fifth, which it has not seen: it must beat the counters with its whole 95 % interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import expit, logit

from models.log_odds import importance
from models.propensity import EDGE
from models.response import CLIP, Response
from training import metrics
from training.decision_log import Decided

Floats = NDArray[np.float64]

LEAST, LEAST_EACH = 500, 50  # decisions to learn from; of those that were taken up, and that were not
NEWEST = 0.2  # the share that is held out, the newest
MOST = 100_000  # decisions, the newest
RIDGES = (3.0, 10.0, 30.0, 100.0, 300.0)
STIFFER = 4.0  # how much harder the slopes of a group are held to those of all
STEPS, ENOUGH = 30, 1e-8  # of Newton's method; the largest change of a weight
SAME = 1e-9
BINS = 10  # of the reliability table
PARTS = 5  # bins of a trait


@dataclass(frozen=True)
class Rows:
    """Decisions as columns. x: float64[rows, traits], offset: log-odds of the counters; action and group: int64[rows], y: float64[rows]."""

    columns: tuple[str, ...]
    actions: tuple[str, ...]
    groups: tuple[str, ...]
    x: Floats
    offset: Floats
    action: NDArray[np.int64]
    group: NDArray[np.int64]
    y: Floats

    def some(self, kept: slice) -> Rows:
        """Some of the rows."""
        return replace(self, **{name: getattr(self, name)[kept] for name in ("x", "offset", "action", "group", "y")})


def learn(decided: Sequence[Decided]) -> tuple[Response | None, dict[str, Any]]:
    """The model of decisions, oldest first, and what the report says; None where too few can teach it, or the counters do as well alone."""
    known = [one for one in decided if one.base is not None][-MOST:]
    taken = sum(one.answered for one in known)
    told: dict[str, Any] = {"decisions": len(known), "answers": taken, "kept": False}
    if len(known) < LEAST or min(taken, len(known) - taken) < LEAST_EACH:
        return None, told
    rows = rows_of(known)
    cut = round(len(known) * (1.0 - NEWEST))
    ridge = _chosen(rows.some(slice(cut)))
    newest = rows.some(slice(cut, None))
    hers = chances(fit(rows.some(slice(cut)), ridge), newest)
    customers = np.unique([one.customer_id for one in known[cut:]], return_inverse=True)[1]
    told["importance"] = _importance(rows)
    told |= {"ridge": ridge, **_compared(hers, expit(newest.offset), newest.y, customers)}
    told["kept"] = told["gain"]["interval"][0] > 0
    return (fit(rows, ridge) if told["kept"] else None), told


def rows_of(decided: Sequence[Decided]) -> Rows:
    """The decisions as columns."""
    columns = tuple(sorted({name for one in decided for name in one.traits}))
    actions, groups = (tuple(sorted({getattr(one, name) for one in decided})) for name in ("taken", "group"))
    place = ({name: row for row, name in enumerate(names)} for names in (actions, groups))
    own, of_group = (
        [row[getattr(one, name)] for one in decided] for row, name in zip(place, ("taken", "group"), strict=True)
    )
    base = np.array([one.base for one in decided], dtype=np.float64)
    return Rows(
        columns,
        actions,
        groups,
        x=np.array([[one.traits.get(name, 0.0) for name in columns] for one in decided], dtype=np.float64),
        offset=logit(np.clip(base, EDGE, 1.0 - EDGE)),
        action=np.array(own, dtype=np.int64),
        group=np.array(of_group, dtype=np.int64),
        y=np.array([one.answered for one in decided], dtype=np.float64),
    )


def fit(rows: Rows, ridge: float) -> Response:
    """The model with a ridge: penalised maximum likelihood by Newton's method."""
    centre, spread = rows.x.mean(axis=0), rows.x.std(axis=0)
    scale = np.where(spread > SAME, spread, np.inf)
    z = _design(rows, np.clip((rows.x - centre) / scale, -CLIP, CLIP))
    traits, groups, actions = rows.x.shape[1], len(rows.groups), len(rows.actions)
    sizes = (1, 1, traits, groups * traits, groups, actions)
    penalty = np.repeat([0.0, ridge, ridge, STIFFER * ridge, ridge, ridge], sizes)
    level, slope, common, own, group_level, action_level = np.split(
        _newton(z, rows.offset, rows.y, penalty), np.cumsum(sizes)[:-1]
    )
    weights = common + np.vstack([own.reshape(groups, traits), np.zeros((1, traits))])
    return Response(
        columns=rows.columns,
        centre=centre,
        scale=scale,
        groups=rows.groups,
        actions=rows.actions,
        weights=weights,
        group_level=np.append(group_level, 0.0),
        action_level=np.append(action_level, 0.0),
        level=float(level[0]),
        slope=float(slope[0]),
    )


def chances(model: Response, rows: Rows) -> Floats:
    """float64[rows]: what the model says of each decision."""
    z = np.clip((rows.x - model.centre) / model.scale, -CLIP, CLIP)
    shift = (
        (model.weights[rows.group] * z).sum(axis=1) + model.group_level[rows.group] + model.action_level[rows.action]
    )
    return np.asarray(expit(rows.offset * (1.0 + model.slope) + model.level + shift))


def _design(rows: Rows, z: Floats) -> sparse.csr_matrix:
    """One row a decision: 1, the offset, its traits, its traits in the columns of its group, its group, its action."""
    number, traits = len(z), z.shape[1]
    each = np.arange(number)
    columns = rows.group[:, None] * traits + np.arange(traits)
    of_group = sparse.csr_matrix(
        (z.ravel(), (np.repeat(each, traits), columns.ravel())), shape=(number, len(rows.groups) * traits)
    )
    ones = np.ones(number)
    return sparse.hstack(
        [
            sparse.csr_matrix(np.column_stack([ones, rows.offset, z])),
            of_group,
            sparse.csr_matrix((ones, (each, rows.group)), shape=(number, len(rows.groups))),
            sparse.csr_matrix((ones, (each, rows.action)), shape=(number, len(rows.actions))),
        ],
        format="csr",
    )


def _newton(z: sparse.csr_matrix, offset: Floats, y: Floats, penalty: Floats) -> Floats:
    weights = np.zeros(z.shape[1])
    for _ in range(STEPS):
        chance = expit(offset + z @ weights)
        slope = z.T @ (y - chance) - penalty * weights
        bend = (z.multiply((chance * (1.0 - chance))[:, None]).T @ z).toarray()
        step = np.linalg.solve(bend + np.diag(penalty + EDGE), slope)
        weights = weights + step
        if np.abs(step).max() < ENOUGH:
            break
    return np.asarray(weights)


def _chosen(rows: Rows) -> float:
    """The ridge that foretells the newest part of these rows best from the rest."""
    cut = round(len(rows.y) * (1.0 - NEWEST))
    before, newest = rows.some(slice(cut)), rows.some(slice(cut, None))
    losses = {ridge: float(_loss(chances(fit(before, ridge), newest), newest.y).mean()) for ridge in RIDGES}
    return min(losses, key=losses.__getitem__)


def _loss(chance: Floats, y: Floats) -> Floats:
    inside = np.clip(chance, EDGE, 1.0 - EDGE)
    return np.asarray(-(y * np.log(inside) + (1.0 - y) * np.log1p(-inside)))


def _compared(hers: Floats, counters: Floats, y: Floats, customers: NDArray[np.int64]) -> dict[str, Any]:
    """Log loss on what was held out, of the model and of the counters alone, what the model gains a customer, and how true its chances are."""
    gain = np.bincount(customers, _loss(counters, y) - _loss(hers, y)).astype(np.float64)
    return {
        "held_out": len(y),
        "log_loss": {"response": float(_loss(hers, y).mean()), "counters": float(_loss(counters, y).mean())},
        "gain": {"mean": metrics.mean(gain), "interval": metrics.interval(gain)},
        "reliability": _reliability(hers, y),
    }


def _importance(rows: Rows) -> dict[str, float]:
    """What each trait tells alone, in log-odds (models.log_odds), the most first; whatever the others tell."""
    told = {}
    for name, column in zip(rows.columns, rows.x.T, strict=True):
        code = np.searchsorted(np.unique(np.quantile(column, np.linspace(0, 1, PARTS + 1)[1:-1])), column)
        tries = np.bincount(code).astype(np.float64)
        positives = np.bincount(code, rows.y).astype(np.float64)
        told[name] = importance(positives, tries - positives)
    return dict(sorted(told.items(), key=lambda entry: (-entry[1], entry[0])))


def _reliability(chance: Floats, y: Floats) -> list[dict[str, float]]:
    """Of equal parts by what was foretold: what was foretold, what came, and how many decisions."""
    parts = np.array_split(np.argsort(chance, kind="stable"), BINS)
    return [
        {"foretold": float(chance[part].mean()), "came": float(y[part].mean()), "decisions": len(part)}
        for part in parts
        if len(part)
    ]
