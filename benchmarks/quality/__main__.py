"""`python -m benchmarks.quality [DATASET…]`: what we claim of quality, beside what a user would pick instead; `--help` names the data sets.

Reads the data sets of $VALET_DATA; one that is not there is said to be missing, and the exit code is 2.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks.quality import (
    baskets,
    carts,
    cdnow,
    complements,
    diversity,
    fresh,
    gowalla,
    hillstrom,
    intent,
    next_purchases,
    open_bandit,
    trending,
    visits,
)
from benchmarks.quality.rows import Row


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print, data set by data set."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description="Quality beside baselines.")
    parser.add_argument(
        "datasets", nargs="*", metavar="DATASET", help=f"{', '.join(_datasets(Path(), 1))}; default: all"
    )
    parser.add_argument(
        "--task", action="append", default=[], metavar="DATASET", help="the same by name: --task complements; repeats"
    )
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("VALET_DATA", "../shared/data")))
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    known = _datasets(options.data, options.threads)
    asked = [*options.datasets, *options.task]
    if unknown := [name for name in asked if name not in known]:
        parser.error(f"{unknown[0]} is no data set; known are {', '.join(known)}")
    missing = False
    for name in asked or known:
        rows = known[name]()
        if not rows:
            sys.stderr.write(f"{name}: its files are not in {options.data}; set VALET_DATA\n")
            missing = True
        for line in table(rows):
            print(line, flush=True)
    return 2 if missing else 0


def _datasets(data: Path, threads: int) -> dict[str, Callable[[], list[Row]]]:
    return {
        "gowalla": lambda: gowalla.run(data, threads=threads),
        "baskets": lambda: baskets.run(data, threads=threads),
        "complements": lambda: complements.run(data, threads=threads),
        "carts": lambda: carts.run(data, threads=threads),
        "next_purchases": lambda: next_purchases.run(data, threads=threads),
        "fresh": lambda: fresh.run(data, threads=threads),
        "diversity": lambda: diversity.run(data, threads=threads),
        "visits": lambda: visits.run(data, threads=threads),
        "trending": lambda: trending.run(data),
        "cdnow": lambda: cdnow.run(data),
        "intent": lambda: intent.run(data, threads=threads),
        "open_bandit": lambda: open_bandit.run(data),
        "hillstrom": lambda: hillstrom.run(data),
    }


def table(rows: Iterable[Row]) -> list[str]:
    """The lines of a table; ours are marked with a star."""
    lines: list[str] = []
    for row in rows:
        values = "  ".join(f"{name} {_value(row, name)}" for name in row.values)
        seconds = "" if row.seconds is None else f"{row.seconds:.1f} s"
        memory = "" if row.peak_mb is None else f"{row.peak_mb:.0f} MB"
        mark = "*" if row.ours else " "
        lines.append(f"{mark} {row.dataset:15} {row.method:28} {values}  {seconds:>8} {memory:>8}  {row.note}".rstrip())
    return lines


def _value(row: Row, name: str) -> str:
    if name not in row.interval:
        return _number(row.values[name])
    low, high = row.interval[name]
    return f"{_number(row.values[name])} [{_number(low)}, {_number(high)}]"


def _number(value: float) -> str:
    """Four decimals; of what is small, five."""
    return f"{value:.5f}" if 0 < abs(value) < 0.01 else f"{value:.4f}"


if __name__ == "__main__":
    sys.exit(main())
