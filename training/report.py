"""The report: one HTML page beside the bundle, with its plots inside and no asset from elsewhere."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

from models.settings import DAY_S
from training.census import Census
from training.evaluate import TITLES
from training.history import History
from training.plots import PALE, Curve, bars, curves, grid

WEEK_S = 7 * DAY_S


def render(manifest: Mapping[str, Any], history: History, customers: Census) -> str:
    """The page as text. `manifest` is the bundle's; the plots are drawn from the history and the customers."""
    plots = {
        "weeks": _weeks(history),
        "tail": _tail(history),
        "quality": _quality(manifest["evaluation"]["tables"]) if manifest["evaluation"] else "",
        "qini": _qini((manifest.get("decisions") or {}).get("uplift")),
        "tiers": bars("Customers by tier", customers.tiers),
        "segments": _segments(customers),
    }
    return _page().render(
        m=manifest,
        titles=TITLES,
        cards=_cards(manifest["window"]),
        parameters=sorted(_flat(manifest["parameters"])),
        plots=plots,
    )


@functools.cache
def _page() -> jinja2.Template:
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True)
    return environment.get_template("report.html")


def _cards(window: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (name, f"{value:,}" if isinstance(value, int) else str(value))
        for name, value in window.items()
        if value is not None
    ]


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Nested parameters as ("model.name", value) pairs."""
    found: list[tuple[str, Any]] = []
    for name, value in values.items():
        path = f"{prefix}{name}"
        found += _flat(value, f"{path}.") if isinstance(value, Mapping) else [(path, value)]
    return found


def _weeks(history: History) -> Markup:
    """Purchases a week."""
    if not history.has_times:
        return Markup("")
    at = history.purchases.at
    week = (at - at.min()) // WEEK_S if len(at) else at
    counts = np.bincount(week)[:-1] if len(at) and week.max() > 1 else np.bincount(week, minlength=1)
    start = int(at.min()) // DAY_S if len(at) else 0
    days = start + 7 * np.arange(len(counts), dtype=np.float64)
    sold = Curve(days, counts.astype(np.float64), PALE, filled=True)
    return curves("Purchases a week", sold, days=True)


def _tail(history: History) -> Markup:
    """The share of purchases that the best-selling items make up: how long the tail is."""
    sold = np.sort(np.bincount(history.purchases.item, minlength=1))[::-1]
    items = np.arange(1, len(sold) + 1) / len(sold)
    share = Curve(items, np.cumsum(sold) / max(sold.sum(), 1))
    return curves("Share of purchases by the best-selling items", _even(1.0), share, below="share of the items")


def _quality(tables: Sequence[Mapping[str, Any]]) -> Markup:
    """NDCG of each model with its interval, a plot a table."""
    return Markup("").join(_ndcg(table) for table in tables if table["rows"])


def _ndcg(table: Mapping[str, Any]) -> Markup:
    values = {TITLES[row["model"]]: row["metrics"]["ndcg"] for row in table["rows"]}
    bounds = [row["intervals"]["ndcg"] or (row["metrics"]["ndcg"],) * 2 for row in table["rows"]]
    ours = [row["ours"] for row in table["rows"]]
    return bars(table["title"], values, bounds=bounds, strong=ours, below=f"NDCG@{table['k']}, 95 % interval")


def _qini(uplift: Mapping[str, Any] | None) -> Markup:
    """What treating the best-scored share gains, beside treating at random."""
    if not uplift or not uplift["qini"]:
        return Markup("")
    share, gains = (np.asarray(uplift["qini"][name], np.float64) for name in ("share", "gained"))
    title = "Customers who buy, gained by deciding for the best-scored share"
    return curves(title, _even(gains[-1]), Curve(share, gains), below="share of the customers")


def _even(end: float) -> Curve:
    """From nothing to the whole, as chance would have it."""
    return Curve(np.array([0.0, 1.0]), np.array([0.0, end]), PALE)


def _segments(customers: Census) -> Markup:
    """The 5 × 5 grid of recency and frequency: who comes often, who came lately."""
    names = {(r - 1, f - 1): name.replace("_", " ") for (r, f), name in customers.segments.items()}
    return grid("Customers by recency (upwards: lately) and frequency (to the right: often)", customers.grid, names)
