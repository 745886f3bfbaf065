"""`python -m training.off_policy --without win-back`: what other decisions would have brought, valued on the decisions that were made.

Decisions are logged with the chance that every action had to stand first, so what another policy would have brought can be estimated without
trying it, as far as the log did what that policy would do. How far that is is printed; where it is not far enough, nothing else is.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from models.errors import DiskError, InputError
from models.lift import Estimate
from models.off_policy import Valuation, value
from models.profile import rfc3339
from service.decisions.shelf import filed, known, stood
from service.store import Store
from service.store.open import open_store
from training import policies
from training.command import ended
from training.decision_log import SETTLE_DAYS, DecisionLog, read
from training.policies import Policy, seen_by
from training.recast import Recast
from training.settings import DEFAULT_STORE, parse_time, read_settings

REFUSED = 3
STANDING: Mapping[str, Policy] = {
    "logged": policies.as_logged,
    "uniform": policies.uniform,
    "likeliest": policies.likeliest,
}
REWARDS = {"answers": policies.answers, "value": policies.worth}


def wanted(given: argparse.Namespace, log: DecisionLog) -> tuple[str, Policy]:
    """The policy of a command line, and its name in words. Raises InputError for an action that the log never had."""
    known = sorted({action for one in log.decided for action in one.chances})
    for action in [*given.without, *([given.action] if given.action else [])]:
        if log.decided and action not in known:
            raise InputError(f"{action!r} never had a chance in this log; it has {', '.join(known)}. Explore it first.")
    if given.actions:
        return f"the catalogue {given.actions}", policies.recast
    if given.action:
        return f"always {given.action}", policies.always(given.action)
    if given.without:
        return f"without {', '.join(given.without)}", policies.without(frozenset(given.without))
    return given.policy, STANDING[given.policy]


def described(name: str, reward: str, log: DecisionLog, told: Valuation) -> dict[str, Any]:
    """What a log says of a policy, as JSON; times in RFC 3339."""
    return {
        "policy": name,
        "reward": reward,
        "from": rfc3339(log.decided[0].at) if log.decided else None,
        "to": rfc3339(log.decided[-1].at) if log.decided else None,
        "decisions": told.rounds,
        "customers": told.units,
        "left_out": dict(log.left_out),
        "effective_sample_size": round(told.effective, 1),
        "mean_weight": round(told.mean_weight, 6),
        "largest_weight": round(told.largest_weight, 6),
        "never_had_a_chance": round(told.unsupported, 6),
        "refusals": list(told.refusals),
        "as_it_was": _plain(told.done),
        "values": {estimator: _plain(found) for estimator, found in told.values.items()},
        "threshold": told.tau,
        "gain": _plain(told.gain),
    }


def _plain(found: Estimate | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"value": round(found.value, 8), "interval": [round(bound, 8) for bound in found.interval]}


def lines(one: Mapping[str, Any]) -> Iterator[str]:
    """The same for people."""
    span = f", {one['from'][:10]} to {one['to'][:10]}" if one["from"] else ""
    yield f"{one['policy']}: {one['decisions']:,} decisions for {one['customers']:,} customers{span}; reward: {one['reward']}"
    if one["left_out"]:
        yield "left out: " + ", ".join(f"{count:,} {why}" for why, count in one["left_out"].items())
    yield (
        f"effective sample size {one['effective_sample_size']:,.0f} customers; weights: mean {one['mean_weight']:.3f}, "
        f"largest {one['largest_weight']:.1f}; never had a chance: {one['never_had_a_chance']:.1%}"
    )
    for reason in one["refusals"]:
        yield f"refused: {reason}"
    rows = {"as it was": one["as_it_was"], **one["values"], "gain, DR, paired": one["gain"]}
    for name, found in rows.items():
        if found is not None:
            low, high = found["interval"]
            yield f"  {name:17} {found['value']:10.5f}  [{low:.5f}, {high:.5f}]"


def run(given: argparse.Namespace, *, now: int) -> dict[str, Any]:
    """Read the log and value the policy. Raises ValetError."""
    store = open_store(given.store or os.environ.get("VALET_STORE") or DEFAULT_STORE)
    if store is None:
        raise InputError("--store none: decisions are logged in the store; name it")
    try:
        since = None if given.since is None else parse_time(given.since, "UTC", flag="--since")
        seen_by_it = _recast(given, store)
        log = read(store, now=now, channel=given.channel, since=since, settle_days=given.settle_days, recast=seen_by_it)
    finally:
        store.close()
    name, policy = wanted(given, log)
    return described(name, given.reward, log, value(seen_by(policy, log.decided, REWARDS[given.reward])))


def _recast(given: argparse.Namespace, store: Store) -> Callable[[Mapping[str, Any]], Mapping[str, float] | None]:
    """How a changed catalogue sees each decision; where none is asked about, nothing."""
    if given.actions is None:
        return lambda _: {}
    config = given.config or os.environ.get("VALET_CONFIG") or ("valet.toml" if Path("valet.toml").exists() else None)
    shop = read_settings(Path(config) if config else None)
    return Recast(filed(given.actions, shop), cache(lambda version: stood(store, version, known(shop))))


def main(arguments: Sequence[str] | None = None) -> int:
    """Value a policy; exit 2 for what cannot be used, 3 where the log is not enough to say, 5 where the disk is full."""
    given = _parser().parse_args(arguments)

    def work() -> int:
        found = run(given, now=int(time.time()))
        sys.stdout.write("".join(f"{line}\n" for line in lines(found)))
        if given.json:
            _write(Path(given.json), found)
        return REFUSED if found["refusals"] else 0

    return ended(work, interrupted="interrupted; nothing was changed")


def _write(path: Path, found: Mapping[str, Any]) -> None:
    try:
        path.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    except OSError as error:
        raise DiskError(f"{path}: {error.strerror}. Name a writable file with --json.") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="valet-off-policy",
        description="Value other decisions on the log of those that were made.",
        epilog="Exit: 0 valued, 2 unusable input, 3 the log is not enough to say (and why), 5 disk.",
    )
    add = parser.add_argument
    which = parser.add_mutually_exclusive_group()
    one = which.add_argument
    one("--policy", choices=STANDING, default="logged", help="what was done; all alike; without exploration")
    one("--action", metavar="ID", help="always this action, wherever it had a chance")
    one("--without", metavar="ID", action="append", default=[], help="the catalogue without this action; repeats")
    one("--actions", type=Path, metavar="FILE", help="a changed actions.toml: what it would have put first")
    add("--config", metavar="PATH", help="valet.toml, for --actions (default: ./valet.toml where it exists)")
    add(
        "--reward",
        choices=REWARDS,
        default="answers",
        help="answers (0 or 1), or the value of what was taken up less its cost",
    )
    add("--store", metavar="URL", help=f"where the log is (default: {DEFAULT_STORE})")
    add("--channel", metavar="NAME", help="decisions of this channel only")
    add("--since", metavar="TIME", help="decisions from this time on")
    add(
        "--settle-days",
        type=float,
        default=SETTLE_DAYS,
        metavar="N",
        help=f"leave out younger ones (default {SETTLE_DAYS})",
    )
    add("--json", metavar="FILE", help="write it as JSON too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
