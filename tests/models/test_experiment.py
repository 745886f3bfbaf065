from collections import Counter

import numpy as np
import pytest

from models.blend import Blend
from models.errors import InputError
from models.experiment import Experiment, Variant
from models.settings_file import parse

HALVES = Experiment("home", (Variant("control"), Variant("bold")))
WRITTEN = """
[placements.home]
intent = "for_you"

[placements.home.experiment]
name = "home-2026"

[[placements.home.experiment.variants]]
name = "control"

[[placements.home.experiment.variants]]
name = "bold"
share = 3
diversity = 0.5
n = 6
blend.for_you = { alike = 1.0 }
"""


def test_reads_what_is_written():
    home = parse(WRITTEN, "valet.toml").placements["home"]
    assert home.experiment == Experiment(
        "home-2026", (Variant("control"), Variant("bold", 3.0, n=6, diversity=0.5, blend={"for_you": {"alike": 1.0}}))
    )
    assert home.experiment.shares == (0.25, 0.75)


def test_a_customer_stays_in_her_variant_in_every_process():
    dealt = [HALVES.variant(f"customer {number}").name for number in range(6)]
    assert dealt == ["control", "bold", "control", "bold", "control", "bold"]


@pytest.mark.parametrize("shares", [(1.0, 1.0), (1.0, 9.0), (2.0, 1.0, 1.0)])
def test_customers_fall_into_variants_by_their_shares(shares):
    experiment = Experiment("x", tuple(Variant(f"v{number}", share) for number, share in enumerate(shares)))
    dealt = Counter(experiment.variant(f"c{number}").name for number in range(20_000))
    found = np.array([dealt[one.name] for one in experiment.variants]) / 20_000
    assert np.allclose(found, experiment.shares, atol=0.012)


def test_two_experiments_and_two_salts_deal_independently():
    customers = [f"c{number}" for number in range(4_000)]
    first = [HALVES.variant(customer).name for customer in customers]
    for other in (Experiment("checkout", HALVES.variants), Experiment("home", HALVES.variants, salt="again")):
        same = np.mean([one == other.variant(customer).name for one, customer in zip(first, customers, strict=True)])
        assert 0.46 < same < 0.54


def test_a_variant_s_blend_stands_in_for_the_learnt_one_of_its_intent_alone():
    learnt = Blend({"for_you": {"factors": 1.0}, "similar": {"alike": 1.0}}, half_life_days=30.0)
    mixed = Variant("bold", blend={"for_you": {"alike": 2.0}}).mixed(learnt)
    assert mixed == Blend({"for_you": {"alike": 2.0}, "similar": {"alike": 1.0}}, half_life_days=30.0)
    assert Variant("control").mixed(learnt) is learnt


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (("share = 3", "share = 0"), "line 13: placements.home.experiment.variants.1.share: must be above 0"),
        (('name = "bold"', 'name = "control"'), "variants: write two variants or more, each with a name of its own"),
        (("diversity = 0.5", "diversity = 2"), "line 14: placements.home.experiment.variants.1.diversity"),
        (("n = 6", "n = 0"), "variants.1.n: must be from 1 to 100"),
        (("for_you = { alike", "popular = { alike"), "'popular' has no blend; write one of for_you"),
        (("{ alike = 1.0 }", "{ alike = -1.0 }"), "weight of at least 0"),
        (("{ alike = 1.0 }", "{ magic = 1.0 }"), "magic"),
        (("n = 6", 'intent = "foryou"'), "variants.1.intent: 'foryou' is unknown; known here: complementary, similar"),
        (("n = 6", 'without = ["sale"]'), "line 15: placements.home.experiment.variants.1.without: 'sale' is unknown"),
        (("n = 6", "m = 6"), "variants.1.m: unknown; known here"),
    ],
)
def test_what_cannot_be_run_is_named_with_its_line(changed, says):
    with pytest.raises(InputError, match="placements") as caught:
        parse(WRITTEN.replace(*changed), "valet.toml")
    assert says in str(caught.value)


def test_two_placements_cannot_share_an_experiment_s_name():
    again = WRITTEN.replace("placements.home", "placements.cart")
    with pytest.raises(InputError, match="another placement's experiment"):
        parse(WRITTEN + again, "valet.toml")
