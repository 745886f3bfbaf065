"""Open Bandit, ZOZOTOWN men: what the log of a random policy says of the Thompson policy that ran beside it, and the other way round.

Saito et al. 2021 (NeurIPS Datasets and Benchmarks). 10,000 impressions a policy of 34 items in three positions. The Thompson policy's
probabilities are shares of 100,000 draws of its published Beta priors, so its value here is that of its first day; a model's reward is the click
rate of the item, shrunk to the mean, from the other half of the rounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.rows import Row, peak_mb, timed
from models.off_policy import Rounds, Valuation, rounds, value

DATASET = "open_bandit"
PRIOR, LOG = "prior_men.csv", "{}/men/men.csv.gz"
RANDOM, THOMPSON = "random", "bts"
POSITIONS, DRAWS, SEED = 3, 100_000, 12345
EVIDENCE = 500.0  # impressions that the mean click rate counts as much as, in the model

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Log:
    """Impressions: the item's row, the position from 0, whether it was clicked, the logged probability. Each [rounds]."""

    item: Ints
    position: Ints
    click: Floats
    chance: Floats


def run(data: Path) -> list[Row]:
    """The rows of the table; none where the data set is not there."""
    folder = data / DATASET
    logs = {policy: folder / LOG.format(policy) for policy in (RANDOM, THOMPSON)}
    if not all(path.exists() for path in (folder / PRIOR, *logs.values())):
        return []
    random, thompson = (read(path) for path in logs.values())
    with timed() as clock:
        prior = thompson_policy(folder / PRIOR)
        uniform = np.full_like(prior, 1 / len(prior))
        there, back = value(seen_by(prior, random, uniform)), value(seen_by(uniform, thompson, prior))
    rows = [*_rows("random log → Thompson", there), *_rows("Thompson log → random", back)]
    done = [_done("random, as it ran", there), _done("Thompson, as it ran", back)]
    return [*rows, *done, Row(DATASET, "both", {}, ours=True, seconds=clock.seconds, peak_mb=peak_mb())]


def read(path: Path) -> Log:
    """Read a log."""
    columns = (
        duckdb.connect()
        .execute(f"select item_id, position - 1 as position, click, propensity_score from read_csv('{path}')")
        .fetchnumpy()
    )
    item, position, click, chance = (
        np.asarray(columns[name]) for name in ("item_id", "position", "click", "propensity_score")
    )
    return Log(item.astype(np.int64), position.astype(np.int64), click.astype(np.float64), chance.astype(np.float64))


def thompson_policy(path: Path, draws: int = DRAWS) -> Floats:
    """float64[items, positions]: how often each item stands there when the best of a draw from the priors are shown."""
    _, alpha, beta = np.loadtxt(path, delimiter=",", skiprows=1).T
    drawn = np.random.RandomState(SEED).beta(alpha, beta, size=(draws, len(alpha)))
    best = np.argsort(-drawn, axis=1)[:, :POSITIONS]
    return np.stack([np.bincount(column, minlength=len(alpha)) / draws for column in best.T], axis=1)


def seen_by(target: Floats, log: Log, logging: Floats) -> Rounds:
    """The log as a policy float64[items, positions] sees it; `logging` tells what the log does not: the chances of what was not shown."""
    logged = logging.T[log.position].copy()
    logged[np.arange(len(log.item)), log.item] = log.chance
    return rounds(
        reward=log.click,
        action=log.item,
        logged=logged,
        target=target.T[log.position],
        model=_crossed(log, len(target)),
    )


def _crossed(log: Log, items: int) -> Floats:
    """float64[rounds, items]: the model's reward, of each half of the rounds from the other half."""
    half = np.arange(len(log.item)) % 2
    rates = []
    for other in (1, 0):
        item, click = log.item[half == other], log.click[half == other]
        shown, clicked = np.bincount(item, minlength=items), np.bincount(item, click, minlength=items)
        rates.append((clicked + EVIDENCE * click.mean()) / (shown + EVIDENCE))
    return np.stack(rates)[half]


def _rows(called: str, told: Valuation) -> list[Row]:
    note = f"effective sample size {told.effective:,.0f} of {told.rounds:,}, mean weight {told.mean_weight:.3f}"
    if told.refusals:
        return [Row(DATASET, called, {}, ours=True, note=f"refused: {'; '.join(told.refusals)}")]
    return [
        Row(
            DATASET,
            f"{called}, {name}",
            {"value": found.value},
            ours=True,
            interval={"value": found.interval},
            note=note,
        )
        for name, found in told.values.items()
    ]


def _done(called: str, told: Valuation) -> Row:
    assert told.done is not None  # 10,000 rounds
    return Row(DATASET, called, {"value": told.done.value}, interval={"value": told.done.interval}, note="click rate")
