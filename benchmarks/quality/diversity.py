"""Diversity: what lists gain and lose by it. Online Retail, both years, the last 28 days held out, new items only, the product's lists of 10.

NDCG@10 beside how alike the items of a list are, as the mean over its pairs: by the cosine of their factors, which diversity itself goes by, and
by the words of their titles (Jaccard), which it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from benchmarks.quality.measure import lead, row
from benchmarks.quality.next_purchases import FILES, TEST_DAYS
from benchmarks.quality.rows import Row, timed
from models.bundle import Models
from models.profile import load
from models.settings import Settings
from models.similarity import Similarity
from service.lists.recommend import recommend
from service.lists.request import Request
from service.lists.taste import Taste, taste
from training import learn, matrices
from training.learn import Terms
from training.metrics import NOTHING, Ranked, mean, rank_hits
from training.profiles import profiles
from training.read import Reading, read
from training.split import Cut, cut

DATASET = "diversity"
K, CUSTOMERS = 10, 1_000
DIVERSITIES = (0.0, 0.25, 0.5, 1.0)
WORD = re.compile(r"[^\W\d_]{3,}")

Words = Sequence[frozenset[str]]


@dataclass(frozen=True)
class Cases:
    """The customers asked about: the taste of each, and csr[customers, items] of what is new to them and bought in the test days."""

    tastes: Sequence[Taste]
    relevant: csr_matrix


def run(data: Path, *, threads: int = 1) -> list[Row]:
    """The rows of the table; none where the data set is not there."""
    paths = [str(data / name) for name in FILES]
    if not all(Path(path).exists() for path in paths):
        return []
    settings = Settings()
    reading = read(paths, columns={}, settings=settings.history, shop=settings.shop, now=2**40, threads=threads)
    parts = cut(reading.history, days=TEST_DAYS)
    now = parts.at or 0
    terms = Terms(settings, now, threads=threads)
    models = learn.learn(parts.train, learn.choose(parts.train, terms), terms)
    cases, words = _cases(parts, models, now), _words(reading)
    lists: dict[float, Ranked] = {}
    rows = []
    for diversity in DIVERSITIES:
        with timed() as clock:
            shown = np.array([_list(own, models, now, diversity) for own in cases.tastes], dtype=np.int32)
        lists[diversity] = rank_hits(shown, cases.relevant)
        note = f"{len(shown)} customers, {1_000 * clock.seconds / len(shown):.1f} ms a list"
        if diversity:
            low, high = lead(lists[diversity], lists[0.0])
            note += f"; against none {low:+.4f} to {high:+.4f} ndcg"
        rows.append(_row(lists[diversity], f"diversity {diversity:g}", _alike(shown, models, words), note))
    return rows


def _row(lists: Ranked, method: str, alike: Mapping[str, float], note: str) -> Row:
    measured = row(DATASET, method, lists, ("ndcg",), ours=True, note=note)
    return Row(
        DATASET,
        method,
        {**measured.values, **alike},
        ours=True,
        peak_mb=measured.peak_mb,
        interval=measured.interval,
        note=note,
    )


def _list(own: Taste, models: Models, now: int, diversity: float) -> list[int]:
    """The product's list, rows padded with NOTHING."""
    picks = recommend(Request(intent="for_you", n=K, diversity=diversity), models=models, taste=own, now=now).picks
    rows = [pick.row for pick in picks if pick.row is not None]
    return rows + [NOTHING] * (K - len(rows))


def _cases(parts: Cut, models: Models, now: int) -> Cases:
    """Of the customers who bought something new to them in the test days, a thousand drawn by seed 0, in the order of their ids."""
    before, after = (matrices.customers(part, now=None).held for part in (parts.train, parts.test))
    new = (after - after.multiply(before)).tocsr()
    new.eliminate_zeros()
    found = np.flatnonzero((np.diff(before.indptr) > 0) & (np.diff(new.indptr) > 0))
    drawn = np.sort(np.random.default_rng(0).permutation(found)[:CUSTOMERS])
    wanted = parts.train.customers.texts(drawn)
    documents = dict(profiles(parts.train, now=now))
    return Cases([taste(load(documents[name]), models, now=now) for name in wanted], new[drawn])


def _words(reading: Reading) -> Words:
    """The words of each item's title."""
    items = reading.history.items
    titles = [str(reading.products.get(item_id, {}).get("title") or "") for item_id in items.texts(range(len(items)))]
    return [frozenset(WORD.findall(title.lower())) for title in titles]


def _alike(shown: np.ndarray[tuple[int, int], np.dtype[np.int32]], models: Models, words: Words) -> dict[str, float]:
    """How alike the items of a list are, the mean over lists."""
    cosine, jaccard = [], []
    for padded in shown:
        rows = padded[padded != NOTHING]
        items = Similarity.of(rows, catalogue=models.catalogue, factors=models.factors)
        pairs = list(combinations(range(len(rows)), 2))
        cosines = np.array([items.to(place) for place in range(len(rows))])
        cosine.append(np.mean([cosines[pair] for pair in pairs]) if pairs else np.nan)
        jaccard.append(
            np.mean([_jaccard(words[rows[one]], words[rows[two]]) for one, two in pairs]) if pairs else np.nan
        )
    return {"cosine": mean(np.array(cosine)), "title words": mean(np.array(jaccard))}


def _jaccard(one: frozenset[str], two: frozenset[str]) -> float:
    return len(one & two) / max(len(one | two), 1)
