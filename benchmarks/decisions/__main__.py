"""`python -m benchmarks.decisions [--task planted|races] [--seeds 24] [--decisions N]`: how well it is decided, and whether limits hold.

planted  what trying costs, on customers whose chances are known
races    decisions at once against limits, budgets and stock, on every store; exit 1 where one was exceeded, or a token left
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks.decisions import planted, races
from benchmarks.profiles.stores import STORES
from benchmarks.quality.__main__ import table

TASKS = ("planted", "races")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.decisions", description="Decisions where the truth is known."
    )
    parser.add_argument("--task", choices=TASKS, default="planted")
    parser.add_argument("--seeds", type=int, default=planted.SEEDS)
    parser.add_argument("--decisions", type=int, metavar="N", help="20,000 a seed; 10,000 races")
    parser.add_argument("--stores", nargs="+", choices=STORES, default=STORES, help="of races")
    options = parser.parse_args(arguments)
    if options.task == "races":
        return races.main(decisions=options.decisions or races.DECISIONS, names=options.stores)
    for line in table(planted.run(seeds=options.seeds, decisions=options.decisions or planted.DECISIONS)):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
