"""Picks: the chosen items as an answer shows them, each with its score, its source and the reason that truly carried it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from service.candidates import Question, Rows, Scores, Stage
from service.reasons import Reason, explored, reasons, strongest
from service.selection import EXPLORED, SCORED, Chosen, boosted
from service.timing import Due, due

DIGITS = 6


@dataclass(frozen=True)
class Pick:
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
    for stage, places in groups:
        raw[places] = _raw(stage, _rows(chosen, places), boosts)
    scores = _falling(chosen, raw)
    made: dict[int, Pick] = {}
    for stage, places in groups:
        rows = _rows(chosen, places)
        shares = stage.shares(rows)
        sources = strongest(shares)
        why = reasons(stage, rows, sources, models=question.models, bought=question.taste.owned, lang=lang)
        dues = _dues(rows, why, question)
        for nth, place in enumerate(places):
            row = chosen[place].row
            gave = {name: float(share[nth]) for name, share in shares.items()}
            when = dues.get(row)
            said = replace(why[nth], text=when.text(lang)) if when else why[nth]
            made[place] = Pick(row, ids[place], scores[place], sources[nth], said, gave, when)
    for place, one in enumerate(chosen):
        if place not in made:
            reason = explored(lang) if one.by == EXPLORED else None
            made[place] = Pick(one.row, ids[place], scores[place], one.by, reason, {})
    return tuple(replace(made[place], probability=one.probability) for place, one in enumerate(chosen))


def _by_stage(chosen: Sequence[Chosen]) -> list[tuple[Stage, list[int]]]:
    """The places of each stage in the list."""
    groups: dict[int, tuple[Stage, list[int]]] = {}
    for place, one in enumerate(chosen):
        if one.stage is not None:
            groups.setdefault(id(one.stage), (one.stage, []))[1].append(place)
    return list(groups.values())


def _rows(chosen: Sequence[Chosen], places: Sequence[int]) -> Rows:
    return np.array([chosen[place].row for place in places], dtype=np.int32)


def _dues(rows: Rows, why: Sequence[Reason], question: Question) -> Mapping[int, Due]:
    """When each is due of those that are there to be bought again."""
    again = rows[[reason.code == "buy_again" for reason in why]]
    return due(again, models=question.models, taste=question.taste, now=question.now) if len(again) else {}


def _raw(stage: Stage, rows: Rows, boosts: Scores | None) -> NDArray[np.float64]:
    """x / (1 + x), so that scores mean the same in every list; 0 for those below."""
    scores = boosted(stage.scores[rows], None if boosts is None else boosts[rows])
    positive = np.maximum(scores.astype(np.float64), 0)
    return np.asarray(positive / (1 + positive))


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
