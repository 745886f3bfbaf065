"""What the demo shop sells, and what goes with what: shop.toml as frozen dataclasses."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.demo.days import DAYS, date_of

OPENED = "2025-01-01"  # when everything was published that is not new
STYLE_DECAY = 0.7  # a style's popularity falls with its place: place ** -STYLE_DECAY
COLOUR_DECAY = 0.8
IN_SEASON = 3.0
OUT_OF_SEASON = 0.04


@dataclass(frozen=True)
class Product:
    """One product. `weight` is its popularity within its type; 0 before it was ever on sale."""

    item_id: str
    group_id: str
    style: str
    title: str
    title_th: str
    product_type: str
    category: str
    colour: str
    brand: str
    gender: str
    price: int  # baht
    published: str
    weight: float
    sold_out: bool
    pictured: bool


@dataclass(frozen=True)
class Kind:
    """A product type: what completes it (mean pieces beside it), how long a pack lasts (0: not used up), the season it is for."""

    name: str
    completes: Mapping[str, float]
    cycle_days: int
    season: str


@dataclass(frozen=True)
class Shop:
    """The whole of shop.toml; `goes_with` weighs the colours beside a colour, `season_of` has the season of each day, "" for none."""

    products: Mapping[str, Product]
    kinds: Mapping[str, Kind]
    goes_with: Mapping[str, Mapping[str, float]]
    season_of: Sequence[str]

    def in_season(self, kind: Kind, season: str) -> float:
        """How well a type sells in this season, beside what sells all year."""
        if not kind.season:
            return 1.0
        return IN_SEASON if kind.season == season else OUT_OF_SEASON


def _season(seasons: Mapping[str, Mapping[str, str]], day: int) -> str:
    today = date_of(day).strftime("%m-%d")
    return next((name for name, span in seasons.items() if _within(today, span["from"], span["to"])), "")


def _within(today: str, first: str, last: str) -> bool:
    """Whether a "MM-DD" lies between two others, over New Year where the last is before the first."""
    return first <= today <= last if first <= last else today >= first or today <= last


def load() -> Shop:
    """The shop as it is written down."""
    text = tomllib.loads(Path(__file__).with_name("shop.toml").read_text(encoding="utf-8"))
    return Shop(
        products={product.item_id: product for product in _products(text)},
        kinds={kind["name"]: _kind(kind) for kind in text["types"]},
        goes_with=text["goes_with"],
        season_of=[_season(text["seasons"], day) for day in range(DAYS)],
    )


def _kind(kind: Mapping[str, Any]) -> Kind:
    return Kind(kind["name"], kind["completes"], kind.get("cycle_days", 0), kind.get("season", ""))


def _products(text: Mapping[str, Any]) -> Iterator[Product]:
    """Products in the order of the file, numbered by prefix: DR-001, DR-002, … SH-001, …"""
    numbers: dict[str, int] = {}
    for kind in text["types"]:
        for place, style in enumerate(kind["styles"]):
            first = f"{kind['prefix']}-{numbers.get(kind['prefix'], 0) + 1:03}"
            for rank, variant in enumerate(style["variants"]):
                numbers[kind["prefix"]] = numbers.get(kind["prefix"], 0) + 1
                item_id = f"{kind['prefix']}-{numbers[kind['prefix']]:03}"
                yield _product(text, kind, style, item_id=item_id, first=first, place=place, rank=rank, variant=variant)


def _product(
    text: Mapping[str, Any],
    kind: Mapping[str, Any],
    style: Mapping[str, Any],
    *,
    item_id: str,
    first: str,
    place: int,
    rank: int,
    variant: str,
) -> Product:
    title = style["en"].format(variant)
    is_new = "published" in style
    return Product(
        item_id=item_id,
        group_id=item_id if kind.get("sets") else f"G-{first}",  # the pieces of a set are no variants of one another
        style=first,
        title=title[0].upper() + title[1:],
        title_th=style["th"].format(text["colours"].get(variant) or text["scents"][variant]),
        product_type=kind["name"],
        category=kind["category"],
        colour=variant if variant in text["colours"] else "",
        brand=kind["brands"][place % len(kind["brands"])],
        gender=kind.get("gender", ""),
        price=style["price"],
        published=f"{style.get('published', OPENED)}T00:00:00Z",
        weight=0.0 if is_new else (place + 1) ** -STYLE_DECAY * (rank + 1) ** -COLOUR_DECAY,
        sold_out=item_id in text["sold_out"],
        pictured=item_id not in text["no_image"],
    )
