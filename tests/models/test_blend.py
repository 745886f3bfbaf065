import numpy as np
import pytest

from models.blend import DAY_S, Blend, rms


def scores(*values):
    return np.array(values, np.float32)


def test_rms_of_nothing_is_zero():
    assert rms(scores()) == 0
    assert rms(scores(3, 4)) == pytest.approx(np.sqrt(12.5))


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_scale_of_a_source_does_not_matter(scale):
    blend = Blend({"for_you": {"alike": 1.0, "factors": 0.5}})
    mixed = blend.mix("for_you", {"alike": scores(1, 0, 0, 0) * scale, "factors": scores(0, 2, 0, 0)})
    np.testing.assert_allclose(mixed, [2, 1, 0, 0], rtol=1e-6)  # the rms of one in four is a half


@pytest.mark.parametrize(
    ("intent", "sources"),
    [
        ("for_you", {"alike": scores(0, 0)}),
        ("for_you", {"unheard_of": scores(1, 2)}),
        ("no_such_intent", {"alike": scores(1, 2)}),
    ],
)
def test_what_has_no_weight_or_no_scores_contributes_zeros(intent, sources):
    mixed = Blend({"for_you": {"alike": 1.0}}).mix(intent, sources)
    assert mixed.dtype == np.float32
    assert mixed.tolist() == [0, 0]


def test_mixing_leaves_the_sources_as_they_were():
    source = scores(1, 2)
    Blend({"for_you": {"alike": 3.0}}).mix("for_you", {"alike": source})
    assert source.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("half_life_days", "age_days", "expected"), [(None, 900, 1), (30, 0, 1), (30, 30, 0.5), (30, 60, 0.25), (30, -5, 1)]
)
def test_a_purchase_says_half_as_much_after_every_half_life(half_life_days, age_days, expected):
    now = 1_300_000_000
    recency = Blend({}, half_life_days).recency(np.array([now - age_days * DAY_S]), now=now)
    assert recency.tolist() == [expected]


def test_an_intent_without_weights_of_its_own_has_those_it_stands_for():
    blend = Blend({"complementary": {"together": 1.0}, "for_you": {"alike": 1.0}, "session": {"sessions": 1.0}})
    assert blend.of("cart") == {"together": 1.0}
    assert blend.of("session") == {"sessions": 1.0}
    assert blend.of("popular") == {}
