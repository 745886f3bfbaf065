"""Who takes up what: found where it is planted, left alone where there is nothing, and calibrated."""

import dataclasses

import numpy as np
import pytest
from scipy.special import expit, logit

from models.action_catalogue import parse
from models.propensity import Belief
from models.response import traits
from training.decision_log import Decided
from training.fit.response import LEAST, chances, fit, learn, rows_of

ACTIONS = ("cart", "news", "tier")
BASE = {"cart": 0.2, "news": 0.05, "tier": 0.1}
TOML = "".join(
    f'[[actions]]\nid="{name}"\nissue="i"\ngroup="{group}"\nclass="growth"\n[[actions.treatments]]\nchannel="website"\n'
    for name, group in [*((name, f"g-{name}") for name in ACTIONS), ("new", "g-new")]
)


def log(n: int, *, effect: float, seed: int = 0, base=BASE) -> list[Decided]:
    """Decisions in which regulars take the cart up more often, and nobody else differs. `effect`: log-odds a standard deviation."""
    rng = np.random.default_rng(seed)
    decided = []
    for nth in range(n):
        action, orders = ACTIONS[rng.integers(3)], int(rng.poisson(3))
        told = traits(
            {"orders": orders, "days_since_order": float(rng.exponential(30))},
            tier="gold" if orders > 4 else "",
            lifecycle="regular",
            channel=str(rng.choice(["website", "email"])),
            unanswered=int(rng.integers(4)),
            hour=int(rng.integers(24)),
        )
        more = effect * (np.log1p(orders) - 1.25) / 0.5 * (action == "cart")
        answered = rng.random() < expit(logit(BASE[action]) + more)
        customer = f"c{rng.integers(n // 3)}"
        decided.append(
            Decided(
                customer,
                "website",
                nth,
                {action: 1.0},
                action,
                1.0,
                0.0,
                bool(answered),
                f"g-{action}",
                base[action],
                told,
            )
        )
    return decided


def test_what_is_planted_is_found_and_beats_the_counters_on_what_it_has_not_seen():
    model, told = learn(log(6_000, effect=1.0))
    assert model is not None
    assert told["kept"]
    assert told["log_loss"]["response"] < told["log_loss"]["counters"]
    assert told["gain"]["interval"][0] > 0
    slope = dict(zip(model.columns, model.weights.T, strict=True))["orders"]
    cart, news = (slope[model.groups.index(f"g-{name}")] for name in ("cart", "news"))
    assert cart > 0.5 > abs(news)
    assert next(iter(told["importance"])) in ("orders", "tier gold", "tier ")


def test_its_chances_come_true():
    _, told = learn(log(12_000, effect=1.0))
    table = told["reliability"]
    assert sum(row["decisions"] for row in table) == told["held_out"] == 2_400
    for row in table:
        error = np.sqrt(row["foretold"] * (1 - row["foretold"]) / row["decisions"])
        assert abs(row["foretold"] - row["came"]) < 4 * error


def test_where_customers_do_not_differ_the_counters_serve_alone():
    model, told = learn(log(6_000, effect=0.0))
    assert (model, told["kept"]) == (None, False)
    assert told["log_loss"]["response"] == pytest.approx(told["log_loss"]["counters"], abs=0.002)


def test_counters_that_believe_too_much_are_set_right():
    wrong = {name: chance * 2 for name, chance in BASE.items()}
    model, told = learn(log(6_000, effect=0.0, base=wrong))
    assert model is not None
    assert told["kept"]
    assert told["reliability"][-1]["foretold"] == pytest.approx(told["reliability"][-1]["came"], abs=0.05)


@pytest.mark.parametrize("n", [0, 10, LEAST - 1])
def test_too_little_teaches_nothing(n):
    assert learn(log(n, effect=1.0)) == (
        None,
        {"decisions": n, "answers": learn(log(n, effect=1.0))[1]["answers"], "kept": False},
    )


def test_decisions_logged_before_there_were_traits_are_left_out():
    old = [dataclasses.replace(one, base=None, traits={}) for one in log(2_000, effect=1.0)]
    assert learn(old)[1]["decisions"] == 0


def test_the_service_says_what_training_measured():
    decided = log(1_500, effect=1.0)
    rows = rows_of(decided)
    model, catalogue = fit(rows, 10.0), parse(TOML, "actions.toml")
    wanted = chances(model, rows)
    belief = Belief(np.array([*BASE.values(), 0.1]), np.full(4, 50.0))
    for nth in (0, 7, 500):
        found = model.applied(belief, decided[nth].traits, catalogue)
        assert found.mean[ACTIONS.index(decided[nth].taken)] == pytest.approx(wanted[nth], abs=1e-9)
        assert found.evidence is belief.evidence
