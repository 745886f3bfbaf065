"""Purchase intent on Online Retail, both years: who orders within 7 and 30 days, month by month, beside one feature alone.

Each month is foretold by a model that saw only what came before it; the months are pooled. See training.foresight.
"""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.quality.next_purchases import FILES
from benchmarks.quality.rows import Row, peak_mb, timed
from models.settings import Settings
from training.fit.intent import Kinds
from training.foresight import OURS, Foresight
from training.history import History
from training.intents import learn
from training.profile_rows import rows_of
from training.read import read

DATASET = "intent"


def run(data: Path, *, threads: int = 1) -> list[Row]:
    """The rows of the table; none where the data set is not there."""
    paths = [str(data / name) for name in FILES]
    if not all(Path(path).exists() for path in paths):
        return []
    settings, now = Settings(), int(time.time())
    reading = read(paths, columns={}, settings=settings.history, shop=settings.shop, now=now, threads=threads)
    return measured(reading.history, reading.returned)


def measured(history: History, returned: History | None = None) -> list[Row]:
    """The rows of a history with times, as of its newest event."""
    as_of = history.newest or 0
    with timed() as clock:
        learnt = learn(rows_of(history, now=as_of, returned=returned), Kinds(), now=as_of)
    return [row for part in learnt.measured for row in _rows(part, clock.seconds)]


def _rows(part: Foresight, seconds: float) -> list[Row]:
    cases = sum(count for _, count, *_ in part.months)
    return [
        Row(
            DATASET,
            f"{method.method}, {part.days} days",
            {
                "auc": method.auc,
                "log loss": method.log_loss,
                "calibration error": method.error,
                "tenths inside": float(sum(tenth.inside for tenth in method.tenths)),
            },
            ours=method.method == OURS,
            seconds=seconds if method.method == OURS else None,
            peak_mb=peak_mb() if method.method == OURS else None,
            note=f"{len(part.months)} months, {cases:,} cases" if method.method == OURS else "the same learner",
        )
        for method in part.methods
    ]
