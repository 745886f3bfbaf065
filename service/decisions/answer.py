"""The answer: a decision in the shape of the contract, with the words that are said, why, and what an agent needs."""

from __future__ import annotations

from typing import Any

from models.actions import Texts, Treatment
from models.profile import rfc3339
from service.decisions import budgets, hours
from service.decisions.arbitration import Candidate
from service.decisions.decision import Decision
from service.decisions.funnel import Look
from service.decisions.situation import AGENT, Learnt, Request
from service.decisions.why import say, why


def answer(decision: Decision, request: Request, *, learnt: Learnt, decision_id: str) -> dict[str, Any]:
    """The decision in the shape of the contract."""
    at = decision.seen.at
    return {
        "decision_id": decision_id,
        "arm": at.arm,
        "actions": [_action(rank, decision, request, learnt) for rank in range(1, len(decision.best) + 1)],
        "dropped": dict(decision.dropped),
        "no_action_reason": decision.no_action_reason(),
        "catalogue_version": at.actions.version,
        "model_version": learnt.model_version,
        "valid_until": rfc3339(at.now + at.way.valid_minutes * 60),
        "degraded": at.blind,
        "better_channel": at.reach.better,
    }


def _action(rank: int, decision: Decision, request: Request, learnt: Learnt) -> dict[str, Any]:
    one, at = decision.best[rank - 1], decision.seen.at
    form = decision.seen.forms.by_number[at.actions.index.number[one.action.id]]
    waits = hours.not_before(at.way, zone=at.zone, now=at.now, hour=at.reach.hour)
    items = learnt.attach(form.items, at.profile, at.picture.item_ids) if form.items else []
    return {
        "action_id": one.action.id,
        "treatment": form.id,
        "rank": rank,
        "priority": one.priority,
        "factors": one.factors._asdict(),
        "probability": decision.choice.chances[rank - 1],
        "why": why(one, at.picture, explain=request.explain, lang=request.lang),
        "not_before": None if waits is None else rfc3339(waits),
        "shadow_price": budgets.shadow_price(one.action, at.actions, at.levels, now=at.now),
        "content": {
            "title": say(form.title, at.picture, request.lang),
            "text": say(form.text, at.picture, request.lang),
            "template": form.template,
        },
        "items": items,
        "agent": _agent(one, form, decision, request.lang) if at.channel == AGENT else None,
    }


def _agent(one: Candidate, form: Treatment, decision: Decision, lang: str) -> dict[str, Any]:
    words = decision.seen.at.picture
    return {
        "script": say(_script(form, decision.seen), words, lang),
        "objections": [
            {"says": say(objection.says, words, lang), "answer": say(objection.answer, words, lang)}
            for objection in form.objections
        ],
        "if_rejected": _if_rejected(one, form, decision),
    }


def _script(form: Treatment, seen: Look) -> Texts:
    """What is said to people like her: by tier or life cycle, where the catalogue knows how."""
    picture = seen.at.picture
    own = (form.scripts[name] for name in (*picture.tiers, picture.lifecycle or "") if name in form.scripts)
    return next(own, form.script)


def _if_rejected(one: Candidate, form: Treatment, decision: Decision) -> str | None:
    """The action to offer then: the one the catalogue names if it passed the funnel too, else the next best of another group."""
    every = decision.seen.index.actions
    others = [every[row] for row in decision.candidates.rows if every[row].class_ != "silence"]
    named = [action.id for action in others if action.id == form.if_rejected]
    next_best = [action.id for action in others if action.group != one.action.group]
    return next(iter(named or next_best), None)
