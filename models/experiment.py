"""An experiment of a placement: customers are split by a salted hash into variants, and each variant changes what its lists are made of.

The same customer always falls into the same variant, on every worker and in every process, and nothing is written for it. A new salt
deals anew. The hash is uniform, so that the variants differ by nothing but what they change (Kohavi, Tang & Xu 2020, chapter 4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import accumulate

from models.blend import INTENTS, SOURCES, Blend
from models.toml import Place

_WHOLE = float(1 << 64)


@dataclass(frozen=True)
class Variant:
    """One arm. What is None or empty is as the placement has it; what a request says itself still wins.

    share    how large a part of the customers, relative to the other variants
    blend    intent -> source -> weight, in the place of what training learnt (see models.blend)
    without  names of merchandising rules that are not asked here: a rule is tried by a control without it
    """

    name: str
    share: float = 1.0
    intent: str | None = None
    n: int | None = None
    diversity: float | None = None
    exploration: float | None = None
    blend: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    without: tuple[str, ...] = ()

    def mixed(self, blend: Blend) -> Blend:
        """The blend with this variant's weights."""
        own = {intent: dict(weights) for intent, weights in self.blend.items()}
        return replace(blend, weights={**blend.weights, **own}) if own else blend


@dataclass(frozen=True)
class Experiment:
    """Variants of one placement; the first is the control that the others are compared with."""

    name: str
    variants: tuple[Variant, ...]
    salt: str | None = None  # None: the name

    def variant(self, unit: str) -> Variant:
        """The variant of a customer or session, by hash; the same for ever while name or salt and shares stay."""
        salted = f"{self.salt or self.name}\0{unit}".encode("utf-8", "surrogatepass")
        place = int.from_bytes(blake2b(salted, digest_size=8).digest(), "little") / _WHOLE
        bounds = accumulate(self.shares)
        return next((one for one, bound in zip(self.variants, bounds, strict=True) if place < bound), self.variants[-1])

    @property
    def shares(self) -> tuple[float, ...]:
        """The share of each variant; they sum to 1."""
        whole = sum(one.share for one in self.variants)
        return tuple(one.share / whole for one in self.variants)


def check(experiment: Experiment, place: Place, *, intents: Sequence[str], rules: Sequence[str]) -> None:
    """Raise InputError, with line and cure, for an experiment that cannot be run; `rules` are the names of merchandising rules."""
    names = [one.name for one in experiment.variants]
    if len(names) < 2 or len(set(names)) < len(names):
        raise (place / "variants").error(
            "write two variants or more, each with a name of its own; the first is the control"
        )
    for number, one in enumerate(experiment.variants):
        where = place / "variants" / str(number)
        _check_variant(one, where)
        _check_names(one.without, where / "without", known=rules)
        _check_names([one.intent] if one.intent else [], where / "intent", known=intents)


def _check_variant(variant: Variant, place: Place) -> None:
    if variant.share <= 0:
        raise (place / "share").error("must be above 0; leave the variant out instead")
    if variant.n is not None and not 1 <= variant.n <= 100:
        raise (place / "n").error("must be from 1 to 100")
    for key in ("diversity", "exploration"):
        value = getattr(variant, key)
        if value is not None and not 0 <= value <= 1:
            raise (place / key).error("must be from 0 to 1")
    for intent, weights in variant.blend.items():
        if intent not in INTENTS:
            raise (place / "blend").error(f"{intent!r} has no blend; write one of {', '.join(INTENTS)}")
        for source, weight in weights.items():
            if source not in SOURCES or weight < 0:
                raise (place / "blend").error(
                    f"{source} = {weight}: write a weight of at least 0 for one of {', '.join(SOURCES)}"
                )


def _check_names(names: Sequence[str], place: Place, *, known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise place.error(f"{name!r} is unknown; known here: {', '.join(known) or 'none'}")
