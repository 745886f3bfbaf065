"""Blending: what all sources say of all items, as one score. In a large catalogue factors are estimated first, and exact for the best."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from models.blend import BOUGHT, blended, rms
from models.bundle import Models
from models.factors import Factors, Folded
from models.linear import Linear, Sum
from models.ranking import top
from service.lists.question import Mask, Question, Rows, Scores, Stage, both

TINY = 1e-12
SHARP = 256  # of a large catalogue, how many of the best are scored exactly; twice as many where these are not clearly the best
MOST_SHARP = 4_096  # beyond it an exact look at the few lists that are not clear takes longer than a shop waits; they keep seven of ten
SURE = 0.5  # of those scored exactly: where all that are wanted were among so many by the estimates, these are clearly the best
STEERED = 20  # times what neighbours count, factors may: where they count more, estimates of them do not tell who is among the best
LEAST = {"factors": 1e-6}  # a score up to it is rounding, and no evidence
# Sources that say something of these items; popularity says it of none
PERSONAL = ("together", "alike", "factors", "repeat", "ease", "sessions")


def blend(
    question: Question,
    intent: str,
    rows: Rows,
    weights: Scores,
    *,
    evidence: tuple[str, ...],
    besides: Rows | None = None,
) -> Stage | None:
    """The blend of all sources that count for the intent; None where no source of evidence says anything.

    besides  int32  it speaks for all items but these; None: for those of which a source of evidence says something
    """
    counted = question.models.blend.of(intent)
    hers = _folded(question, counted, rows, weights)
    quick = hers is not None and estimable(question.models, counted)
    said = _said(question, counted, rows, weights, hers, quick=quick)
    found = {name: each.scores if isinstance(each, Sum) else each for name, each in said.items()}
    speaking = {name: LEAST.get(name, 0) for name in evidence if name in found}
    if not any(found[name].max(initial=0) > least for name, least in speaking.items()):
        return None
    if besides is None:
        shown = np.logical_or.reduce([found[name] > least for name, least in speaking.items()])
    else:
        shown = np.ones(len(question.models.catalogue), dtype=np.bool_)
        shown[besides] = False
    scales = _scales(question, counted, found, hers if quick else None)
    stage = Stage(
        intent, _mixed(said, scales), shown, found, scales, rows, weights, carried=_carried(question, said, hers)
    )
    return _sharpened(stage, question, hers) if quick and hers is not None else stage


def _carried(
    question: Question, said: Mapping[str, Scores | Sum], hers: Folded | None
) -> dict[str, Callable[[Rows], Scores]]:
    """What each item of the history gave, by the sources that looked at each of them."""
    carried: dict[str, Callable[[Rows], Scores]] = {
        name: each.carried for name, each in said.items() if isinstance(each, Sum)
    }
    if hers is not None and question.models.factors is not None:
        carried["factors"] = partial(question.models.factors.gave, hers)
    return carried


def _scales(
    question: Question, counted: Mapping[str, float], found: Mapping[str, Scores], estimated: Folded | None
) -> dict[str, float]:
    """What one unit of each source counts: its weight by the root mean square of its scores over all items."""
    models = question.models
    sizes = {"popularity": models.popularity.size}
    if estimated is not None and models.factors is not None:  # of the scores, not of the estimates
        sizes["factors"] = models.factors.rms(estimated.vector, items=len(models.catalogue))
    for name, scores in found.items():
        if name not in sizes:
            sizes[name] = rms(scores)
    return {name: counted[name] / max(sizes[name], TINY) for name in found}


def _mixed(said: Mapping[str, Scores | Sum], scales: Mapping[str, float]) -> Scores:
    """float32[items]: Σ scale · scores; what is said in pairs may be added pair by pair."""
    dense = {name: each for name, each in said.items() if not isinstance(each, Sum)}
    sums = {name: each for name, each in said.items() if isinstance(each, Sum)}
    mixed = blended(dense, scales) if dense else np.zeros_like(next(iter(sums.values())).scores)
    for name, each in sums.items():
        each.onto(mixed, scales[name])
    return mixed


def _folded(question: Question, counted: Mapping[str, float], rows: Rows, weights: Scores) -> Folded | None:
    """The history as factors fold it in; None where they do not count."""
    factors = question.models.factors
    if factors is None or not counted.get("factors"):
        return None
    return factors.folded(rows, weights)


def estimable(models: Models, counted: Mapping[str, float]) -> bool:
    """Whether the leading dimensions are enough to tell who could be among the best."""
    factors = models.factors
    steering = sum(counted.get(name, 0) for name in BOUGHT)
    return factors is not None and factors.leading is not None and STEERED * steering >= counted["factors"]


def _said(
    question: Question, counted: Mapping[str, float], rows: Rows, weights: Scores, hers: Folded | None, *, quick: bool
) -> dict[str, Scores | Sum]:
    """What each source that counts says of all items."""
    ready = {} if hers is None else {"factors": _of_factors(question.models, hers, quick=quick)}
    return {
        name: scores
        for name, weight in counted.items()
        if weight and (scores := ready[name] if name in ready else SOURCES[name](question, rows, weights)) is not None
    }


def _of_factors(models: Models, hers: Folded, *, quick: bool) -> Scores:
    """What factors say; estimates, where they are enough."""
    assert models.factors is not None  # noqa: S101  (they folded her in)
    said = models.factors.estimate(hers.vector) if quick else models.factors.score(hers.vector)
    return longer(said, len(models.catalogue))


def _sharpened(stage: Stage, question: Question, hers: Folded) -> Stage:
    """Exact scores of the best that may stand in the list, where factors were estimated. The others stand behind them as they are."""
    assert question.models.factors is not None  # noqa: S101  (they folded her in)
    ask, allowed = partial(exact, question.models.factors, hers.vector), both(stage.shown, question.allowed)
    estimates, scale = stage.sources["factors"], stage.scales["factors"]
    best, said, scores, _ = sharp(stage.scores, allowed, estimates, scale, ask, n=question.n)
    estimates[best], stage.scores[best] = said, scores
    return replace(stage, best=np.sort(best))


def sharp(
    scores: Scores, allowed: Mask | None, estimates: Scores, scale: float, ask: Callable[[Rows], Scores], *, n: int
) -> tuple[Rows, Scores, Scores, Rows]:
    """The best allowed rows by scores that hold scaled estimates; what factors say of them if asked, their scores with that, the n best places.

    That they are the best is clear where all n that are wanted come from the better half of them by the estimates; else more are looked at.
    """
    size = SHARP
    best = top(scores, allowed, size)
    said = ask(best)
    while True:
        sharpened = said - estimates.take(best)
        sharpened *= np.float32(scale)
        sharpened += scores.take(best)
        wanted = top(sharpened, None, n)
        if len(best) < size or size >= MOST_SHARP or max(wanted.tolist(), default=0) < SURE * size:
            return best, said, sharpened, wanted
        size *= 2
        best = top(scores, allowed, size)
        said = np.concatenate([said, ask(best[len(said) :])])


def exact(factors: Factors, vector: Scores, rows: Rows) -> Scores:
    """float32[rows]: what factors say exactly; 0 of newcomers."""
    said = np.asarray(factors.item_factors.take(rows, axis=0, mode="clip") @ vector)
    said[rows >= len(factors)] = 0
    return said


def longer(scores: Scores, items: int) -> Scores:
    """The same, and 0 for newcomers, of one customer or of many."""
    newcomers = items - scores.shape[-1]
    return np.append(scores, np.zeros((*scores.shape[:-1], newcomers), dtype=np.float32), -1) if newcomers else scores


def _neighbours(source: str) -> Callable[[Question, Rows, Scores], Sum | None]:
    """What the items of a history say of others, by the model of this name."""

    def said(question: Question, rows: Rows, weights: Scores) -> Sum | None:
        model: Linear | None = getattr(question.models, source)
        return None if model is None else model.sum(rows, weights)

    return said


def _sessions(question: Question, rows: Rows, weights: Scores) -> Scores | None:
    return question.models.sessions.score(rows, weights) if question.models.sessions else None


def _complements(question: Question, rows: Rows, weights: Scores) -> Scores | None:
    return question.models.complements.score(rows, weights) if question.models.complements else None


def repeat(question: Question, rows: Rows, weights: Scores) -> Scores | None:
    """When the customer's own items are due again, whatever history the other sources look at."""
    again, taste = question.models.repeat, question.taste
    if again is None:
        return None
    scores = np.zeros(len(question.models.catalogue), dtype=np.float32)
    scores[taste.rows] = again.score(taste.rows, taste.purchases, taste.first_at, taste.last_at, now=question.now)
    return scores


def _popularity(question: Question, rows: Rows, weights: Scores) -> Scores | None:
    return question.models.popularity.score


SOURCES: Mapping[str, Callable[[Question, Rows, Scores], Scores | Sum | None]] = {
    "together": _neighbours("together"),
    "alike": _neighbours("alike"),
    "factors": lambda *_: None,  # where they are learnt, they were asked before the others
    "popularity": _popularity,
    "repeat": repeat,
    "ease": _neighbours("ease"),
    "sessions": _sessions,
    "complements": _complements,
}
