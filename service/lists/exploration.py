"""Exploration: some slots of a list are given to items that little is known of, so that the shop learns what they are worth.

Every slot that the shop has not promised is explored with probability `share`, and an explored slot gets an item of the pool, each with the same
chance, none twice. Who stands where is drawn from a seed, so that a page that is loaded again shows the same list; and the chance of standing
there is told exactly, so that what comes of it can be weighed (inverse propensity; Horvitz & Thompson, JASA 47, 1952).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import comb

import numpy as np
from numpy.typing import NDArray

from models.bundle import Models
from models.settings import DAY_S
from service.lists.question import Mask, Rows, Scores
from service.lists.request import Request
from service.lists.selection import EXPLORED, SCORED, Cap, Chosen, Wishes
from service.people.customers import key

LITTLE = 5.0  # purchases, decayed as popularity is: what has fewer is little known
POOL = 50  # the most promising of them are drawn from
OWN = ("buy_again", "recently_viewed")  # lists of her own items: there is nothing to explore


@dataclass(frozen=True)
class Odds:
    """explored: the probability of each explored item to stand where it does; kept: that an explorable slot kept its item."""

    explored: float
    kept: float


def explore(
    request: Request, chosen: Sequence[Chosen], *, allowed: Mask, wishes: Wishes, models: Models, now: int
) -> Sequence[Chosen]:
    """The list with some slots explored; the same list where the request explores nothing, or nothing is little known."""
    share = request.exploration or 0.0
    slots = _explorable(chosen, wishes) if share and request.intent not in OWN else []
    if not slots:
        return chosen
    pool = _pool(chosen, slots[0], allowed, (*wishes.caps, Cap(1, models.catalogue.group_id.code)), models)
    if not len(pool):
        return chosen
    placed = draw(slots, pool, share=share, rng=np.random.default_rng(seed(request, now)))
    chances = odds(len(slots), len(pool), share=share)
    listed = [one._replace(probability=1.0) for one in chosen]
    for slot in slots:
        listed[slot] = chosen[slot]._replace(probability=chances.kept)
    for slot, row in placed.items():
        listed[slot] = Chosen(row, None, EXPLORED, chances.explored)
    return listed


def draw(slots: Sequence[int], pool: Rows, *, share: float, rng: np.random.Generator) -> dict[int, int]:
    """slot -> the row that explores it. Where more slots are to be explored than the pool has items, each of them has the same chance."""
    marked = np.array(slots)[rng.random(len(slots)) < share]
    if len(marked) > len(pool):
        marked = rng.choice(marked, len(pool), replace=False)
    rows = rng.choice(pool, len(marked), replace=False)
    return dict(zip(marked.tolist(), rows.tolist(), strict=True))


def odds(slots: int, pool: int, *, share: float) -> Odds:
    """The chances of `draw`: E[min(K, pool)] / slots that a slot is explored, with K ~ Binomial(slots, share), and 1 / pool for each item."""
    chances = [comb(slots, k) * share**k * (1 - share) ** (slots - k) for k in range(slots + 1)]
    explored = sum(chance * min(k, pool) for k, chance in enumerate(chances)) / slots
    return Odds(explored / pool, 1 - explored)


def seed(request: Request, now: int) -> int:
    """One seed for one visitor, place and day; for all of a send, one."""
    when = now // DAY_S if request.send_id is None else request.send_id
    who = key(request.customer_id, request.session_id)
    asked = repr((who, request.placement, request.intent, request.item_ids, when))
    return int.from_bytes(blake2b(asked.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def _explorable(chosen: Sequence[Chosen], wishes: Wishes) -> list[int]:
    """The slots that stand by their score alone: nothing pinned, nothing that a share was promised."""
    return [
        slot
        for slot, one in enumerate(chosen)
        if one.by == SCORED and not any(share.items[one.row] for share in wishes.shares)
    ]


def _pool(chosen: Sequence[Chosen], slot: int, allowed: Mask, caps: Sequence[Cap], models: Models) -> Rows:
    """int32: the eligible items that are little known, at most POOL of them and those that score alike: the best in the list's own eyes.

    None that would break a cap, whichever of them stand in the list. Where attributes say what completes an item, none that they do not
    speak for: it may be a substitute.
    """
    little = allowed & (models.popularity.score < LITTLE)
    listed = [one.row for one in chosen]
    little[listed] = False
    stage = chosen[slot].stage
    if stage is not None and stage.shown is not None and "complements" in stage.sources:
        little &= stage.shown
    rows = np.flatnonzero(little).astype(np.int32)
    if stage is not None:
        rows = _most_promising(rows, stage.scores[rows])
    for cap in caps:
        rows = rows[_fits(cap, rows, listed)]
    return rows


def _most_promising(rows: Rows, scores: Scores) -> Rows:
    """The best POOL of the rows, best first; all that score like the last of them belong to it, or the first rows alone would be explored."""
    by = np.argsort(-scores, kind="stable")
    least = scores[by[POOL - 1]] if len(rows) > POOL else -np.inf
    return rows[by[scores[by] >= least]]


def _fits(cap: Cap, rows: Rows, listed: Sequence[int]) -> NDArray[np.bool_]:
    """bool[rows]: of each code that the list does not have enough of, the first row; every row without a code."""
    codes = cap.code[rows]
    counted = Counter(cap.code[list(listed)].tolist())
    spent = np.isin(codes, [code for code, number in counted.items() if number >= cap.most])
    first = np.zeros(len(rows), dtype=np.bool_)
    first[np.unique(codes, return_index=True)[1]] = True
    return (codes < 0) | (first & ~spent)
