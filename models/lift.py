"""Lift: how much better a variant does than the control, with intervals, and whether the split can be trusted at all.

The customer is what was dealt, so she is the case: sums per customer go in. A rate of clicks per list is a ratio of two sums per customer, whose
variance is that of the delta method (Deng, Knoblich & Lu 2018, KDD, section 3). Whoever looks every morning and stops when it shines finds
effects that are not there: `always_valid` holds however often one looks, asymptotically (Waudby-Smith et al. 2024, Annals of Statistics 52(6)),
`interval` for one look at an end that was set beforehand.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ALPHA = 0.05
Z = 1.959964  # of a two-sided 95 % interval
Z_POWER, POWER = 0.841621, 0.8  # the power with which an effect is to be found
EFFECT = 0.1  # the relative difference that should not be missed
TIGHTEST = 1_000  # customers at which the always-valid interval is tightest

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A rate, the variance of its estimate, and the customers behind it."""

    value: float
    variance: float
    customers: int

    @property
    def interval(self) -> tuple[float, float]:
        """Of 95 %, as the normal distribution has it."""
        wide = Z * math.sqrt(self.variance)
        return self.value - wide, self.value + wide


@dataclass(frozen=True)
class Lift:
    """The relative difference to the control: 0.1 is a tenth more. Intervals are of 95 %."""

    relative: float
    interval: tuple[float, float]
    always_valid: tuple[float, float]


def ratio(numerator: Values, denominator: Values) -> Estimate | None:
    """Σ numerator / Σ denominator over customers, float64[customers] each; None for fewer than two, or a denominator of 0."""
    customers, below = len(numerator), float(denominator.sum())
    if customers < 2 or below == 0:
        return None
    value = float(numerator.sum()) / below
    residual = (numerator - value * denominator) / (below / customers)
    return Estimate(value, float(residual.var(ddof=1)) / customers, customers)


def lift(control: Estimate | None, variant: Estimate | None) -> Lift | None:
    """The variant beside the control; None where one of them is unknown, or the control is 0."""
    if control is None or variant is None or control.value == 0:
        return None
    relative = variant.value / control.value - 1
    variance = variant.variance + (variant.value / control.value) ** 2 * control.variance
    error = math.sqrt(variance) / abs(control.value)
    wide = always_valid(control.customers + variant.customers) * error
    return Lift(relative, (relative - Z * error, relative + Z * error), (relative - wide, relative + wide))


def needed(control: Estimate | None, variant: Estimate | None, *, effect: float = EFFECT) -> tuple[int, int] | None:
    """How many customers (control, variant) a relative difference of `effect` needs to be found with POWER at 95 %, split as they are now.

    n = (z₁₋α/₂ + z_β)² · (σ²_c / s_c + σ²_v / s_v) / (effect · control)², s the shares (Kohavi, Tang & Xu 2020, section 17.6, for shares that
    differ); σ² as measured. None where that is unknown: nobody, or nothing was ever bought.
    """
    if control is None or variant is None or control.value == 0:
        return None
    both = control.customers + variant.customers
    share = control.customers / both
    spread = control.variance * control.customers / share + variant.variance * variant.customers / (1 - share)
    whole = (Z + Z_POWER) ** 2 * spread / (effect * control.value) ** 2
    return math.ceil(whole * share), math.ceil(whole * (1 - share))


def always_valid(customers: int) -> float:
    """How many standard errors wide, to each side, an interval is that holds at every look: √(2(nρ²+1)/(nρ²) · ln(√(nρ²+1)/α))."""
    scale = customers * (-2 * math.log(ALPHA) + math.log(1 - 2 * math.log(ALPHA))) / TIGHTEST
    return math.sqrt(2 * (scale + 1) / scale * math.log(math.sqrt(scale + 1) / ALPHA))


def mismatch(counts: Sequence[int], shares: Sequence[float]) -> float:
    """The p-value of the customers' counts if they were dealt by these shares (χ²); 1 where there is nobody.

    Below .001 something but chance decides who is counted, and no lift can be trusted (Fabijan et al. 2019, KDD).
    """
    whole = sum(counts)
    if whole == 0:
        return 1.0
    expected = [share * whole for share in shares]
    return tail(sum((count - due) ** 2 / due for count, due in zip(counts, expected, strict=True)), len(counts) - 1)


def tail(value: float, freedom: int) -> float:
    """P(χ² > value) with whole degrees of freedom, above 0: the finite sums of Abramowitz & Stegun 26.4.4 and 26.4.5."""
    half = value / 2
    odd = freedom % 2
    first = math.erfc(math.sqrt(half)) if odd else 0.0
    powers = [nth + 0.5 * odd for nth in range(freedom // 2)]
    return first + math.exp(-half) * sum(math.pow(half, power) / math.gamma(power + 1) for power in powers)
