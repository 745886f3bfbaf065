"""Segments: which of the shop's `[[segments]]` a customer belongs to now, and which cluster that training found."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from models.behaviour import behaviour
from models.bundle import Models
from models.clusters import NONE
from models.profile import DAY_S, Profile
from models.rules import Rule
from models.settings import Settings, segment_names
from models.toml import Place
from service.lists.merchandising import FIRED, Scene, decided
from service.lists.request import Request
from service.people.customers import Known

SOMEBODY = Request(customer_id="")  # segments read no request


class Segments:
    """The shop's segments, compiled once."""

    def __init__(self, settings: Settings) -> None:
        self._names, self._zone = segment_names(settings), ZoneInfo(settings.shop.time_zone)
        place = Place("valet.toml", "") / "segments"
        self._rules = {
            segment.name: Rule.parse(segment.when, self._names, place / str(number) / "when")
            for number, segment in enumerate(settings.segments)
        }

    def __iter__(self) -> Iterator[str]:
        """Their names, as the shop wrote them."""
        return iter(self._rules)

    def of(self, known: Known, models: Models, *, now: int) -> list[str]:
        """The names of those that she belongs to; none where she refused to be profiled."""
        if not self._rules:
            return []
        states = decided(list(self._rules.values()), self._names, Scene(SOMEBODY, known, models, self._zone, now))
        return [name for name, rule in self._rules.items() if states[rule] == FIRED]


def cluster(profile: Profile, models: Models, *, now: int) -> str | None:
    """The group whose members buy as she does; None where training found none, or she never ordered."""
    if models.clusters is None:
        return None
    today = now // DAY_S
    found = int(models.clusters.of(behaviour(profile, today=today), today=today)[0])
    return None if found == NONE else models.clusters.names[found]
