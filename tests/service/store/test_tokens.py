"""Tokens over random lives of contacts, on both stores: never below none, never above the cap, and both reckon alike."""

from __future__ import annotations

import random

import pytest

from models.budgets import Pool
from service.store import Move, Settlement, Store
from tests.fakes import FakeStore

NOW, HALF_HOUR = 1_000_000, 1_800
POOL = Pool("stock:x", 12)


def lives(seed: int) -> list[tuple[int, Move]]:
    """(when, what) of fifty contacts, in the order of time: taken, and then kept, given back, both, or left to lapse."""
    rng = random.Random(seed)
    moves: list[tuple[int, Move]] = []
    for number in range(50):
        at, tokens, inbound = NOW + rng.randrange(20_000), rng.randrange(1, 4), rng.random() < 0.6
        until = at + HALF_HOUR if inbound else None
        moves.append((at, Move("take", POOL, f"h{number}", tokens, bid=1.0, until=until)))
        if rng.random() < 0.5:
            later = at + rng.randrange(1, HALF_HOUR)
            kind = rng.choice(("keep", "back")) if inbound else "back"
            moves.append((later, Move(kind, POOL, f"h{number}", tokens, held=inbound)))
    return sorted(moves, key=lambda one: one[0])


@pytest.mark.parametrize("seed", range(4))
def test_a_pool_is_never_overdrawn_nor_below_none_and_both_stores_reckon_alike(store: Store, seed: int) -> None:
    stores: tuple[Store, ...] = (store, FakeStore())
    taken: set[str] = set()
    for at, move in lives(seed):
        if move.kind != "take" and move.holder not in taken:
            continue
        refused = [one.settle("ann", lambda _, m=move: Settlement(b"[]", (m,)), now=at) for one in stores]
        used = {one.levels([POOL.name], now=at)[POOL.name].used for one in stores}
        assert refused[0] == refused[1]
        if move.kind == "take" and not refused[0]:
            taken.add(move.holder)
        assert len(used) == 1
        assert 0 <= min(used) <= POOL.cap
    end = NOW + 40_000
    assert store.levels([POOL.name], now=end)[POOL.name].used >= 0
