"""The manifest: all that is needed to repeat a run and to judge what came of it, as JSON beside the arrays."""

from __future__ import annotations

import hashlib
import platform
import resource
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from models.profile import rfc3339
from models.settings import DAY_S
from training.evaluate import OURS, Table
from training.gate import Verdict
from training.history import History
from training.learn import Chosen
from training.metrics import Values
from training.people import Told
from training.read import Reading
from training.settings import Options

PACKAGES = ("implicit", "numpy", "scipy", "duckdb")


@dataclass(frozen=True)
class Live:
    """The bundle that is served while this one is judged, and its NDCG by case; `how` it was measured."""

    version: str
    how: str
    ndcg: Values


def build_manifest(  # noqa: PLR0913 (a manifest is the sum of a run)
    options: Options,
    reading: Reading,
    history: History,
    *,
    as_of: int | None,
    chosen: Chosen,
    held_out: str,
    tables: Sequence[Table],
    verdict: Verdict | None,
    live: Live | None,
    created_at: int,
    seconds: Mapping[str, float],
    told: Told,
) -> dict[str, Any]:
    """See the module. Times in RFC 3339, UTC; `as_of_s` in seconds since 1970, None where the history has no times."""
    return {
        "created_at": rfc3339(created_at),
        "as_of": None if as_of is None else rfc3339(as_of),
        "as_of_s": as_of,
        "seed": options.seed,
        "threads": options.threads,
        "command": shlex.join(["python", "-m", "training.run", *sys.argv[1:]]),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "settings": asdict(options.settings),
        "currency": history.currency,
        "inputs": [_input(file.path) for file in reading.files],
        "window": _window(history),
        "reading": _reading(reading),
        "parameters": chosen.manifest,
        "evaluation": _evaluation(tables, held_out),
        "not_evaluated": None
        if tables
        else ("--no-evaluate" if not options.evaluate else f"{held_out}: nothing to be found was held out"),
        "gate": None if verdict is None else verdict.manifest,
        "live": None if live is None else {"version": live.version, "how": live.how},
        "items": {"store": told.store, "version": told.version},  # what the service need not lay over again
        "seconds": dict(seconds),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def _input(path: str) -> dict[str, Any]:
    """A file with its checksum; what is no file (stored events, a sheet of a workbook) by its name."""
    file = Path(path)
    if not file.is_file():
        return {"path": path}
    with file.open("rb") as stream:
        return {"path": path, "bytes": file.stat().st_size, "sha256": hashlib.file_digest(stream, "sha256").hexdigest()}


def _window(history: History) -> dict[str, Any]:
    """What was learnt from, in numbers."""
    bought = history.purchases
    span = {"from": _day(history.at[0]), "to": _day(history.at[-1])} if history.has_times else {}
    days = {"days": int(history.at[-1] - history.at[0]) // DAY_S + 1} if history.has_times else {}
    counts = {"purchases": len(bought), "orders": int(history.order.max(initial=-1)) + 1}
    return {**span, **days, **counts, "customers": len(history.customers), "items": len(history.items)}


def _reading(reading: Reading) -> dict[str, Any]:
    files = [
        asdict(file) | {"columns": {name: " or ".join(headers) for name, headers in file.columns.items()}}
        for file in reading.files
    ]
    refusals = [
        {"reason": refusal.reason, "count": refusal.count, "examples": [str(example) for example in refusal.examples]}
        for refusal in reading.refusals
    ]
    listed = [asdict(line) for line in reading.not_products]
    return {**reading.counts, "files": files, "refusals": refusals, "not_products": listed}


def _evaluation(tables: Sequence[Table], held_out: str) -> dict[str, Any] | None:
    """What `training.evaluate --json` prints of the gate's task, and all tables."""
    if not tables:
        return None
    first = tables[0]
    ours = next(row for row in first.rows if row.model == OURS)
    told = {"k": first.task.k, "customers": len(first.task.queries), "model": OURS, "metrics": dict(ours.metrics)}
    return {**told, "held_out": held_out, "tables": [table.manifest for table in tables]}


def _day(at: np.int64) -> str | None:
    return (rfc3339(int(at)) or "")[:10] or None
