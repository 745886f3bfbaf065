"""Recommend: one list for one request. Plain functions: the models, the customer's taste and the time come in, an answer goes out.

question → mask → stages (the intent, then its fallbacks) → the best of each, until the list is full → reasons
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.bundle import Models
from models.filters import mask
from models.ranking import top
from service.candidates import Question, Rows, Scores, Stage, stages
from service.eligibility import Mask, eligible, known
from service.reasons import Reason, reasons, strongest
from service.request import Request
from service.taste import NONE, Taste
from service.timing import Due, due, too_early
from service.trace import Trace

ANCHORS = 3  # rows of "because you bought …"
DIGITS = 6
ROTATED = 0.05  # what an item counts that was shown in vain
PERSONAL = ("for_you", "buy_again")  # made for her, and because_you


@dataclass(frozen=True)
class Pick:
    """One item of a list.

    row      None for an item that the bundle does not know (only /rank lists such)
    score    0–1, never rising with the rank
    source   the model that gave most to the score
    shares   what each source gave, before the score was brought to 0–1
    due      of an item to be bought again, when that is
    """

    row: int | None
    item_id: str
    score: float
    source: str
    reason: Reason | None
    shares: dict[str, float]
    due: Due | None = None


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


def recommend(request: Request, *, models: Models, taste: Taste, now: int) -> Answer:
    """The answer to a request; never an ineligible item, and a full list whenever enough items are eligible and it is not strict."""
    if request.intent == "because_you":
        return _because_you(request, models=models, taste=taste, now=now)
    return _list(request, models=models, taste=taste, now=now, personal=request.intent in PERSONAL)


def _list(request: Request, *, models: Models, taste: Taste, now: int, personal: bool) -> Answer:
    """One list; a personal one puts behind what she was shown in vain."""
    models = _tried(request, models)
    rows, missing = known(models.catalogue, request.item_ids)
    peers = models.catalogue.within(request.category) if request.category else None
    question = Question(models, rows, taste, owned=request.exclude_owned is False, now=now, peers=peers)
    early = too_early(models=models, taste=taste, now=now) if request.intent == "buy_again" else None
    trace = Trace() if request.debug else None
    allowed = eligible(request, catalogue=models.catalogue, rows=rows, taste=taste, early=early, trace=trace)
    intent = request.intent or "popular"
    picks: list[Pick] = []
    filled_by: list[str] = []
    boosts = _rotated(_boosts(request, models), taste if personal else NONE, models)
    for stage in stages(intent, question):
        if request.strict and stage.intent != intent:
            break
        chosen = _best(stage, allowed, boosts, request.length - len(picks))
        allowed[chosen] = False
        picks += _picks(
            stage, chosen, boosts, ceiling=picks[-1].score if picks else 1.0, question=question, lang=request.lang
        )
        filled_by += [stage.intent] * len(chosen)
        if len(picks) == request.length:
            break
    fallback = next((name for name in filled_by if name != intent), None)
    return Answer(intent, tuple(picks), fallback, missing, trace=trace)


def _tried(request: Request, models: Models) -> Models:
    """The models with the blend that the request's variant tries."""
    return replace(models, blend=request.trial.variant.mixed(models.blend)) if request.trial else models


def rank(request: Request, *, models: Models, taste: Taste, now: int) -> Answer:
    """The items of the request, best first for this customer (most bought first where nothing is known of her). Nothing is left out:
    what the bundle does not know comes last, in the order given."""
    rows, missing = known(models.catalogue, request.item_ids)
    question = Question(models, rows[:0], taste, owned=True, now=now)
    stage = next(stages("for_you", question))
    asked = np.zeros(len(models.catalogue), dtype=np.bool_)
    asked[rows] = True
    boosts = _boosts(request, models)
    chosen = top(_boosted(stage.scores, boosts), asked, len(rows))
    picks = _picks(stage, chosen, boosts, ceiling=1.0, question=question, lang=request.lang)
    unknown = [Pick(None, item_id, 0.0, "unknown", None, {}) for item_id in missing]
    return Answer("for_you", (*picks, *unknown), None if stage.intent == "for_you" else stage.intent, missing)


def _because_you(request: Request, *, models: Models, taste: Taste, now: int) -> Answer:
    """A row for each of the customer's latest items, without repeats; without such items the list of `for_you` and no rows."""
    plain = recommend(
        replace(request, intent="for_you", exclude_owned=request.without_owned), models=models, taste=taste, now=now
    )
    anchored: list[tuple[int, tuple[Pick, ...]]] = []
    shown: list[str] = []
    for anchor in _latest(taste):
        asked = replace(
            request,
            intent="similar",
            item_ids=(models.catalogue.items.text(anchor),),
            exclude=(*request.exclude, *shown),
            exclude_owned=request.without_owned,
            strict=True,
        )
        if picks := _list(asked, models=models, taste=taste, now=now, personal=True).picks:
            anchored.append((anchor, picks))
            shown += [pick.item_id for pick in picks]
    fallback = (plain.fallback or "for_you") if not anchored else None
    return replace(plain, intent="because_you", fallback=fallback, anchored=tuple(anchored))


def _latest(taste: Taste) -> list[int]:
    """The rows of the items that the customer dealt with last and likes."""
    at = np.where(taste.weights > 0, np.maximum(taste.last_at, taste.seen_at), -1)
    newest = np.argsort(-at, kind="stable")[:ANCHORS]
    return [int(taste.rows[place]) for place in newest if at[place] >= 0]


def _best(stage: Stage, allowed: Mask, boosts: Scores | None, n: int) -> Rows:
    return top(_boosted(stage.scores, boosts), allowed if stage.shown is None else allowed & stage.shown, n)


def _boosts(request: Request, models: Models) -> Scores | None:
    """float32[items]: what each item counts; None where the request boosts nothing."""
    if not request.boost:
        return None
    counts = np.ones(len(models.catalogue), dtype=np.float32)
    for boost in request.boost:
        counts[mask(boost.filter, models.catalogue)] *= boost.weight
    return counts


def _rotated(boosts: Scores | None, taste: Taste, models: Models) -> Scores | None:
    """The same, with what she was shown in vain put behind."""
    if not len(taste.tired):
        return boosts
    rotated = np.ones(len(models.catalogue), dtype=np.float32) if boosts is None else boosts
    rotated[taste.tired] *= ROTATED
    return rotated


def _boosted(scores: Scores, boosts: Scores | None) -> Scores:
    """A boost above 1 lifts every score, one below 0 too."""
    return scores if boosts is None else np.where(scores > 0, scores * boosts, scores / boosts)


def _picks(
    stage: Stage, rows: Rows, boosts: Scores | None, *, ceiling: float, question: Question, lang: str
) -> Iterator[Pick]:
    """The picks of a stage; none scores above the ceiling, the last score of the stage before."""
    if not len(rows):
        return
    shares = stage.shares(rows)
    sources = strongest(shares)
    scores = _shown(_boosted(stage.scores[rows], None if boosts is None else boosts[rows]), ceiling)
    why = reasons(stage, rows, sources, models=question.models, bought=question.taste.owned, lang=lang)
    ids = question.models.catalogue.items.texts(rows)
    again = rows[[reason.code == "buy_again" for reason in why]]
    dues = due(again, models=question.models, taste=question.taste, now=question.now) if len(again) else {}
    for nth, row in enumerate(rows.tolist()):
        gave = {name: float(share[nth]) for name, share in shares.items()}
        when = dues.get(row)
        reason = replace(why[nth], text=when.text(lang)) if when else why[nth]
        yield Pick(row, ids[nth], scores[nth], sources[nth], reason, gave, when)


def _shown(scores: NDArray[np.float32], ceiling: float) -> Sequence[float]:
    """Scores as answers carry them: x / (1 + x), so that they mean the same in every list, at most the ceiling, never rising."""
    positive = np.maximum(scores.astype(np.float64), 0)
    falling = np.minimum.accumulate(positive / (1 + positive)) * ceiling
    return [round(score, DIGITS) for score in falling.tolist()]
