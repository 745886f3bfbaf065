"""Random shops with one customer each, for laws that must hold in all of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import orjson

from models.blend import Blend
from models.bundle import Models
from models.catalogue import catalogue_of
from models.popularity import Popularity
from models.profile import EMPTY, Event, Profile, fold
from models.repeat import Repeat
from models.trending import Trending
from models.vocabulary import Vocabulary
from tests.worlds import DAY_S, NOW, WEIGHTS, factors_of, neighbours_of, tiny_tiers

ITEMS = [f"i{number:02}" for number in range(40)]


@dataclass(frozen=True)
class World:
    """A random shop and one of its customers."""

    fields: dict[str, dict[str, Any]]
    models: Models
    profile: Profile


def a_world(rng: np.random.Generator) -> World:
    """A shop of forty items, in which some models may be missing, and a life of up to 25 events."""
    fields = {item_id: _fields(item_id, rng) for item_id in ITEMS}
    bought = rng.random((30, len(ITEMS))) < rng.choice([0.0, 0.02, 0.1])
    catalogue = catalogue_of(Vocabulary.of(ITEMS), list(fields.values()), [orjson.dumps({})] * len(ITEMS))
    counts = bought.sum(axis=0).astype(np.float32)
    models = Models(
        catalogue=catalogue,
        popularity=Popularity(counts),
        blend=Blend(WEIGHTS),
        tiers=tiny_tiers(),
        together=neighbours_of(bought) if rng.random() < 0.8 else None,
        alike=neighbours_of(bought) if rng.random() < 0.8 else None,
        factors=factors_of(bought, 4) if rng.random() < 0.8 else None,
        repeat=Repeat(np.full(40, 0.2, np.float32), np.full(40, 30, np.float32), 0.2, 30.0),
        trending=Trending(counts, np.full(40, 3, np.float32), 1.0, 7, 84, least=1) if rng.random() < 0.8 else None,
    )
    return World(fields, models, reduce(fold, _life(rng), EMPTY))


def _fields(item_id: str, rng: np.random.Generator) -> dict[str, Any]:
    return {
        "item_id": item_id,
        "category": rng.choice(["A", "A > B", "A > B > C", "D", None]),
        "brand": rng.choice(["x", "y", None]),
        "colour": rng.choice(["red", "blue", None]),
        "group_id": rng.choice(["g1", "g2", None, None]),
        "price": None if rng.random() < 0.2 else int(rng.integers(1, 100)) * 100,
        "available": bool(rng.random() < 0.9),
        "adult": bool(rng.random() < 0.1),
    }


def _life(rng: np.random.Generator) -> list[Event]:
    names = ["purchase", "view_item", "add_to_cart", "dislike", "refund", "view_item_list"]
    return [
        Event(
            str(rng.choice(names)),
            NOW - int(rng.integers(0, 100)) * DAY_S,
            item_id=str(rng.choice(ITEMS)),
            amount=100,
            order_id=f"o{number}",
        )
        for number in range(int(rng.integers(0, 25)))
    ]
