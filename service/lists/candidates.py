"""Candidates: for each intent, a score for every item and which items the intent speaks for at all.

A list is filled from the stages of its intent's chain, in order; the first stage is the intent itself, the others are its fallbacks:

    complementary  what goes with the items, a whole cart at once → what does so by what it is → similar → popular in their category → popular
    similar        what the same people buy → alike by attributes → popular in their category → popular
    for_you        what goes with the customer's taste → alike by attributes → popular in her segment → popular
    buy_again      what is due → for_you → popular                recently_viewed  newest first → for_you → popular
    trending       what sells above its expectation → popular     popular          what everybody buys
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models import likeness
from models.blend import BOUGHT, blended, rms
from models.bundle import Models
from models.factors import Folded
from models.ranking import top
from service.lists.request import ABOUT_ITEMS
from service.lists.taste import NONE, Taste

Scores = NDArray[np.float32]
Rows = NDArray[np.int32]

FOR_YOU = ("for_you", "suiting", "popular_segment", "popular")
CHAINS = {
    "complementary": ("complementary", "completing", "similar", "popular_alike", "popular"),
    "similar": ("similar", "resembling", "popular_alike", "popular"),
    "for_you": FOR_YOU,
    "because_you": FOR_YOU,
    "buy_again": ("buy_again", *FOR_YOU),
    "recently_viewed": ("recently_viewed", *FOR_YOU),
    "trending": ("trending", "popular"),
    "popular": ("popular",),
}
TINY = 1e-12
SHARP = 256  # of a large catalogue, how many of the best are scored exactly
LEAST = {"factors": 1e-6}  # a score up to it is rounding, and no evidence
# Sources that say something of these items; popularity says it of none
PERSONAL = ("together", "alike", "factors", "repeat", "ease", "sessions")


@dataclass(frozen=True)
class Question:
    """What the stages answer: the items asked about, and the customer's taste.

    rows     int32  the items asked about
    owned    whether what the customer owns may be chosen for her
    segment  bool[items]  what suits people like her, as far as that is said; None: nothing is
    peers    bool[items]  what a trend is measured against, the categories asked for; None: all items
    allowed  bool[items]  what may stand in the list: scores are exact of the best of these; None: all items
    """

    models: Models
    rows: Rows
    taste: Taste
    owned: bool
    now: int
    peers: NDArray[np.bool_] | None = None
    allowed: NDArray[np.bool_] | None = None
    segment: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Stage:
    """One intent's view of all items.

    intent   whose list it is, as `fallback` names it
    scores   float32[items]
    shown    bool[items]  the items it speaks for; None: all
    sources  name -> float32[items], what the scores are made of
    scales   name -> what one unit of a source counts in the scores
    rows, weights  the history that carried them (empty where none did), for reasons
    best     int32  of a large catalogue some rows, in order, that are better than all others that may stand in the list; None: not known
    folded   that history as factors folded it in; None where they did not
    """

    intent: str
    scores: Scores
    shown: NDArray[np.bool_] | None
    sources: Mapping[str, Scores]
    scales: Mapping[str, float]
    rows: Rows
    weights: Scores
    best: Rows | None = None
    folded: Folded | None = None

    def top(self, allowed: NDArray[np.bool_], boosts: Scores | None, n: int) -> Rows:
        """int32[≤ n]: the best of the rows that it speaks for, best first; `allowed` are some of those that its question allows."""
        if self.best is not None and boosts is None:
            best = self.best[allowed[self.best]]
            if len(best) >= n:
                return best[top(self.scores[best], None, n)]
        return top(boosted(self.scores, boosts), _both(allowed, self.shown), n)

    def shares(self, rows: Rows) -> dict[str, Scores]:
        """float32[rows] of each source: what it gave to the scores of these rows; they sum to the scores."""
        return {name: np.float32(self.scales[name]) * scores[rows] for name, scores in self.sources.items()}


def boosted(scores: Scores, boosts: Scores | None) -> Scores:
    """A boost above 1 lifts every score, one below 0 too."""
    return scores if boosts is None else np.where(scores > 0, scores * boosts, scores / boosts)


def stages(intent: str, question: Question) -> Iterator[Stage]:
    """The stages of an intent, computed as they are needed; a stage that has nothing to go by is left out."""
    about_nothing = intent in ABOUT_ITEMS and not len(question.rows)
    for name in CHAINS["for_you" if about_nothing else intent]:
        if (stage := STAGES[name](question)) is not None:
            yield stage


def _complementary(question: Question) -> Stage | None:
    """What goes with the items asked about, where baskets or customers say something of them; never what could stand instead of one."""
    stage = _about(question, "complementary", evidence=BOUGHT)
    complements = question.models.complements
    if stage is None or stage.shown is None or complements is None:
        return stage
    called_for = stage.sources.get("complements")
    shown = stage.shown if called_for is None else stage.shown | (called_for > 0)
    shown = shown & complements.fitting(question.rows)
    return replace(stage, shown=shown) if shown.any() else None


def _completing(question: Question) -> Stage | None:
    """What goes with the items by what it is, where baskets say too little of them."""
    complements = question.models.complements
    if complements is None or not len(question.rows):
        return None
    weights = np.ones(len(question.rows), dtype=np.float32)
    scores = complements.score(question.rows, weights)
    if not scores.any():
        return None
    alone = _single("complementary", "complements", scores, scores > 0, NONE)
    return replace(alone, rows=question.rows, weights=weights)


def _similar(question: Question) -> Stage | None:
    return _about(question, "similar", evidence=PERSONAL)


def _about(question: Question, intent: str, *, evidence: tuple[str, ...]) -> Stage | None:
    if not len(question.rows):
        return None
    weights = np.ones(len(question.rows), dtype=np.float32)
    is_cart = intent == "complementary" and len(question.rows) > 1
    stage = _blended(question, "cart" if is_cart else intent, question.rows, weights, evidence=evidence)
    return stage and replace(stage, intent=intent)


def _for_you(question: Question) -> Stage | None:
    """What goes with the customer's taste; with a visit, where she bought nothing yet and the bundle has learnt from visits."""
    taste = question.taste
    if "session" in question.models.blend.weights and not len(taste.owned):
        stage = _chosen(question, "session", taste.fading(question.models.blend.fade))
        return stage and replace(stage, shown=_not(taste.rows, question.models))  # what is next is none of them
    stage = _chosen(question, "for_you_owned" if question.owned else "for_you", taste.weights)
    return stage and replace(stage, shown=None if question.owned else _not(taste.owned, question.models))


def _chosen(question: Question, blend: str, weights: Scores) -> Stage | None:
    """What goes with the customer's items, and with the items asked about as if she looked at them just now."""
    rows = question.taste.rows
    if len(question.rows):
        rows = np.concatenate([rows, question.rows])
        weights = np.concatenate([weights, np.ones(len(question.rows), dtype=np.float32)])
    if not (weights > 0).any():
        return None
    stage = _blended(question, blend, rows, weights, evidence=PERSONAL)
    return stage and replace(stage, intent="for_you")


def _blended(
    question: Question, intent: str, rows: Rows, weights: Scores, *, evidence: tuple[str, ...]
) -> Stage | None:
    """The blend of all sources that count for the intent; None where no source of evidence says anything."""
    counted = question.models.blend.of(intent)
    ready = question.taste.scored if rows is question.taste.rows else {}  # for many customers at once
    factors = question.models.factors if counted.get("factors") and "factors" not in ready else None
    folded = None if factors is None else factors.folded(rows, weights)
    hers = None if folded is None else folded.vector
    estimated = factors is not None and factors.leading is not None and any(map(counted.get, BOUGHT))
    if factors is not None and hers is not None:
        said = factors.estimate(hers) if estimated else factors.score(hers)
        ready = {**ready, "factors": _longer(said, question)}
    found = {
        name: scores
        for name, weight in counted.items()
        if weight and (scores := ready[name] if name in ready else SOURCES[name](question, rows, weights)) is not None
    }
    speaking = [found[name] > LEAST.get(name, 0) for name in evidence if name in found]
    shown = np.logical_or.reduce(speaking) if speaking else None
    if shown is None or not shown.any():
        return None
    known = {"popularity": question.models.popularity.size}
    if factors is not None and hers is not None and estimated:
        # Of the scores, not of the estimates
        known["factors"] = factors.rms(hers, items=len(question.models.catalogue))
    scales = {name: counted[name] / max(known.get(name) or rms(scores), TINY) for name, scores in found.items()}
    stage = Stage(intent, blended(found, scales), shown, found, scales, rows, weights, folded=folded)
    return _sharpened(stage, hers, question) if hers is not None and estimated else stage


def _sharpened(stage: Stage, hers: Scores, question: Question) -> Stage:
    """Exact scores of the best that may stand in the list, where factors were estimated. The others stand behind them as they are."""
    factors, estimated = question.models.factors, stage.sources["factors"]
    assert factors is not None  # noqa: S101  (they are a source)
    best = top(stage.scores, _both(stage.shown, question.allowed), SHARP)
    learnt = best[best < len(factors)]
    exact = factors.item_factors[learnt] @ hers
    stage.scores[learnt] += np.float32(stage.scales["factors"]) * (exact - estimated[learnt])
    estimated[learnt] = exact
    return replace(stage, best=np.sort(best))


def _both(one: NDArray[np.bool_] | None, other: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
    return one & other if one is not None and other is not None else one if other is None else other


def _longer(scores: Scores, question: Question) -> Scores:
    """The same, and 0 for newcomers."""
    newcomers = len(question.models.catalogue) - len(scores)
    return np.append(scores, np.zeros(newcomers, dtype=np.float32)) if newcomers else scores


def _not(rows: Rows, models: Models) -> NDArray[np.bool_]:
    others = np.ones(len(models.catalogue), dtype=np.bool_)
    others[rows] = False
    return others


def _buy_again(question: Question) -> Stage | None:
    due = _repeat(question, question.taste.rows, question.taste.weights)
    if due is None or not due.any():
        return None
    return _single("buy_again", "repeat", due, due > 0, question.taste)


def _recently_viewed(question: Question) -> Stage | None:
    taste = question.taste
    seen = taste.seen_at > 0
    if not seen.any():
        return None
    newest = np.argsort(-taste.seen_at[seen], kind="stable")
    scores = np.zeros(len(question.models.catalogue), dtype=np.float32)
    scores[taste.rows[seen][newest]] = np.arange(len(newest), 0, -1, dtype=np.float32) / len(newest)
    return _single("recently_viewed", "seen", scores, scores > 0, taste)


def _trending(question: Question) -> Stage | None:
    """What sells above its expectation; None where the history had no times, or nothing does."""
    if question.models.trending is None:
        return None
    rise = question.models.trending.rise(question.peers)
    return _single("trending", "trending", rise, rise > 1, NONE) if (rise > 1).any() else None


def _resembling(question: Question) -> Stage | None:
    """What is like the items asked about by its attributes: newcomers, too."""
    return _by_attributes(question, "similar", question.rows, np.ones(len(question.rows), dtype=np.float32))


def _suiting(question: Question) -> Stage | None:
    """What is like the customer's items by its attributes: all there is to say of who dealt with newcomers alone."""
    stage = _by_attributes(question, "for_you", question.taste.rows, question.taste.weights)
    if stage is None or question.owned:
        return stage
    return replace(stage, shown=(stage.scores > 0) & _not(question.taste.owned, question.models))


def _by_attributes(question: Question, intent: str, rows: Rows, weights: Scores) -> Stage | None:
    rows, weights = likeness.telling(rows, weights)
    scores = likeness.score(question.models.catalogue, rows, weights)
    if not scores.any():
        return None
    return replace(_single(intent, "attributes", scores, scores > 0, NONE), rows=rows, weights=weights)


def _popular_segment(question: Question) -> Stage | None:
    """What everybody buys of what suits her segment: of a customer of whom nothing else is known."""
    segment = question.segment
    return None if segment is None or not segment.any() else _most_bought(question, segment)


def _popular_alike(question: Question) -> Stage | None:
    """What is popular in the categories of the items asked about."""
    category = question.models.catalogue.category.code
    wanted = np.unique(category[question.rows])
    shown = np.isin(category, wanted[wanted >= 0])
    return _most_bought(question, shown) if shown.any() else None


def _popular(question: Question) -> Stage | None:
    return _most_bought(question, None)


def _most_bought(question: Question, shown: NDArray[np.bool_] | None) -> Stage:
    return _single("popular", "popularity", question.models.popularity.score, shown, NONE)


def _single(intent: str, source: str, scores: Scores, shown: NDArray[np.bool_] | None, history: Taste) -> Stage:
    """A stage of one source, on the scale of a blend."""
    scale = 1 / max(rms(scores), TINY)
    return Stage(
        intent, np.float32(scale) * scores, shown, {source: scores}, {source: scale}, history.rows, history.weights
    )


def _together(question: Question, rows: Rows, weights: Scores) -> Scores | None:
    return question.models.together.add_up(rows, weights) if question.models.together else None


def _alike(question: Question, rows: Rows, weights: Scores) -> Scores | None:
    return question.models.alike.add_up(rows, weights) if question.models.alike else None


def _ease(question: Question, rows: Rows, weights: Scores) -> Scores | None:
    return question.models.ease.add_up(rows, weights) if question.models.ease else None


def _sessions(question: Question, rows: Rows, weights: Scores) -> Scores | None:
    return question.models.sessions.score(rows, weights) if question.models.sessions else None


def _complements(question: Question, rows: Rows, weights: Scores) -> Scores | None:
    return question.models.complements.score(rows, weights) if question.models.complements else None


def _repeat(question: Question, rows: Rows, weights: Scores) -> Scores | None:
    """When the customer's own items are due again, whatever history the other sources look at."""
    repeat, taste = question.models.repeat, question.taste
    if repeat is None:
        return None
    scores = np.zeros(len(question.models.catalogue), dtype=np.float32)
    scores[taste.rows] = repeat.score(taste.rows, taste.purchases, taste.first_at, taste.last_at, now=question.now)
    return scores


def _popularity(question: Question, rows: Rows, weights: Scores) -> Scores | None:
    return question.models.popularity.score


SOURCES: Mapping[str, Callable[[Question, Rows, Scores], Scores | None]] = {
    "together": _together,
    "alike": _alike,
    "factors": lambda *_: None,  # where they are learnt, they are ready before the others are asked
    "popularity": _popularity,
    "repeat": _repeat,
    "ease": _ease,
    "sessions": _sessions,
    "complements": _complements,
}
STAGES: Mapping[str, Callable[[Question], Stage | None]] = {
    "complementary": _complementary,
    "completing": _completing,
    "similar": _similar,
    "for_you": _for_you,
    "buy_again": _buy_again,
    "recently_viewed": _recently_viewed,
    "trending": _trending,
    "resembling": _resembling,
    "suiting": _suiting,
    "popular_segment": _popular_segment,
    "popular_alike": _popular_alike,
    "popular": _popular,
}
