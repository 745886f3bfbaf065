"""Picked: the best items of customers as answers show them; what service.lists.picks and reasons say of one list of the best as they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat

from models.catalogue import Catalogue
from service.lists.picks import Pick, shown
from service.lists.reasons import code_of, told
from service.lists.request import Request
from service.lists.scored import Best
from service.lists.taste import Taste

INTENT = "for_you"
UNTOLD: dict[str, float] = {}  # never changed


def picked(
    best: Best, tastes: Sequence[Taste], *, names: Sequence[str], catalogue: Catalogue, request: Request
) -> Iterator[tuple[Pick, ...]]:
    """The picks of each list.

    tastes   of the customers whose they are      names  the sources, as in the shares
    request  what all of them asked for: the shares are told where it asks to explain
    """
    strongest, told_shares = best.shares.argmax(axis=1).tolist(), request.explain != "none"
    lists = zip(
        tastes, best.rows.tolist(), shown(best.scores), strongest, best.shares, best.anchors.tolist(), strict=True
    )
    for taste, rows, scores, most, gave, anchors in lists:
        owned = frozenset(taste.owned.tolist())
        sources = [names[place] for place in most]
        carried = zip(sources, rows, anchors, strict=True)
        why = [(code_of(INTENT, source, row, anchor, owned), row, anchor) for source, row, anchor in carried]
        reasons = told(why, catalogue, request.lang)
        given = [dict(zip(names, each, strict=True)) for each in gave.T.tolist()] if told_shares else repeat(UNTOLD)
        yield tuple(map(Pick, rows, catalogue.items.texts(rows), scores, sources, reasons, given))
