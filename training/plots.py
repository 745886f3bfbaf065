"""The report's plots, as SVG: how much is sold, how good the lists are, who the customers are."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from models.settings import DAY_S
from training.census import Census
from training.evaluate import TITLES
from training.history import History

WEEK_S = 7 * DAY_S
INK, SOFT, ACCENT, PALE = "#22262c", "#6b7280", "#2f5d8a", "#c9d6e4"
SCORES = list("12345")

mpl.use("svg")
mpl.rcParams.update(
    {
        "svg.hashsalt": "valet",
        "svg.fonttype": "none",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
)
mpl.rcParams.update(
    {"axes.edgecolor": SOFT, "text.color": INK, "xtick.color": SOFT, "ytick.color": SOFT, "axes.labelcolor": SOFT}
)


def drawn(manifest: Mapping[str, Any], history: History, customers: Census) -> dict[str, Markup]:
    """Each plot by its name; empty where there is nothing to show."""
    return {
        "weeks": _weeks(history),
        "tail": _tail(history),
        "quality": _quality(manifest["evaluation"]["tables"]) if manifest["evaluation"] else Markup(""),
        "qini": _qini((manifest.get("decisions") or {}).get("uplift")),
        "tiers": _tiers(customers.tiers),
        "segments": _segments(customers),
    }


def _weeks(history: History) -> Markup:
    """Purchases a week."""
    if not history.has_times:
        return Markup("")
    at = history.purchases.at
    week = (at - at.min()) // WEEK_S if len(at) else at
    counts = np.bincount(week)[:-1] if len(at) and week.max() > 1 else np.bincount(week, minlength=1)
    start = at.min().astype("datetime64[s]") if len(at) else np.datetime64(0, "s")
    figure, axes = _figure("Purchases a week")
    axes.fill_between(start + np.arange(len(counts)) * np.timedelta64(WEEK_S, "s"), counts, color=PALE, step="post")
    axes.set_ylim(bottom=0)
    axes.tick_params(axis="x", rotation=30)
    return _svg(figure)


def _tail(history: History) -> Markup:
    """The share of purchases that the best-selling items make up: how long the tail is."""
    sold = np.sort(np.bincount(history.purchases.item, minlength=1))[::-1]
    share = np.cumsum(sold) / max(sold.sum(), 1)
    figure, axes = _figure("Share of purchases by the best-selling items")
    axes.plot(np.arange(1, len(share) + 1) / len(share), share, color=ACCENT)
    axes.plot([0, 1], [0, 1], color=PALE, linewidth=0.8)
    axes.set(xlabel="share of the items", xlim=(0, 1), ylim=(0, 1.02))
    return _svg(figure)


def _quality(tables: Sequence[Mapping[str, Any]]) -> Markup:
    """NDCG of each model with its interval, a panel a table."""
    tables = [table for table in tables if table["rows"]]
    if not tables:
        return Markup("")
    tallest = max(len(table["rows"]) for table in tables)
    figure = Figure(figsize=(4.2 * len(tables), 0.9 + 0.28 * tallest), layout="constrained")
    for table, axes in zip(tables, np.atleast_1d(figure.subplots(1, len(tables))), strict=True):
        rows = list(reversed(table["rows"]))
        values = [row["metrics"]["ndcg"] for row in rows]
        bounds = [row["intervals"]["ndcg"] or (value, value) for row, value in zip(rows, values, strict=True)]
        errors = [
            [max(value - low, 0) for value, (low, _) in zip(values, bounds, strict=True)],
            [max(high - value, 0) for value, (_, high) in zip(values, bounds, strict=True)],
        ]
        colours = [ACCENT if row["ours"] else PALE for row in rows]
        axes.barh([TITLES[row["model"]] for row in rows], values, xerr=errors, color=colours, ecolor=SOFT)
        axes.set_title(table["title"], loc="left")
        axes.set_xlabel(f"NDCG@{table['k']}, 95 % interval")
    return _svg(figure)


def _qini(uplift: Mapping[str, Any] | None) -> Markup:
    """What treating the best-scored share gains, beside treating at random."""
    if not uplift or not uplift["qini"]:
        return Markup("")
    curve = uplift["qini"]
    figure, axes = _figure("Customers who buy, gained by deciding for the best-scored share")
    axes.plot(curve["share"], curve["gained"], color=ACCENT)
    axes.plot([0, 1], [0, curve["gained"][-1]], color=PALE, linewidth=0.8)
    axes.set(xlabel="share of the customers", ylabel="gained, per customer", xlim=(0, 1))
    return _svg(figure)


def _tiers(tiers: Mapping[str, int]) -> Markup:
    figure, axes = _figure("Customers by tier")
    bars = axes.barh(list(tiers), list(tiers.values()), color=PALE)
    axes.bar_label(bars, padding=3, color=SOFT)
    return _svg(figure)


def _segments(customers: Census) -> Markup:
    """The 5 × 5 grid of recency and frequency: who comes often, who came lately."""
    figure, axes = _figure("Recency × frequency", height=3.4)
    axes.imshow(np.sqrt(customers.grid), cmap="Blues", origin="lower", aspect="auto")
    for (r, f), count in np.ndenumerate(customers.grid):
        name = customers.segments.get((r + 1, f + 1), "").replace("_", "\n")
        dark = count > customers.grid.max() / 2
        axes.text(f, r, f"{name}\n{count:,}", ha="center", va="center", fontsize=6, color="white" if dark else INK)
    axes.set(xlabel="frequency (5: most orders)", ylabel="recency (5: lately)")
    axes.set_xticks(range(5), SCORES)
    axes.set_yticks(range(5), SCORES)
    return _svg(figure)


def _figure(title: str, height: float = 2.6) -> tuple[Figure, Any]:
    figure = Figure(figsize=(4.8, height), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, loc="left")
    return figure, axes


def _svg(figure: Figure) -> Markup:
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")), transparent=True)
    text = out.getvalue()
    return Markup(text[text.index("<svg") :])  # noqa: S704  (made here, from numbers and escaped by matplotlib)
