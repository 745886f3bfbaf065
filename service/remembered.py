"""Lists in which no customer has a part, remembered: what goes with an item is the same for everybody, as long as the same models answer."""

from __future__ import annotations

from collections.abc import Callable

from models.bundle import Models
from service.recommend import Answer
from service.request import Request
from service.selection import Wishes

MOST = 4_000  # lists of ten that are kept, about 5 kB each; when there are more, it begins anew
MOST_EXCLUDED = 20  # ids; a longer request is not likely to come again


class Remembered:
    """One reference to (models, lists), replaced whole when other models answer: readers need no lock."""

    def __init__(self) -> None:
        self._kept: tuple[Models | None, dict[object, Answer]] = (None, {})

    def answer(self, request: Request, make: Callable[[], Answer], *, models: Models, wishes: Wishes) -> Answer:
        """What `make` answers, or answered before to the same request, of these models, with the same rules fired."""
        if not everybodys(request):
            return make()
        kept_of, kept = self._kept
        if kept_of is not models:
            kept = {}
            self._kept = (models, kept)
        key = (request, *wishes.rules.items())
        found = kept.get(key)
        if found is None:
            if len(kept) >= MOST:
                kept.clear()
            found = kept[key] = make()
        return found


def everybodys(request: Request) -> bool:
    """Whether it names nobody, explores nothing and can be told from others by its plain parts: then time and customers change nothing."""
    return (
        request.customer_id is None
        and request.session_id is None
        and request.send_id is None
        and request.filter is None
        and not (request.exploration or request.debug or request.boost or request.promotions)
        and len(request.exclude) <= MOST_EXCLUDED
    )
