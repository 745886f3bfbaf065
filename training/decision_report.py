"""What a training run's report says of the decisions: what others would have brought, and what deciding is worth beside holding out."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from models.bundle import Models
from models.off_policy import value
from models.response import Response
from service.store import Store
from training import policies
from training.decision_log import DecisionLog, read
from training.fit import response
from training.history import History
from training.holdouts import worth
from training.off_policy import STANDING, described
from training.policies import Policy, seen_by

MOST_ACTIONS = 20  # that are valued without; those that stood first most often


def decided(models: Models, store: Store | None, history: History, *, now: int) -> tuple[dict[str, Any] | None, Models]:
    """The section, and the models with what was learnt of it."""
    section, model = decisions(store, history, now=now)
    return section, replace(models, response=model)


def decisions(store: Store | None, history: History, *, now: int) -> tuple[dict[str, Any] | None, Response | None]:
    """The section, as JSON, and who takes up what; None where nothing was decided yet. Raises StoreUnavailable."""
    log = DecisionLog() if store is None else read(store, now=now)
    if not log.dealt:
        return None, None
    model, learnt = response.learn(log.decided)
    told = [described(name, "answers", log, value(seen_by(one, log.decided))) for name, one in _policies(log).items()]
    uplift = worth(log.dealt, history).manifest
    return {"left_out": dict(log.left_out), "policies": told, "uplift": uplift, "response": learnt}, model


def _policies(log: DecisionLog) -> dict[str, Policy]:
    """The standing ones, and the catalogue without each action that stood first."""
    often = Counter(one.taken for one in log.decided)
    taken = sorted(often, key=lambda action: (-often[action], action))[:MOST_ACTIONS]
    return {**STANDING, **{f"without {action}": policies.without({action}) for action in taken}}
