"""Complements of items that nobody has bought yet: outfits of Polyvore, and items of Online Retail that lose their history."""

from __future__ import annotations

from pathlib import Path

from benchmarks.quality import cold, polyvore
from benchmarks.quality.rows import Row


def run(data: Path, *, threads: int = 1) -> list[Row]:
    """The rows of both tables; none where one of the data sets is not there."""
    outfits = polyvore.run(data)
    without_history = cold.run(data, threads=threads)
    return [*outfits, *without_history] if outfits and without_history else []
