"""Gowalla, the split of NGCF and LightGCN: Recall@20 and NDCG@20, training items excluded, all items ranked.

Parameters are chosen on a seeded tenth of the training part; the test is measured once. Customers and items are numbered as the reader
numbers them, so that `training.run --history train.csv --test test.csv` on the same pairs draws the same tenth and learns the same models.
"""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality import plain
from benchmarks.quality.measure import ranked, row
from benchmarks.quality.rows import Row, timed
from models.settings import Settings
from models.vocabulary import Vocabulary
from training import matrices, queries, scoring
from training.fit import factors, neighbours, popularity
from training.history import NO_TIME, History
from training.learn import Terms, choose
from training.scoring import Sources

DATASET = "gowalla"
SHOWN = ("recall", "ndcg")
PUBLISHED = {
    "ItemCF": (0.1570, 0.1214),
    "EASE": (0.1765, 0.1467),
    "LightGCN": (0.1830, 0.1554),
    "UltraGCN": (0.1862, 0.1580),
    "SimpleX": (0.1872, 0.1557),
    "NESCL": (0.1917, 0.1617),
    "BSPM-EM": (0.1920, 0.1597),
}


def run(data: Path, *, threads: int = 1) -> list[Row]:
    """The rows of the table; none where the data set is not there."""
    if not (data / DATASET / "train.txt.gz").exists():
        return []
    train, test = _histories(data / DATASET)
    asked = queries.next_purchases(train, test, repeats=False)
    published = [
        Row(DATASET, name, {"recall@20": recall, "ndcg@20": ndcg}, note="published")
        for name, (recall, ndcg) in PUBLISHED.items()
    ]
    ours = _ours(train, asked, threads)  # first, so that their peak memory is their own
    return [*published, *_baselines(train, asked, threads), *ours]


def _baselines(train: History, asked: queries.Queries, threads: int) -> list[Row]:
    held = matrices.customers(train, now=None).held
    rows = [row(DATASET, "popularity", ranked(asked, plain.popularity(held), 20), SHOWN)]
    with timed() as clock:
        knn = plain.item_knn(held, k=200, threads=threads)
    rows.append(row(DATASET, "implicit item-kNN, cosine", ranked(asked, knn, 20), SHOWN, seconds=clock.seconds))
    with timed() as clock:
        als = plain.als(held, factors=256, iterations=12, alpha=80, regularization=20, threads=threads)
    note = "256 factors, 12 iterations, alpha 80, regularization 20"
    rows.append(row(DATASET, "implicit ALS, tuned", ranked(asked, als, 20), SHOWN, seconds=clock.seconds, note=note))
    return rows


def _ours(train: History, asked: queries.Queries, threads: int) -> list[Row]:
    with timed() as tuning:
        tuned = choose(train, Terms(Settings(), now=0, threads=threads)).items
    matrix = matrices.customers(train, now=None)
    with timed() as fitting_alike:
        alike = neighbours.fit(matrix, tuned.alike, threads=threads)
    with timed() as fitting_factors:
        als = factors.fit(matrix.held, tuned.factors, threads=threads)
    sources = Sources(alike=alike, factors=als, popularity=popularity.fit(train, now=0))
    alone = ranked(
        asked, lambda histories: scoring.score(replace(Sources(), alike=alike), histories, now=None)["alike"], 20
    )
    als_alone = ranked(
        asked, lambda histories: scoring.score(replace(Sources(), factors=als), histories, now=None)["factors"], 20
    )
    blended = ranked(
        asked, lambda histories: scoring.mix(tuned.blend, "for_you", scoring.score(sources, histories, now=None)), 20
    )
    both = fitting_alike.seconds + fitting_factors.seconds
    return [
        row(DATASET, "neighbours", alone, SHOWN, ours=True, seconds=fitting_alike.seconds, note=str(tuned.alike)),
        row(DATASET, "ALS", als_alone, SHOWN, ours=True, seconds=fitting_factors.seconds, note=str(tuned.factors)),
        row(
            DATASET,
            "blend",
            blended,
            SHOWN,
            ours=True,
            seconds=both,
            note=f"{tuned.blend.weights['for_you']}; tuning {tuning.seconds:.0f} s",
        ),
    ]


def _histories(folder: Path) -> tuple[History, History]:
    """Train and test over the same ids, without times or orders."""
    parts = [_pairs(folder / name) for name in ("train.txt.gz", "test.txt.gz")]
    ids, rows = zip(*(_numbered(max(int(part[side].max()) for part in parts) + 1) for side in (0, 1)), strict=True)
    train, test = (_history(*ids, *(of[part] for of, part in zip(rows, pair, strict=True))) for pair in parts)
    return train, test


def _numbered(size: int) -> tuple[Vocabulary, NDArray[np.int32]]:
    """The ids "0" … and the row of each number: texts sort otherwise than numbers."""
    texts = [str(number) for number in range(size)]
    ids = Vocabulary.of(texts)
    return ids, ids.rows(texts)


def _pairs(path: Path) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    with gzip.open(path, "rt") as file:
        lines = [np.array(line.split(), dtype=np.int32) for line in file]
    customer = np.concatenate([np.full(len(line) - 1, line[0], dtype=np.int32) for line in lines])
    item = np.concatenate([line[1:] for line in lines])
    return customer, item


def _history(customers: Vocabulary, items: Vocabulary, customer: NDArray[np.int32], item: NDArray[np.int32]) -> History:
    by = np.lexsort((item, customer))
    customer, item = customer[by], item[by]
    rows = len(item)
    return History(
        customers,
        items,
        customer,
        item,
        order=np.full(rows, -1, dtype=np.int32),
        at=np.full(rows, NO_TIME),
        quantity=np.ones(rows, dtype=np.float32),
        amount=np.zeros(rows, dtype=np.int64),
        event=np.zeros(rows, dtype=np.int8),
    )
