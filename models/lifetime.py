"""How many orders a customer will still place, and of what value.

BG/NBD: Fader, Hardie & Lee, "Counting Your Customers the Easy Way", Marketing Science 24(2), 2005.
MBG/NBD: Batislam, Denizel & Filiztekin, IJRM 24, 2007 (a one-time buyer may be gone too: BG/NBD calls her active for sure).
Gamma-Gamma: Fader & Hardie, "The Gamma-Gamma Model of Monetary Value", 2013.

A customer is (x, t_x, T): repeat purchases (distinct days beyond the first), age at the last one, age now, in units of `unit_s`.
Arguments are scalars or arrays that broadcast; answers are float64 arrays of that shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

# Nodes of the double-exponential rule (Takahasi & Mori 1974) on the logit of p, in standard deviations of its Beta distribution.
_STEP = np.linspace(-3.8, 3.8, 153)
_NODE = 0.5 * np.pi * np.sinh(_STEP)
_LOG_WEIGHT = np.log(np.cosh(_STEP))


@dataclass(frozen=True)
class Lifetime:
    """Parameters by maximum likelihood; see training.fit.lifetime.

    r α a b        BG/NBD: orders come at a rate ~ Gamma(r, α); after each, she leaves with probability ~ Beta(a, b)
    mbg_r … mbg_b  MBG/NBD: the same, but she may leave after the first purchase too
    p q v          Gamma-Gamma: the value of an order; q ≤ 1 (no finite mean, or not learnt): everybody gets `mean_value`
    mean_value     mean value of an order, minor units of money
    unit_s         the unit of t_x, T and t in seconds
    """

    r: float
    alpha: float
    a: float
    b: float
    mbg_r: float
    mbg_alpha: float
    mbg_a: float
    mbg_b: float
    p: float
    q: float
    v: float
    mean_value: float
    unit_s: int

    def expected_orders(self, x: ArrayLike, t_x: ArrayLike, age: ArrayLike, t: ArrayLike) -> Floats:
        """E[Y(t) | x, t_x, T]: orders expected in the next `t` units (BG/NBD, eq. 10)."""
        x, t_x, age, t = (np.asarray(value, dtype=np.float64) for value in (x, t_x, age, t))
        alive = self._p_alive_bgnbd(x, t_x, age)
        return alive * orders_while_active(self.r + x, self.alpha + age, self.a, self.b + x, t)

    def p_active(self, x: ArrayLike, t_x: ArrayLike, age: ArrayLike) -> Floats:
        """The probability that she has not left (MBG/NBD): 1 / (1 + a/(b+x) · ((α+T)/(α+t_x))^(r+x))."""
        x, t_x, age = (np.asarray(value, dtype=np.float64) for value in (x, t_x, age))
        log_odds = np.log(self.mbg_a / (self.mbg_b + x)) + (self.mbg_r + x) * np.log(
            (self.mbg_alpha + age) / (self.mbg_alpha + t_x)
        )
        return np.asarray(1.0 / (1.0 + np.exp(np.minimum(log_odds, 700.0))))

    def expected_value(self, x: ArrayLike, mean: ArrayLike) -> Floats:
        """E[M | x, m]: the expected value of an order, minor units, from x repeat orders of mean value `mean` (ignored where x is 0)."""
        x, mean = np.asarray(x, dtype=np.float64), np.asarray(mean, dtype=np.float64)
        if self.q <= 1.0:
            return np.full(np.broadcast_shapes(x.shape, mean.shape), self.mean_value)
        own = self.p * x / (self.p * x + self.q - 1.0)
        return np.asarray((1.0 - own) * self.p * self.v / (self.q - 1.0) + own * mean)

    def _p_alive_bgnbd(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        """P(alive) of BG/NBD: 1 where x is 0. For expected_orders only: it ranks churn worse than a coin."""
        repeats = np.maximum(x, 1.0)
        log_odds = np.log(self.a / (self.b + repeats - 1.0)) + (self.r + repeats) * np.log(
            (self.alpha + age) / (self.alpha + t_x)
        )
        return np.where(x > 0, 1.0 / (1.0 + np.exp(np.minimum(log_odds, 700.0))), 1.0)


def orders_while_active(shape: Floats, rate: ArrayLike, a: ArrayLike, b: Floats, t: Floats) -> Floats:
    """E[(1 - e^(-λpt)) / p] for λ ~ Gamma(shape, rate), p ~ Beta(a, b): orders in the next t of a customer active now.

    This is the bracket of BG/NBD's equation 10, where it stands as (a+b-1)/(a-1) · [1 - (rate/(rate+t))^shape · 2F1(…)]. The integral over
    p is done by quadrature instead: it has no pole at a = 1, no series near z = 1, and agrees with 2F1 to 1e-9 (a test says so).
    Memory: 153 float64 an element.
    """
    a, b, shape, rate, t = (np.asarray(value, dtype=np.float64)[..., None] for value in (a, b, shape, rate, t))
    width = np.sqrt(1 / a + 1 / a**2 + 1 / b + 1 / b**2)
    logit = np.log(a / b) + width * _NODE
    log_p, log_rest = -np.logaddexp(0.0, -logit), -np.logaddexp(0.0, logit)
    log_density = a * log_p + b * log_rest + _LOG_WEIGHT
    density = np.exp(log_density - log_density.max(axis=-1, keepdims=True))
    p = np.exp(np.maximum(log_p, -600.0))
    orders = -np.expm1(-shape * np.log1p(p * t / rate)) / p
    return np.asarray((density * orders).sum(axis=-1) / density.sum(axis=-1))
