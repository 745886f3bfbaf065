"""The groups of a history are those that the service finds of each profile."""

from dataclasses import replace

import numpy as np

from models.profile import load
from models.settings import DAY_S
from service.people.segments import cluster
from tests.training.histories import a_shop, history
from tests.worlds import tiny_models
from training.groups import groups
from training.profile_rows import rows_of
from training.profiles import profiles

TODAY = 500


def two_kinds(customers=80):
    """Half come every month, half came once."""
    for number in range(customers):
        for day in range(40, TODAY, 30) if number % 2 else (60 + number,):
            yield f"n{number:03}", f"i{number % 5}", day, {"amount": 500 + number, "order": 10_000 + number * 500 + day}


def test_every_customer_is_in_the_group_that_the_report_counts_her_in():
    whole = history(*a_shop(3, customers=120), *two_kinds(240))
    found = groups(rows_of(whole, now=TODAY * DAY_S), now=TODAY * DAY_S, seed=0)
    assert found.clusters is not None
    models = replace(tiny_models(), clusters=found.clusters)
    names = [cluster(load(document), models, now=TODAY * DAY_S) for _, document in profiles(whole, now=TODAY * DAY_S)]
    assert {row["name"]: row["customers"] for row in found.manifest} == {
        name: names.count(name) for name in found.clusters.names
    }
    assert sum(row["share"] for row in found.manifest) == 1
    assert len(names) - names.count(None) == sum(row["customers"] for row in found.manifest)


def test_who_never_ordered_and_a_bundle_without_groups_have_none():
    whole = history(("eve", "a", 2, {"event": "view_item"}), *two_kinds(120))
    found = groups(rows_of(whole, now=TODAY * DAY_S), now=TODAY * DAY_S, seed=0)
    models = replace(tiny_models(), clusters=found.clusters)
    documents = dict(profiles(whole, now=TODAY * DAY_S))
    assert cluster(load(documents["eve"]), models, now=TODAY * DAY_S) is None
    assert cluster(load(documents["n001"]), models, now=TODAY * DAY_S) is not None
    assert cluster(load(documents["n001"]), tiny_models(), now=TODAY * DAY_S) is None


def test_medians_are_those_of_the_members():
    found = groups(rows_of(history(*two_kinds()), now=TODAY * DAY_S), now=TODAY * DAY_S, seed=0)
    assert found.clusters is None  # 80 customers are too few
    found = groups(rows_of(history(*two_kinds(200)), now=TODAY * DAY_S), now=TODAY * DAY_S, seed=0)
    once = min(found.manifest, key=lambda row: row["orders"])
    assert once["orders"] == 1
    assert 5 <= once["spent"] <= 7
    assert np.isfinite(once["days_since_order"])
