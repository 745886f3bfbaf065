"""CDNOW: do the lifetimes we learn have the published parameters, and do they foretell the 39 weeks that follow?

Fader, Hardie & Lee 2005 (BG/NBD), Batislam et al. 2007 (MBG/NBD), Fader & Hardie 2013 (Gamma-Gamma). 2,357 customers who bought first in
early 1997; calibration to 1997-09-30, holdout to 1998-06-30. The naive forecast: everybody goes on at her rate so far.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.rows import Row, peak_mb, timed
from models.lifetime import Lifetime
from models.settings import DAY_S
from training.fit.lifetime import Summary, fit_bgnbd, fit_gamma_gamma, fit_summary
from training.metrics import area_under_curve

DATASET = "cdnow"
FILES = ("cdnow_customers_summary_with_transactions.csv", "CDNOW_sample.txt")
CALIBRATION_END = datetime(1997, 9, 30, tzinfo=UTC)
HOLDOUT_WEEKS = 39
WEEK_S = 7 * DAY_S


@dataclass(frozen=True)
class Cdnow:
    """The calibration summary in weeks, and what each customer bought in the holdout (distinct days); rows are customers."""

    summary: Summary
    holdout: NDArray[np.int64]


def run(data: Path) -> list[Row]:
    """The rows of the table, from the folder of the data sets; none where it has no CDNOW."""
    folder = data / DATASET
    if not all((folder / name).exists() for name in FILES):
        return []
    cdnow = read(folder)
    with timed() as clock:
        lifetime = fit_summary(cdnow.summary, unit_s=WEEK_S)
    assert lifetime is not None  # 946 customers came again
    return [
        *_parameters(cdnow.summary),
        *(
            Row(
                DATASET, method, measured, ours, clock.seconds if ours else None, peak_mb() if ours else None, note=note
            )
            for method, measured, ours, note in _forecasts(cdnow, lifetime)
        ),
    ]


def read(folder: Path) -> Cdnow:
    """Read both files. The sample has: master id, sample id, yyyymmdd, number of CDs, dollars."""
    table = np.loadtxt(folder / FILES[0], delimiter=",", skiprows=1)
    summary = Summary(x=table[:, 1], t_x=table[:, 2], age=table[:, 3], mean=table[:, 4])
    bought = np.unique(np.loadtxt(folder / FILES[1], usecols=(1, 2), dtype=np.int64), axis=0)  # distinct days
    later = bought[bought[:, 1] > int(CALIBRATION_END.strftime("%Y%m%d")), 0]
    return Cdnow(summary, np.bincount(later, minlength=len(table) + 1)[1:])


def _parameters(summary: Summary) -> list[Row]:
    rows = []
    for method, found, names in (
        ("BG/NBD", fit_bgnbd(summary), ("r", "alpha", "a", "b")),
        ("MBG/NBD", fit_bgnbd(summary, modified=True), ("r", "alpha", "a", "b")),
        ("Gamma-Gamma", fit_gamma_gamma(summary), ("p", "q", "v")),
    ):
        assert found is not None
        values = dict(zip(names, found.parameters, strict=True)) | {"log-likelihood": found.log_likelihood}
        rows.append(Row(DATASET, f"{method} parameters", values, ours=True))
    return rows


def _forecasts(cdnow: Cdnow, lifetime: Lifetime) -> list[tuple[str, dict[str, float], bool, str]]:
    """(method, measured, whether it is ours, note) of each forecast of the holdout."""
    seen = (cdnow.summary.x, cdnow.summary.t_x, cdnow.summary.age)
    expected = lifetime.expected_orders(*seen, HOLDOUT_WEEKS)
    naive = cdnow.summary.x / cdnow.summary.age * HOLDOUT_WEEKS
    again, actual = cdnow.holdout > 0, float(cdnow.holdout.sum())
    ranked = (
        ("expected orders", expected, expected, True, f"the holdout has {actual:.0f} orders"),
        ("naive rate", naive, naive, False, "orders so far ÷ weeks so far"),
        ("recency", None, cdnow.summary.t_x, False, ""),
        ("frequency", None, cdnow.summary.x, False, ""),
        ("P(active), MBG/NBD", None, lifetime.p_active(*seen), True, "of one-time buyers too"),
    )
    answer = []
    for method, forecast, score, ours, note in ranked:
        measured = {"auc": area_under_curve(score, again)}
        if forecast is not None:
            total = float(forecast.sum())
            measured |= {
                "total": total,
                "off": abs(total / actual - 1),
                "mae": float(np.abs(forecast - cdnow.holdout).mean()),
            }
        answer.append((method, measured, ours, note))
    return answer
