"""Learning repetition: the share of an item's buyers who come back for it, and after how long; the timing is chosen on a validation cut."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models.repeat import Repeat
from models.settings import DAY_S
from training.history import History
from training.pairs import Pairs, bought_pairs

PRIOR_BUYERS = 20  # what the shop's share and interval are worth beside the item's own buyers and intervals
DEPTH = 20  # of the lists that `search` compares
SOON_DAYS = 7  # what is early is judged by what is bought so soon: within a month, most of it has become due


@dataclass(frozen=True)
class Parameters:
    """See models.repeat.Repeat."""

    prior_purchases: float = 1.0
    early: float = 1.0
    waits: bool = True


GRID = tuple(Parameters(prior, early) for prior in (1.0, 3.0) for early in (1.0, 0.7, 0.4, 0.1))


def fit(history: History, parameters: Parameters | None = None) -> Repeat | None:
    """The model, or None where it cannot be learnt: without times, or where nobody bought anything twice."""
    if not history.has_times:
        return None
    return _fit(bought_pairs(history), len(history.items), parameters or Parameters())


def search(train: History, validation: History, *, now: int) -> Parameters:
    """The parameters that rank best, by NDCG@20, which own items each customer buys again in `validation`, seen from `now`."""
    pairs = bought_pairs(train) if train.has_times else None
    models = [_fit(pairs, len(train.items), parameters) for parameters in GRID] if pairs else []
    again = _bought_again(pairs, validation) if pairs else np.zeros(0, np.bool_)
    if pairs is None or models[0] is None or not again.any():
        return Parameters()
    gains = [_ndcg(pairs, model, again, now=now) if model else 0.0 for model in models]
    best = int(np.argmax(gains))
    soon = validation.where(validation.at <= now + SOON_DAYS * DAY_S)
    return replace(GRID[best], waits=_waits(pairs, models[best] or models[0], _bought_again(pairs, soon), now=now))


def _waits(pairs: Pairs, repeat: Repeat, again: np.ndarray[tuple[int], np.dtype[np.bool_]], *, now: int) -> bool:
    """Whether items that are early are bought soon less often than those that are due; so it is where nothing tells."""
    timing = repeat.timing(pairs.item, pairs.purchases, pairs.first_at, pairs.last_at, now=now)
    early, due = again[timing.early], again[~timing.early & ~timing.overdue]
    return not len(early) or not len(due) or bool(early.mean() <= due.mean())


def _fit(pairs: Pairs, items: int, parameters: Parameters) -> Repeat | None:
    if not len(pairs.gap_days):
        return None
    buyers = np.bincount(pairs.item, minlength=items)
    returned = np.bincount(pairs.item, weights=pairs.days > 1, minlength=items)
    share = float(returned.sum() / buyers.sum())
    log_gap = np.log(pairs.gap_days)
    gaps = np.bincount(pairs.gap_item, minlength=items)
    log_interval = np.bincount(pairs.gap_item, weights=log_gap, minlength=items) + PRIOR_BUYERS * log_gap.mean()
    typical = log_interval / (gaps + PRIOR_BUYERS)
    return Repeat(
        share=((returned + PRIOR_BUYERS * share) / (buyers + PRIOR_BUYERS)).astype(np.float32),
        interval_days=np.exp(typical).astype(np.float32),
        prior_share=share,
        prior_interval_days=float(np.exp(log_gap.mean())),
        prior_purchases=parameters.prior_purchases,
        early=parameters.early,
        waits=parameters.waits,
        spread=float(np.sqrt(np.mean((log_gap - typical[pairs.gap_item]) ** 2))),
    )


def _bought_again(pairs: Pairs, validation: History) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """bool[p]: which pairs are bought in the validation part."""
    bought, items = validation.purchases, np.int64(len(validation.items))
    return np.isin(pairs.customer * items + pairs.item, bought.customer * items + bought.item)


def _ndcg(pairs: Pairs, repeat: Repeat, again: np.ndarray[tuple[int], np.dtype[np.bool_]], *, now: int) -> float:
    """The mean NDCG@DEPTH over customers who bought something again, of their own items ranked by the model, ties by item."""
    score = repeat.score(pairs.item, pairs.purchases, pairs.first_at, pairs.last_at, now=now)
    by = np.lexsort((pairs.item, -score, pairs.customer))
    customer, hit = pairs.customer[by], again[by]
    start = np.flatnonzero(np.r_[True, customer[1:] != customer[:-1]])
    place = np.arange(len(by)) - np.repeat(start, np.diff(np.r_[start, len(by)]))
    gain = np.where(hit & (place < DEPTH), 1 / np.log2(place + 2), 0.0)
    ideal = np.r_[0.0, np.cumsum(1 / np.log2(np.arange(DEPTH) + 2))]
    relevant = np.add.reduceat(hit, start, dtype=np.int64)
    reached = np.add.reduceat(gain, start)[relevant > 0] / ideal[np.minimum(relevant, DEPTH)][relevant > 0]
    return float(reached.mean())
