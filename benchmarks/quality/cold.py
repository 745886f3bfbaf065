"""Cold items, Online Retail 2010–11: a tenth of the items lose their history, and are queried and recommended from their titles alone.

The purchases, the cut in time and the queries are those of `baskets`; parameters are chosen on the end of what is left of the training part.

queried      a cold item of an invoice is known, the invoice's others should be found among all items
recommended  a warm item of an invoice is known, the invoice's cold items should be found among the cold ones
beside all   the same, among all items: those with a history have that to speak for them
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from benchmarks.quality import plain
from benchmarks.quality.baskets import FOLDER, SALES, TRAIN_UNTIL, Taught, invoices, purchases, teach, titled
from benchmarks.quality.measure import Scorer, lead, ranked, row
from benchmarks.quality.rows import Row
from training import matrices, scoring
from training.fit.affinities import Goods
from training.history import History
from training.metrics import Ranked
from training.queries import Queries

DATASET = "cold items"
SHOWN = ("hr", "ndcg")
K, SHARE, SEED = 10, 0.1, 0

Mask = NDArray[np.bool_]


def run(data: Path, *, threads: int = 1) -> list[Row]:
    """The rows of the table; none where the data set is not there."""
    queries = data / FOLDER / "basket_queries.csv"
    if not queries.exists():
        return []
    history, orders = purchases(data / FOLDER / SALES)
    train = history.where(history.at <= TRAIN_UNTIL)
    cold = drawn(train)
    warm = train.where(~cold[train.item])
    asked = invoices(queries, history, train, orders)
    taught = teach(warm, Goods.of(titled(data / FOLDER / SALES, history.items)), threads)
    popular = plain.popularity(matrices.baskets(warm, now=None).held)
    lost = plain.popularity(matrices.baskets(train, now=None).held)
    rows: list[Row] = []
    methods = {"popularity": popular, "the popularity they had": lost, **_ours(taught)}
    for called, part, shown in parts(asked, cold):
        lists = {name: ranked(part, among(scorer, shown), K) for name, scorer in methods.items()}
        rows += [_row(name, found, lists["popularity"], called) for name, found in lists.items()]
    return rows


def drawn(train: History) -> Mask:
    """bool[items]: a seeded tenth of the items that are bought in `train`."""
    bought = np.unique(train.item)
    cold = np.zeros(len(train.items), dtype=np.bool_)
    cold[np.random.default_rng(SEED).choice(bought, size=int(SHARE * len(bought)), replace=False)] = True
    return cold


def parts(asked: Queries, cold: Mask) -> list[tuple[str, Queries, Mask | None]]:
    """What each measurement is called, its queries, and which items it ranks (None: all)."""
    wanted = _part(asked, ~cold, cold)
    return [("queried", _part(asked, cold, None), None), ("recommended", wanted, cold), ("beside all", wanted, None)]


def _part(asked: Queries, anchors: Mask, relevant: Mask | None) -> Queries:
    """The queries about some items that should find some items, as far as there is any to find."""
    wanted = csr_matrix(asked.relevant, copy=True)
    if relevant is not None:
        wanted.data *= relevant[wanted.indices]
        wanted.eliminate_zeros()
    rows = asked.histories.rows
    chosen = np.flatnonzero(anchors[rows] & (np.diff(wanted.indptr) > 0))
    return Queries(scoring.carts(rows[chosen], asked.histories.items), wanted[chosen])


def _ours(taught: Taught) -> dict[str, Scorer]:
    """What the service shows, and complements alone."""
    blend = taught.tuned.blend
    sources = replace(taught.sources, ease=None, sessions=None)  # they are for carts
    alone = scoring.Sources(complements=sources.complements)
    return {
        "complements": lambda carts: scoring.score(alone, carts, now=None)["complements"],
        "blend": lambda carts: scoring.served(
            blend, "complementary", sources, carts, scoring.score(sources, carts, now=None)
        ),
    }


def among(scorer: Scorer, shown: Mask | None) -> Scorer:
    """The same with -inf for what is not ranked."""
    if shown is None:
        return scorer
    return lambda carts: np.where(shown[None, :], scorer(carts), np.float32(-np.inf))


def _row(name: str, lists: Ranked, popular: Ranked, called: str) -> Row:
    low, high = lead(lists, popular)
    note = f"{len(lists.rows):,} queries" + (
        "" if lists is popular else f"; leads popularity by {low:+.4f} to {high:+.4f} ndcg"
    )
    is_ours = name in ("complements", "blend")
    return row(DATASET, name, lists, SHOWN, prefix=f"{called} ", ours=is_ours, note=note)
