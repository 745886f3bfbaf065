from dataclasses import dataclass

import pytest

from training.fit.climb import climb


@dataclass(frozen=True)
class Point:
    x: float = 0
    y: float | None = None


GRIDS = {"x": (-2, -1, 0, 1, 2), "y": (None, 1, 2)}


def hill(point):
    return 10 - (point.x - 2) ** 2 - (2 - (point.y or 0))


def test_climbs_to_the_top_one_step_at_a_time():
    assert climb(Point(), GRIDS, hill, evaluations=50) == Point(2, 2)


@pytest.mark.parametrize("evaluations", [1, 2, 5])
def test_never_measures_more_often_than_it_may(evaluations):
    seen = []
    climb(Point(), GRIDS, lambda point: seen.append(point) or hill(point), evaluations=evaluations)
    assert len(seen) <= evaluations
    assert len(set(seen)) == len(seen)


def test_a_plain_is_no_reason_to_leave_the_start():
    assert climb(Point(), GRIDS, lambda _: 0.5, evaluations=50) == Point()


def test_a_start_outside_the_grid_is_left_where_it_is():
    assert climb(Point(x=7), GRIDS, lambda point: 1 + (point.y or 0), evaluations=50) == Point(7, 2)
