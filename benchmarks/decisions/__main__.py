"""`python -m benchmarks.decisions [--task planted] [--seeds 24] [--decisions 20000]`: how well it is decided, where the truth is known."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks.decisions import planted
from benchmarks.quality.__main__ import table

TASKS = ("planted",)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.decisions", description="Decisions where the truth is known."
    )
    parser.add_argument("--task", choices=TASKS, default="planted")
    parser.add_argument("--seeds", type=int, default=planted.SEEDS)
    parser.add_argument("--decisions", type=int, default=planted.DECISIONS)
    options = parser.parse_args(arguments)
    for line in table(planted.run(seeds=options.seeds, decisions=options.decisions)):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
