"""Attributes: what an item is, as codes, from the catalogue's columns or, where there are only titles, from the titles.

A pure function of an item's fields, so that an item that training never saw has attributes the second it is put in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import titles
from models.vocabulary import MISSING, Vocabulary

CODED = ("type", "colour", "brand", "price", "gender")  # rows of Attributes.codes
TYPE, COLOUR, BRAND, PRICE, GENDER = range(len(CODED))
BANDS = 5  # price bands of a type, with as many items each

Fields = Mapping[str, Any]  # of an item, by the names of the contract; `price` in minor units


@dataclass(frozen=True)
class Lexicon:
    """What training found worth numbering.

    types, colours, brands, genders, words  the known values, in small letters; a type is a product type, the last part of a category,
                                            or a word of titles that behaves like one; so is a brand where no column names any
    price_edges  int64[types + 1, BANDS - 1]  minor units from which the next band begins; the last row is for items of no known type
    """

    types: Vocabulary
    colours: Vocabulary
    brands: Vocabulary
    genders: Vocabulary
    words: Vocabulary
    price_edges: NDArray[np.int64]

    @property
    def named(self) -> tuple[Vocabulary | None, ...]:
        """The values of each of CODED, None for price bands, which have no names."""
        return (self.types, self.colours, self.brands, None, self.genders)

    def values(self, name: str) -> int:
        """How many values one of CODED has."""
        vocabulary = self.named[CODED.index(name)]
        return BANDS if vocabulary is None else len(vocabulary)


@dataclass(frozen=True)
class Attributes:
    """Items as codes; -1 where nothing is known. All are int64, as indices are: others would be converted at each use.

    codes   int64[len(CODED), items]
    words   int64[most words, items]   words of the title, each once, -1 behind the last
    strange int64[most strange, items] words that the lexicon lacks, as hashes; 0 behind the last
    """

    codes: NDArray[np.int64]
    words: NDArray[np.int64]
    strange: NDArray[np.int64]

    def __len__(self) -> int:
        return int(self.codes.shape[1])

    def of(self, rows: NDArray[np.int32]) -> Attributes:
        """The attributes of some rows."""
        return Attributes(self.codes[:, rows], self.words[:, rows], self.strange[:, rows])

    def followed_by(self, others: Attributes) -> Attributes:
        """These items, then those."""
        return Attributes(
            np.concatenate([self.codes, others.codes], axis=1),
            _beside(self.words, others.words, MISSING),
            _beside(self.strange, others.strange, 0),
        )


def attributes(lexicon: Lexicon, items: Sequence[Fields]) -> Attributes:
    """The attributes of some items by their fields; an empty mapping is an item of which nothing is known."""
    codes = np.full((len(CODED), len(items)), MISSING, dtype=np.int64)
    known: list[list[int]] = []
    strange: list[list[int]] = []
    for place, said in enumerate(items):
        codes[TYPE, place] = kind = type_of(lexicon.types, said)
        codes[COLOUR, place] = lexicon.colours.row(colour_of(said) or "")
        codes[BRAND, place] = lexicon.brands.row(brand_of(said))
        codes[PRICE, place] = _band(lexicon.price_edges[kind], said.get("price"))
        codes[GENDER, place] = lexicon.genders.row(folded(said.get("gender")))
        found = [(lexicon.words.row(word), word) for word in titles.words(title_of(said))]
        known.append([code for code, _ in found if code != MISSING])
        strange.append([_hash(word) for code, word in found if code == MISSING])
    return Attributes(codes, _columns(known, MISSING), _columns(strange, 0))


def type_of(types: Vocabulary, said: Fields) -> int:
    """The code of an item's type: its product type, its category, else the likeliest word of its title that is a known type."""
    for text in (named_type(said), *titles.heads(title_of(said))):
        if text and (code := types.row(text)) != MISSING:
            return code
    return MISSING


def named_type(said: Fields) -> str:
    """The type that the catalogue's columns name, singular and in small letters; "" for none."""
    text = said.get("product_type") or str(said.get("category") or "").rpartition(">")[2]
    return " ".join(titles.tokens(str(text)))


def colour_of(said: Fields) -> str | None:
    """The colour by its usual English name; a column's own word where that has none; None where neither column nor title says."""
    text = folded(said.get("colour"))
    return (titles.colour(text) or text) if text else titles.colour(title_of(said))


def brand_of(said: Fields) -> str:
    """What the brand's column says, else the word that the title begins with: often a brand, and the lexicon knows which; "" for none."""
    return folded(said.get("brand")) or next(iter(titles.words(title_of(said))), "")


def folded(value: Any) -> str:
    """A column's text in small letters, without spaces around it; "" for none."""
    return str(value).strip().lower() if value is not None else ""


def title_of(said: Fields) -> str:
    """The English title, else the Thai one; "" for none."""
    return str(said.get("title") or said.get("title_th") or "")


def _band(edges: NDArray[np.int64], price: int | None) -> int:
    return MISSING if price is None else int(np.searchsorted(edges, price, side="right"))


def _columns(lists: Iterable[Sequence[int]], filler: int) -> NDArray[np.int64]:
    """int64[longest list, lists]: the lists as columns, filled up at the bottom."""
    lists = list(lists)
    filled = np.full((max(map(len, lists), default=0), len(lists)), filler, dtype=np.int64)
    for place, codes in enumerate(lists):
        filled[: len(codes), place] = codes
    return filled


def _beside(left: NDArray[np.int64], right: NDArray[np.int64], filler: int) -> NDArray[np.int64]:
    """Two arrays of columns side by side, the shorter columns filled up at the bottom."""
    height = max(len(left), len(right))
    parts = [np.pad(part, ((0, height - len(part)), (0, 0)), constant_values=filler) for part in (left, right)]
    return np.concatenate(parts, axis=1)


def _hash(word: str) -> int:
    return int.from_bytes(blake2b(word.encode(), digest_size=7).digest(), "little") + 1
