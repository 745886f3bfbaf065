"""Picked: the best items of customers as answers show them; what service.lists.picks and reasons say of one list of the best as they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from models.catalogue import Catalogue
from service.lists.picks import Pick, shown
from service.lists.reasons import code_of, told
from service.lists.scored import Best
from service.lists.taste import Taste

INTENT = "for_you"


def picked(
    best: Best, tastes: Sequence[Taste], *, names: Sequence[str], catalogue: Catalogue, lang: str
) -> Iterator[tuple[Pick, ...]]:
    """The picks of each list.

    tastes  of the customers whose they are      names  the sources, as in the shares
    """
    strongest, shares = best.shares.argmax(axis=1).tolist(), best.shares.transpose(0, 2, 1).tolist()
    lists = zip(tastes, best.rows.tolist(), shown(best.scores), strongest, shares, best.anchors.tolist(), strict=True)
    for taste, rows, scores, most, gave, anchors in lists:
        owned = frozenset(taste.owned.tolist())
        sources = [names[place] for place in most]
        carried = zip(sources, rows, anchors, strict=True)
        why = [(code_of(INTENT, source, row, anchor, owned), row, anchor) for source, row, anchor in carried]
        reasons = told(why, catalogue, lang)
        given = [dict(zip(names, each, strict=True)) for each in gave]
        yield tuple(map(Pick, rows, catalogue.items.texts(rows), scores, sources, reasons, given))
