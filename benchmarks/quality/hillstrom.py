"""MineThatData (Hillstrom 2008): three arms of an e-mail test, dealt by chance: men's mail, women's mail, none.

uplift   of each mail over none: visit, conversion, spend
policy   learnt on one half of the customers, valued on the other: who should get which mail, by her visits; beside the arm that
         did best on the first half, paired. Twenty seeded splits; their halves overlap, so the intervals are those of Nadeau &
         Bengio 2003 (Machine Learning 52)
Qini     of the learnt score of each mail, on the other half of the first split

The learner: a logistic regression an arm, with all pairs of features; whoever is not foretold to visit more often by a margin gets the best arm.
The margin is chosen within the first half, by its doubly robust value on two folds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from benchmarks.quality.rows import Row, peak_mb, timed
from models.lift import Estimate
from models.off_policy import doubly_robust, rounds
from models.uplift import qini, uplift

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

DATASET = "hillstrom"
FILE = "hillstrom.csv.gz"
ARMS = ("No E-Mail", "Mens E-Mail", "Womens E-Mail")
CALLED = ("no mail", "men's mail", "women's mail")
OUTCOMES = ("visit", "conversion", "spend")
MARGINS = (0.0, 0.005, 0.01, 0.02, 0.04, 1.0)  # the last: the best arm for everybody
SPLITS, PENALTY = 20, 0.01

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Mailing:
    """The customers: what was known of each, her arm, and what came of it; arrays [customers]."""

    features: Floats  # [customers, features]
    arm: Ints
    outcomes: dict[str, Floats]

    def take(self, rows: Ints) -> Mailing:
        """Some of the customers."""
        return Mailing(self.features[rows], self.arm[rows], {name: of[rows] for name, of in self.outcomes.items()})


def run(data: Path, *, splits: int = SPLITS) -> list[Row]:
    """The rows of the table; none where the data set is not there."""
    path = data / DATASET / FILE
    if not path.exists():
        return []
    mailing = read(path)
    with timed() as clock:
        halves = [_halves(mailing, seed) for seed in range(splits)]
        learnt = [learn(first) for first, _ in halves]
        valued = np.array([valuations(policy, second) for policy, (_, second) in zip(learnt, halves, strict=True)])
    return [
        *lifts(mailing),
        *_qini_rows(learnt[0], halves[0][1]),
        *_policy_rows(valued),
        Row(DATASET, f"{splits} policies", {}, ours=True, seconds=clock.seconds, peak_mb=peak_mb()),
    ]


def read(path: Path) -> Mailing:
    """Read the file; features: months since and the logarithm of the spend, flags, and places and channels as flags."""
    columns = duckdb.connect().execute(f"select * from read_csv('{path}')").fetchnumpy()
    of = {name: np.asarray(values) for name, values in columns.items()}
    flags = [of[name] == level for name in ("zip_code", "channel") for level in sorted(set(of[name]))[1:]]
    known = [of["recency"], np.log(of["history"]), of["mens"], of["womens"], of["newbie"], *flags]
    arm = np.array([ARMS.index(segment) for segment in of["segment"]], dtype=np.int64)
    return Mailing(np.column_stack(known).astype(np.float64), arm, {name: of[name].astype(float) for name in OUTCOMES})


def lifts(mailing: Mailing) -> list[Row]:
    """What each mail did, beside none."""
    rows = []
    for arm in (1, 2):
        both = np.isin(mailing.arm, (0, arm))
        found = {
            name: uplift(name, outcome[both], mailing.arm[both] == arm) for name, outcome in mailing.outcomes.items()
        }
        told = {name: one.difference for name, one in found.items() if one is not None}
        rows.append(_row(f"{CALLED[arm]} over none", told, note=f"{int(both.sum()):,} customers"))
    return rows


@dataclass(frozen=True)
class Policy:
    """A regression an arm, the arm that did best, and by how much another must be foretold to do better."""

    models: tuple[Pipeline, ...]
    best: int
    margin: float

    def foretell(self, mailing: Mailing) -> Floats:
        """float64[customers, arms]: the chance of a visit."""
        return np.stack([model.predict_proba(mailing.features)[:, 1] for model in self.models], axis=1)

    def choose(self, foretold: Floats) -> Floats:
        """float64[customers, arms]: 1 for the arm that each gets."""
        ahead = foretold.max(axis=1) - foretold[:, self.best]
        return np.eye(len(ARMS))[np.where(ahead > self.margin, foretold.argmax(axis=1), self.best)]


def learn(mailing: Mailing) -> Policy:
    """The policy of some customers; its margin is the one whose policy, learnt on each half of them, did best on the other."""
    first, second = _halves(mailing, seed=0)
    worth = np.zeros(len(MARGINS))
    for one, other in ((first, second), (second, first)):
        models, best = _fit(one), _best(one)
        foretold = Policy(models, best, 0.0).foretell(other)
        worth += [_worth(other, foretold, Policy(models, best, margin).choose(foretold)).value for margin in MARGINS]
    return Policy(_fit(mailing), _best(mailing), MARGINS[int(worth.argmax())])


def valuations(policy: Policy, mailing: Mailing) -> tuple[float, float, float]:
    """The visits a customer that the policy, the best arm and the paired difference are worth, on customers they were not learnt on."""
    foretold = policy.foretell(mailing)
    chosen, best = policy.choose(foretold), np.eye(len(ARMS))[np.full(len(foretold), policy.best)]
    own, arm, lead = (_worth(mailing, foretold, target).value for target in (chosen, best, chosen - best))
    return own, arm, lead


def _worth(mailing: Mailing, foretold: Floats, target: Floats) -> Estimate:
    """Doubly robust; of the difference of two policies in the place of a policy it is their paired difference."""
    chances = np.full_like(target, 1 / len(ARMS))
    found = doubly_robust(
        rounds(reward=mailing.outcomes["visit"], action=mailing.arm, logged=chances, target=target, model=foretold)
    )
    assert found is not None  # more than two customers
    return found


def _fit(mailing: Mailing) -> tuple[Pipeline, ...]:
    from sklearn.linear_model import LogisticRegression  # loads for seconds, which tests of the rest need not wait for
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    def fitted(some: NDArray[np.bool_]) -> Pipeline:
        pairs = PolynomialFeatures(2, interaction_only=True, include_bias=False)
        model = make_pipeline(pairs, StandardScaler(), LogisticRegression(C=PENALTY, max_iter=500))
        return model.fit(mailing.features[some], mailing.outcomes["visit"][some])

    return tuple(fitted(mailing.arm == arm) for arm in range(len(ARMS)))


def _best(mailing: Mailing) -> int:
    return int(np.argmax([mailing.outcomes["visit"][mailing.arm == arm].mean() for arm in range(len(ARMS))]))


def _halves(mailing: Mailing, seed: int) -> tuple[Mailing, Mailing]:
    order = np.random.default_rng(seed).permutation(len(mailing.arm))
    return mailing.take(order[: len(order) // 2]), mailing.take(order[len(order) // 2 :])


def resampled(values: Floats) -> Estimate:
    """The mean over random halvings; its variance is (1/J + n₂/n₁) S², with n₂ = n₁ (Nadeau & Bengio 2003, equation 9)."""
    return Estimate(float(values.mean()), float((1 / len(values) + 1) * values.var(ddof=1)), len(values))


def _policy_rows(valued: Floats) -> list[Row]:
    note = f"visits a customer, mean of {len(valued)} splits"
    names = ("policy learnt on the other half", "best arm of the other half", "policy less best arm, paired")
    wide = float(student.ppf(0.975, len(valued) - 1))
    rows = []
    for name, column in zip(names, valued.T, strict=True):
        found = resampled(column)
        half = wide * found.variance**0.5
        bounds = {"value": (found.value - half, found.value + half)}
        ours = not name.startswith("best")
        rows.append(Row(DATASET, name, {"value": found.value}, ours=ours, interval=bounds, note=note))
    return rows


def _qini_rows(policy: Policy, mailing: Mailing) -> list[Row]:
    foretold, rows = policy.foretell(mailing), []
    for arm in (1, 2):
        both = np.isin(mailing.arm, (0, arm))
        score = (foretold[:, arm] - foretold[:, 0])[both]
        found = qini(score, mailing.outcomes["visit"][both], mailing.arm[both] == arm)
        assert found is not None  # both arms are there
        rows.append(
            Row(
                DATASET,
                f"{CALLED[arm]}, learnt uplift",
                {"qini": found.coefficient},
                ours=True,
                interval={"qini": found.interval},
                note=f"area above chance, visits a customer; {int(both.sum()):,} customers of the other half",
            )
        )
    return rows


def _row(method: str, told: dict[str, Estimate], note: str) -> Row:
    values = {name: one.value for name, one in told.items()}
    return Row(DATASET, method, values, interval={name: one.interval for name, one in told.items()}, note=note)
