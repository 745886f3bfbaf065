"""The replay: a decision made again from its record and the catalogue that stood then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

from models.action_catalogue import Catalogue
from models.budgets import Level
from models.profile import EMPTY
from models.propensity import Belief
from service.decisions import record as record_of
from service.decisions.answer import answer
from service.decisions.decision import settled
from service.decisions.funnel import Look, Passage
from service.decisions.reach import Reach
from service.decisions.situation import Learnt, Request, Situation
from service.people import facts as facts_of
from service.people.picture import Picture

Shelf = Callable[[str], Catalogue | None]  # a catalogue by its version


@dataclass(frozen=True)
class Replay:
    """The decision made again, and whether it is the same to the byte as what was answered."""

    answer: Mapping[str, Any]
    same: bool


def replay(record: Mapping[str, Any], shelf: Shelf) -> Replay | None:
    """The decision made again; None where its catalogue is no longer known, or another release made it otherwise (record.FORM)."""
    catalogue = shelf(record["catalogue"]) if record.get("form") == record_of.FORM else None
    if catalogue is None:
        return None
    request = asked(record)
    belief = record_of.belief(record, len(catalogue.actions))
    dropped = {code: int(gone, 16) for code, gone in record["dropped"].items()}
    passage = Passage(record_of.passed(record), dropped, belief)
    decision = settled(request, seen(record, catalogue, request, belief=belief), passage)
    made = answer(decision, request, learnt=_learnt(record, catalogue), decision_id=record["decision_id"])
    return Replay(record_of.plain(made), record_of.digest(made) == record["digest"])


def asked(record: Mapping[str, Any]) -> Request:
    """What was asked."""
    return Request(
        customer_id=record["customer_id"],
        channel=record["channel"],
        placement=record["placement"],
        context=record["context"],
        n=record["asked"]["length"],
        explain=record["asked"]["explain"],
        lang=record["asked"]["lang"],
    )


def seen(record: Mapping[str, Any], catalogue: Catalogue, request: Request, *, belief: Belief) -> Look:
    """What was known then, as far as the funnel is behind it."""
    tiers, lifecycle, numbers, words = record["picture"]
    at = Situation(
        channel=record["channel"],
        now=record["now"],
        facts=facts_of.load(None),
        profile=EMPTY,
        picture=Picture(tuple(tiers), lifecycle, numbers, words),
        actions=catalogue,
        belief=belief,
        placement=record["placement"],
        language=request.lang,
        context=record["context"],
        complaint=record["complaint"],
        profiled=record["profiled"],
        arm=record["arm"],
        seed=record["seed"],
        zone=UTC if record["zone"] == "UTC" else ZoneInfo(record["zone"]),
        reach=Reach(record["hour"], record.get("better")),
        allotted=record["allotted"],
        levels={name: Level(*level) for name, level in record["levels"].items()},
    )
    return Look(
        at=at,
        answers={},
        forms=catalogue.index.forms(at.channel, at.placement, at.language),
        refused=0,
        full=0,
        rests=0,
        unaddressable=False,
        late=False,
        unanswered=record["unanswered"],
    )


def _learnt(record: Mapping[str, Any], catalogue: Catalogue) -> Learnt:
    """What the bundle said then: the products, by id, in the order in which they are asked for."""
    treatments = {form.id: form for action in catalogue.actions for form in action.treatments}
    with_items = iter([one["items"] for one in record["actions"] if treatments[one["treatment"]].items is not None])
    return Learnt(attach=lambda *_: next(with_items), model_version=record["model"])
