"""Conditions of tiers: CEL (models.rules) over what is known of a customer as of any day (models.life), because tiers are replayed day by day.

    spend orders points refunds complaints                     within the tiers' window
    spent(90)  days_since("purchase")                          and of the telling events: refund, complaint, email_open …
    customer.spent customer.order_days customer.items          of her life until that day
    customer.open_complaints customer.days_since_order customer.days_since_first_order

What is only known as it is now is refused: a change of it would rewrite which tier she had.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from models.clauses import FLAGS, folded
from models.clauses import holds as clauses_hold
from models.formulas import Formula
from models.life import AGES, FACTS, Life, Then
from models.rule_words import Token, tokens_of
from models.rules import WINDOWED, Name, Rule, RuleFailedError, context
from models.toml import Place

COUNTED = ("spend", "orders", "points")  # what the ladder itself counts within the window
NAMES: Mapping[str, Name] = dict.fromkeys((*COUNTED, *(name for name in FACTS if name not in WINDOWED)), "number")
NEWEST = ("view", "cart", "search", "event")  # of these only the newest is kept, and a later one takes its place
ONLY_NOW = {  # what other conditions may read, and why a tier may not
    "attributes": "an attribute is kept as it is now",
    "consents": "a consent says what she allows now, and is no merit",
    "cart": "a cart is kept as it is now",
    "request": "a tier is hers, whatever she asks for",
    "context": "a tier is hers, whatever she asks for",
    "time": "a tier is hers, whatever the hour",
    "views": "of views only the newest days are kept",
    "searched": "of searches only those since the last order are kept",
}


@dataclass(frozen=True)
class Condition:
    """A condition that is ready to be asked.

    turns  the names (calls too) that it reads of a life, each with the numbers that it is compared with
    """

    rule: Rule
    turns: Sequence[tuple[str, Sequence[float]]]

    def holds(self, then: Then) -> bool:
        """Whether it held on a day; False where CEL cannot say."""
        if self.rule.clauses is not None:
            return clauses_hold(self.rule.clauses, then)
        values = {name: then[name] for name in self.rule.names}
        try:
            return self.rule.holds(context(values, {name: then.asked(name) for name in self.rule.functions}))
        except RuleFailedError:
            return False

    def days(self, life: Life) -> set[int]:
        """The days on which it may begin or cease to hold."""
        return {day for name, numbers in self.turns for day in life.turns(name, numbers)}


def parse(source: str, place: Place) -> Condition:
    """The condition in a text. Raises InputError at `place` for what does not parse, or is not known as of any day."""
    tokens = tokens_of(source, place)
    _check_known_then(tokens, place)
    rule = Rule.parse(source, NAMES, place)
    read = sorted({token.text for token in folded(tokens) if token.kind == "name" and token.text not in (*FLAGS, "in")})
    compared = rule.clauses
    reckons = compared is None or any(isinstance(test.name, Formula) for clause in compared for test in clause)
    if reckons and any(_fact(name) in AGES for name in read):
        raise place.error(
            "reckons with an age, which changes every day; compare it with a number alone, joined by && and ||"
        )
    numbers = {
        name: [float(test.value) for clause in compared or () for test in clause if test.name == name] for name in read
    }
    return Condition(rule, [(name, numbers[name]) for name in read if name not in COUNTED])


@lru_cache(maxsize=64)
def parsed(sources: tuple[str, ...]) -> Mapping[str, Condition]:
    """The conditions in texts that were parsed before, by text; an empty one is none."""
    return {source: parse(source, Place("tiers", source)) for source in sources if source}


def _fact(name: str) -> str:
    return name.partition("(")[0]


def _check_known_then(tokens: Sequence[Token], place: Place) -> None:
    for token, *_, argument in zip(tokens, tokens[1:], [*tokens[2:], *tokens[-1:]], strict=False):
        room = token.text.partition(".")[0]
        if token.kind in ("name", "call") and room in ONLY_NOW:
            raise place.error(_only_now(token.text, ONLY_NOW[room]))
        if token.text == "days_since" and argument.text[1:-1] in NEWEST:
            raise place.error(_only_now(f"days_since({argument.text})", "of this only the newest is kept"))


def _only_now(name: str, why: str) -> str:
    return (
        f"{name!r} is not known as of every day: {why}, and tiers are replayed day by day, so that a change would rewrite her past. "
        f'Let a segment or an action ask for it; a tier reads {", ".join(NAMES)}, spent(90) and days_since("purchase")'
    )
