"""Black dress → black shoes, on Polyvore: half of the outfits train, half test, and every item of the test half is new.

Given the name of an upper or a bottom (dresses are bottoms), all shoes of the test half are ranked: HR@10, MRR, the share of shoes of its colour
among the first ten beside the share among the true shoes, of all anchors that name a colour and of black ones. Means of 5 seeded halves. What is
learnt of the train half (training.fit.complements) is tuned on cuts of that half alone; the test half is put in as newcomers are.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.rows import Row, peak_mb, timed
from models import titles
from models.vocabulary import MISSING, Vocabulary
from training import matrices
from training.fit import complements as fit_complements
from training.fit.affinities import Goods
from training.history import NO_TIME, History
from training.queries import completions

DATASET = "polyvore"
FILE = "polyvore/outfits.json"
HALVES, K = 5, 10
ANCHORS, ASKED = ("upper", "bottom"), "shoe"
PSEUDO_COUNT = 2.0
WORD = re.compile(r"[\w']+")

Outfit = dict[str, str]  # slot -> name
Scores = NDArray[np.float64]  # float64[queries, shoes]


@dataclass(frozen=True)
class Half:
    """The outfits that train, and what the others ask.

    anchors  names     slots  theirs     shoes  names of all shoes of the test half     true  int64[anchors]  which of them stood beside
    """

    train: Sequence[Outfit]
    anchors: Sequence[str]
    slots: Sequence[str]
    shoes: Sequence[str]
    true: NDArray[np.int64]


Method = Callable[[Half], Scores]


def run(data: Path) -> list[Row]:
    """The rows of the table; none where the data set is not there."""
    if not (data / FILE).exists():
        return []
    halves = [half(read(data / FILE), seed) for seed in range(HALVES)]
    return [_measured(name, method, halves) for name, method in METHODS.items()]


def read(path: Path) -> list[Outfit]:
    """The names by slot of every outfit; items without a name are left out."""
    outfits = json.loads(path.read_text(encoding="utf-8")).values()
    return [{slot: item["name"] for slot, item in outfit.items() if item["name"].strip()} for outfit in outfits]


def half(outfits: Sequence[Outfit], seed: int) -> Half:
    """A seeded half of the outfits, and the questions of the other."""
    order = np.random.default_rng(seed).permutation(len(outfits))
    train, test = ([outfits[place] for place in part] for part in (order[: len(order) // 2], order[len(order) // 2 :]))
    with_shoes = [outfit for outfit in test if ASKED in outfit]
    asked = [
        (outfit[slot], slot, place) for place, outfit in enumerate(with_shoes) for slot in ANCHORS if slot in outfit
    ]
    return Half(
        train,
        [name for name, _, _ in asked],
        [slot for _, slot, _ in asked],
        [outfit[ASKED] for outfit in with_shoes],
        np.array([place for _, _, place in asked]),
    )


# --- ours -------------------------------------------------------------------------------------------------------------------------------


def ours(asked: Half) -> Scores:
    """P(shoe | anchor), learnt of the train half's baskets and titles; anchors and shoes are newcomers."""
    history, items = as_history(asked.train)
    goods = Goods.of(items)
    by_basket = matrices.baskets(history, now=None)
    nothing = completions(history, history.where(np.zeros(len(history), dtype=np.bool_)))
    _, learnt = fit_complements.search(by_basket, goods, nothing)
    newcomers = [{"title": name} for name in (*asked.anchors, *asked.shoes)]
    shop, first = learnt.longer(newcomers), len(learnt)
    anchors = range(first, first + len(asked.anchors))
    return np.stack([shop.of(row)[first + len(asked.anchors) :] for row in anchors]).astype(np.float64)


def as_history(outfits: Sequence[Outfit]) -> tuple[History, list[dict[str, str]]]:
    """Outfits as baskets of a shop where every item is sold once, and the items' fields."""
    basket = np.repeat(np.arange(len(outfits), dtype=np.int32), [len(outfit) for outfit in outfits])
    names = [name for outfit in outfits for name in outfit.values()]
    rows = len(names)
    history = History(
        Vocabulary.of(()),
        Vocabulary.of_sorted([f"{row:06d}" for row in range(rows)]),
        customer=np.full(rows, MISSING, dtype=np.int32),
        item=np.arange(rows, dtype=np.int32),
        order=basket,
        at=np.full(rows, NO_TIME),
        quantity=np.ones(rows, dtype=np.float32),
        amount=np.zeros(rows, dtype=np.int64),
        event=np.zeros(rows, dtype=np.int8),
    )
    return history, [{"title": name} for name in names]


# --- beside it --------------------------------------------------------------------------------------------------------------------------


def by_chance(asked: Half) -> Scores:
    """Random order."""
    return np.random.default_rng(len(asked.anchors)).random((len(asked.anchors), len(asked.shoes)))


def popular_colour(asked: Half) -> Scores:
    """Shoes of the colour that most shoes of the train half have, whatever the anchor."""
    colours = Counter(titles.colour(outfit[ASKED]) for outfit in asked.train if ASKED in outfit)
    del colours[None]
    often = [float(colours[titles.colour(name)]) for name in asked.shoes]
    return np.broadcast_to(np.array(often), (len(asked.anchors), len(asked.shoes)))


def shared_words(asked: Half) -> Scores:
    """Σ idf of the words that both titles have."""
    every = [_words(name) for outfit in asked.train for name in outfit.values()]
    known = Vocabulary.of(word for name in (*asked.anchors, *asked.shoes) for word in _words(name))
    titles_with = Counter(word for words in every for word in words)
    idf = np.array([np.log((len(every) + 1) / (titles_with[word] + 1)) for word in known.texts(range(len(known)))])
    scores: Scores = (_bags(asked.anchors, known) * idf) @ _bags(asked.shoes, known).T
    return scores


def log_lift(asked: Half) -> Scores:
    """Σ log (c + 2) / (E + 2) over the pairs of a word of the anchor and a word of the shoe, counted in anchors beside shoes."""
    pairs = [
        (outfit[slot], outfit[ASKED]) for outfit in asked.train if ASKED in outfit for slot in ANCHORS if slot in outfit
    ]
    return _log_lift(asked, pairs)


def log_lift_of_all(asked: Half) -> Scores:
    """The same, counted in any two items of an outfit."""
    pairs = [
        (first, second)
        for outfit in asked.train
        for one, first in outfit.items()
        for other, second in outfit.items()
        if one != other
    ]
    return _log_lift(asked, pairs)


def _log_lift(asked: Half, pairs: Sequence[tuple[str, str]]) -> Scores:
    known = Vocabulary.of(word for pair in pairs for name in pair for word in _words(name))
    left, right = (_bags([pair[side] for pair in pairs], known) for side in (0, 1))
    seen = left.T @ right
    chance = np.outer(left.sum(axis=0), right.sum(axis=0)) / len(pairs)
    lifts = np.log((seen + PSEUDO_COUNT) / (chance + PSEUDO_COUNT))
    return _bags(asked.anchors, known) @ lifts @ _bags(asked.shoes, known).T


def _words(name: str) -> frozenset[str]:
    return frozenset(WORD.findall(name.lower()))


def _bags(names: Sequence[str], known: Vocabulary) -> Scores:
    """float64[names, words]: which known words each has."""
    bags = np.zeros((len(names), len(known) + 1))
    for place, name in enumerate(names):
        bags[place, known.rows(_words(name))] = 1  # unknown words mark the last column, which is cut off
    return bags[:, :-1]


METHODS: dict[str, Method] = {
    "random": by_chance,
    "popular colour": popular_colour,
    "shared words by idf": shared_words,
    "log-lift of words": log_lift,
    "log-lift, all pairs of slots": log_lift_of_all,
    "complements": ours,
}


# --- measuring --------------------------------------------------------------------------------------------------------------------------


def measured(asked: Half, scores: Scores) -> dict[str, float]:
    """The figures of one half, without those of colours that no anchor has.

    Equal scores stand in the order of the test half, which is random.
    """
    order = np.argsort(-scores, axis=1, kind="stable")
    rank = 1 + np.argmax(order == asked.true[:, None], axis=1)
    values = {f"hr@{K}": float(np.mean(rank <= K)), "mrr": float(np.mean(1 / rank))}
    colour = np.array([titles.colour(name) or "" for name in asked.anchors])
    shown = np.array([titles.colour(name) or "" for name in asked.shoes])
    groups = {"same colour": colour != ""}
    groups |= {f"black {slot}": (colour == "black") & (np.array(asked.slots) == slot) for slot in ANCHORS}
    for name, chosen in groups.items():
        if not chosen.any():
            continue
        values[name] = float(np.mean(shown[order[chosen, :K]] == colour[chosen, None]))
        values[f"{name}, true"] = float(np.mean(shown[asked.true[chosen]] == colour[chosen]))
    return values


def _measured(name: str, method: Method, halves: Sequence[Half]) -> Row:
    with timed() as clock:
        found = [measured(one, method(one)) for one in halves]
    means = {key: float(np.mean([values[key] for values in found])) for key in found[0]}
    spread = {key: np.std([values[key] for values in found], ddof=1) for key in (f"hr@{K}", "mrr")}
    note = "; ".join(f"{key} ± {value:.4f} between halves" for key, value in spread.items())
    is_ours = method is ours
    return Row(
        DATASET, name, means, is_ours, clock.seconds if is_ours else None, peak_mb() if is_ours else None, note=note
    )
