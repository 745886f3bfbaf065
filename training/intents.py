"""Purchase intent in a run: what customers are told apart by, the model, and how well it foretold the past months."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.behaviour import UNKNOWN
from models.catalogue import Catalogue
from models.intent import PLACE_FIELDS, Intent, top_category
from models.vocabulary import MISSING
from training.behaviours import Past
from training.fit import intent as learner
from training.fit.intent import Kinds
from training.foresight import Foresight, foresight
from training.profile_rows import Rows

MOST_KINDS = 12  # categories, and places, that have a feature of their own
MOST_ROWS = 150_000  # customers × months that are learnt from; of more customers, every so many-th
NO_TIMES = "the history has no times"
TOO_FEW = "too few months, customers or orders"


@dataclass(frozen=True)
class Learnt:
    """The model (None: `why` not), and how well models of past months foretold the next, one a horizon."""

    intent: Intent | None = None
    measured: tuple[Foresight, ...] = ()
    why: str | None = None

    @property
    def manifest(self) -> dict[str, Any]:
        """As JSON."""
        return {"why_not": self.why, "measured": [part.manifest for part in self.measured]}


def learn(rows: Rows, kinds: Kinds, *, now: int, measured: bool = True) -> Learnt:
    """The model as of `now`, of rows with times; with `measured`, also what its like would have foretold of the past months."""
    every = max(-(-len(rows.customers) * 24 // MOST_ROWS), 1)
    known = learner.cuts(Past(rows, category=kinds.category, place=kinds.place, every=every), now=now, kinds=kinds)
    model = learner.learn(known, kinds)
    if model is None:
        return Learnt(why=TOO_FEW)
    return Learnt(model, foresight(known, kinds) if measured else ())


def kinds_of(rows: Rows, catalogue: Catalogue, attributes: Iterable[Mapping[str, Any]]) -> Kinds:
    """What the catalogue says of items and the shop of customers; the commonest top categories and places have features of their own."""
    category, customers = catalogue.category, rows.customers
    tops = [top_category(category.values.text(code)) for code in range(len(category.values))]
    names = _commonest(tops[code] for code in category.code.tolist() if code != MISSING)
    of_top = np.array([names.index(top) if top in names else UNKNOWN for top in tops] + [UNKNOWN], dtype=np.int32)
    said = _places(attributes)
    places = _commonest(said.values())
    place = np.full(len(customers), UNKNOWN, dtype=np.int32)
    for customer_id, name in said.items():
        if name in places and (row := customers.row(customer_id)) != MISSING:
            place[row] = places.index(name)
    items = catalogue.items.rows(rows.items.texts(range(len(rows.items))))
    return Kinds(names, places, of_top[np.append(category.code, MISSING)[items]], place)


def _places(attributes: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Customer -> where she lives, of the first of PLACE_FIELDS that is said."""
    return {
        str(row["customer_id"]): str(place)
        for row in attributes
        if (place := next((row[name] for name in PLACE_FIELDS if row.get(name)), None))
    }


def _commonest(names: Iterable[str]) -> list[str]:
    """The commonest names that tell at least two kinds apart, equals by name."""
    counts: Sequence[tuple[str, int]] = sorted(Counter(names).items(), key=lambda entry: (-entry[1], entry[0]))
    return sorted(name for name, _ in counts[:MOST_KINDS]) if len(counts) > 1 else []
