"""The conditions of actions: `eligibility`, `applicability` and `suitability` in CEL (models.rules), and what they may read.

    customer.tier customer.lifecycle customer.<fact> cart.items cart.total attributes.<name> context.<name>
    request.channel request.placement time.hour time.weekday time.date
    views("shoes", 7) searched("shoes", 7) spent(90) days_since("purchase")

What is read of the customer (PROFILE) is read of nobody who refused to be profiled: such an action is dropped with PROFILING.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from models.actions import FACTS, Action, Actions
from models.clauses import Clauses, Test, call
from models.rule_words import tokens_of
from models.rules import Kind, Name, Names, Rule, kind_of
from models.tiers import LIFECYCLES
from models.toml import Place

MOST_WORDS = 50_000  # of all conditions, the same one counted once: reading them takes a second or two
STAGES = ("ELIGIBILITY", "APPLICABILITY", "SUITABILITY")
PROFILE = ("customer.", "attributes.", "cart.")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

Rules = Mapping[str, Mapping[str, Rule]]  # stage -> action id -> its condition


def names(*, context: Mapping[str, Kind] = {}, attributes: Mapping[str, Kind] = {}, tiers: Sequence[str] = ()) -> Names:
    """What a condition may read, by name; without tiers of the shop's own any text is one."""
    known: dict[str, Name] = {
        "customer.tier": ("", *tiers) if tiers else "text",
        "customer.lifecycle": ("", *LIFECYCLES),
        **{f"customer.{fact}": "number" for fact in FACTS},
        "cart.items": "number",
        "cart.total": "number",
        "request.channel": "text",
        "request.placement": "text",
        "time.hour": "number",
        "time.weekday": WEEKDAYS,
        "time.date": "text",
    }
    known |= {f"context.{name}": kind for name, kind in context.items()}
    return known | {f"attributes.{name}": kind for name, kind in attributes.items()}


NAMES = names()


class Reads(NamedTuple):
    """What the conditions of a catalogue read, each by its name: of which facts, of what was said (and of which kind it is), of which
    windowed functions with which arguments, and the rest by its room.
    """

    facts: Sequence[tuple[str, str]]
    attributes: Sequence[tuple[str, str, Kind]]
    context: Sequence[tuple[str, str, Kind]]
    windows: Sequence[tuple[str, str, tuple[Any, ...]]]
    others: Sequence[str]

    @classmethod
    def of(cls, names: Collection[str], known: Names) -> Reads:
        """What stands behind these names."""
        windows = [name for name in names if name.endswith(")")]
        facts = {f"customer.{fact}": fact for fact in FACTS}
        attributes, context = _said(names, "attributes.", known), _said(names, "context.", known)
        others = {*names} - {*windows, *facts, *(name for name, *_ in (*attributes, *context))}
        return cls(
            facts=[(name, facts[name]) for name in names if name in facts],
            attributes=attributes,
            context=context,
            windows=[(name, *call(name)) for name in windows],
            others=sorted(others),
        )


def _said(names: Collection[str], room: str, known: Names) -> list[tuple[str, str, Kind]]:
    return [(name, name.removeprefix(room), kind_of(known[name])) for name in names if name.startswith(room)]


def compiled(actions: Actions, known: Names, place: Place) -> Rules:
    """Every condition, ready to be asked. Raises InputError with line and cure for one that does not parse or cannot be decided."""
    rules: dict[str, dict[str, Rule]] = {stage: {} for stage in STAGES}
    read: dict[str, Rule] = {}
    words = 0
    for number, action in enumerate(actions.actions):
        for stage, source in action.rules.items():
            here = place / "actions" / str(number) / stage.lower()
            if source not in read:
                words += len(tokens_of(source, here))
                if words > MOST_WORDS:
                    raise here.error(
                        f"with it all conditions have more than {MOST_WORDS:,} names, numbers, texts and signs; ask less"
                    )
                read[source] = Rule.parse(source, known, here)
            rules[stage][action.id] = read[source]
    return rules


def profiled(rule: Rule) -> bool:
    """Whether it reads something of the customer's profile."""
    return bool(rule.functions) or any(name.startswith(PROFILE) for name in rule.names)


def needed(action: Action) -> Clauses:
    """What `needs` asks, as clauses: each fact within its bounds; one that is not known meets none."""
    tests = (
        Test(f"customer.{fact}", sign, bound)
        for fact, bounds in action.needs.items()
        for sign, bound in zip((">=", "<="), bounds, strict=False)
    )
    return tuple((test,) for test in tests)
