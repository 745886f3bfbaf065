"""Which items stand in a list and in which order: by score, slot by slot, on a shelf that can be seen by eye."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.bundle import Models
from models.catalogue import Catalogue, catalogue_of
from models.popularity import Popularity
from models.similarity import Similarity
from models.vocabulary import Vocabulary
from service.lists.question import Stage, boosted
from service.lists.selection import NOTHING, PINNED, PROMOTED, SCORED, Cap, Share, Wishes, select
from tests.worlds import tiny_models

# Best first: a0 … f1, two brands and, from c on, groups of two variants.
NAMES = ("a0", "a1", "a2", "b0", "b1", "c0", "c1", "d0", "d1", "e0")
GROUPS = {"c0": "c", "c1": "c", "d0": "d", "d1": "d"}
SCORES = np.linspace(1.0, 0.1, len(NAMES), dtype=np.float32)


def shelf() -> Catalogue:
    fields = [
        {
            "item_id": name,
            "brand": "Ann" if name[0] == "a" else "Bob",
            "category": name[0],
            **({"group_id": GROUPS[name]} if name in GROUPS else {}),
        }
        for name in NAMES
    ]
    return catalogue_of(Vocabulary.of(NAMES), fields, [b"{}"] * len(NAMES))


MODELS: Models = replace(
    tiny_models(), catalogue=shelf(), factors=None, popularity=Popularity(np.ones(len(NAMES), dtype=np.float32))
)
ALL = np.ones(len(NAMES), dtype=np.bool_)


def of(*names: str) -> np.ndarray:
    return np.isin(NAMES, names)


def stage(intent: str, scores: np.ndarray, shown: np.ndarray | None = None) -> Stage:
    none = np.zeros(0, dtype=np.int32)
    return Stage(intent, scores, shown, {intent: scores}, {intent: 1.0}, none, none.astype(np.float32))


def names(
    wishes: Wishes = NOTHING, n: int = 5, *, stages: tuple[Stage, ...] = (), allowed: np.ndarray = ALL
) -> list[str]:
    chosen = select(stages or (stage("popular", SCORES),), allowed=allowed, wishes=wishes, n=n, models=MODELS)
    return [NAMES[one.row] for one in chosen]


def cap(most: int, field: str | None = None) -> Cap:
    code = np.zeros(len(NAMES), dtype=np.int32) if field is None else getattr(MODELS.catalogue, field).code
    return Cap(most, code)


NIGHT = Share(40, of("d0", "d1", "e0"))


@pytest.mark.parametrize(
    ("wishes", "n", "expected"),
    [
        (NOTHING, 3, ["a0", "a1", "a2"]),
        (NOTHING, 7, ["a0", "a1", "a2", "b0", "b1", "c0", "d0"]),
        (NOTHING, 9, ["a0", "a1", "a2", "b0", "b1", "c0", "d0", "e0", "c1"]),
        (Wishes(pins={0: (9,)}), 3, ["e0", "a0", "a1"]),
        (Wishes(pins={1: (9, 8), 2: (9, 8)}), 4, ["a0", "e0", "d1", "a1"]),
        (Wishes(pins={7: (9,)}), 3, ["a0", "a1", "a2"]),
        (Wishes(caps=(cap(1, "brand"),)), 5, ["a0", "b0"]),
        (Wishes(caps=(cap(2, "brand"),)), 5, ["a0", "a1", "b0", "b1"]),
        (Wishes(caps=(cap(3),)), 5, ["a0", "a1", "a2"]),
        (Wishes(caps=(cap(1, "brand"),), pins={1: (0,)}), 3, ["b0", "a0"]),
        (Wishes(shares=(NIGHT,)), 5, ["a0", "d0", "a1", "a2", "e0"]),
        (Wishes(shares=(Share(20, of("a0")),)), 5, ["a0", "a1", "a2", "b0", "b1"]),
        (Wishes(shares=(Share(1, of("e0")),)), 3, ["a0", "a1", "e0"]),
        (Wishes(shares=(Share(100, of("b0", "b1")),)), 4, ["b0", "b1", "a0", "a1"]),
        (Wishes(shares=(Share(50, of("b0", "b1")), Share(50, of("d0", "e0")))), 4, ["a0", "b0", "d0", "b1"]),
        (Wishes(boosts=np.where(of("e0"), 50.0, 1.0).astype(np.float32)), 2, ["e0", "a0"]),
    ],
)
def test_the_list(wishes: Wishes, n: int, expected: list[str]) -> None:
    found = names(wishes, n)
    if len(wishes.shares) == 2:  # both are promised all: each gets its items, whatever their order
        assert sorted(found) == sorted(["b0", "b1", "d0", "e0"])
    else:
        assert found == expected


def test_what_may_not_stand_there_is_neither_pinned_nor_promoted() -> None:
    allowed = ~of("e0", "d0")
    assert names(Wishes(pins={0: (9, 8)}, shares=(Share(100, of("e0", "d0")),)), 3, allowed=allowed) == [
        "d1",
        "a0",
        "a1",
    ]


def test_a_later_stage_only_fills_what_the_earlier_leaves_open() -> None:
    first = stage("similar", SCORES, of("d0", "e0"))
    second = stage("popular", SCORES)
    assert names(n=4, stages=(first, second)) == ["d0", "e0", "a0", "a1"]
    assert names(Wishes(diversity=0.9), 4, stages=(first, second))[:2] == ["d0", "e0"]


def test_says_why_each_item_stands_there() -> None:
    wishes = Wishes(pins={1: (9,)}, shares=(Share(25, of("c1")),))
    first = stage("similar", SCORES, of("a0", "b0"))
    chosen = select((first, stage("popular", SCORES)), allowed=ALL, wishes=wishes, n=4, models=MODELS)
    assert [(NAMES[one.row], one.by) for one in chosen] == [
        ("a0", SCORED),
        ("e0", PINNED),
        ("b0", SCORED),
        ("c1", PROMOTED),
    ]
    assert [one.stage.intent if one.stage else None for one in chosen] == ["similar", None, "similar", None]


@pytest.mark.parametrize(
    ("diversity", "expected"),
    [(0.0, ["a0", "a1", "a2", "b0"]), (0.5, ["a0", "b0", "c0", "d0"]), (1.0, ["a0", "b0", "a1", "a2"])],
)
def test_diversity_prefers_what_is_unlike_the_items_before(diversity: float, expected: list[str]) -> None:
    assert names(Wishes(diversity=diversity), 4)[:2] == expected[:2]


def test_the_more_diversity_the_less_alike_the_list() -> None:
    def alike(diversity: float) -> float:
        rows = np.array([NAMES.index(name) for name in names(Wishes(diversity=diversity), 5)], dtype=np.int32)
        compared = Similarity.of(rows, catalogue=MODELS.catalogue, factors=None)
        return float(np.mean([compared.to(place).sum() - 1 for place in range(len(rows))]))

    steps = [alike(diversity) for diversity in (0.0, 0.25, 0.5, 1.0)]
    assert steps == sorted(steps, reverse=True)
    assert steps[0] > steps[-1]


def test_a_boost_lifts_what_is_below_zero_too() -> None:
    found = boosted(np.array([-1.0, 1.0], dtype=np.float32), np.array([2.0, 2.0], dtype=np.float32))
    assert found.tolist() == [-0.5, 2.0]


masks = st.lists(st.booleans(), min_size=len(NAMES), max_size=len(NAMES)).map(np.array)
wished = st.builds(
    Wishes,
    pins=st.dictionaries(
        st.integers(0, 11), st.lists(st.integers(0, 9), min_size=1, max_size=3).map(tuple), max_size=2
    ),
    shares=st.lists(st.builds(Share, st.floats(0.5, 100), masks), max_size=2).map(tuple),
    diversity=st.sampled_from([0.0, 0.3, 1.0]),
)


@settings(deadline=None)
@given(wished, masks, masks, st.integers(1, 12))
def test_without_caps_a_list_is_full_whatever_is_wished(
    wishes: Wishes, allowed: np.ndarray, spoken: np.ndarray, n: int
) -> None:
    found = names(wishes, n, stages=(stage("similar", SCORES, spoken), stage("popular", SCORES)), allowed=allowed)
    assert len(found) == len(set(found)) == min(n, int(allowed.sum()))
    assert of(*found)[~allowed].sum() == 0


@settings(deadline=None)
@given(wished, masks, st.integers(1, 12), st.integers(1, 3))
def test_what_is_capped_stays_capped_but_for_what_is_pinned(
    wishes: Wishes, allowed: np.ndarray, n: int, most: int
) -> None:
    found = names(replace(wishes, pins={}, caps=(cap(most, "brand"),)), n, allowed=allowed)
    brands = ["Ann" if name[0] == "a" else "Bob" for name in found]
    assert max((brands.count(brand) for brand in brands), default=0) <= most
    assert len(found) == min(
        n, sum(min(most, int((allowed & group).sum())) for group in (of("a0", "a1", "a2"), ~of("a0", "a1", "a2")))
    )


@settings(deadline=None)
@given(wished, st.integers(1, 12))
def test_a_promise_is_kept_as_far_as_there_are_groups_that_are_promised_whole(wishes: Wishes, n: int) -> None:
    """Of a group that is promised in part, a variant outside the promise may stand there first, and one variant is shown."""
    alone = replace(wishes, pins={}, shares=wishes.shares[:1])
    found = names(alone, n)
    for share in alone.shares:
        others = {GROUPS.get(name, name) for name, one in zip(NAMES, share.items, strict=True) if not one}
        groups = {GROUPS.get(name, name) for name, one in zip(NAMES, share.items, strict=True) if one} - others
        assert of(*found)[share.items].sum() >= min(share.promised(n), len(groups))
