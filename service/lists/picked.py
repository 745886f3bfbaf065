"""Picked: a customer's best items as answers show them; what service.lists.picks and reasons say of one list of the best as they are."""

from __future__ import annotations

from collections.abc import Sequence

from models.catalogue import Catalogue
from service.lists.picks import Pick, shown
from service.lists.question import Rows
from service.lists.reasons import code_of, told
from service.lists.scored import Best

INTENT = "for_you"


def picked(best: Best, carriers: Rows, *, names: Sequence[str], catalogue: Catalogue, lang: str) -> tuple[Pick, ...]:
    """The picks of a list.

    carriers  int32[n]  of her history the row that gave most to what factors say      names  the sources, as in the shares
    """
    rows, owned = best.rows.tolist(), frozenset(best.taste.owned.tolist())
    strongest = [names[place] for place in best.shares.argmax(axis=0).tolist()]
    anchors = [
        carrier if source == "factors" else anchor
        for source, carrier, anchor in zip(strongest, carriers.tolist(), best.anchors.tolist(), strict=True)
    ]
    why = [
        (code_of(INTENT, source, row, anchor, owned), row, anchor)
        for source, row, anchor in zip(strongest, rows, anchors, strict=True)
    ]
    shares = [dict(zip(names, gave, strict=True)) for gave in best.shares.T.tolist()]
    reasons = told(why, catalogue, lang)
    return tuple(map(Pick, rows, catalogue.items.texts(rows), shown(best.scores), strongest, reasons, shares))
