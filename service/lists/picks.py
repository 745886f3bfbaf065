"""Picks: the chosen items as an answer shows them, each with its score, its source and the reason that truly carried it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.lists.question import Question, Rows, Scores, Stage, boosted
from service.lists.reasons import Reason, plain, reasons, strongest
from service.lists.selection import EXPLORED, SCORED, Chosen
from service.lists.timing import Due, due

DIGITS = 6


class Pick(NamedTuple):
    """One item of a list.

    row      None for an item that the bundle does not know (only /rank lists such)
    score    0–1, never rising with the rank
    source   the model that gave most to the score; "pinned", "promoted" or "exploration" where no model speaks for the item
    shares   what each source gave, before the score was brought to 0–1
    due      of an item to be bought again, when that is
    probability  in a list that explores, the chance that the item stands where it does
    """

    row: int | None
    item_id: str
    score: float
    source: str
    reason: Reason | None
    shares: dict[str, float]
    due: Due | None = None
    probability: float | None = None


def picks(chosen: Sequence[Chosen], boosts: Scores | None, *, question: Question, lang: str) -> tuple[Pick, ...]:
    """The picks of a list, in its order."""
    ids = question.models.catalogue.items.texts(one.row for one in chosen)
    groups = _by_stage(chosen)
    raw = np.zeros(len(chosen))
    for stage, places, rows in groups:
        raw[places] = _raw(stage, rows, boosts)
    scores = _falling(chosen, raw)
    made: dict[int, Pick] = {}
    for stage, places, rows in groups:
        told = zip(places, *_told(stage, rows, question, lang), strict=True)
        for place, source, reason, shares, when in told:
            one = chosen[place]
            made[place] = Pick(one.row, ids[place], scores[place], source, reason, shares, when, one.probability)
    for place, one in enumerate(chosen):
        if one.stage is None:
            why = plain(EXPLORED, lang) if one.by == EXPLORED else None
            made[place] = Pick(one.row, ids[place], scores[place], one.by, why, {}, None, one.probability)
    return tuple(made[place] for place in range(len(chosen)))


def _by_stage(chosen: Sequence[Chosen]) -> list[tuple[Stage, list[int], Rows]]:
    """The places of each stage in the list, and the rows that stand there."""
    groups: dict[int, tuple[Stage, list[int]]] = {}
    for place, one in enumerate(chosen):
        if one.stage is not None:
            groups.setdefault(id(one.stage), (one.stage, []))[1].append(place)
    return [
        (stage, places, np.array([chosen[place].row for place in places], dtype=np.int32))
        for stage, places in groups.values()
    ]


def _told(
    stage: Stage, rows: Rows, question: Question, lang: str
) -> tuple[list[str], list[Reason], list[dict[str, float]], list[Due | None]]:
    """For each row the source that gave most, the reason, what each source gave, and when it is due again."""
    shares = stage.shares(rows)
    sources = strongest(shares)
    why = reasons(stage, rows, sources, models=question.models, bought=question.taste.owned, lang=lang)
    gave = [dict(zip(shares, each, strict=True)) for each in np.array([*shares.values()]).T.tolist()]
    when = _dues(rows, why, question)
    said = [reason._replace(text=at.text(lang)) if at else reason for reason, at in zip(why, when, strict=True)]
    return sources, said, gave, when


def _dues(rows: Rows, why: Sequence[Reason], question: Question) -> list[Due | None]:
    """When each is due of those that are there to be bought again."""
    again = [row for row, reason in zip(rows.tolist(), why, strict=True) if reason.code == "buy_again"]
    if not again:
        return [None] * len(rows)
    wanted = np.array(again, dtype=np.int32)
    found = due(wanted, models=question.models, taste=question.taste, now=question.now)
    return [found.get(row) if row in again else None for row in rows.tolist()]


def _raw(stage: Stage, rows: Rows, boosts: Scores | None) -> NDArray[np.float64]:
    """x / (1 + x), so that scores mean the same in every list; 0 for those below."""
    return _share(boosted(stage.scores[rows], None if boosts is None else boosts[rows]))


def _share(scores: Scores) -> NDArray[np.float64]:
    positive = np.maximum(scores.astype(np.float64), 0)
    return np.asarray(positive / (1 + positive))


def shown(scores: Scores) -> list[list[float]]:
    """Scores [customers, n] of the best as they are, as answers carry them: 0 to 1."""
    falling: list[list[float]] = np.minimum.accumulate(_share(scores), axis=1).round(DIGITS).tolist()
    return falling


def _falling(chosen: Sequence[Chosen], raw: NDArray[np.float64]) -> list[float]:
    """Scores as answers carry them: never rising, and no stage above the last score of the one before.

    What is pinned or promoted does not stand there by its score; it shows that of the next item that does, so that it lowers no other.
    """
    shown: list[float] = []
    level = ceiling = 1.0
    stage: Stage | None = None
    waiting = 0
    for one, score in zip(chosen, raw.tolist(), strict=True):
        if one.by != SCORED:
            waiting += 1
            continue
        if one.stage is not stage:
            stage, ceiling = one.stage, level
        level = min(level, score * ceiling)
        shown += [round(level, DIGITS)] * (waiting + 1)
        waiting = 0
    return shown + [round(level, DIGITS) if shown else 0.0] * waiting
