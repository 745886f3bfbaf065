"""Learning clusters: k-means on standardised behaviour, as many groups as are found again in the other half of the customers."""

from __future__ import annotations

from itertools import count, islice

import numpy as np
from numpy.typing import NDArray

from models.behaviour import Behaviour
from models.clusters import FEATURES, Clusters, features, nearest, orders, standard

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FEWEST = 100  # customers with an order that are worth a look
MOST_GROUPS = 8  # more than a person keeps apart
FOUND_AGAIN = 0.8  # prediction strength of groups that are there (Tibshirani & Walther 2005, section 3)
SPLITS, UNLUCKY, MOST_SPLIT = 15, 1, 2_000  # halvings, how many may find less, and the most customers that are halved
STARTS, ROUNDS = 3, 100


def learn(told: Behaviour, *, today: int, seed: int = 0) -> Clusters | None:
    """The groups as of `today`; None of too few customers, or where no two groups are found again."""
    raw = features(told, today=today)[orders(told) > 0]
    if len(raw) < FEWEST:
        return None
    centre, spread = raw.mean(axis=0), raw.std(axis=0)
    scale = np.where(spread > 1e-9, spread, np.inf)
    found = standard(raw, centre, scale)
    groups = chosen(found)
    if groups < 2:
        return None
    centres = k_means(found, groups, np.random.default_rng(seed))
    sizes = np.bincount(nearest(found, centres), minlength=groups)
    centres = centres[np.argsort(-sizes, kind="stable")]
    return Clusters(named(centres), centre, scale, centres)


def chosen(found: Floats, rng: np.random.Generator | None = None) -> int:
    """The largest number of groups whose prediction strength is FOUND_AGAIN or more in all but UNLUCKY halvings; 1 where none is.

    In nearly all, not on average: groups that some halvings find and others do not are a matter of luck, and of the night.

    The halvings are drawn alike whatever the run's seed, so that it is the customers alone who say how many there are.
    """
    rng = rng or np.random.default_rng(0)
    splits = [np.array_split(rng.permutation(len(found))[:MOST_SPLIT], 2) for _ in range(SPLITS)]
    kept = 1
    for groups in range(2, MOST_GROUPS + 1):
        less = (pair for pair in splits if strength(found[pair[0]], found[pair[1]], groups, rng) < FOUND_AGAIN)
        if len(list(islice(less, UNLUCKY + 1))) <= UNLUCKY:
            kept = groups
    return kept


def strength(one: Floats, other: Floats, groups: int, rng: np.random.Generator) -> float:
    """Prediction strength, 0–1: of the pairs in a group of `other`, how many the groups of `one` put together; the worst group's share."""
    theirs, ours = k_means(other, groups, rng), k_means(one, groups, rng)
    cells = nearest(other, theirs) * groups + nearest(other, ours)
    together = np.bincount(cells, minlength=groups**2).reshape(groups, groups)
    size = together.sum(axis=1)
    if size.min() < 2:
        return 0.0  # a group of nobody or one cannot be found again
    return float(np.min((together * (together - 1)).sum(axis=1) / (size * (size - 1))))


def k_means(found: Floats, groups: int, rng: np.random.Generator) -> Floats:
    """float64[groups, m]: the centres, the best of STARTS seeded starts (Lloyd 1982, begun as in Arthur & Vassilvitskii 2007)."""
    tries = [_settled(found, _begun(found, groups, rng)) for _ in range(STARTS)]
    return min(tries, key=lambda centres: _within(found, centres))


def named(centres: Floats) -> list[str]:
    """Names of the groups: the two features in which each lies farthest from the mean of all; more where two would be called the same."""
    for words in range(2, centres.shape[1] + 1):
        names = [_name(one, words) for one in centres]
        if len(set(names)) == len(names):
            return names
    return [f"{name}, {number}" for name, number in zip(names, count(1))]


def _name(centre: Floats, words: int) -> str:
    farthest = np.argsort(-np.abs(centre), kind="stable")[:words].tolist()
    much_and_little = list(FEATURES.values())
    return ", ".join(much_and_little[row][int(centre[row] < 0)] for row in farthest if centre[row])


def _begun(found: Floats, groups: int, rng: np.random.Generator) -> Floats:
    """Rows drawn one after the other, each with a chance proportional to its squared distance from those drawn before."""
    drawn = [int(rng.integers(len(found)))]
    distance = ((found - found[drawn[0]]) ** 2).sum(axis=1)
    while len(drawn) < groups:
        sums = np.cumsum(distance)
        drawn.append(int(min(np.searchsorted(sums, rng.random() * sums[-1], side="right"), len(found) - 1)))
        distance = np.minimum(distance, ((found - found[drawn[-1]]) ** 2).sum(axis=1))
    return found[drawn]


def _settled(found: Floats, centres: Floats) -> Floats:
    """The centres after rows and means have been assigned in turn until nothing moves; a group that lost all rows keeps its centre."""
    before: Ints | None = None
    for _ in range(ROUNDS):
        group = nearest(found, centres)
        if before is not None and np.array_equal(group, before):
            break
        size = np.bincount(group, minlength=len(centres))
        sums = np.column_stack([np.bincount(group, column, minlength=len(centres)) for column in found.T])
        centres = np.where(size[:, None] > 0, sums / np.maximum(size, 1)[:, None], centres)
        before = group
    return centres


def _within(found: Floats, centres: Floats) -> float:
    """The sum of squared distances to the own centre."""
    return float(((found - centres[nearest(found, centres)]) ** 2).sum())
