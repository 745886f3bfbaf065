"""Likeness: how much items resemble one another by what the catalogue says of them; all there is to go by for an item that nobody has bought."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.catalogue import Catalogue
from models.vocabulary import MISSING

FIELDS = ("product_type", "category", "brand", "colour", "gender")
MOST = 3  # items of a history that are looked at, the ones that weigh most

Rows = NDArray[np.int32]
Scores = NDArray[np.float32]


def telling(rows: Rows, weights: Scores) -> tuple[Rows, Scores]:
    """The items of a history that say most, and their weights; none of weight 0 or below."""
    weightiest = np.argsort(-weights, kind="stable")[:MOST]
    weightiest = weightiest[weights[weightiest] > 0]
    return rows[weightiest], weights[weightiest]


def score(catalogue: Catalogue, rows: Rows, weights: Scores) -> Scores:
    """float32[items]: Σ weight · likeness to each of `rows`; zeros for none."""
    summed = np.zeros(len(catalogue), dtype=np.float32)
    for row, weight in zip(rows.tolist(), weights.tolist(), strict=True):
        summed += np.float32(weight) * like(catalogue, row)
    return summed


def carried(catalogue: Catalogue, rows: Rows, weights: Scores, targets: Rows) -> Scores:
    """float32[targets, history]: what each item of the history gave to the scores of `targets`."""
    columns = [
        np.float32(weight) * like(catalogue, row)[targets] for row, weight in zip(rows.tolist(), weights, strict=True)
    ]
    return np.stack(columns, axis=1) if columns else np.zeros((len(targets), 0), dtype=np.float32)


def like(catalogue: Catalogue, row: int) -> Scores:
    """float32[items]: the share of what is known of this item that another has in common with it, 0–1; a rare value counts more.

    Σ over shared fields of log(1 + items / items with the value), divided by the sum over all fields that this item has.
    """
    shared, most = np.zeros(len(catalogue), dtype=np.float32), 0.0
    for field in FIELDS:
        code = getattr(catalogue, field).code
        if code[row] == MISSING:
            continue
        same = code == code[row]
        worth = float(np.log1p(len(code) / np.count_nonzero(same)))
        shared[same] += np.float32(worth)
        most += worth
    return shared / np.float32(most) if most else shared
