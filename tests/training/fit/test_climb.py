from dataclasses import dataclass

import numpy as np
import pytest

from training.fit.climb import clearly_better, climb


@dataclass(frozen=True)
class Point:
    x: float = 0
    y: float | None = None


GRIDS = {"x": (-2, -1, 0, 1, 2), "y": (None, 1, 2)}


def hill(point):
    return np.full(3, 10 - (point.x - 2) ** 2 - (2 - (point.y or 0)))


def test_climbs_to_the_top_one_step_at_a_time():
    assert climb(Point(), GRIDS, hill, evaluations=50) == Point(2, 2)


@pytest.mark.parametrize("evaluations", [1, 2, 5])
def test_never_measures_more_often_than_it_may(evaluations):
    seen = []
    climb(Point(), GRIDS, lambda point: [seen.append(point), hill(point)][1], evaluations=evaluations)
    assert len(seen) <= evaluations
    assert len(set(seen)) == len(seen)


def test_a_plain_is_no_reason_to_leave_the_start():
    assert climb(Point(), GRIDS, lambda _: np.full(3, 0.5), evaluations=50) == Point()


def test_a_start_outside_the_grid_is_left_where_it_is():
    assert climb(Point(x=7), GRIDS, lambda point: np.full(3, 1.0 + (point.y or 0)), evaluations=50) == Point(7, 2)


@pytest.mark.parametrize(
    ("values", "than", "better"),
    [
        ([0.2, 0.3, 0.4], [0.1, 0.2, 0.3], True),  # always a little
        ([0.9, 0.0, 0.0, 0.1], [0.0, 0.3, 0.3, 0.1], False),  # much for one, worse for others
        ([0.2, np.nan], [0.1, 0.9], True),
        ([np.nan], [0.1], False),
        ([], [], False),
    ],
)
def test_better_is_more_than_chance(values, than, better):
    assert clearly_better(np.array(values), np.array(than)) is better
