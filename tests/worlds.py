"""A tiny shop that can be seen by eye: a few products, a few baskets, and the models that they teach.

Black dresses go with black shoes, red with red; the blue dress goes with nothing. Vitamins are bought again.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from models import bundle
from models.blend import Blend
from models.bundle import CURRENT, Models
from models.catalogue import Catalogue, catalogue_of
from models.factors import Factors
from models.neighbours import Neighbours
from models.popularity import Popularity
from models.repeat import Repeat
from models.tiers import Tiers
from models.vocabulary import Vocabulary

NOW = 1_767_225_600  # 2026-01-01
DAY_S = 86_400
STRANGE = "กระเป๋า / 50% ☂ #1?"  # an id that a shop may well have

# item_id, group_id, title, Thai title, category, product type, colour, brand, price in satang, and what is unusual
ITEMS: tuple[tuple[Any, ...], ...] = (
    ("DR-001", "dress-1", "Black wrap dress", "เดรสสีดำ", "Women > Dresses", "dress", "black", "Nara", 199_000, {}),
    ("DR-001-L", "dress-1", "Black wrap dress, L", None, "Women > Dresses", "dress", "black", "Nara", 199_000, {}),
    ("DR-002", "dress-2", "Red wrap dress", None, "Women > Dresses", "dress", "red", "Nara", 209_000, {}),
    ("DR-003", "dress-3", "Blue dress", None, "Women > Dresses", "dress", "blue", None, None, {}),
    ("SH-014", "shoe-14", "Black court shoes", "รองเท้าสีดำ", "Women > Shoes", "shoes", "black", "Suan", 129_000, {}),
    ("SH-015", "shoe-15", "Red court shoes", None, "Women > Shoes", "shoes", "red", "Suan", 129_000, {}),
    (
        "SH-016",
        "shoe-16",
        "Black boots",
        None,
        "Women > Shoes",
        "shoes",
        "black",
        "Suan",
        259_000,
        {"available": False},
    ),
    ("VT-001", None, "Vitamins", "วิตามิน", "Home > Health", "vitamins", None, "Dee", 45_000, {}),
    ("NE-001", None, "Negligee", None, "Women > Night", "nightwear", "black", "Nara", 99_000, {"adult": True}),
    ("NE-002", None, "Red negligee", None, "Women > Night", "nightwear", "red", "Nara", 99_000, {"adult": True}),
    (STRANGE, None, "Umbrella bag", None, "Women > Bags", "bag", "black", "Suan", 79_000, {}),
)
FIELDS = ("item_id", "group_id", "title", "title_th", "category", "product_type", "colour", "brand", "price")
BASKETS: tuple[tuple[str, ...], ...] = (
    ("DR-001", "SH-014"),
    ("DR-001", "SH-014", STRANGE),
    ("DR-001", "SH-014", "SH-016"),
    ("DR-001-L", "SH-014"),
    ("DR-001", "DR-001-L"),
    ("DR-001", "NE-001"),
    ("DR-002", "SH-015"),
    ("DR-002", "SH-015"),
    ("NE-001", "NE-002"),
    ("VT-001",),
    ("VT-001",),
    ("VT-001",),
)
WEIGHTS = {
    "for_you": {"together": 0.4, "alike": 1.0, "factors": 0.6, "popularity": 0.1},
    "for_you_owned": {"together": 0.4, "alike": 1.0, "factors": 0.6, "popularity": 0.1, "repeat": 1.0},
    "complementary": {"together": 1.0, "alike": 0.2},
    "similar": {"alike": 1.0, "factors": 0.5},
}


def tiny_models() -> Models:
    """What this shop teaches."""
    catalogue = tiny_catalogue()
    bought = _bought(catalogue.items)
    return Models(
        catalogue=catalogue,
        popularity=Popularity(bought.sum(axis=0).astype(np.float32)),
        blend=Blend(WEIGHTS),
        tiers=tiny_tiers(),
        together=neighbours_of(bought),
        alike=neighbours_of(bought),
        factors=factors_of(bought, 4),
        repeat=_repeat(catalogue.items),
    )


def tiny_catalogue() -> Catalogue:
    """The products, in the order of their ids."""
    fields = sorted((_fields(item) for item in ITEMS), key=lambda product: str(product["item_id"]))
    items = Vocabulary.of(product["item_id"] for product in fields)
    return catalogue_of(items, fields, [_body(product) for product in fields])


def tiny_tiers() -> Tiers:
    """Silver from 1,000, gold from 5,000 a year."""
    return Tiers(
        names=("silver", "gold"),
        entry=np.array([100_000, 500_000], dtype=np.int64),
        maintenance=np.array([80_000, 400_000], dtype=np.int64),
        window_days=365,
        grace_days=30,
        recency_edges=np.array([10.0, 30.0, 90.0, 180.0]),
        frequency_edges=np.array([1.0, 2.0, 4.0, 8.0]),
        monetary_edges=np.array([50_000.0, 100_000.0, 200_000.0, 400_000.0]),
        interval_days=30.0,
        top_value=400_000,
    )


def neighbours_of(bought: np.ndarray) -> Neighbours:
    """Cosine neighbours of all items, from bool[baskets, items]."""
    counts = bought.astype(np.float32)
    together = counts.T @ counts
    often = np.sqrt(np.maximum(np.diag(together), 1))
    scores = together / np.outer(often, often)
    np.fill_diagonal(scores, 0)
    rows = [np.argsort(-row, kind="stable")[: int((row > 0).sum())] for row in scores]
    sizes = [len(row) for row in rows]
    indices = np.concatenate(rows).astype(np.int32)
    held_by = np.repeat(np.arange(len(rows)), sizes)
    return Neighbours(
        indptr=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        indices=indices,
        scores=scores[held_by, indices].astype(np.float32),
        support=together[held_by, indices].astype(np.int32),
    )


def factors_of(bought: np.ndarray, factors: int) -> Factors:
    """The strongest directions of bool[baskets, items]."""
    _, sizes, directions = np.linalg.svd(bought.astype(np.float32), full_matrices=False)
    vectors = (directions[:factors].T * np.sqrt(sizes[:factors])).astype(np.float32)
    return Factors(vectors, sizes[:factors].astype(np.float32), regularization=0.1, unobserved=0.1, exponent=1.0)


def save(models_dir: Path, version: str, models: Models, **manifest: Any) -> Path:
    """Save a bundle and let `current` name it, as publishing does."""
    directory = models_dir / version
    directory.mkdir(parents=True)
    bundle.save(directory, models, {"version": version, "as_of": NOW, **manifest})
    switch(models_dir, version)
    return directory


def switch(models_dir: Path, version: str) -> None:
    """Let `current` name another version, atomically."""
    fresh = models_dir / f".{CURRENT}-fresh"
    fresh.symlink_to(version)
    os.replace(fresh, models_dir / CURRENT)  # noqa: PTH105  (the atomic one)


def _fields(item: Sequence[Any]) -> dict[str, Any]:
    named = dict(zip(FIELDS, item[:-1], strict=True))
    unusual: dict[str, Any] = item[-1]
    return {name: value for name, value in named.items() if value is not None} | unusual


def _body(product: dict[str, Any]) -> bytes:
    shown = {name: value for name, value in product.items() if name not in ("item_id", "price")}
    price = {"price": product["price"] / 100, "currency": "THB"} if "price" in product else {}
    return orjson.dumps(shown | price)


def _bought(items: Vocabulary) -> np.ndarray:
    bought = np.zeros((len(BASKETS), len(items)), dtype=np.bool_)
    for basket, item_ids in enumerate(BASKETS):
        bought[basket, items.rows(item_ids)] = True
    return bought


def _repeat(items: Vocabulary) -> Repeat:
    share = np.full(len(items), 0.05, dtype=np.float32)
    share[items.row("VT-001")] = 0.8
    interval = np.full(len(items), 30.0, dtype=np.float32)
    return Repeat(share, interval, prior_share=0.1, prior_interval_days=30.0)


def catalogue_with(urls: dict[str, object]) -> Catalogue:
    """The shop's catalogue, with these addresses alone in its items' bodies."""
    catalogue = tiny_models().catalogue
    bodies = [
        orjson.dumps({"url": urls[item_id]} if item_id in urls else {})
        for item_id in catalogue.items.texts(range(len(catalogue)))
    ]
    body_at = np.concatenate([[0], np.cumsum([len(body) for body in bodies])]).astype(np.int64)
    return replace(catalogue, body=np.frombuffer(b"".join(bodies), dtype=np.uint8), body_at=body_at)
