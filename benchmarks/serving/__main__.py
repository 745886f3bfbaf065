"""`python -m benchmarks.serving [TASK…]`: how fast the service answers, beside a bare Flask view of the same bytes; `--help` names the tasks.

The real thing: gunicorn, a synthetic bundle, SQLite or a redis-server of its own (which must be installed), a key asked for, the log line and
metrics on. Driven by wrk where it is installed, else by a client of our own. One worker is held against what is asked, two are reported. Exit
code 1 where a figure falls short.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.profiles.stores import STORES
from benchmarks.serving import decide, events, inside, lists, machine, soak
from benchmarks.serving.rows import Row, line, table
from benchmarks.serving.task import Task

SIZES = (4_000, 40_000, 200_000)
TASKS: dict[str, Callable[[Task], Iterator[Row]]] = {
    "complementary": lists.complementary,
    "for_you": lists.for_you,
    "batch": lists.batch,
    "in_process": inside.in_process,
    "decide": decide.decisions,
    "events": events.events,
    "memory": machine.memory,
    "start": machine.start,
    "soak": soak.soak,
}
USUAL = tuple(name for name in TASKS if name != "soak")  # that one takes as long as it is told


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print, task by task and store by store; 1 where a figure falls short."""
    options = _options(arguments)
    if unknown := [name for name in options.tasks if name not in TASKS]:
        sys.stderr.write(f"{unknown[0]} is no task; known are {', '.join(TASKS)}\n")
        return 2
    rows: list[Row] = []
    for row in _measured(options):
        print(line(row), flush=True)
        rows.append(row)
    if not rows:
        sys.stderr.write("nothing was measured: in_process, memory, start and soak take --workers 1\n")
        return 2
    summary = table(rows)[len(rows) :]
    print("\n".join(summary))
    return int(len(summary) > 1)


def _measured(options: argparse.Namespace) -> Iterator[Row]:
    options.worlds.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="valet-serving-") as folder:
        for name in options.tasks or USUAL:
            for store in options.stores:
                for workers in options.workers:
                    task = Task(
                        store,
                        options.items,
                        workers,
                        options.seconds,
                        Path(folder),
                        options.worlds.resolve(),
                        options.customers,
                        options.factors,
                        options.soak,
                        options.requests,
                    )
                    yield from TASKS[name](task)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description="Speed beside a bare Flask view.")
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=f"{', '.join(TASKS)}; default: all but soak")
    parser.add_argument("--task", action="append", default=[], metavar="TASK", help="the same, one a flag")
    parser.add_argument("--stores", nargs="+", choices=STORES, default=list(STORES))
    parser.add_argument("--items", nargs="+", type=int, default=list(SIZES), help="sizes of the shops")
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--seconds", type=float, default=3.0, help="of each of three turns under load")
    parser.add_argument("--customers", type=int, default=1_000_000, help="memory: how many the store knows")
    parser.add_argument("--requests", type=int, default=200_000, help="memory: after which a worker holds no more")
    parser.add_argument(
        "--soak", type=float, default=15.0, metavar="MINUTES", help="how long the task soak takes; 15 by default"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="unless said otherwise: one worker, turns of a second, 50,000 customers; ten minutes in all",
    )
    parser.add_argument("--factors", type=int, help="of the shops; default: as training chooses them by size")
    parser.add_argument("--worlds", type=Path, default=Path("var/serving"), help="where shops are kept between runs")
    if parser.parse_args(arguments).quick:
        parser.set_defaults(workers=[1], seconds=1.0, customers=50_000, requests=10_000)
    options = parser.parse_args(arguments)
    options.tasks = [*options.tasks, *options.task]
    return options


if __name__ == "__main__":
    sys.exit(main())
