"""A small till with a truth in it: customers like one of four shelves, and buy pairs of items of that shelf together."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

SHELVES, PER_SHELF = 4, 12
HEADER = ("customer_id", "order_id", "item_id", "time", "quantity", "price")


def write_till(path: Path, *, customers: int = 150, orders: int = 8, seed: int = 0) -> Path:
    """Write the export, in the order of time."""
    rng = np.random.default_rng(seed)
    rows = [row for customer in range(customers) for row in _rows_of(customer, orders, rng)]
    with path.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([HEADER, *sorted(rows, key=lambda row: row[3])])
    return path


def _rows_of(customer: int, orders: int, rng: np.random.Generator) -> list[tuple[str, ...]]:
    shelf = customer % SHELVES
    rows = []
    for order in range(orders):
        at = datetime(2026, 1, 1, 10) + timedelta(days=int(rng.integers(0, 200)), minutes=int(rng.integers(0, 600)))  # noqa: DTZ001
        first = int(rng.integers(0, PER_SHELF // 2)) * 2
        for item in (first, first + 1):  # an even item and the odd one beside it go together
            name = f"S{shelf}-{item:02d}"
            rows.append((f"C{customer}", f"{customer}-{order}", name, at.isoformat(" "), "1", f"{5 + item}.50"))
    return rows
