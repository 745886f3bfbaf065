"""Synthetic shops of any size, shaped like what training learns of real ones; same seed, same bundle.

Items stand in a hidden order: near ones are alike, are bought by the same people, and share a topic of TOPIC items. Factors are topic
plus noise, with the spectrum that ALS left on a public history of 41 k places (eigenvalues of the Gram matrix fall as rank^-0.6).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from models import bundle
from models.affinity import Affinity
from models.attributes import BANDS, Attributes, Lexicon
from models.blend import Blend
from models.bundle import CURRENT, Models
from models.catalogue import SHOWN, Catalogue, Codes, catalogue_of
from models.complements import Complements
from models.factors import Factors, leading
from models.neighbours import Neighbours
from models.popularity import Popularity
from models.profile import EMPTY, Event, Profile, dump, fold
from models.repeat import Repeat
from models.tiers import Tiers
from models.vocabulary import Vocabulary

NOW = 1_767_225_600  # 2026-01-01
DAY_S = 86_400
TOPIC = 50  # items that are of one kind
EVENTS = 50  # of each customer
NEIGHBOURS, MANY_NEIGHBOURS = 200, 100  # of each item; the second from MANY items on, where few items have more
MANY = 100_000
FACTORS, MORE_FACTORS, MORE_FROM = 128, 256, 10_000  # as training chooses them by size
TYPES, COLOURS, BRANDS, WORDS = 60, 12, 200, 300
WEIGHTS = {
    "for_you": {"together": 0.3, "alike": 1.0, "factors": 1.5, "popularity": 0.05},
    "for_you_owned": {"alike": 0.3, "factors": 0.3, "popularity": 0.05, "repeat": 1.0},
    "complementary": {"together": 1.0, "alike": 0.4, "factors": 0.2, "popularity": 0.02, "complements": 0.3},
    "similar": {"alike": 1.0, "factors": 1.0, "popularity": 0.02},
}  # what training begins with


@dataclass(frozen=True)
class World:
    """A shop on disk: where its bundles are, and how many items it has."""

    models_dir: Path
    items: int


def world(folder: Path, items: int, *, factors: int | None = None) -> World:
    """The shop of so many items in `folder`; made once, and found again."""
    models_dir = folder / f"shop-{items}-{factors or 'default'}"
    if not (models_dir / CURRENT).exists():
        publish(models_dir, shop(items, factors=factors), "20260101T000000-first")
    return World(models_dir, items)


def publish(models_dir: Path, models: Models, version: str) -> None:
    """Write a version and let `current` name it."""
    directory = models_dir / version
    directory.mkdir(parents=True)
    bundle.save(directory, models, {"version": version, "as_of": NOW, "currency": "THB"})
    fresh = models_dir / f".{CURRENT}-fresh"
    fresh.symlink_to(version)
    fresh.replace(models_dir / CURRENT)


def shop(items: int, *, factors: int | None = None, seed: int = 0) -> Models:
    """All models that a request may ask."""
    rng = np.random.default_rng(seed)
    hidden = rng.permutation(items).astype(np.int32)  # position -> row
    topics = np.empty(items, dtype=np.int64)
    topics[hidden] = np.arange(items) // TOPIC
    sold = rng.pareto(1.2, items).astype(np.float32) + np.float32(0.1)
    catalogue = _catalogue(items, topics, rng)
    pairs = _neighbours(hidden, MANY_NEIGHBOURS if items >= MANY else NEIGHBOURS, rng)
    size = factors or (MORE_FACTORS if items >= MORE_FROM else FACTORS)
    return Models(
        catalogue=catalogue,
        popularity=Popularity(sold),
        blend=Blend(WEIGHTS, half_life_days=90.0),
        tiers=_tiers(),
        together=pairs,
        alike=_neighbours(hidden, MANY_NEIGHBOURS if items >= MANY else NEIGHBOURS, rng),
        factors=_factors(topics, sold, size, rng),
        repeat=Repeat(
            np.full(items, 0.1, dtype=np.float32),
            np.full(items, 30.0, dtype=np.float32),
            prior_share=0.1,
            prior_interval_days=30.0,
        ),
        complements=_complements(catalogue, sold, pairs, rng),
    )


def item_id(row: int) -> str:
    """The id of a row."""
    return f"P{row:07d}"


def customer_id(number: int) -> str:
    """The id of a customer."""
    return f"C{number:07d}"


def profiles(models: Models, customers: int, *, distinct: int = 500, seed: int = 1) -> Iterator[tuple[str, bytes]]:
    """(customer, profile): EVENTS each, of a few topics, a third of them purchases. Of `distinct` of them the others are copies."""
    rng = np.random.default_rng(seed)
    assert models.together is not None
    made = [dump(_profile(models.together, len(models.catalogue), rng)) for _ in range(min(distinct, customers))]
    for number, profile in zip(range(customers), itertools.cycle(made), strict=False):
        yield customer_id(number), profile


def _profile(near: Neighbours, items: int, rng: np.random.Generator) -> Profile:
    seeds = rng.integers(0, items, 5)
    rows = np.concatenate([near.indices[near.indptr[row] : near.indptr[row + 1]][:EVENTS] for row in seeds])
    rows = rng.choice(np.unique(rows), EVENTS, replace=False)
    profile = EMPTY
    for nth, row in enumerate(rows.tolist()):
        name = "purchase" if nth % 3 == 0 else "view_item"
        at = NOW - (EVENTS - nth) * DAY_S // 2
        profile = fold(profile, Event(name, at, item_id=item_id(row), amount=49_900, order_id=f"O{nth}"))
    return profile


def _catalogue(items: int, topics: NDArray[np.int64], rng: np.random.Generator) -> Catalogue:
    prices = rng.integers(100, 5_000, items) * 100
    brands = rng.integers(0, BRANDS, items)
    fields: list[dict[str, Any]] = [
        {
            "item_id": item_id(row),
            "title": f"Product {row} of kind {topic} by brand {brand}",
            "price": price,
            "currency": "THB",
            "url": f"https://shop.example/p/{row}",
            "image_url": f"https://images.shop.example/{row}.jpg",
            "category": f"Room {topic % 12} > Shelf {topic % TYPES}",
            "product_type": f"type {topic % TYPES}",
            "colour": f"colour {row % COLOURS}",
            "brand": f"brand {brand}",
        }
        for row, (topic, price, brand) in enumerate(zip(topics.tolist(), prices.tolist(), brands.tolist(), strict=True))
    ]
    bodies = [
        orjson.dumps({name: row[name] / 100 if name == "price" else row[name] for name in SHOWN if name in row})
        for row in fields
    ]
    return catalogue_of(Vocabulary.of_sorted([row["item_id"] for row in fields]), fields, bodies)


def _neighbours(hidden: NDArray[np.int32], k: int, rng: np.random.Generator) -> Neighbours:
    """The k nearest of the hidden order, nearest first."""
    items, k = len(hidden), min(k, len(hidden) - 1)
    distance = np.arange(2, k + 2) // 2 * np.where(np.arange(k) % 2, -1, 1)
    place = np.empty(items, dtype=np.int64)
    place[hidden] = np.arange(items)
    indices = np.empty((items, k), dtype=np.int32)
    for column, step in enumerate(distance.tolist()):
        indices[:, column] = hidden[(place + step) % items]
    falling = (0.5 / np.sqrt(np.abs(distance))).astype(np.float32)
    scores = falling * rng.uniform(0.9, 1.0, (items, 1)).astype(np.float32)
    return Neighbours(
        indptr=np.arange(items + 1, dtype=np.int64) * k,
        indices=indices.reshape(-1),
        scores=scores.reshape(-1),
        support=np.full(items * k, 3, dtype=np.int32),
    )


def _factors(topics: NDArray[np.int64], sold: NDArray[np.float32], size: int, rng: np.random.Generator) -> Factors:
    spectrum = (np.arange(size) + 1.0) ** -0.3
    centres = rng.standard_normal((int(topics.max()) + 1, size), dtype=np.float32)
    vectors = rng.standard_normal((len(topics), size), dtype=np.float32)
    vectors *= np.float32(0.7)
    vectors += centres[topics]
    vectors *= spectrum.astype(np.float32) * np.float32(0.1)
    vectors *= np.minimum(np.sqrt(sold), 3)[:, None]
    values, basis = np.linalg.eigh(vectors.T.astype(np.float64) @ vectors)
    rotated = np.ascontiguousarray(vectors @ basis[:, ::-1].astype(np.float32))
    gram = values[::-1].astype(np.float32)
    return Factors(rotated, gram, regularization=0.01, unobserved=0.03, exponent=0.75, leading=leading(rotated))


def _complements(
    catalogue: Catalogue, sold: NDArray[np.float32], pairs: Neighbours, rng: np.random.Generator
) -> Complements:
    items = len(catalogue)
    words = rng.integers(0, WORDS, (5, items))
    codes = np.stack([column.code for column in (catalogue.product_type, catalogue.colour, catalogue.brand)])
    bands, genders = rng.integers(0, BANDS, items), np.full(items, -1)
    types, colours, brands = (
        len(column.values) for column in (catalogue.product_type, catalogue.colour, catalogue.brand)
    )
    return Complements(
        lexicon=_lexicon(catalogue.product_type, catalogue.colour, catalogue.brand),
        known=Attributes(
            np.vstack([codes, bands, genders]).astype(np.int64), words.astype(np.int64), np.zeros((0, items), np.int64)
        ),
        share=sold / sold.sum(),
        pairs=pairs,
        baskets=10 * sold,
        tried=(sold / (sold + 1)).astype(np.float32),
        type=_affinity(types, rng),
        colour=_affinity(colours, rng),
        brand=_affinity(brands, rng),
        price=_affinity(BANDS, rng),
        gender=_affinity(0, rng),
        words=_affinity(WORDS, rng),
        completes=rng.random((types + 1, types + 1)) < 0.3,
        stranger=0.5,
        mass=50.0,
    )


def _lexicon(types: Codes, colours: Codes, brands: Codes) -> Lexicon:
    words = Vocabulary.of(f"word {number}" for number in range(WORDS))
    edges = np.tile(np.array([100_000, 200_000, 300_000, 400_000], dtype=np.int64), (len(types.values) + 1, 1))
    return Lexicon(types.values, colours.values, brands.values, Vocabulary.of([]), words, edges)


def _affinity(codes: int, rng: np.random.Generator) -> Affinity:
    place = np.arange(codes + 1, dtype=np.int32)
    pairs = rng.normal(0, 0.5, (codes + 1, codes + 1)).astype(np.float32)
    return Affinity(place[:-1], place, pairs, np.append(pairs.diagonal()[:-1], np.float32(0)))


def _tiers() -> Tiers:
    edges: Sequence[float] = (10.0, 30.0, 90.0, 180.0)
    return Tiers(
        names=("silver", "gold"),
        entry=np.array([100_000, 500_000], dtype=np.int64),
        maintenance=np.array([80_000, 400_000], dtype=np.int64),
        window_days=365,
        grace_days=30,
        recency_edges=np.array(edges),
        frequency_edges=np.array([1.0, 2.0, 4.0, 8.0]),
        monetary_edges=np.array([50_000.0, 100_000.0, 200_000.0, 400_000.0]),
        interval_days=30.0,
        top_value=400_000,
    )
