"""Learning lifetimes by maximum likelihood: BG/NBD, MBG/NBD and Gamma-Gamma (papers: models.lifetime)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import betaln, digamma, expit, gammaln

from models.lifetime import Lifetime
from models.settings import DAY_S
from training.days import purchase_days
from training.history import History

Floats = NDArray[np.float64]
UNIT_S = 7 * DAY_S
LEAST_CUSTOMERS, LEAST_REPEATERS = 30, 10  # below these four parameters are a story, not an estimate
MOST_CUSTOMERS = 100_000  # evenly spaced; the standard error is then far below what any use can tell
BOUND = (-3.0, 9.0)  # of the logarithms; time and money are scaled to about 1 first
NO_VALUE_MODEL = (1.0, 1.0, 1.0)  # q = 1 has no mean: everybody gets the shop's
STARTS = ((-1.0, -1.0, -0.5, 1.0), (0.5, 0.0, -2.0, 1.0))


@dataclass(frozen=True)
class Summary:
    """A row a customer who bought: all that the models need of her.

    x      float64[c]  repeat purchase days           t_x   float64[c]  age at the last one, in units
    age    float64[c]  age now, in units ("T")        mean  float64[c]  mean value of the repeats, 0 where x is 0
    """

    x: Floats
    t_x: Floats
    age: Floats
    mean: Floats


@dataclass(frozen=True)
class Found:
    """A maximum: the parameters in the order of the paper, and the log-likelihood there."""

    parameters: tuple[float, ...]
    log_likelihood: float


def fit(history: History, *, now: int, unit_s: int = UNIT_S) -> Lifetime | None:
    """The models as of `now`, or None where the data cannot teach them: no times, too few customers, or too few who came again."""
    if not history.has_times:
        return None
    return fit_summary(summarise(history, now=now, unit_s=unit_s), unit_s=unit_s)


def fit_summary(summary: Summary, *, unit_s: int) -> Lifetime | None:
    """As `fit`, from a summary."""
    bgnbd, mbgnbd = fit_bgnbd(summary), fit_bgnbd(summary, modified=True)
    if bgnbd is None or mbgnbd is None:
        return None
    value = fit_gamma_gamma(summary)
    repeats = summary.x.sum()
    mean_value = float(summary.x @ summary.mean / repeats) if repeats else 0.0
    names = ("r", "alpha", "a", "b", "mbg_r", "mbg_alpha", "mbg_a", "mbg_b", "p", "q", "v")
    values = (*bgnbd.parameters, *mbgnbd.parameters, *(value.parameters if value else NO_VALUE_MODEL))
    return Lifetime(**dict(zip(names, values, strict=True)), mean_value=mean_value, unit_s=unit_s)


def summarise(history: History, *, now: int, unit_s: int = UNIT_S) -> Summary:
    """One row a customer with a purchase up to `now`, from distinct days."""
    days = purchase_days(history, now=now)
    first, last, end = days.day[days.start], days.day[days.end - 1], days.end
    repeats = (end - days.start - 1).astype(np.float64)
    later = np.ones(len(days.day), dtype=np.bool_)
    later[days.start] = False
    spent = days.per_customer(np.where(later, days.amount, 0))
    unit_days = unit_s / DAY_S
    return Summary(
        x=repeats,
        t_x=(last - first) / unit_days,
        age=np.maximum(now // DAY_S - first, last - first) / unit_days,
        mean=spent / np.maximum(repeats, 1),
    )


def fit_bgnbd(summary: Summary, *, modified: bool = False) -> Found | None:
    """(r, α, a, b) of BG/NBD, or of MBG/NBD; None where the data cannot teach them."""
    if not _teaches(summary):
        return None
    kept = slice(None, None, -(-len(summary.x) // MOST_CUSTOMERS))
    rows, weight = np.unique(np.column_stack([summary.x, summary.t_x, summary.age])[kept], axis=0, return_counts=True)
    scale = float(np.average(rows[:, 2], weights=weight))
    x, t_x, age = rows[:, 0], rows[:, 1] / scale, rows[:, 2] / scale

    def loss(log_parameters: Floats) -> tuple[float, Floats]:
        r, alpha, a, b = np.exp(log_parameters)
        mean = weight / weight.sum()
        slope = _slope(x, t_x, age, r, alpha, a, b, modified=modified) @ mean
        return -float(mean @ log_likelihood(x, t_x, age, r, alpha, a, b, modified=modified)), -slope * (r, alpha, a, b)

    found = _minimise(loss, STARTS, with_slope=True)
    if found is None:
        return None
    r, alpha, a, b = (float(value) for value in np.exp(found))
    whole = log_likelihood(summary.x, summary.t_x, summary.age, r, alpha * scale, a, b, modified=modified).sum()
    return Found((r, alpha * scale, a, b), float(whole))


def log_likelihood(
    x: Floats, t_x: Floats, age: Floats, r: float, alpha: float, a: float, b: float, *, modified: bool = False
) -> Floats:
    """float64[c]: BG/NBD (Fader, Hardie & Lee 2005, eq. 6); MBG/NBD has one more chance to leave, after the first purchase."""
    chances = x + 1.0 if modified else x
    orders = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    staying = betaln(a, b + chances) - betaln(a, b)
    left = _log_left(x, t_x, r, alpha, a, b, chances)
    return np.asarray(orders + staying + np.logaddexp(-(r + x) * np.log(alpha + age), left))


def _log_left(x: Floats, t_x: Floats, r: float, alpha: float, a: float, b: float, chances: Floats) -> Floats:
    """The part of the likelihood in which she left after her last purchase; -inf where she had no chance to."""
    odds = np.log(a / np.where(chances > 0, b + chances - 1.0, 1.0))
    return np.where(chances > 0, odds - (r + x) * np.log(alpha + t_x), -np.inf)


def _slope(
    x: Floats, t_x: Floats, age: Floats, r: float, alpha: float, a: float, b: float, *, modified: bool
) -> Floats:
    """float64[4, c]: the derivatives of `log_likelihood` by r, α, a, b."""
    chances = x + 1.0 if modified else x
    left = _log_left(x, t_x, r, alpha, a, b, chances)
    gone = expit(left + (r + x) * np.log(alpha + age))
    both = digamma(a + b) - digamma(a + b + chances)
    return np.array(
        [
            digamma(r + x) - digamma(r) + np.log(alpha) - (1 - gone) * np.log(alpha + age) - gone * np.log(alpha + t_x),
            r / alpha - (r + x) * ((1 - gone) / (alpha + age) + gone / (alpha + t_x)),
            both + gone / a,
            both + digamma(b + chances) - digamma(b) - gone / np.where(chances > 0, b + chances - 1.0, 1.0),
        ]
    )


def fit_gamma_gamma(summary: Summary) -> Found | None:
    """(p, q, v) from customers with repeats of some value; None where they are too few or all alike."""
    paying = (summary.x > 0) & (summary.mean > 0)
    x, mean = summary.x[paying], summary.mean[paying]
    if len(x) < LEAST_REPEATERS or float(np.ptp(mean)) == 0.0:
        return None
    kept = slice(None, None, -(-len(x) // MOST_CUSTOMERS))
    scale = float(mean.mean())

    def loss(log_parameters: Floats) -> float:
        p, q, v = np.exp(log_parameters)
        return -float(gamma_gamma_log_likelihood(x[kept], mean[kept] / scale, p, q, v).mean())

    found = _minimise(loss, ((1.0, 1.0, 0.0), (2.0, 1.5, 1.0)))
    if found is None:
        return None
    p, q, v = (float(value) for value in np.exp(found))
    return Found((p, q, v * scale), float(gamma_gamma_log_likelihood(x, mean, p, q, v * scale).sum()))


def gamma_gamma_log_likelihood(x: Floats, mean: Floats, p: float, q: float, v: float) -> Floats:
    """float64[c]: Fader & Hardie 2013, eq. 1a; x and mean above 0."""
    shape = p * x
    return np.asarray(
        gammaln(shape + q) - gammaln(shape) - gammaln(q) + q * np.log(v) + (shape - 1) * np.log(mean) + shape * np.log(x)
        - (shape + q) * np.log(x * mean + v)
    )  # fmt: skip


def _teaches(summary: Summary) -> bool:
    return (
        len(summary.x) >= LEAST_CUSTOMERS
        and int((summary.x > 0).sum()) >= LEAST_REPEATERS
        and bool((summary.age > 0).any())
    )


def _minimise(
    loss: Callable[[Floats], float] | Callable[[Floats], tuple[float, Floats]],
    starts: Sequence[tuple[float, ...]],
    *,
    with_slope: bool = False,
) -> Floats | None:
    """The best end of several starts; None where none is finite. `with_slope`: the loss tells its own gradient too."""
    options = {"ftol": 1e-13, "gtol": 1e-8, "maxiter": 500}
    found = [
        minimize(loss, start, method="L-BFGS-B", jac=with_slope, bounds=[BOUND] * len(start), options=options)
        for start in starts
    ]
    finite = [result for result in found if np.isfinite(result.fun) and np.isfinite(result.x).all()]
    if not finite:
        return None
    return np.asarray(min(finite, key=lambda result: float(result.fun)).x, dtype=np.float64)
