"""A shop of dresses, shoes and cups in five colours whose baskets have a plan that can be seen by eye.

Items stand in the order of their ids.
A dress is bought with shoes of its colour, never with another dress; cups are bought by the set, three colours at a time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import orjson
from scipy.sparse import csr_matrix

from models.attributes import Fields
from models.blend import Blend
from models.bundle import Models
from models.catalogue import catalogue_of
from models.complements import Complements
from models.popularity import Popularity
from models.vocabulary import Vocabulary
from tests.worlds import tiny_tiers
from training.fit import neighbours
from training.fit.affinities import Goods
from training.fit.complements import Parameters, fit
from training.matrices import Matrix

COLOURS = ("black", "blue", "green", "red", "white")
EACH = 6  # items of a type and colour
ITEMS: list[Fields] = [
    {"item_id": f"{kind}-{colour}-{number}", "title": f"{colour.title()} {kind} {chr(97 + number) * 3}", "product_type": kind, "colour": colour}
    for kind in ("cup", "dress", "shoe")
    for colour in COLOURS
    for number in range(EACH)
]  # fmt: skip
ROWS = {str(fields["item_id"]): row for row, fields in enumerate(ITEMS)}


def baskets(times: int = 40, seed: int = 0) -> list[list[int]]:
    """Rows of items, basket by basket. Number 5 of dresses and shoes is new: nobody has bought it."""
    rng = np.random.default_rng(seed)
    found: list[list[int]] = []
    for _ in range(times):
        for colour in COLOURS:
            dress, shoe = rng.integers(EACH - 1, size=2)
            found.append([ROWS[f"dress-{colour}-{dress}"], ROWS[f"shoe-{colour}-{shoe}"]])
        cups = rng.choice(COLOURS, size=3, replace=False)
        found.append([ROWS[f"cup-{colour}-{rng.integers(EACH)}"] for colour in cups])
    return found


def matrix_of(found: list[list[int]], items: int = len(ITEMS)) -> Matrix:
    """Baskets × items."""
    sizes = [len(basket) for basket in found]
    columns = np.concatenate(found)
    rows = np.repeat(np.arange(len(found)), sizes)
    held = csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=(len(found), items))
    return Matrix(held, np.zeros(len(found)))


def learnt(extra: Sequence[list[int]] = (), **parameters: float) -> Complements:
    """What these baskets teach, and some more."""
    return fit(matrix_of([*baskets(), *extra]), Goods.of(ITEMS), Parameters(**parameters))  # type: ignore[arg-type]


CATALOGUE = catalogue_of(
    Vocabulary.of_sorted([str(item["item_id"]) for item in ITEMS]), ITEMS, [orjson.dumps(item) for item in ITEMS]
)


def shop(**weights: float) -> Models:
    """What a service knows of this shop; without weights its blend counts nothing."""
    matrix = matrix_of(baskets())
    return Models(
        catalogue=CATALOGUE,
        popularity=Popularity(np.bincount(matrix.held.indices, minlength=len(ITEMS)).astype(np.float32)),
        blend=Blend({"complementary": weights}),
        tiers=tiny_tiers(),
        together=neighbours.fit(matrix),
        complements=learnt(),
    )
