"""Plots as SVG: curves, bars and a grid, with what a report needs of axes and no more. A library for them takes longer to load and to lay
out than a small training takes to learn.

Sizes are pixels of the paper, which the page scales.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike, NDArray

INK, SOFT, ACCENT, PALE, LINE = "#22262c", "#6b7280", "#2f5d8a", "#c9d6e4", "#e3e5e9"
WIDTH, HEIGHT, TOP = 480, 260, 30
ROW, LETTER = 22, 6.2  # the height of a bar's row; the width of a letter, roughly
MOST_POINTS = 300  # of a curve: more than the eye tells apart
STEPS = (1, 2, 5, 10)


@dataclass(frozen=True)
class Curve:
    """Points that a line joins, from left to right; with `filled` the area below them. x, y: float64[n]"""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    colour: str = ACCENT
    filled: bool = False


@dataclass(frozen=True)
class Box:
    """The part of the paper that is drawn on, and the values at its edges."""

    x: tuple[float, float]
    y: tuple[float, float]
    left: float = 56
    width: float = WIDTH - 76
    height: float = HEIGHT - 78

    @property
    def bottom(self) -> float:
        """Where the box ends."""
        return TOP + self.height

    def across(self, x: ArrayLike) -> NDArray[np.float64]:
        """Where values of x lie."""
        return self.left + self.width * (np.asarray(x, np.float64) - self.x[0]) / (self.x[1] - self.x[0])

    def down(self, y: ArrayLike) -> NDArray[np.float64]:
        """Where values of y lie."""
        return TOP + self.height * (self.y[1] - np.asarray(y, np.float64)) / (self.y[1] - self.y[0])


def curves(title: str, *drawn: Curve, below: str = "", days: bool = False) -> Markup:
    """Curves in one box, which holds 0 of y. The title is of y, `below` of x; days: x are days since 1970."""
    across, high = np.concatenate([one.x for one in drawn]), np.concatenate([one.y for one in drawn])
    box = Box(_apart(across.min(), across.max()), _apart(min(high.min(), 0.0), max(high.max(), 0.0)))
    parts = [*_levels(box), *_scale(box, days=days), *(_curve(box, one) for one in drawn)]
    parts.append(_text(box.left + box.width / 2, box.bottom + 38, below, anchor="middle", colour=SOFT))
    return _paper(title, parts, box.bottom + 46)


def bars(
    title: str,
    values: Mapping[str, float],
    *,
    bounds: Sequence[tuple[float, float]] = (),
    strong: Sequence[bool] = (),
    below: str = "",
) -> Markup:
    """A bar for each value, from top to bottom. bounds: of each, an interval; strong: of each, whether it stands out; below: of the axis.

    Without an axis each value is written at its bar.
    """
    most = max([*values.values(), *(high for _, high in bounds), 1e-9])
    left = 16 + LETTER * max(map(len, values), default=0)
    box = Box((0, most * 1.15), (len(values), 0), left=left, width=WIDTH - left - 24, height=ROW * len(values))
    parts = _scale(box) if below else []
    for nth, (name, value) in enumerate(values.items()):
        middle, end = TOP + ROW * (nth + 0.5), float(box.across(value))
        colour = ACCENT if strong and strong[nth] else PALE
        parts.append(_text(left - 6, middle + 4, name, anchor="end"))
        parts.append(_field(left, middle - 0.35 * ROW, end - left, 0.7 * ROW, colour))
        if bounds:
            low, high = box.across(bounds[nth])
            parts.append(_line(low, middle, high, middle, INK))
        if not below:
            parts.append(_text(end + 5, middle + 4, f"{value:,}", colour=SOFT))
    parts.append(_text(left, box.bottom + 38, below, colour=SOFT))
    return _paper(title, parts, box.bottom + (46 if below else 12))


def grid(title: str, counts: NDArray[np.int64], names: Mapping[tuple[int, int], str]) -> Markup:
    """Counts as fields, darker for more. counts: int64[rows, columns], rows upwards; names: by (row, column)."""
    rows, columns = counts.shape
    box = Box((0, columns), (0, rows), left=4, width=WIDTH - 8, height=46 * rows)
    wide, high = box.width / columns, box.height / rows
    parts = []
    for (row, column), count in np.ndenumerate(counts):
        left, top = float(box.across(column)), float(box.down(row + 1))
        share = float(np.sqrt(count / max(counts.max(), 1)))
        parts.append(_field(left, top, wide - 2, high - 2, ACCENT, opacity=0.08 + 0.92 * share))
        words = [*names.get((row, column), "").split(), f"{count:,}"]
        for nth, word in enumerate(words):
            down = top + high / 2 + 3 + 10 * (nth - (len(words) - 1) / 2)
            parts.append(
                _text(left + wide / 2, down, word, anchor="middle", size=9, colour="white" if share > 0.5 else INK)
            )
    return _paper(title, parts, box.bottom + 6)


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round values between two, 1, 2 or 5 and zeros apart: as close as they can be with `most` steps."""
    power = 10.0 ** np.floor(np.log10((high - low) / most))
    step = next(power * times for times in STEPS if (high - low) / (power * times) <= most)
    return [float(step * nth) for nth in range(int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9)) + 1)]


def _apart(low: float, high: float) -> tuple[float, float]:
    """The two; where they are one, the second further on."""
    return float(low), float(high if high > low else low + 1)


def _levels(box: Box) -> Iterable[Markup]:
    """Lines across at round values of y, with the values beside them."""
    for value in ticks(*box.y, most=5):
        down = float(box.down(value))
        yield _line(box.left, down, box.left + box.width, down, LINE)
        yield _text(box.left - 6, down + 4, f"{value:,g}", anchor="end", colour=SOFT)


def _scale(box: Box, *, days: bool = False) -> list[Markup]:
    """Round values of x below the box."""
    named = [(at, str(np.datetime64(round(at), "D")) if days else f"{at:,g}") for at in ticks(*box.x, most=5)]
    return [_text(float(box.across(at)), box.bottom + 18, name, anchor="middle", colour=SOFT) for at, name in named]


def _curve(box: Box, curve: Curve) -> Markup:
    """The curve; of a long one every n-th point."""
    kept = np.unique(np.linspace(0, len(curve.x) - 1, min(len(curve.x), MOST_POINTS)).astype(np.intp))
    at = list(zip(box.across(curve.x[kept]), box.down(curve.y[kept]), strict=True))
    if curve.filled:
        at = [(at[0][0], box.down(0.0)), *at, (at[-1][0], box.down(0.0))]
    points = " ".join(f"{across:.1f},{down:.1f}" for across, down in at)
    fill, stroke = (curve.colour, "none") if curve.filled else ("none", curve.colour)
    return Markup('<polyline points="{}" fill="{}" stroke="{}" stroke-width="1.5"/>').format(points, fill, stroke)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> Markup:
    return Markup('<path d="M{:.1f} {:.1f}L{:.1f} {:.1f}" stroke="{}"/>').format(x1, y1, x2, y2, colour)


def _field(left: float, top: float, width: float, height: float, colour: str, *, opacity: float = 1.0) -> Markup:
    return Markup(
        '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="{}" fill-opacity="{:.2f}"/>'
    ).format(left, top, width, height, colour, opacity)


def _text(x: float, y: float, text: str, *, anchor: str = "start", colour: str = INK, size: int = 11) -> Markup:
    if not text:
        return Markup("")
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}" fill="{}" font-size="{}">{}</text>').format(
        x, y, anchor, colour, size, text
    )


def _paper(title: str, parts: Iterable[Markup], height: float) -> Markup:
    """The parts below their title."""
    head = Markup('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {:.0f}" role="img" aria-label="{}">')
    name = _text(4, 14, title, size=12)
    return Markup("\n").join([head.format(WIDTH, height, title), name, *parts, Markup("</svg>")])
