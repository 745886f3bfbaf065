"""What a training run's report says of the decisions: what others would have brought, and what deciding is worth beside holding out."""

from __future__ import annotations

from collections import Counter
from typing import Any

from models.off_policy import value
from service.store import Store
from training import policies
from training.decision_log import DecisionLog, read
from training.history import History
from training.holdouts import worth
from training.off_policy import STANDING, described
from training.policies import Policy, seen_by

MOST_ACTIONS = 20  # that are valued without; those that stood first most often


def decisions(store: Store | None, history: History, *, now: int) -> dict[str, Any] | None:
    """The section, as JSON; None where nothing was decided yet. Raises StoreUnavailable."""
    log = DecisionLog() if store is None else read(store, now=now)
    if not log.dealt:
        return None
    told = [described(name, "answers", log, value(seen_by(one, log.decided))) for name, one in _policies(log).items()]
    return {"left_out": dict(log.left_out), "policies": told, "uplift": worth(log.dealt, history).manifest}


def _policies(log: DecisionLog) -> dict[str, Policy]:
    """The standing ones, and the catalogue without each action that stood first."""
    often = Counter(one.taken for one in log.decided)
    taken = sorted(often, key=lambda action: (-often[action], action))[:MOST_ACTIONS]
    return {**STANDING, **{f"without {action}": policies.without({action}) for action in taken}}
