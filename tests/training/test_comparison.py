"""What a sample says of everybody holds as often as its intervals claim, for each catalogue and for their difference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from service.decisions.situation import Request
from tests.service.decisions.worlds import action, catalogue
from training.comparison import Comparison, compared
from training.rehearsal import Ground, Play, Rehearsed, Said

PEOPLE, SAMPLE, TIMES = 3_000, 300, 300
CATALOGUES = catalogue(action("news")), catalogue(action("sale"))


def played(seed: int, change: float) -> tuple[Play, ...]:
    """Everybody's plays: a third are told nothing, `change` of the others something else than they would be."""
    rng, moved = np.random.default_rng(seed), np.random.default_rng(9)
    plays = []
    for _ in range(PEOPLE):
        name = "news" if rng.random() < 0.8 else "rare" if rng.random() < 0.05 else "sale"
        told, worth = rng.random() < 0.67, float(rng.lognormal())
        name = "sale" if moved.random() < change else name
        said = (Said(name, 0.1 * worth, worth, worth),) if told else ()
        drawn = {"stock:gift": 1} if said and name == "sale" else {}
        plays.append(Play("gold" if rng.random() < 0.1 else "", said, "CONSENT", {}, drawn))
    return tuple(plays)


def asked(plays: tuple[tuple[Play, ...], tuple[Play, ...]], rows: Any) -> Comparison:
    """The comparison of some customers."""
    before, after = (Rehearsed(tuple(one[row] for row in rows), {}) for one in plays)
    nobody: Any = None
    ground = Ground(nobody, [str(row) for row in rows], Request("", "email"), nobody, 0, share=len(rows) / PEOPLE)
    return compared(CATALOGUES[0], before, CATALOGUES[1], after, ground=ground)


@pytest.fixture(scope="module")
def held() -> dict[tuple[str, str, str], np.ndarray]:
    """Of each row bool[samples, 3]: whether the interval holds the truth, of live, changed and difference."""
    plays = played(1, 0.0), played(1, 0.2)
    truth = {row[:3]: row for row in asked(plays, range(PEOPLE)).rows}
    rng, held = np.random.default_rng(2), {key: np.ones((TIMES, 3), dtype=np.bool_) for key in truth}
    for time in range(TIMES):
        for row in asked(plays, np.sort(rng.choice(PEOPLE, SAMPLE, replace=False))).rows:
            true = truth[row[:3]]
            off = np.array([row.live - true.live, row.changed - true.changed, row.difference - true.difference])
            held[row[:3]][time] = np.abs(off) <= np.array(row.margins) + 1e-6
    return held


def test_where_everybody_was_asked_nothing_is_left_to_chance() -> None:
    plays = played(1, 0.0), played(1, 0.2)
    assert {row.margins for row in asked(plays, range(PEOPLE)).rows} == {(0.0, 0.0, 0.0)}


@pytest.mark.parametrize(
    "key", [("reached", "", "all"), ("said", "sale", "all"), ("said", "rare", "all"), ("worth", "", "gold"), ("spent", "stock gift", "all")]
)  # fmt: skip
def test_nineteen_of_twenty_intervals_hold_the_truth(held, key) -> None:
    shares = held[key].mean(axis=0)
    assert shares.min() > 0.91, shares


def test_a_difference_is_of_the_same_customers_and_so_better_known_than_either() -> None:
    plays = played(1, 0.0), played(1, 0.2)
    [row] = [row for row in asked(plays, range(SAMPLE)).rows if row[:3] == ("worth", "", "all")]
    live, changed, difference = row.margins
    assert difference < min(live, changed) / 2
