"""The next click of a visit, on the demo shop: HR@20, MRR@20, NDCG@20 over all items (Ludewig et al. 2021 measure the first two).

No data set here holds real visits: Online Retail knows baskets alone, and the lines of a basket have no order. The demo shop is generated,
and its visitors are drawn to one type and colour, so this shows that visits are learnt and used, not how much real ones would gain.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.quality import plain
from benchmarks.quality.measure import Scorer, lead, ranked, row
from benchmarks.quality.rows import Row, timed
from models.bundle import Models
from models.settings import Settings
from training import learn, matrices, scoring
from training.demo import write_demo
from training.demo.days import NOW
from training.history import History
from training.learn import Terms
from training.queries import next_clicks
from training.read import read
from training.scoring import Sources
from training.split import cut

DATASET = "visits"
SHOWN = ("hr", "mrr", "ndcg")
K = 20


def run(_: Path, *, threads: int = 1) -> list[Row]:
    """The rows of the table; the demo shop is written anew, so it is never missing."""
    settings = Settings()
    parts = cut(_history(settings, threads))
    terms = Terms(settings, parts.at or 0, threads=threads)
    with timed() as choosing:
        chosen = learn.choose(parts.train, terms)
    with timed() as fitting:
        models = learn.learn(parts.train, chosen, terms)
    asked = next_clicks(parts.train, parts.test).weighed(models.blend, now=None)
    held = matrices.customers(parts.train, now=None).held
    best = ranked(asked, _mixed(models, "session"), K)
    rows = []
    for name, scorer in {
        "popularity": plain.popularity(held),
        "implicit item-kNN, cosine": plain.item_knn(held, k=200, threads=threads),
    }.items():
        lists = ranked(asked, scorer, K)
        low, high = lead(best, lists)
        rows.append(
            row(DATASET, name, lists, SHOWN, note=f"the blend for visits leads by {low:+.4f} to {high:+.4f} ndcg")
        )
    for name, called in {"alike": "neighbours: same people", "factors": "ALS", "sessions": "nearest visits"}.items():
        if getattr(models, name) is not None:
            own = Sources(**{name: getattr(models, name)})
            rows.append(row(DATASET, called, ranked(asked, _alone(name, own), K), SHOWN, ours=True))
    rows.append(row(DATASET, "blend for customers", ranked(asked, _mixed(models, "for_you"), K), SHOWN, ours=True))
    told = f"{len(asked):,} visits; {models.blend.of('session')}; {chosen.items.contest['session']}; choosing {choosing.seconds:.0f} s"
    return [*rows, row(DATASET, "blend for visits", best, SHOWN, ours=True, seconds=fitting.seconds, note=told)]


def _history(settings: Settings, threads: int) -> History:
    with TemporaryDirectory() as folder:
        demo = write_demo(Path(folder))
        files = [str(demo.purchases), str(demo.behaviour)]
        return read(files, columns={}, settings=settings.history, shop=settings.shop, now=NOW, threads=threads).history


def _alone(name: str, own: Sources) -> Scorer:
    return lambda visits: scoring.score(own, visits, now=None)[name]


def _mixed(models: Models, intent: str) -> Scorer:
    sources = Sources.of(models, intent)
    return lambda visits: scoring.mix(models.blend, intent, scoring.score(sources, visits, now=None))
