import numpy as np
import pytest

from models.similarity import Similarity
from tests.worlds import tiny_models

MODELS = tiny_models()
ITEMS = MODELS.catalogue.items


def alike(one: str, other: str, *, learnt: int | None = None) -> float:
    """How alike two items are; `learnt`: only so many first items have factors, 0 for none at all."""
    factors = MODELS.factors
    assert factors is not None
    if learnt is not None:
        vectors = factors.item_factors[:learnt]
        factors = type(factors)(vectors, factors.gram, 0.1, 0.1, 1.0) if learnt else None
    compared = Similarity.of(ITEMS.rows([one, other]), catalogue=MODELS.catalogue, factors=factors)
    return float(compared.to(0)[1])


def test_by_factors_it_is_the_cosine_and_never_below_zero() -> None:
    factors = MODELS.factors
    assert factors is not None
    row, other = ITEMS.row("DR-001"), ITEMS.row("SH-014")
    assert alike("DR-001", "SH-014") == pytest.approx(float(factors.similar(row)[other]), abs=1e-5)
    everything = Similarity.of(np.arange(len(ITEMS), dtype=np.int32), catalogue=MODELS.catalogue, factors=factors)
    assert all(((everything.to(place) >= 0) & (everything.to(place) <= 1 + 1e-5)).all() for place in range(len(ITEMS)))


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ("DR-001", "DR-001-L", 1.0),
        ("DR-001", "DR-002", 3 / 5),  # category, type and brand of five attributes
        ("DR-001", "VT-001", 0.0),
        ("DR-003", "DR-002", 2 / 4),  # of the blue dress no brand is known
    ],
)
@pytest.mark.parametrize("learnt", [0, 1])
def test_without_factors_the_attributes_speak(one: str, other: str, share: float, learnt: int) -> None:
    assert alike(one, other, learnt=learnt) == pytest.approx(share)
