"""Who shops in the demo shop: people.toml's example customers, and as many more as its personas make."""

from __future__ import annotations

import tomllib
from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from training.demo.days import DAYS
from training.demo.shelves import Shelves

CUSTOMERS = 2_600
REGULARS = 0.45  # this share was there before the first day
LIFE_DAYS = 600  # mean time until a customer leaves for good, without a word
ABROAD = 0.04
RATE_SHAPE = 1.2  # of the gamma distribution of orders per year over customers
CHANNELS = {"email": 0.75, "line": 0.55, "sms": 0.35, "phone": 0.25}  # share that opts in
OPEN_HOURS = (7, 12, 20)  # the commuters, the lunch break, the sofa


@dataclass(frozen=True)
class Persona:
    """A way of shopping: `types` weigh what a visit begins with, `packs` is the mean number of things bought again and again."""

    name: str
    share: float
    orders_per_year: float
    packs: float
    types: Mapping[str, float]


@dataclass(frozen=True)
class Customer:
    """One customer. `joined` and `left` are day numbers; `packs` are item ids; `open_share` and `open_hour` are her e-mail habits.

    Of an example, people.toml tells `orders` and `events`, days counted back from the end; nothing happens to her by chance.
    """

    customer_id: str
    name: str
    city: str
    language: str
    time_zone: str
    birthday: str
    persona: Persona
    taste: str
    orders_per_year: float
    joined: float
    left: float
    packs: tuple[str, ...]
    consents: tuple[str, ...]
    open_share: float
    open_hour: int
    is_example: bool = False
    profiling: bool = True
    orders: Sequence[Mapping[str, Any]] = ()
    events: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class People:
    """people.toml."""

    personas: Mapping[str, Persona]
    examples: Sequence[Mapping[str, Any]]
    words: Mapping[str, Sequence[str]]

    @property
    def roles(self) -> dict[str, str]:
        """role → customer id of the examples."""
        return {example["role"]: example["customer_id"] for example in self.examples}


def load() -> People:
    """The people as they are written down."""
    text = tomllib.loads(Path(__file__).with_name("people.toml").read_text(encoding="utf-8"))
    personas = {name: Persona(name=name, **persona) for name, persona in text["personas"].items()}
    words = {name: text[name] for name in ("cities", "tastes", "given", "family", "foreign")}
    return People(personas, text["examples"], words)


def customers(people: People, shelves: Shelves, seed: int) -> Iterator[tuple[Customer, np.random.Generator]]:
    """Every customer with a random generator of her own, so that a change to one leaves the others as they are."""
    for number in range(1, CUSTOMERS + 1):
        rng = np.random.default_rng([seed, number])
        customer = _customer(f"C-{number:04}", people, shelves, rng)
        if number <= len(people.examples):
            customer = _example(customer, people.examples[number - 1], people)
        yield customer, rng


def _customer(customer_id: str, people: People, shelves: Shelves, rng: np.random.Generator) -> Customer:
    persona = _persona(people, rng)
    abroad = rng.random() < ABROAD
    joined = 0.0 if rng.random() < REGULARS else float(rng.random() * (DAYS - 1))
    return Customer(
        customer_id=customer_id,
        name=_name(people, rng, foreign=abroad),
        city="Singapore" if abroad else _one(people.words["cities"], rng),
        language="en" if abroad else "th",
        time_zone="Asia/Singapore" if abroad else "Asia/Bangkok",
        birthday=str(date(1955, 1, 1) + timedelta(days=int(rng.integers(50 * 365)))),
        persona=persona,
        taste=_one(people.words["tastes"], rng),
        orders_per_year=float(persona.orders_per_year * rng.gamma(RATE_SHAPE) / RATE_SHAPE),
        joined=joined,
        left=min(joined + float(rng.exponential(LIFE_DAYS)), DAYS),
        packs=_packs(persona, shelves, rng),
        consents=tuple(name for name, share in CHANNELS.items() if rng.random() < share),
        open_share=round(float(rng.random() ** 2), 2),
        open_hour=OPEN_HOURS[rng.integers(len(OPEN_HOURS))],
    )


def _example(customer: Customer, example: Mapping[str, Any], people: People) -> Customer:
    """A drawn customer with all that people.toml tells of her in the place of what was drawn."""
    told = {name: value for name, value in example.items() if name in {known.name for known in fields(Customer)}}
    computed: dict[str, Any] = {
        "persona": people.personas[example["persona"]],
        "joined": float(DAYS - example["joined_days_ago"]),
        "left": float(DAYS - example.get("left_days_ago", 0)),
        "packs": tuple(example.get("packs", ())),
        "consents": tuple(name for name in CHANNELS if name not in example.get("opted_out", ())),
        "is_example": True,
    }
    return replace(customer, **told | computed)


def _persona(people: People, rng: np.random.Generator) -> Persona:
    personas = list(people.personas.values())
    edges = list(accumulate(persona.share for persona in personas))
    return personas[bisect(edges, rng.random() * edges[-1])]


def _name(people: People, rng: np.random.Generator, *, foreign: bool) -> str:
    if foreign:
        return _one(people.words["foreign"], rng)
    return f"{_one(people.words['given'], rng)} {_one(people.words['family'], rng)}"


def _packs(persona: Persona, shelves: Shelves, rng: np.random.Generator) -> tuple[str, ...]:
    """The things that are used up in her home: one product each of some types."""
    used_up = [kind.name for kind in shelves.shop.kinds.values() if kind.cycle_days]
    share = persona.packs / len(used_up)
    return tuple(shelves.pick(name, "", rng).item_id for name in used_up if rng.random() < share)


def _one(words: Sequence[str], rng: np.random.Generator) -> str:
    return words[int(rng.random() * len(words))]
