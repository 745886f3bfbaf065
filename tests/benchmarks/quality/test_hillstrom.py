"""Hillstrom: the mails' uplift as known, and a learner that finds who wants which mail where that is to be found."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality.hillstrom import Mailing, learn, lifts, read, resampled, run, valuations


def test_the_mails_lift_visits_as_is_known(valet_data):
    mailing = read(valet_data("hillstrom/hillstrom.csv.gz"))
    mens, womens = lifts(mailing)
    assert mens.values["visit"] == pytest.approx(0.0766, abs=1e-4)
    assert womens.values["visit"] == pytest.approx(0.0452, abs=1e-4)
    assert all(row.interval["visit"][0] > 0 for row in (mens, womens))
    assert len(mailing.arm) == 64_000


def test_a_policy_learnt_on_a_cut_is_valued_on_customers_it_never_saw(valet_data):
    mailing = read(valet_data("hillstrom/hillstrom.csv.gz")).take(np.arange(0, 64_000, 8))
    policy = learn(mailing.take(np.arange(0, 8_000, 2)))
    own, arm, lead = valuations(policy, mailing.take(np.arange(1, 8_000, 2)))
    assert lead == pytest.approx(own - arm)
    assert policy.best == 1
    assert 0.1 < own < 0.25


def planted(n: int, seed: int = 0) -> Mailing:
    """Two kinds of customers, each of whom one mail brings to the shop."""
    rng = np.random.default_rng(seed)
    kind, arm = rng.integers(0, 2, n), rng.integers(0, 3, n)
    visit = (rng.random(n) < 0.1 + 0.3 * (arm == kind + 1)).astype(float)
    return Mailing(np.column_stack((kind, rng.random(n))), arm, {"visit": visit})


def test_who_wants_which_mail_is_learnt_where_it_is_to_be_learnt():
    policy = learn(planted(4_000))
    own, arm, lead = valuations(policy, planted(4_000, seed=1))
    assert own == pytest.approx(0.4, abs=0.03)
    assert arm == pytest.approx(0.25, abs=0.03)
    assert lead == pytest.approx(0.15, abs=0.03)


def test_where_there_is_nothing_to_learn_everybody_gets_the_best_arm():
    some = planted(4_000)
    visit = (np.random.default_rng(2).random(4_000) < 0.1 + 0.2 * (some.arm == 2)).astype(float)
    policy = learn(Mailing(some.features, some.arm, {"visit": visit}))
    assert policy.best == 2
    assert (policy.choose(policy.foretell(some))[:, 2] == 1).all()


def test_splits_that_overlap_are_not_taken_for_independent_ones():
    found = resampled(np.array([1.0, 2.0, 3.0, 4.0]))
    assert found.value == 2.5
    assert found.variance == pytest.approx((1 / 4 + 1) * np.var([1, 2, 3, 4], ddof=1))


def test_without_the_file_there_are_no_rows(tmp_path: Path):
    assert run(tmp_path) == []
