"""The map of types: which types of items complete which, as learnt, as the shop edits it in `valet.toml`, and as the report shows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from models import titles
from models.affinity import Affinity
from models.attributes import TYPE
from models.catalogue import Catalogue
from models.complements import Complements
from models.settings import ComplementSettings
from models.vocabulary import MISSING, Vocabulary

CALLS = float(np.log(5))  # what a pair that the shop adds says at least: five times as often as by chance
SHOWN_TYPES, SHOWN_OTHERS, SHOWN_PAIRS = 40, 5, 10
LEAST_BASKETS = 10  # that hold a pair which is shown as one-sided


def edited(learnt: Complements, said: ComplementSettings) -> Complements:
    """The complements with the shop's map; types that the catalogue does not know change nothing (`unknown` names them)."""
    completes, types, lifts = learnt.completes.copy(), learnt.lexicon.types, learnt.type
    for kind in _codes(types, said.self_):
        completes[kind, kind] = True
    for first, others in said.add.items():
        for one in _codes(types, [first]):
            for other in _codes(types, others):
                completes[one, other] = True
                lifts = _raised(lifts, one, other)
    for first, others in said.forbid.items():
        for one in _codes(types, [first]):
            completes[one, _codes(types, others)] = False
    return replace(learnt, completes=completes, type=lifts)


def unknown(learnt: Complements, said: ComplementSettings) -> list[str]:
    """The types of the settings that the catalogue does not have, sorted."""
    named = {*said.self_}
    for table in (said.add, said.forbid):
        named |= {*table, *(other for others in table.values() for other in others)}
    return sorted(name for name in named if not _codes(learnt.lexicon.types, [name]))


def described(learnt: Complements, catalogue: Catalogue, said: ComplementSettings) -> dict[str, Any]:
    """As JSON: the types with most baskets and what completes them best, the most one-sided pairs of items, types that are not known."""
    return {"types": _types(learnt), "one_sided": one_sided(learnt, catalogue), "unknown": unknown(learnt, said)}


def one_sided(learnt: Complements, catalogue: Catalogue) -> list[dict[str, Any]]:
    """The pairs of items whose P(j | i) and P(i | j) differ most, counts alone, shrunk by μ; the side that calls more first."""
    pairs = learnt.pairs
    first = np.repeat(np.arange(len(learnt)), np.diff(pairs.indptr))
    often = np.flatnonzero(pairs.support >= LEAST_BASKETS)
    first, second, counted = first[often], pairs.indices[often], pairs.scores[often]
    there, back = (counted / (learnt.baskets[rows] + learnt.mass) for rows in (first, second))
    best = np.argsort(back - there, kind="stable")[:SHOWN_PAIRS]
    return [
        {
            "item": _title(catalogue, int(first[place])),
            "calls_for": _title(catalogue, int(second[place])),
            "there": round(float(there[place]), 4),
            "back": round(float(back[place]), 4),
            "baskets": int(pairs.support[often[place]]),
        }
        for place in best
        if there[place] > back[place]
    ]


def _types(learnt: Complements) -> list[dict[str, Any]]:
    """A row each of the types with most baskets: how many items, whether it completes itself, and its best others with P(t | s) / P(t)."""
    codes, types = learnt.known.codes[TYPE], learnt.lexicon.types
    known = codes != MISSING
    often = np.bincount(codes[known], weights=learnt.baskets[known], minlength=len(types))
    items = np.bincount(codes[known], minlength=len(types))
    return [
        {
            "type": types.text(kind),
            "items": int(items[kind]),
            "itself": bool(learnt.completes[kind, kind]),
            "others": _others(learnt, kind),
        }
        for kind in np.argsort(-often, kind="stable")[:SHOWN_TYPES].tolist()
        if often[kind] > 0
    ]


def _others(learnt: Complements, kind: int) -> list[dict[str, Any]]:
    said = learnt.type.beside(kind)[:-1].copy()
    said[~learnt.completes[kind, :-1]] = -np.inf
    best = np.argsort(-said, kind="stable")[:SHOWN_OTHERS]
    types = learnt.lexicon.types
    return [
        {"type": types.text(int(other)), "lift": round(float(np.exp(said[other])), 2)}
        for other in best
        if said[other] > 0
    ]


def _raised(lifts: Affinity, first: int, second: int) -> Affinity:
    """The same where a listed pair says CALLS at least."""
    pairs, same = lifts.pairs.copy(), lifts.same.copy()
    if first == second:
        same[first] = max(same[first], CALLS)
    at = lifts.place[first], lifts.place[second]
    if first != second and max(at) < len(lifts.listed):
        pairs[at] = max(pairs[at], CALLS)
    return replace(lifts, pairs=pairs, same=same)


def _codes(types: Vocabulary, names: Iterable[str]) -> list[int]:
    """The codes of these types, as a shop may write them ("Court shoes" for court shoe); unknown ones are left out."""
    rows = [types.row(" ".join(titles.tokens(name))) for name in names]
    return [row for row in rows if row != MISSING]


def _title(catalogue: Catalogue, row: int) -> str:
    return str(catalogue.fields(row).get("title") or catalogue.items.text(row))
