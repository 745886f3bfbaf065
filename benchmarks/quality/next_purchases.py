"""Next purchases of known customers, Online Retail, both years, the last 28 days held out: Recall@20 and NDCG@20.

With repeats (all items may be shown) and new items only (what the customer had before is neither shown nor relevant).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.quality import plain
from benchmarks.quality.measure import Scorer, lead, ranked, row
from benchmarks.quality.rows import Row, timed
from models.settings import Settings
from training import learn, matrices, scoring
from training.learn import Terms
from training.metrics import Ranked
from training.queries import Queries, next_purchases
from training.read import read
from training.scoring import Histories, Scores, Sources
from training.split import Cut, cut

DATASET = "next purchases"
FILES = ("online_retail/online_retail_2009_2010.parquet", "online_retail/online_retail_2010_2011.csv.gz")
SHOWN = ("recall", "ndcg")
K, TEST_DAYS = 20, 28
TASKS = {"for_you_owned": "", "for_you": "new "}  # intent -> how its metrics are called


@dataclass(frozen=True)
class Method:
    """A way to recommend: scores of a block of histories for an intent, and the seconds of fitting."""

    name: str
    score: Callable[[str, Histories], Scores]
    ours: bool = False
    seconds: float | None = None
    note: str = ""


def run(data: Path, *, threads: int = 1) -> list[Row]:
    """The rows of the table; none where the data set is not there."""
    paths = [str(data / name) for name in FILES]
    if not all(Path(path).exists() for path in paths):
        return []
    settings, now = Settings(), int(time.time())
    history = read(paths, columns={}, settings=settings.history, shop=settings.shop, now=now, threads=threads).history
    parts = cut(history, days=TEST_DAYS)
    ours, *others = [_ours(parts, settings, threads), *_baselines(parts, threads)]
    rows: list[Row] = []
    for intent, called in TASKS.items():
        asked = next_purchases(parts.train, parts.test, repeats=intent == "for_you_owned")
        best = _lists(asked, ours, intent)
        rows.append(_row(ours, best, called, ours.note))
        for method in others:
            lists = _lists(asked, method, intent)
            low, high = lead(best, lists)
            rows.append(_row(method, lists, called, f"{method.note} the blend leads by {low:+.4f} to {high:+.4f} ndcg"))
    return rows


def _lists(asked: Queries, method: Method, intent: str) -> Ranked:
    return ranked(asked, lambda histories: method.score(intent, histories), K)


def _row(method: Method, lists: Ranked, called: str, note: str) -> Row:
    return row(
        DATASET, method.name, lists, SHOWN, prefix=called, ours=method.ours, seconds=method.seconds, note=note.strip()
    )


def _ours(parts: Cut, settings: Settings, threads: int) -> Method:
    end = parts.at or 0
    terms = Terms(settings, end, threads=threads)
    with timed() as choosing:
        chosen = learn.choose(parts.train, terms)
    with timed() as fitting:
        models = learn.learn(parts.train, chosen, terms)
    sources = Sources(models.together, models.alike, models.factors, models.popularity, models.repeat)

    def score(intent: str, histories: Histories) -> Scores:
        weighed = histories.weighed(models.blend, now=end)
        return scoring.mix(models.blend, intent, scoring.score(sources, weighed, now=end))

    note = f"{models.blend}; choosing {choosing.seconds:.0f} s"
    return Method("blend", score, ours=True, seconds=fitting.seconds, note=note)


def _baselines(parts: Cut, threads: int) -> list[Method]:
    held = matrices.customers(parts.train, now=None).held
    with timed() as fitting_als:
        als = plain.als(held, factors=128, iterations=15, alpha=1, regularization=0.01, threads=threads)
    with timed() as fitting_knn:
        knn = plain.item_knn(held, k=200, threads=threads)
    return [
        _same("popularity", plain.popularity(held)),
        _same("bought most by the customer", plain.bought_most),
        _same("implicit ALS", als, fitting_als.seconds, "128 factors, the library's other defaults;"),
        _same("implicit item-kNN, cosine", knn, fitting_knn.seconds, "K 200;"),
    ]


def _same(name: str, scorer: Scorer, seconds: float | None = None, note: str = "") -> Method:
    """A method that answers every intent alike."""
    return Method(name, lambda _, histories: scorer(histories), seconds=seconds, note=note)
