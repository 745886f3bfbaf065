"""Basket completion on Online Retail 2010–11: one item of an invoice is known, the others should be found (HR@10, NDCG@10).

Purchases up to 2011-10-26 13:27 train: no cancellations, quantity and price above zero, codes that begin with five digits,
upper case. The queries are given. Relevant are the other items of the invoice that the training part knows.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from benchmarks.quality import plain
from benchmarks.quality.measure import linear, ranked, row
from benchmarks.quality.rows import Row, timed
from models.vocabulary import Vocabulary
from training import matrices, scoring
from training.fit import popularity
from training.fit.affinities import Goods
from training.history import History
from training.queries import Queries
from training.scoring import Sources
from training.split import cut
from training.tune import Tuned, learn, tune, untuned

DATASET = "baskets"
FOLDER = "online_retail"
SALES = "online_retail_2010_2011.csv.gz"
SHOWN = ("hr", "ndcg")
K = 10
TRAIN_UNTIL = int(datetime(2011, 10, 26, 13, 27, tzinfo=UTC).timestamp())
PURCHASES = """
    SELECT InvoiceNo AS "order", upper(trim(StockCode)) AS item, max(CustomerID) AS customer,
           epoch(min(InvoiceDate::TIMESTAMP))::BIGINT AS "at"
    FROM read_csv(?, types = {'InvoiceNo': 'VARCHAR', 'StockCode': 'VARCHAR', 'CustomerID': 'VARCHAR'})
    WHERE InvoiceNo NOT LIKE 'C%' AND Quantity > 0 AND UnitPrice > 0 AND regexp_matches(upper(trim(StockCode)), '^[0-9]{5}')
    GROUP BY ALL ORDER BY "at", "order", item
"""
TITLES = """
    SELECT item, title FROM (
        SELECT upper(trim(StockCode)) AS item, trim(Description) AS title, count(*) AS n
        FROM read_csv(?, types = {'InvoiceNo': 'VARCHAR', 'StockCode': 'VARCHAR', 'CustomerID': 'VARCHAR'})
        WHERE Quantity > 0 AND UnitPrice > 0 AND trim(Description) <> '' GROUP BY ALL
    ) QUALIFY row_number() OVER (PARTITION BY item ORDER BY n DESC, title) = 1
"""


def run(data: Path, *, threads: int = 1) -> list[Row]:
    """The rows of the table; none where the data set is not there."""
    if not (data / FOLDER / "basket_queries.csv").exists():
        return []
    history, orders = purchases(data / FOLDER / SALES)
    train = history.where(history.at <= TRAIN_UNTIL)
    asked = invoices(data / FOLDER / "basket_queries.csv", history, train, orders)
    goods = Goods.of(titled(data / FOLDER / SALES, history.items))
    ours = _ours(train, asked, goods, threads)  # first, so that their peak memory is their own
    held = matrices.baskets(train, now=None).held
    rows = [row(DATASET, "popularity", ranked(asked, plain.popularity(held), K), SHOWN)]
    for name, weights in plain.similarities(held).items():
        rows.append(row(DATASET, name, ranked(asked, linear(weights), K), SHOWN))
    return [*rows, *ours]


@dataclass(frozen=True)
class Taught:
    """What the training part taught: parameters chosen on its own end, models fitted on all of it; seconds of both."""

    tuned: Tuned
    sources: Sources
    tuning_s: float
    fitting_s: float


def teach(train: History, goods: Goods, threads: int) -> Taught:
    """As `training.run` does."""
    parts = cut(train)
    with timed() as tuning:
        popular = popularity.search(parts.train, parts.test, now=parts.at or 0)
        tuned = tune(
            parts.train,
            parts.test,
            start=untuned(),
            popularity=popularity.fit(parts.train, popular, now=parts.at or 0),
            repeat=None,
            now=parts.at,
            goods=goods,
            threads=threads,
        )
    with timed() as fitting:
        learnt = learn(train, tuned, now=TRAIN_UNTIL, goods=goods, threads=threads)
    sources = replace(learnt, popularity=popularity.fit(train, popular, now=TRAIN_UNTIL))
    return Taught(tuned, sources, tuning.seconds, fitting.seconds)


def _ours(train: History, asked: Queries, goods: Goods, threads: int) -> list[Row]:
    taught = teach(train, goods, threads)
    together, blend = Sources(together=taught.sources.together), taught.tuned.blend
    sources = replace(taught.sources, ease=None, sessions=None)  # they are for carts
    alone = ranked(asked, lambda carts: scoring.score(together, carts, now=None)["together"], K)
    blended = ranked(
        asked,
        lambda carts: scoring.served(blend, "complementary", sources, carts, scoring.score(sources, carts, now=None)),
        K,
    )
    complements = Sources(complements=taught.sources.complements)
    called_for = ranked(asked, lambda carts: scoring.score(complements, carts, now=None)["complements"], K)
    note = f"{blend.weights['complementary']}; tuning {taught.tuning_s:.0f} s"
    return [
        row(DATASET, "complements alone", called_for, SHOWN, ours=True, note=str(taught.tuned.complements)),
        row(DATASET, "neighbours over baskets", alone, SHOWN, ours=True, note=str(taught.tuned.together)),
        row(DATASET, "blend", blended, SHOWN, ours=True, seconds=taught.fitting_s, note=note),
    ]


def purchases(path: Path) -> tuple[History, Vocabulary]:
    """The purchases of the whole year, and the invoices that their orders number."""
    found = duckdb.execute(PURCHASES, [str(path)]).fetchnumpy()
    known = ~np.ma.getmaskarray(found["customer"])
    customer = np.ma.getdata(found["customer"])
    customers = Vocabulary.of(customer[known].tolist())
    items, orders = Vocabulary.of(found["item"].tolist()), Vocabulary.of(found["order"].tolist())
    rows = len(known)
    history = History(
        customers,
        items,
        customer=_numbered(customers, np.where(known, customer, "")),
        item=_numbered(items, found["item"]),
        order=_numbered(orders, found["order"]),
        at=np.asarray(found["at"], dtype=np.int64),
        quantity=np.ones(rows, dtype=np.float32),
        amount=np.zeros(rows, dtype=np.int64),
        event=np.zeros(rows, dtype=np.int8),
    )
    return history, orders


def _numbered(vocabulary: Vocabulary, texts: NDArray[np.object_]) -> NDArray[np.int32]:
    """int32[texts]: the row of each, -1 where it has none; a text that comes often is looked up once."""
    rows = {text: vocabulary.row(text) for text in set(texts.tolist())}
    return np.array([rows[text] for text in texts.tolist()], dtype=np.int32)


def titled(path: Path, items: Vocabulary) -> list[dict[str, str]]:
    """The title of each item, as most lines of purchases have it; nothing else is known."""
    found = dict(duckdb.execute(TITLES, [str(path)]).fetchall())
    return [{"title": found[item_id]} if item_id in found else {} for item_id in items.texts(range(len(items)))]


def invoices(path: Path, history: History, train: History, orders: Vocabulary) -> Queries:
    """One query a line of the file; relevant are the invoice's other items that the training part knows."""
    with path.open(newline="") as file:
        lines = list(csv.DictReader(file))
    asked = history.items.rows(line["StockCode"] for line in lines)
    invoice = orders.rows(line["InvoiceNo"] for line in lines)
    shape = (len(orders), len(history.items))
    held = csr_matrix((np.ones(len(history), dtype=np.float32), (history.order, history.item)), shape=shape)
    known = np.zeros(len(history.items), dtype=np.float32)
    known[train.item] = 1
    relevant = held[invoice].multiply(known[None, :]).tolil()
    relevant[np.arange(len(lines)), asked] = 0
    return Queries(scoring.carts(asked, len(history.items)), relevant.tocsr())
