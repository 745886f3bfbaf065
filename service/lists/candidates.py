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
from dataclasses import replace

import numpy as np

from models import likeness
from models.blend import BOUGHT, rms
from models.bundle import Models
from service.lists.blending import PERSONAL, blend, repeat
from service.lists.question import Mask, Question, Rows, Scores, Stage
from service.lists.request import ABOUT_ITEMS
from service.lists.taste import NONE, Taste

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
    return replace(stage, shown=shown, best=None) if shown.any() else None


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
    stage = blend(question, "cart" if is_cart else intent, question.rows, weights, evidence=evidence)
    return stage and replace(stage, intent=intent)


def _for_you(question: Question) -> Stage | None:
    """What goes with the customer's taste; with a visit, where she bought nothing yet and the bundle has learnt from visits."""
    taste = question.taste
    if "session" in question.models.blend.weights and not len(taste.owned):
        # What is next is none of them
        return _chosen(question, "session", taste.fading(question.models.blend.fade), besides=taste.rows)
    if question.owned:
        return _chosen(question, "for_you_owned", taste.weights, besides=taste.rows[:0])
    return _chosen(question, "for_you", taste.weights, besides=taste.owned)


def _chosen(question: Question, intent: str, weights: Scores, *, besides: Rows) -> Stage | None:
    """What goes with the customer's items, and with the items asked about as if she looked at them just now."""
    rows = question.taste.rows
    if len(question.rows):
        rows = np.concatenate([rows, question.rows])
        weights = np.concatenate([weights, np.ones(len(question.rows), dtype=np.float32)])
    if not (weights > 0).any():
        return None
    stage = blend(question, intent, rows, weights, evidence=PERSONAL, besides=besides)
    return stage and replace(stage, intent="for_you")


def _not(rows: Rows, models: Models) -> Mask:
    others = np.ones(len(models.catalogue), dtype=np.bool_)
    others[rows] = False
    return others


def _buy_again(question: Question) -> Stage | None:
    due = repeat(question, question.taste.rows, question.taste.weights)
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


def _most_bought(question: Question, shown: Mask | None) -> Stage:
    return _single("popular", "popularity", question.models.popularity.score, shown, NONE)


def _single(intent: str, source: str, scores: Scores, shown: Mask | None, history: Taste) -> Stage:
    """A stage of one source, on the scale of a blend."""
    scale = 1 / max(rms(scores), TINY)
    return Stage(
        intent, np.float32(scale) * scores, shown, {source: scores}, {source: scale}, history.rows, history.weights
    )


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
