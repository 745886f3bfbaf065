"""What can be asked of /recommend, as the use case sees it: checked, with the defaults of the placement filled in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from models.filters import Filter
from models.settings import Placement

INTENTS = ("complementary", "similar", "for_you", "buy_again", "trending", "popular", "recently_viewed", "because_you")
N = 10
ABOUT_ITEMS = ("complementary", "similar")


@dataclass(frozen=True)
class Boost:
    """Items that pass the filter count `weight` times."""

    filter: Filter
    weight: float


@dataclass(frozen=True)
class Promotion:
    """At least `percent` of the list are items that pass the filter, as far as there are any."""

    name: str
    percent: float
    filter: Filter


@dataclass(frozen=True)
class Request:
    """One list, asked for. Prices are major units of the shop's currency, as the wire has them; fields are those of the contract."""

    item_ids: tuple[str, ...] = ()
    customer_id: str | None = None
    session_id: str | None = None
    placement: str | None = None
    intent: str | None = None
    n: int | None = None
    category: tuple[str, ...] = ()
    brand: tuple[str, ...] = ()
    price_min: float | None = None
    price_max: float | None = None
    exclude: tuple[str, ...] = ()
    exclude_owned: bool | None = None
    same: tuple[str, ...] = ()
    different: tuple[str, ...] = ()
    filter: Filter | None = None
    boost: tuple[Boost, ...] = ()
    promotions: tuple[Promotion, ...] = ()
    diversity: float = 0.0
    exploration: float = 0.0
    fields: tuple[str, ...] = ()
    lang: str = "en"
    explain: str = "none"
    strict: bool = False
    debug: bool = False
    context: tuple[tuple[str, Any], ...] = ()

    @property
    def without_owned(self) -> bool:
        """Whether what the customer owns stays out: by default for what is chosen for her, and never where it is asked for."""
        return self.intent in ("for_you", "because_you") if self.exclude_owned is None else self.exclude_owned

    @property
    def length(self) -> int:
        """How many items are wanted."""
        return N if self.n is None else self.n

    def at(self, placement: Placement | None) -> Request:
        """The request with its placement's defaults, and the intent that follows from what is known."""
        intent = self.intent or (placement.intent if placement else self._implied())
        return replace(self, intent=intent, n=self.n or (placement.n if placement else N))

    def _implied(self) -> str:
        if self.item_ids:
            return "complementary"
        return "for_you" if self.customer_id or self.session_id else "popular"
