"""Plots: every value lies where the axes say, and nothing that a shop calls its things becomes markup."""

import re
from xml.etree import ElementTree as Xml

import numpy as np
import pytest

from training.plots import MOST_POINTS, Curve, bars, curves, grid, ticks

SVG = "{http://www.w3.org/2000/svg}"


def parts(plot, kind):
    return Xml.fromstring(plot).findall(f"{SVG}{kind}")


def words(plot):
    return [part.text for part in parts(plot, "text")]


def points(plot):
    found = parts(plot, "polyline")[0].get("points")
    return np.array([[float(part) for part in pair.split(",")] for pair in found.split()])


@pytest.mark.parametrize(
    ("low", "high", "most", "found"),
    [
        (0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 104, 5, [0, 50, 100]),
        (-0.1, 0.1, 4, [-0.1, -0.05, 0, 0.05, 0.1]),
        (20_000, 20_365, 5, [20_000, 20_100, 20_200, 20_300]),
    ],
)
def test_ticks_are_round_and_within(low, high, most, found):
    assert ticks(low, high, most) == pytest.approx(found)


def test_a_curve_runs_from_edge_to_edge_and_upwards():
    at = points(curves("sold", Curve(np.array([0.0, 5.0, 10.0]), np.array([0.0, 50.0, 100.0]))))
    assert (np.diff(at[:, 0]) > 0).all()
    assert (np.diff(at[:, 1]) < 0).all()
    assert at[1] == pytest.approx(at[[0, 2]].mean(axis=0), abs=0.1)


def test_a_long_curve_keeps_its_ends_and_no_more_points_than_are_seen():
    x = np.arange(10_000.0)
    at, ends = points(curves("sold", Curve(x, x))), points(curves("sold", Curve(x[[0, -1]], x[[0, -1]])))
    assert len(at) == MOST_POINTS
    assert at[[0, -1]] == pytest.approx(ends)


def test_days_are_dates():
    assert "2026-02-16" in words(curves("sold", Curve(np.arange(20_480.0, 20_650.0), np.ones(170)), days=True))


@pytest.mark.parametrize("y", [[0.0], [3.0], [-1.0]])
def test_one_point_is_a_plot_too(y):
    assert len(points(curves("sold", Curve(np.array([7.0]), np.array(y))))) == 1


def test_bars_are_as_long_as_their_values_and_intervals_lie_over_their_ends():
    plot = bars("quality", {"a": 2.0, "b": 1.0}, bounds=[(1.0, 3.0), (1.0, 1.0)], below="NDCG")
    first, second = (float(part.get("width")) for part in parts(plot, "rect"))
    assert first == pytest.approx(2 * second, abs=0.1)
    left = float(parts(plot, "rect")[0].get("x"))
    low, high = (float(x) for x in re.findall(r"[ML]([\d.]+) ", parts(plot, "path")[0].get("d")))
    assert (low - left, high - left) == pytest.approx((first / 2, first * 1.5), abs=0.2)


@pytest.mark.parametrize("values", [{}, {"none": 0}])
def test_nothing_to_show_is_a_plot_too(values):
    assert words(bars("tiers", values))[0] == "tiers"


def test_a_grid_counts_upwards_and_is_darker_for_more():
    plot = grid("customers", np.array([[1, 100], [0, 4]]), {(0, 1): "at risk"})
    fields = parts(plot, "rect")
    darkest = max(fields, key=lambda part: float(part.get("fill-opacity")))
    assert darkest is fields[1]
    assert float(fields[0].get("y")) > float(fields[2].get("y"))
    assert words(plot) == ["customers", "1", "at", "risk", "100", "0", "4"]


def test_a_name_is_a_text_and_no_markup():
    plot = bars("<b>&", {"<script>": 1})
    assert {"<b>&", "<script>"} <= set(words(plot))
