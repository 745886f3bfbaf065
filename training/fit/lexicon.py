"""Learning the lexicon: which types, colours, brands, genders and words of titles a catalogue knows.

Types are what the columns name (product type, last part of the category) and, from titles, the words that behave like types: they say what
many items are (`titles.heads`, first), and are that in a good share of the titles that have them. Where no column names brands, they are the
words that titles begin with, and that seldom stand elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from models import titles
from models.attributes import BANDS, Fields, Lexicon, colour_of, folded, named_type, title_of, type_of
from models.vocabulary import MISSING, Vocabulary

LEAST_ITEMS, LEAST_SHARE = 5, 0.4  # that a title's word must name to be a type, of the titles that have it
LEAST_BRANDED, LEAST_LEADING = 3, 0.6  # the same of a word that titles begin with, to be a brand
MOST_WORDS = 50_000  # of titles, the most frequent


def fit(items: Sequence[Fields]) -> Lexicon:
    """The lexicon of a catalogue, from the fields of its items."""
    types = Vocabulary.of([*filter(None, map(named_type, items)), *_type_words(items)])
    words = Counter(word for said in items for word in titles.words(title_of(said)))
    frequent = sorted(words, key=lambda word: (-words[word], word))[:MOST_WORDS]
    return Lexicon(
        types=types,
        colours=Vocabulary.of(filter(None, map(colour_of, items))),
        brands=_values(items, "brand") if any(said.get("brand") for said in items) else _leading(items),
        genders=_values(items, "gender"),
        words=Vocabulary.of(frequent),
        price_edges=_edges(types, items),
    )


def _type_words(items: Iterable[Fields]) -> list[str]:
    named: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for said in items:
        found = titles.heads(title_of(said))
        named.update(found[:1])
        seen.update(found)
    return [word for word, n in named.items() if n >= LEAST_ITEMS and n >= LEAST_SHARE * seen[word]]


def _leading(items: Iterable[Fields]) -> Vocabulary:
    """The words that titles begin with."""
    led: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for said in items:
        found = titles.words(title_of(said))
        led.update(found[:1])
        seen.update(found)
    likely = (word for word, n in led.items() if n >= LEAST_BRANDED and n >= LEAST_LEADING * seen[word])
    return Vocabulary.of(word for word in likely if word not in titles.COLOURS)


def _values(items: Iterable[Fields], field: str) -> Vocabulary:
    return Vocabulary.of(filter(None, (folded(said.get(field)) for said in items)))


def _edges(types: Vocabulary, items: Sequence[Fields]) -> NDArray[np.int64]:
    """The prices that part the items of each type into bands of as many; a type of few items has the bands of all."""
    priced = [(type_of(types, said), int(said["price"])) for said in items if said.get("price") is not None]
    kinds = np.array([kind for kind, _ in priced], dtype=np.int64)
    prices = np.array([price for _, price in priced], dtype=np.int64)
    shares = np.arange(1, BANDS) / BANDS
    every = np.quantile(prices, shares) if len(prices) else np.zeros(BANDS - 1)
    edges = np.tile(every, (len(types) + 1, 1))
    for kind in np.unique(kinds[kinds != MISSING]).tolist():
        own = prices[kinds == kind]
        if len(own) >= 4 * BANDS:
            edges[kind] = np.quantile(own, shares)
    return np.ceil(edges).astype(np.int64)
