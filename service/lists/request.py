"""What can be asked of /recommend, as the use case sees it: checked, with the defaults of the placement filled in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar, get_args

from models.experiment import Experiment, Variant
from models.filters import Filter, Group
from models.settings import Adult, Intent, Placement
from service.people.customers import key

INTENTS: tuple[Intent, ...] = get_args(Intent)
T = TypeVar("T")
N = 10
ABOUT_ITEMS = ("complementary", "similar")
DEFAULTS = Variant("")  # changes nothing


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
class Trial:
    """The experiment that a list stands in, the variant that made it, and whose it is (a key of the store)."""

    experiment: Experiment
    variant: Variant
    unit: str


class Request(NamedTuple):
    """One list, asked for. Prices are major units of the shop's currency, as the wire has them; fields are those of the contract."""

    item_ids: tuple[str, ...] = ()
    customer_id: str | None = None
    session_id: str | None = None
    placement: str | None = None
    send_id: str | None = None
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
    diversity: float | None = None
    exploration: float | None = None
    fields: tuple[str, ...] = ()
    lang: str = "en"
    explain: str = "none"
    strict: bool | None = None
    debug: bool = False
    context: tuple[tuple[str, Any], ...] = ()
    trial: Trial | None = None
    segment: tuple[tuple[str, str], ...] = ()
    need_image: bool = False
    adult: Adult = "beside"

    @property
    def without_owned(self) -> bool:
        """Whether what the customer owns stays out: by default for what is chosen for her, and never where it is asked for."""
        return self.intent in ("for_you", "because_you") if self.exclude_owned is None else self.exclude_owned

    @property
    def length(self) -> int:
        """How many items are wanted."""
        return N if self.n is None else self.n

    def at(self, placement: Placement | None) -> Request:
        """The request with its placement's defaults, changed by its variant, and the intent that follows from what is known."""
        if placement is None:
            said = self.intent is not None and self.n is not None
            return self if said else self._replace(intent=self.intent or self._implied(), n=self.length)
        trial = self._trial(placement.experiment)
        variant = trial.variant if trial else DEFAULTS
        return self._replace(
            intent=self.intent or variant.intent or placement.intent,
            n=self.n or variant.n or placement.n,
            diversity=_first(self.diversity, variant.diversity, placement.diversity),
            exploration=_first(self.exploration, variant.exploration, placement.exploration),
            filter=_both(placement.filter, self.filter),
            fields=self.fields or placement.fields,
            strict=_first(self.strict, placement.strict),
            exclude_owned=_first(self.exclude_owned, placement.exclude_owned),
            need_image=self.need_image or placement.need_image,
            adult=placement.adult,
            trial=trial,
        )

    def _trial(self, experiment: Experiment | None) -> Trial | None:
        """Where this list stands in an experiment; None where there is none, or nobody to split by."""
        unit = key(self.customer_id, self.session_id)
        return Trial(experiment, experiment.variant(unit), unit) if experiment and unit else None

    def _implied(self) -> str:
        if self.item_ids:
            return "complementary"
        return "for_you" if self.customer_id or self.session_id else "popular"


def _first(*values: T | None) -> T | None:
    """The first that is said."""
    return next((value for value in values if value is not None), None)


def _both(placement: Filter | None, request: Filter | None) -> Filter | None:
    if placement is None or request is None:
        return placement or request
    return Group("all", (placement, request))
