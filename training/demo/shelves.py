"""Shelves: from which product of a type, beside which colour, a hand takes what. The planted truth at work."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from training.demo.shop import Product, Shop

CLASHING = 0.05  # the weight of a colour that does not go with another, beside 1 to 12 for those that do


@dataclass(frozen=True)
class Shelf:
    """Products and the running sum of their weights."""

    products: tuple[Product, ...]
    edges: tuple[float, ...]

    def pick(self, rng: np.random.Generator) -> Product:
        """One product, by weight."""
        return self.products[min(bisect(self.edges, rng.random() * self.edges[-1]), len(self.products) - 1)]


@dataclass(frozen=True)
class Shelves:
    """beside: (product type, colour) → shelf, "" for any colour; sets: style → shelf."""

    shop: Shop
    beside: Mapping[tuple[str, str], Shelf]
    sets: Mapping[str, Shelf]

    def pick(self, product_type: str, colour: str, rng: np.random.Generator) -> Product:
        """A product of a type that goes with a colour."""
        return self.beside[product_type, colour].pick(rng)

    def completed(self, anchor: Product, rng: np.random.Generator) -> Iterator[Product]:
        """What is bought with the anchor: pieces of the completing types in colours that go with it, pieces of its own set."""
        for product_type, mean in self.shop.kinds[anchor.product_type].completes.items():
            own = product_type == anchor.product_type
            for _ in range(int(mean + rng.random())):
                yield self.sets[anchor.style].pick(rng) if own else self.pick(product_type, anchor.colour, rng)


def shelves(shop: Shop) -> Shelves:
    """The shelves of a shop, without what was never on sale."""
    on_sale = [product for product in shop.products.values() if product.weight > 0]
    kinds = _grouped(on_sale, lambda product: product.product_type)
    return Shelves(
        shop=shop,
        beside={
            (kind, colour): _shelf(found, shop, colour)
            for kind, found in kinds.items()
            for colour in ("", *shop.goes_with)
        },
        sets={
            style: _shelf(found, shop, "") for style, found in _grouped(on_sale, lambda product: product.style).items()
        },
    )


def _grouped(products: Iterable[Product], key: Callable[[Product], str]) -> dict[str, list[Product]]:
    groups: dict[str, list[Product]] = {}
    for product in products:
        groups.setdefault(key(product), []).append(product)
    return groups


def _shelf(products: list[Product], shop: Shop, colour: str) -> Shelf:
    weights = (product.weight * _match(shop, colour, product.colour) for product in products)
    return Shelf(tuple(products), tuple(accumulate(weights)))


def _match(shop: Shop, colour: str, other: str) -> float:
    """How well two colours go together; what has no colour goes with everything."""
    return 1.0 if not colour or not other else shop.goes_with[colour].get(other, CLASHING)
