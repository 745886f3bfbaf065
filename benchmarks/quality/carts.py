"""Completing whole carts on Online Retail 2010–11: of every later basket of three items or more one is left out (HR@10, NDCG@10).

Training part and items as for `baskets`. Beside it the usual way: each item's counts (or measures made of them) added up over the cart.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.quality import plain
from benchmarks.quality.baskets import FOLDER, TRAIN_UNTIL, purchases, teach, titled
from benchmarks.quality.measure import Scorer, lead, linear, ranked, row
from benchmarks.quality.rows import Row
from models.blend import Blend
from training import matrices, scoring
from training.fit.affinities import Goods
from training.queries import unfinished
from training.scoring import Sources

DATASET = "carts"
SHOWN = ("hr", "ndcg")
K = 10


def run(data: Path, *, threads: int = 1) -> list[Row]:
    """The rows of the table; none where the data set is not there."""
    file = data / FOLDER / "online_retail_2010_2011.csv.gz"
    if not file.exists():
        return []
    history, _ = purchases(file)
    train = history.where(history.at <= TRAIN_UNTIL)
    asked = unfinished(train, history.where(history.at > TRAIN_UNTIL), missing=1)
    taught = teach(train, Goods.of(titled(file, history.items)), threads)  # first, so that its peak memory is its own
    blend, sources = taught.tuned.blend, taught.sources
    best = ranked(asked, _mixed(blend, "cart", sources), K)
    ours = [
        row(DATASET, name, ranked(asked, scorer, K), SHOWN, ours=True) for name, scorer in _ours(blend, sources).items()
    ]
    note = f"{len(asked):,} carts; {blend.of('cart')}; tuning {taught.tuning_s:.0f} s; {taught.tuned.contest['cart']}"
    ours.append(row(DATASET, "blend for carts", best, SHOWN, ours=True, seconds=taught.fitting_s, note=note))
    held = matrices.baskets(train, now=None).held
    plainer = {"popularity": plain.popularity(held)}
    plainer |= {_called(name): linear(weights) for name, weights in plain.similarities(held).items()}
    rows = []
    for name, scorer in plainer.items():
        lists = ranked(asked, scorer, K)
        low, high = lead(best, lists)
        rows.append(row(DATASET, name, lists, SHOWN, note=f"the cart blend leads by {low:+.4f} to {high:+.4f} ndcg"))
    return [*rows, *ours]


def _called(name: str) -> str:
    return "EASE, all kept, λ 200" if name == "EASE" else f"{name}, added up"


def _ours(blend: Blend, sources: Sources) -> dict[str, Scorer]:
    """Our models alone, and what answered carts before they had a blend of their own."""
    names = {
        "together": "neighbours over baskets",
        "ease": "EASE, the K largest kept",
        "sessions": "nearest visits",
        "complements": "complements",
    }
    alone = {called: _alone(name, sources) for name, called in names.items() if getattr(sources, name) is not None}
    return {**alone, "blend for one item": _mixed(blend, "complementary", sources)}


def _alone(name: str, sources: Sources) -> Scorer:
    own = Sources(**{name: getattr(sources, name)})
    return lambda carts: scoring.score(own, carts, now=None)[name]


def _mixed(blend: Blend, intent: str, sources: Sources) -> Scorer:
    return lambda carts: scoring.served(blend, intent, sources, carts, scoring.score(sources, carts, now=None))
