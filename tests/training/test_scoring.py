import numpy as np
import pytest

from models.blend import Blend
from models.popularity import Popularity
from models.ranking import top
from models.repeat import Repeat
from models.settings import DAY_S
from tests.training.histories import history
from training import matrices, scoring
from training.fit import ease, factors, neighbours, sessions
from training.scoring import Sources, carts, histories_of
from training.visits import visits

NOW = 40 * DAY_S
RNG = np.random.default_rng(0)
SHOP = history(
    *(
        (f"c{RNG.integers(0, 25):02d}", f"i{RNG.integers(0, 40):02d}", int(RNG.integers(0, 39)), {"order": order // 4})
        for order in range(300)
    )
)
ITEMS = len(SHOP.items)
BLEND = Blend({"for_you": {"together": 0.5, "alike": 1.0, "factors": 0.7, "popularity": 0.1, "repeat": 0.3}}, 20.0)


@pytest.fixture(scope="module")
def sources():
    customers = matrices.customers(SHOP, now=NOW)
    return Sources(
        together=neighbours.fit(matrices.baskets(SHOP, now=NOW)),
        alike=neighbours.fit(customers),
        factors=factors.fit(customers.held, factors.Parameters(factors=8)),
        popularity=Popularity(np.bincount(SHOP.item, minlength=ITEMS).astype(np.float32)),
        repeat=Repeat(np.full(ITEMS, 0.3, np.float32), np.full(ITEMS, 9.0, np.float32), 0.3, 9.0),
        ease=ease.fit(matrices.baskets(SHOP, now=NOW), ease.Parameters(k=6)),
        sessions=sessions.fit(visits(SHOP)),
    )


@pytest.fixture(scope="module")
def histories():
    every = np.arange(len(SHOP.customers), dtype=np.int32)
    return histories_of(SHOP, every).weighed(BLEND, now=NOW)


def of_one(sources, histories, place):
    """What the service computes for one customer, model by model."""
    held = histories.of(place, place + 1)
    repeated = np.zeros(ITEMS, np.float32)
    repeated[held.rows] = sources.repeat.score(held.rows, held.purchases, held.first_at, held.last_at, now=NOW)
    return {
        "together": sources.together.add_up(held.rows, held.weights),
        "alike": sources.alike.add_up(held.rows, held.weights),
        "factors": sources.factors.score(sources.factors.fold_in(held.rows, held.weights)),
        "popularity": sources.popularity.score,
        "repeat": repeated,
        "ease": sources.ease.add_up(held.rows, held.weights),
        "sessions": sources.sessions.score(held.rows, held.weights),
    }


def test_many_at_once_are_scored_as_the_service_scores_one(sources, histories):
    scored = scoring.score(sources, histories, now=NOW)
    mixed = scoring.mix(BLEND, "for_you", scored)
    for place in range(len(histories)):
        alone = of_one(sources, histories, place)
        assert alone.keys() == scored.keys()
        for name, scores in alone.items():
            np.testing.assert_allclose(scored[name][place], scores, rtol=1e-4, atol=1e-6, err_msg=name)
        np.testing.assert_allclose(mixed[place], BLEND.mix("for_you", alone), rtol=1e-4, atol=1e-5)


def test_blocks_cover_every_history_once(histories, monkeypatch):
    monkeypatch.setattr(scoring, "BLOCK_SCORES", 7 * ITEMS)
    covered = [place for block in scoring.blocks(histories) for place in range(block.start, block.stop)]
    assert covered == list(range(len(histories)))


def test_ranking_hides_what_is_held_and_fills_the_end_with_nothing(histories):
    scores = np.ones((len(histories), ITEMS), np.float32)
    ranked = scoring.rank(scores, ITEMS, hidden=histories)
    for place, rows in enumerate(ranked):
        held = set(histories.of(place, place + 1).rows.tolist())
        shown = rows[rows >= 0].tolist()
        assert shown == sorted(set(range(ITEMS)) - held)
        assert (rows[len(shown) :] == -1).all()
    assert scores.all()


def test_ranking_is_that_of_the_service(histories):
    scores = np.random.default_rng(1).random((3, ITEMS)).astype(np.float32)
    assert np.array_equal(scoring.rank(scores, 5), np.stack([top(row, None, 5) for row in scores]))


def test_a_history_knows_how_often_and_when():
    bought = history(
        ("ann", "tea", 1, {"order": 0}),
        ("ann", "tea", 1, {"order": 0}),
        ("ann", "tea", 5, {"order": 1}),
        ("ann", "cup", 3, {"order": 2}),
        ("bob", "tea", 2, {"order": 3}),
    )
    ann = histories_of(bought, np.array([0], np.int32))
    assert bought.items.texts(ann.rows) == ["cup", "tea"]
    assert ann.purchases.tolist() == [1, 2]
    assert (ann.first_at // DAY_S).tolist() == [3, 1]
    assert (ann.last_at // DAY_S).tolist() == [3, 5]
    recent = ann.weighed(Blend({}, 2.0), now=5 * DAY_S)
    assert recent.weights.tolist() == pytest.approx([0.5, 1.0])


def test_without_times_everything_weighs_one():
    timeless = history(("ann", "tea", 0), times=False)
    held = histories_of(timeless, np.array([0], np.int32)).weighed(BLEND, now=None)
    assert held.weights.tolist() == [1]


def test_a_cart_of_one_item_has_no_time_and_keeps_its_weight():
    held = carts(np.array([3, 1], np.int32), ITEMS).weighed(BLEND, now=NOW)
    assert held.matrix.toarray()[0, 3] == held.matrix.toarray()[1, 1] == 1
    assert held.matrix.sum() == 2
