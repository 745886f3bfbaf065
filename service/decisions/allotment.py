"""Allotment: budgets and stock for many customers at once, to those for whom they are worth most, whoever comes first.

Deferred acceptance (Gale & Shapley 1962, sec. 3), customers proposing: everybody bids for what she would be given; a pool that is wanted by more
than it has room for keeps the highest bids and closes for the others, who bid again for their next best. In the end nobody is left without what
somebody of a lower priority has.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

Closed = Mapping[int, frozenset[str]]  # line -> the pools that are closed for it


class Bid(NamedTuple):
    """What somebody would take of a pool, and for what priority."""

    pool: str
    tokens: int
    priority: float


Bids = Callable[
    [Closed, frozenset[int] | None], Iterator[tuple[int, list[Bid]]]
]  # (closed, lines; None: all) -> what each bids


def allot(bids: Bids, room: Mapping[str, int]) -> dict[int, frozenset[str]]:
    """Which pools are closed for each line; a line that is not named has what it wants. `room`: the tokens of each pool.

    bids  asked again for the lines that were turned away, until nobody is; each asking closes one pool more for them, so it comes to an end
    """
    closed: dict[int, frozenset[str]] = {}
    held: dict[str, list[tuple[float, int, int]]] = {
        pool: [] for pool in room
    }  # heaps: priority, -line, tokens; the lowest first
    taken = dict.fromkeys(room, 0)
    bidding: frozenset[int] | None = None
    while bidding is None or bidding:
        for line, wanted in bids(closed, bidding):
            for bid in wanted:
                heapq.heappush(held[bid.pool], (bid.priority, -line, bid.tokens))
                taken[bid.pool] += bid.tokens
        bidding = _turned_away(closed, held, taken, room)
    return closed


def _turned_away(
    closed: dict[int, frozenset[str]],
    held: dict[str, list[tuple[float, int, int]]],
    taken: dict[str, int],
    room: Mapping[str, int],
) -> frozenset[int]:
    """The lines whose bids are too low; their other bids are taken back, as they will bid anew."""
    away: set[int] = set()
    for pool, heap in held.items():
        while taken[pool] > room[pool]:
            _, line, tokens = heapq.heappop(heap)
            taken[pool] -= tokens
            closed[-line] = closed.get(-line, frozenset()) | {pool}
            away.add(-line)
    for pool, heap in held.items():
        if away and any(-line in away for _, line, _ in heap):
            kept = [row for row in heap if -row[1] not in away]
            taken[pool] = sum(tokens for *_, tokens in kept)
            heapq.heapify(kept)
            held[pool] = kept
    return frozenset(away)
