"""Recommend: one list for one request. Plain functions: the models, the customer's taste and the time come in, an answer goes out.

question → mask → stages (the intent, then its fallbacks) → selection, until the list is full → exploration → picks with their reasons
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import takewhile

import numpy as np

from models.bundle import Models
from models.filters import mask
from models.ranking import top
from service.lists.candidates import stages
from service.lists.eligibility import eligible, known
from service.lists.exploration import explore
from service.lists.picks import Pick, picks
from service.lists.question import Mask, Question, Scores, Stage
from service.lists.request import Request
from service.lists.segment import segment
from service.lists.selection import NOTHING, SCORED, Chosen, Share, Wishes, select
from service.lists.taste import Taste
from service.lists.timing import too_early
from service.lists.trace import Trace

ANCHORS = 3  # rows of "because you bought …"
ROTATED = 0.001  # what an item counts that was shown in vain: it stands behind whatever else speaks to her
PERSONAL = ("for_you", "buy_again")  # made for her, and because_you


@dataclass(frozen=True)
class Answer:
    """What the models say to a request.

    fallback     None, or the first intent that filled the list instead of the one asked for
    missing_ids  items asked about that the bundle does not know
    trace        how it came about, where the request says `debug`
    anchored     for `because_you`: the customer's items, each with its list; the first list is `picks`, too
    """

    intent: str
    picks: tuple[Pick, ...] = ()
    fallback: str | None = None
    missing_ids: tuple[str, ...] = ()
    anchored: tuple[tuple[int, tuple[Pick, ...]], ...] = ()
    trace: Trace | None = None

    @cached_property
    def rows(self) -> tuple[int, ...]:
        """The rows of all items that are shown; an item that the bundle does not know has none."""
        shown = [row for _, row in self.anchored] or [self.picks]
        return tuple(pick.row for picks in shown for pick in picks if pick.row is not None)


def recommend(request: Request, *, models: Models, taste: Taste, now: int, wishes: Wishes = NOTHING) -> Answer:
    """The answer to a request; never an ineligible item, and a full list whenever enough items are eligible and it is not strict.

    wishes  what the shop's merchandising wants of the list (service.lists.merchandising); what that caps may leave it short
    """
    wishes = _asked(request, wishes, models)
    if request.intent == "because_you":
        return _because_you(request, models=models, taste=taste, now=now, wishes=wishes)
    return _list(request, models=models, taste=taste, now=now, wishes=wishes, personal=request.intent in PERSONAL)


def _list(request: Request, *, models: Models, taste: Taste, now: int, wishes: Wishes, personal: bool) -> Answer:
    """One list; a personal one puts behind what she was shown in vain."""
    models = _tried(request, models)
    rows, missing = known(models.catalogue, request.item_ids)
    peers = models.catalogue.within(request.category) if request.category and request.intent == "trending" else None
    suits = segment(request.segment, models.catalogue)
    early = too_early(models=models, taste=taste, now=now) if request.intent == "buy_again" else None
    trace = Trace(rules=dict(wishes.rules)) if request.debug else None
    allowed = eligible(
        request, catalogue=models.catalogue, rows=rows, taste=taste, early=early, hidden=wishes.hidden, trace=trace
    )
    question = Question(
        models,
        rows,
        taste,
        owned=request.exclude_owned is False,
        now=now,
        peers=peers,
        allowed=allowed,
        segment=suits,
        n=request.length,
    )
    intent = request.intent or "popular"
    if personal and len(taste.tired):
        wishes = replace(wishes, boosts=_rotated(wishes.boosts, taste, models))
    found = _stages(intent, question, strict=request.strict)
    chosen: Sequence[Chosen] = select(
        trace.noting(found, allowed) if trace else found,
        allowed=allowed,
        wishes=wishes,
        n=request.length,
        models=models,
    )
    chosen = explore(request, chosen, allowed=allowed, wishes=wishes, models=models, now=now)
    made = picks(chosen, wishes.boosts, question=question, lang=request.lang)
    if trace is not None:
        trace.scored(chosen, wishes.boosts, [pick.item_id for pick in made])
    filled_by = (one.stage.intent for one in chosen if one.stage is not None and one.by == SCORED)
    return Answer(
        intent,
        made,
        fallback=next((name for name in filled_by if name != intent), None),
        missing_ids=missing,
        trace=trace,
    )


def _stages(intent: str, question: Question, *, strict: bool | None) -> Iterator[Stage]:
    """The intent and, unless it is strict, its fallbacks."""
    found = stages(intent, question)
    return takewhile(lambda stage: stage.intent == intent, found) if strict else found


def _asked(request: Request, wishes: Wishes, models: Models) -> Wishes:
    """What the shop wishes, and with it the request's own boosts, promotions and diversity."""
    if not (request.boost or request.promotions or request.diversity):
        return wishes
    promoted = (Share(one.percent, mask(one.filter, models.catalogue)) for one in request.promotions)
    return replace(
        wishes,
        boosts=_boosts(request, wishes.boosts, models),
        shares=(*wishes.shares, *promoted),
        diversity=request.diversity or 0.0,
    )


def _tried(request: Request, models: Models) -> Models:
    """The models with the blend that the request's variant tries."""
    return replace(models, blend=request.trial.variant.mixed(models.blend)) if request.trial else models


def rank(request: Request, *, models: Models, taste: Taste, now: int) -> Answer:
    """The items of the request, best first for this customer (most bought first where nothing is known of her). Nothing is left out:
    what the bundle does not know comes last, in the order given."""
    rows, missing = known(models.catalogue, request.item_ids)
    asked = np.zeros(len(models.catalogue), dtype=np.bool_)
    asked[rows] = True
    question = Question(models, rows[:0], taste, owned=True, now=now, allowed=asked, n=len(rows))
    trace = Trace(items=len(rows)) if request.debug else None
    found = stages("for_you", question)
    stage = next(trace.noting(found, asked) if trace else found)
    chosen = [Chosen(row, stage) for row in top(stage.scores, asked, len(rows)).tolist()]
    ordered = picks(chosen, None, question=question, lang=request.lang)
    if trace is not None:
        trace.scored(chosen, None, [pick.item_id for pick in ordered])
    unknown = [Pick(None, item_id, 0.0, "unknown", None, {}) for item_id in missing]
    fallback = None if stage.intent == "for_you" else stage.intent
    return Answer("for_you", (*ordered, *unknown), fallback, missing, trace=trace)


def _because_you(request: Request, *, models: Models, taste: Taste, now: int, wishes: Wishes) -> Answer:
    """A row for each of the customer's latest items, without repeats; without such items the list of `for_you` and no rows.

    What is pinned stands in that list, not in every row.
    """
    asked = request._replace(intent="for_you", exclude_owned=request.without_owned)
    plain = _list(asked, models=models, taste=taste, now=now, wishes=wishes, personal=True)
    unpinned = replace(wishes, pins={}, hidden=_hidden(request, wishes, models))
    anchored: list[tuple[int, tuple[Pick, ...]]] = []
    shown: list[str] = []
    for anchor in _latest(taste):
        asked = request._replace(
            intent="similar",
            item_ids=(models.catalogue.items.text(anchor),),
            exclude=(*request.exclude, *shown),
            exclude_owned=request.without_owned,
            strict=True,
            filter=None,
        )
        if row := _list(asked, models=models, taste=taste, now=now, wishes=unpinned, personal=True).picks:
            anchored.append((anchor, row))
            shown += [pick.item_id for pick in row]
    fallback = (plain.fallback or "for_you") if not anchored else None
    return replace(plain, intent="because_you", fallback=fallback, anchored=tuple(anchored))


def _latest(taste: Taste) -> list[int]:
    """The rows of the items that the customer dealt with last and likes."""
    at = np.where(taste.weights > 0, np.maximum(taste.last_at, taste.seen_at), -1)
    newest = np.argsort(-at, kind="stable")[:ANCHORS]
    return [int(taste.rows[place]) for place in newest if at[place] >= 0]


def _boosts(request: Request, counts: Scores | None, models: Models) -> Scores | None:
    """float32[items]: what each item counts, beginning with the shop's own factors; None where nothing is boosted."""
    if not request.boost:
        return counts
    counts = np.ones(len(models.catalogue), dtype=np.float32) if counts is None else counts.copy()
    for boost in request.boost:
        np.multiply(counts, np.float32(boost.weight), out=counts, where=mask(boost.filter, models.catalogue))
    return counts


def _hidden(request: Request, wishes: Wishes, models: Models) -> Mask | None:
    """What is hidden, and what the request's filter does not let through: looked up once for several lists."""
    if request.filter is None:
        return wishes.hidden
    stopped = ~mask(request.filter, models.catalogue)
    return stopped if wishes.hidden is None else wishes.hidden | stopped


def _rotated(boosts: Scores | None, taste: Taste, models: Models) -> Scores:
    """The same, with what she was shown in vain put behind."""
    rotated = np.ones(len(models.catalogue), dtype=np.float32) if boosts is None else boosts.copy()
    rotated[taste.tired] *= ROTATED
    return rotated
