"""Learning complements: how far attributes may be believed, and how much a basket is worth beside them."""

import numpy as np
import pytest

from tests.wardrobe import ITEMS, ROWS, baskets, matrix_of
from training import scoring
from training.fit.affinities import Goods
from training.fit.belief import DEFAULT, believed
from training.fit.complements import Parameters, fit, search
from training.queries import Queries

GOODS = Goods.of(ITEMS)
TRAIN, LATER = baskets(times=40), baskets(times=10, seed=1)


def queries(found: list[list[int]]) -> Queries:
    relevant = matrix_of([basket[1:] for basket in found]).held
    return Queries(scoring.carts(np.array([basket[0] for basket in found], dtype=np.int32), len(ITEMS)), relevant)


def told_apart(found: list[list[int]]) -> float:
    """How much the shoes differ in what a dress says of them, in nats."""
    matrix = matrix_of(found)
    _, learnt = search(matrix, GOODS, queries(LATER).first(0))
    shoes = [row for item_id, row in ROWS.items() if item_id.startswith("shoe")]
    return float(np.ptp(learnt.affinity(ROWS["dress-black-5"])[shoes]))


def test_what_carries_the_baskets_is_believed_and_what_is_chance_is_not() -> None:
    rng = np.random.default_rng(0)
    by_chance = [rng.choice(len(ITEMS), size=2, replace=False).tolist() for _ in range(240)]
    assert told_apart(TRAIN) > 2
    assert told_apart(by_chance) < 1


@pytest.mark.parametrize("name", ["brand", "price", "gender"])
def test_an_attribute_that_nobody_knows_keeps_its_default(name: str) -> None:
    assert believed(matrix_of(TRAIN), GOODS, None)[name] == DEFAULT[name]


def test_too_few_pairs_teach_nothing() -> None:
    assert believed(matrix_of(TRAIN[:10]), GOODS, None) == DEFAULT


def test_the_same_baskets_teach_the_same() -> None:
    assert believed(matrix_of(TRAIN), GOODS, None) == believed(matrix_of(TRAIN), GOODS, None)


def test_where_baskets_follow_attributes_alone_a_basket_is_worth_little() -> None:
    assert search(matrix_of(TRAIN), GOODS, queries(LATER))[0].mass >= 100


def test_where_baskets_follow_a_plan_of_their_own_a_basket_is_worth_much() -> None:
    """Each item has two partners of its own; the first is bought with it nine times of ten, and what they are says nothing."""
    rng = np.random.default_rng(0)
    first, second = rng.permutation(len(ITEMS)), rng.permutation(len(ITEMS))
    asked = rng.integers(len(ITEMS), size=2000)
    other = np.where(rng.random(2000) < 0.9, first[asked], second[asked])
    odd = [[int(one), int(two)] for one, two in zip(asked, other, strict=True) if one != two]
    found, _ = search(matrix_of(odd[:1500]), GOODS, queries(odd[1500:]))
    likely = fit(matrix_of(odd[:1500]), GOODS, found).of(0)
    assert int(np.argmax(likely)) in (first[0], int(np.flatnonzero(first == 0)[0]))


def test_without_queries_the_mass_is_that_of_the_start() -> None:
    nothing = queries(LATER).first(0)
    assert search(matrix_of(TRAIN), GOODS, nothing, Parameters(mass=7))[0].mass == 7


def test_direction_counts() -> None:
    """Ink is bought with any printer; each printer calls for the ink, the ink for no printer in particular."""
    ink, printers = ROWS["cup-red-0"], [ROWS[f"dress-black-{number}"] for number in range(5)]
    learnt = fit(matrix_of([[printer, ink] for printer in printers for _ in range(40)]), GOODS)
    assert learnt.of(printers[0])[ink] > 2 * learnt.of(ink)[printers[0]]


def test_items_and_baskets_without_anything_known_are_fitted_all_the_same() -> None:
    learnt = fit(matrix_of([[0], [1]]), Goods.of([{}] * len(ITEMS)))
    assert not learnt.score(np.array([0], dtype=np.int32), np.ones(1, dtype=np.float32)).any()
