"""`python -m benchmarks.profiles [TASK…]`: profiles as events tell and as training computes them, published, and read; `--help` names the tasks.

Both stores: a SQLite file, and a redis-server of its own, which must be installed. `replay` and `shop` read Online
Retail of $VALET_DATA.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.profiles.publishing import drawn, publish
from benchmarks.profiles.reading import measure
from benchmarks.profiles.replay import replay
from benchmarks.profiles.stores import STORES, opened

FILES = ("online_retail/online_retail_2009_2010.parquet", "online_retail/online_retail_2010_2011.csv.gz")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print, task by task and store by store; 1 where profiles differ, 2 where a file is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profiles", description="Profiles, measured.")
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=f"{', '.join(TASKS)}; default: all")
    parser.add_argument("--stores", nargs="+", choices=STORES, default=list(STORES))
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("VALET_DATA", "../shared/data")))
    parser.add_argument("--of", type=int, default=1, metavar="N", help="replay: every N-th customer (default: all)")
    parser.add_argument(
        "--customers", type=int, default=1_000_000, metavar="N", help="publish: how many (default: a million)"
    )
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.tasks if name not in TASKS]:
        parser.error(f"{unknown[0]} is no task; known are {', '.join(TASKS)}")
    code = 0
    for name in options.tasks or TASKS:
        for kind in options.stores:
            with TemporaryDirectory(prefix="valet-profiles-") as folder, opened(kind, Path(folder)) as store:
                for line in TASKS[name](options, store, Path(folder)):
                    print(f"{name} · {kind} · {line}", flush=True)
                    code = max(code, FAILED.get(line.partition(":")[0], 0))
    return code


FAILED = {"differing": 1, "missing": 2}


def _replay(options: argparse.Namespace, store: str, folder: Path) -> Iterator[str]:
    if missing := _missing(options):
        yield missing
        return
    done = replay(_files(options), store, folder, of=options.of)
    yield str(done)
    if done.differing:
        yield f"differing: {dict(done.differing)}"


def _publish(options: argparse.Namespace, store: str, folder: Path) -> Iterator[str]:
    yield str(publish(store, [drawn(folder, customers=options.customers)]))


def _shop(options: argparse.Namespace, store: str, _: Path) -> Iterator[str]:
    yield _missing(options) or str(publish(store, _files(options)))


def _files(options: argparse.Namespace) -> list[str]:
    return [str(options.data / file) for file in FILES]


def _missing(options: argparse.Namespace) -> str | None:
    absent = [path for path in _files(options) if not Path(path).exists()]
    return f"missing: {absent[0]}; set VALET_DATA" if absent else None


def _read(options: argparse.Namespace, store: str, folder: Path) -> Iterator[str]:
    yield str(measure(store, folder))


TASKS: dict[str, Callable[[argparse.Namespace, str, Path], Iterator[str]]] = {
    "read": _read,
    "publish": _publish,
    "shop": _shop,
    "replay": _replay,
}

if __name__ == "__main__":
    sys.exit(main())
