"""The record of a decision: all that it was made of, so that it can be made again byte for byte, in at most MOST bytes.

What the funnel found stands as sets of actions; what arbitration and the choice need stands as it was read. Texts are not kept: the catalogue
has them, by its version, nor are products, but for their ids. A salt makes the record's hash tell nothing of what is in it.
"""

from __future__ import annotations

import secrets
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import numpy as np
import orjson

from models.action_catalogue import Catalogue, Set, rows_of
from models.profile import rfc3339
from models.propensity import CODE, Belief, coded, decoded
from service.decisions.arbitration import Ranking
from service.decisions.funnel import Look

MOST = 2_048  # bytes
SALT = 16
KIND = "decision"  # of the documents in the store
FORM = 2  # how decisions are made; another number makes other draws of the same seed, and cannot be replayed here


def written(
    ranking: Ranking, answer: Mapping[str, Any], chances: Mapping[str, float], *, asked: Mapping[str, Any]
) -> dict[str, Any]:
    """The record as a plain document; `chances` to stand first by action, `asked` what of the request is not in the situation."""
    seen, passage, rows = ranking.seen, ranking.passage, np.sort(ranking.rows)
    at, picture = seen.at, seen.at.picture
    return {
        "form": FORM,
        "decision_id": answer["decision_id"],
        "customer_id": asked["customer_id"],
        "channel": at.channel,
        "placement": at.placement,
        "context": dict(at.context),
        "at": rfc3339(at.now),
        "now": at.now,
        "asked": {key: asked[key] for key in ("length", "explain", "lang")},
        "catalogue": at.actions.version,
        "model": answer["model_version"],
        "arm": at.arm,
        "seed": at.seed,
        "hour": at.reach.hour,
        "better": at.reach.better,
        "zone": str(at.zone),
        "tier": picture.tiers[0] if picture.tiers else "",
        "picture": [picture.tiers, picture.lifecycle, picture.numbers, picture.words],
        "complaint": at.complaint,
        "profiled": at.profiled,
        "unanswered": seen.unanswered,
        "allotted": at.allotted,
        "levels": {name: [level.used, level.price, level.at] for name, level in at.levels.items()},
        "passed": f"{passage.passed:x}",
        "dropped": {code: f"{gone:x}" for code, gone in passage.dropped.items()},
        "belief": b64encode(coded(Belief(passage.belief.mean[rows], passage.belief.evidence[rows])).tobytes()).decode(),
        "chances": dict(chances),
        "actions": [_short(one, seen) for one in answer["actions"]],
        "digest": digest(answer),
        "salt": secrets.token_hex(SALT),
    }


def dump(record: Mapping[str, Any], *, actions: Catalogue | None = None) -> bytes:
    """The bytes of a record. Where there is no room, what none of the `actions` read of the context goes, then the chances.

    What is left is what a replay needs; where a catalogue of thousands lets hundreds pass, that may be more than MOST.
    """
    document = zlib.compress(orjson.dumps(record), 1)  # a tenth longer than at 9, in two thirds of the time
    if len(document) > MOST:
        read = frozenset(record["context"]) if actions is None else context_read(actions)
        record = {**record, "context": {name: value for name, value in record["context"].items() if name in read}}
        document = zlib.compress(orjson.dumps(record), 9)
    if len(document) > MOST:
        document = zlib.compress(orjson.dumps({name: value for name, value in record.items() if name != "chances"}), 9)
    return document


def context_read(actions: Catalogue) -> frozenset[str]:
    """What actions of a catalogue read of a request's context: in conditions, and for a priority."""
    weighed = {pair.partition("=")[0] for action in actions.actions for pair in action.context}
    asked = {name for rules in actions.conditions.values() for rule in rules.values() for name in rule.names}
    return frozenset(weighed | {name.removeprefix("context.") for name in asked if name.startswith("context.")})


def load(document: bytes) -> dict[str, Any]:
    """The record in its bytes."""
    record: dict[str, Any] = orjson.loads(zlib.decompress(document))
    return record


def action_ids(record: Mapping[str, Any]) -> list[str]:
    """What was decided, best first."""
    return [one["action_id"] for one in record["actions"]]


def passed(record: Mapping[str, Any]) -> Set:
    """The actions that came through the funnel, numbers of the record's catalogue."""
    return int(record["passed"], 16)


def belief(record: Mapping[str, Any], actions: int) -> Belief:
    """What was believed of those that came through; NaN for the others of so many actions."""
    read = decoded(np.frombuffer(b64decode(record["belief"]), dtype=CODE))
    rows = rows_of(passed(record), actions)
    found = Belief(np.full(actions, np.nan), np.full(actions, np.nan))
    found.mean[rows], found.evidence[rows] = read
    return found


def plain(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The answer with products by id alone: what they cost and whether they are there is no part of the decision."""
    actions = [{**one, "items": [{"item_id": _id(item)} for item in one["items"]]} for one in answer["actions"]]
    return {**answer, "actions": actions}


def digest(answer: Mapping[str, Any]) -> str:
    """What stands for the bytes of an answer."""
    return blake2b(orjson.dumps(plain(answer)), digest_size=16).hexdigest()


def _short(one: Mapping[str, Any], seen: Look) -> dict[str, Any]:
    """What stands of a chosen action: what learning asks for (`base`: what the counters alone believed), and what a replay cannot know."""
    base = float(seen.at.belief.mean[seen.at.actions.rows[one["action_id"]]])
    kept = {name: one[name] for name in ("action_id", "treatment", "probability")}
    money = {name: one["factors"][name] for name in ("value", "cost")}
    return {**kept, **money, "base": round(base, 6), "items": [_id(item) for item in one["items"]]}


def _id(item: Any) -> str:
    return item["item_id"] if isinstance(item, Mapping) else str(item)
