"""`python -m benchmarks.training`: our final fit beside plain implicit with the same K, factors, iterations and threads, in one process.

Plain is `AlternatingLeastSquares` on customers × items and `ItemItemRecommender` on the same two matrices that our neighbours learn from. The
parameters are those that `training.run` chooses on the same history; the seconds of choosing stand apart. All are fitted in turn, and the
ratios are those of the medians, so that a machine that grows slower harms all alike.

Plain ALS is measured twice: with our confidence of a purchase, and with implicit's default alpha of 1, which makes that confidence 1, as of what
was not bought. Its correction for a purchase, confidence − 1, is nought then and costs nothing: quicker, but no longer the same work.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import ItemItemRecommender
from threadpoolctl import threadpool_limits

from benchmarks.quality.rows import peak_mb, timed
from models.settings import Settings
from training import learn, matrices
from training.fit import factors, neighbours
from training.learn import Chosen, Terms
from training.matrices import Matrix
from training.read import read

FILES = ("online_retail/online_retail_2009_2010.parquet", "online_retail/online_retail_2010_2011.csv.gz")
ROUNDS = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; exit 2 where the data is not there."""
    options = _parser().parse_args(arguments)
    paths = options.history or [str(Path(os.environ.get("VALET_DATA", "../shared/data")) / file) for file in FILES]
    missing = [path for path in paths if not Path(path).exists()]
    if missing:
        sys.stderr.write(f"{missing[0]} is not there; set VALET_DATA, or give --history PATH…\n")
        return 2
    now, settings = int(time.time()), Settings()
    with timed() as reading:
        history = read(
            paths, columns={}, settings=settings.history, shop=settings.shop, now=now, threads=options.threads
        ).history
    terms = Terms(settings, history.newest or now, threads=options.threads)
    with timed() as choosing, threadpool_limits(1, "blas"):  # as training.run does
        chosen = learn.choose(history, terms)
    baskets, customers = matrices.baskets(history, now=terms.now), matrices.customers(history, now=terms.now)
    als = chosen.items.factors
    ours, same, default = _seconds(
        lambda: _ours(baskets, customers, chosen, options.threads),
        lambda: _plain(baskets, customers, chosen, options.threads, alpha=1 + 1 / als.unobserved),
        lambda: _plain(baskets, customers, chosen, options.threads, alpha=1.0),
    )
    print(f"{len(history):,} rows, {len(history.customers):,} customers, {len(history.items):,} items")
    print(f"{als.factors} factors, {als.iterations} iterations, K {chosen.items.together.k}, {options.threads} threads")
    print(f"{'reading':40}{reading.seconds:8.2f} s\n{'choosing parameters':40}{choosing.seconds:8.2f} s")
    print(f"{'final fit, ours':40}{ours:8.2f} s")
    for name, plain in (("the same confidence", same), ("alpha 1", default)):
        print(f"{f'plain implicit, {name}':40}{plain:8.2f} s{ours / plain:8.2f} ratio")
    print(f"{'peak memory':40}{peak_mb():8.0f} MB")
    return 0


def _ours(baskets: Matrix, customers: Matrix, chosen: Chosen, threads: int) -> None:
    neighbours.fit(baskets, chosen.items.together, threads=threads)
    neighbours.fit(customers, chosen.items.alike, threads=threads)
    factors.fit(customers.held, chosen.items.factors, threads=threads)


def _plain(baskets: Matrix, customers: Matrix, chosen: Chosen, threads: int, *, alpha: float) -> None:
    ItemItemRecommender(K=chosen.items.together.k, num_threads=threads).fit(
        baskets.held.astype(np.float64), show_progress=False
    )
    ItemItemRecommender(K=chosen.items.alike.k, num_threads=threads).fit(
        customers.held.astype(np.float64), show_progress=False
    )
    with threadpool_limits(1, "blas"):
        als = AlternatingLeastSquares(
            factors=chosen.items.factors.factors,
            iterations=chosen.items.factors.iterations,
            alpha=alpha,
            num_threads=threads,
            random_state=chosen.items.factors.seed,
        )
        als.fit(customers.held, show_progress=False)


def _seconds(*calls: Callable[[], None]) -> list[float]:
    """The median seconds of each, called in turn."""
    taken: list[list[float]] = [[] for _ in calls]
    for _ in range(ROUNDS):
        for call, seconds in zip(calls, taken, strict=True):
            with timed() as clock:
                call()
            seconds.append(clock.seconds)
    return [statistics.median(seconds) for seconds in taken]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training", description="Our final fit beside plain implicit."
    )
    parser.add_argument(
        "--history", nargs="+", metavar="PATH", help="default: Online Retail, both years, in $VALET_DATA"
    )
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    return parser


if __name__ == "__main__":
    sys.exit(main())
