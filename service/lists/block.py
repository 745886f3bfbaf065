"""A block: the lists of customers for whom the same is asked, made side by side; as `service.lists.recommend` makes each, only quicker.

tastes → folded in → what each source says → mixed and barred → the best → who carried them → reasons. What asks for more than the best items
for a customer whose taste is known goes through `recommend`, alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from models.bundle import Models
from service.lists.picked import picked
from service.lists.recommend import Answer, recommend
from service.lists.request import Request
from service.lists.scored import Scorer
from service.lists.selection import Wishes, variants
from service.lists.taste import Taste

MOST_SCORES = 1 << 22  # what factors say of the customers of a block: 16 MB
MOST_LIKED = 256  # items: longer histories are solved another way (models.factors.Folded)
INTENT = "for_you"
SOURCES = ("together", "alike", "ease", "factors", "popularity")
# Whom a list is for, and what chooses its rules and fallbacks: it changes nothing in a full list of the best
OWN: Mapping[str, Any] = dict.fromkeys(("customer_id", "session_id", "send_id", "context", "segment"))


class Ask(NamedTuple):
    """One list, asked for, and what is known: the arguments of `recommend`."""

    request: Request
    taste: Taste
    wishes: Wishes
    now: int


def recommend_all(asks: Sequence[Ask], *, models: Models) -> Iterator[Answer]:
    """As `recommend` answers each of them, in their order; those that ask for the same make a block."""
    size = max(1, MOST_SCORES // max(len(models.catalogue), 1))
    counted = _counted(models)
    made: dict[int, Answer] = {}
    for places in _alike(asks) if counted else ():
        for start in range(0, len(places), size):
            part = places[start : start + size]
            found = _lists([asks[place] for place in part], models, counted)
            made |= {part[nth]: answer for nth, answer in found.items()}
    for place, (request, taste, wishes, now) in enumerate(asks):
        yield made.get(place) or recommend(request, models=models, taste=taste, now=now, wishes=wishes)


def _alike(asks: Sequence[Ask]) -> list[list[int]]:
    """The places of those that ask for the same; who asks for more than the best items is in none."""
    groups: list[tuple[Request, list[int]]] = []
    for place, ask in enumerate(asks):
        shape = _shape(ask)
        if shape is not None:
            places = next((places for known, places in groups if known == shape), None)
            if places is None:
                groups.append((shape, [place]))
            else:
                places.append(place)
    return [places for _, places in groups]


def _shape(ask: Ask) -> Request | None:
    """What is asked, but for whom; None where it is more than the best items for her."""
    request, wishes = ask.request, ask.wishes
    simple = request.intent == INTENT and request.exclude_owned is not False
    more = request.item_ids or request.boost or request.promotions or request.diversity or request.exploration
    wished = not wishes.plain or wishes.boosts is not None or wishes.hidden is not None
    if not simple or more or wished or request.debug or request.trial:
        return None
    return request._replace(**OWN)


def _counted(models: Models) -> dict[str, float]:
    """What each source counts; nothing where the blend needs others than those that are looked at here, or no factors."""
    counted = {name: weight for name, weight in models.blend.of(INTENT).items() if weight and getattr(models, name)}
    return counted if "factors" in counted and counted.keys() <= set(SOURCES) else {}


def _lists(asks: Sequence[Ask], models: Models, counted: Mapping[str, float]) -> dict[int, Answer]:
    """By its place, each list that is full of the best of what may stand there, no two of them variants."""
    telling = [place for place, ask in enumerate(asks) if _telling(ask.taste, models)]
    if not telling or models.factors is None:
        return {}
    request, tastes = asks[0].request, [asks[place].taste for place in telling]
    best = Scorer.of(models, models.factors, counted, request).best(tastes, request.length)
    if best is None:
        return {}
    theirs = [tastes[place] for place in best.places]
    lists = picked(best, theirs, names=list(counted), catalogue=models.catalogue, request=request)
    found = zip(best.places, best.rows, lists, strict=True)
    group = models.catalogue.group_id.code
    return {telling[place]: Answer(INTENT, picks) for place, rows, picks in found if not variants(group, rows)}


def _telling(taste: Taste, models: Models) -> bool:
    """Whether she likes something; who bought nothing may have come for a visit."""
    visiting = "session" in models.blend.weights and not len(taste.owned)
    liked = int(np.count_nonzero(taste.weights > 0))
    return 0 < liked <= MOST_LIKED and not visiting
