"""Quantiles of Student's t distribution and of the normal distribution."""

from __future__ import annotations

import math
from statistics import NormalDist

MANY_DEGREES = 1e4  # from so many degrees of freedom on, the expansion is exact to ten digits


def two_sided_quantile(level: float, dof: float | None) -> float:
    """Return t such that a value lies in (-t, t) with the probability level.

    dof is the number of degrees of freedom; None for the normal distribution.
    """
    if dof is None:
        return normal_quantile(level)
    if dof > MANY_DEGREES:
        # M. Abramowitz and I. A. Stegun, Handbook of Mathematical Functions, 26.7.5
        z = normal_quantile(level)
        return z + (z**3 + z) / (4 * dof) + (5 * z**5 + 16 * z**3 + 3 * z) / 96 / dof / dof
    # t**2/dof = s has the probability I(s/(1 + s); 1/2, dof/2), and is exceeded with the
    # probability I(1/(1 + s); dof/2, 1/2). The logarithm of s is found by bisection.
    lower, upper = -100.0, 700.0
    while upper - lower > 1e-14 * max(1.0, abs(upper)):
        middle = (lower + upper) / 2
        if middle < 0:
            is_less = incomplete_beta(1 / (1 + math.exp(-middle)), 0.5, dof / 2) < level
        else:
            beyond = incomplete_beta(1 / (1 + math.exp(middle)), dof / 2, 0.5)
            is_less = beyond > 1 - level
        lower, upper = (middle, upper) if is_less else (lower, middle)
    return math.sqrt(dof) * math.exp(lower / 2)


def normal_quantile(level: float) -> float:
    """Return the same for the normal distribution."""
    return -NormalDist().inv_cdf((1 - level) / 2)


def incomplete_beta(x: float, a: float, b: float) -> float:
    """Compute the regularized incomplete beta function I(x; a, b) for 0 <= x <= 1.

    Its continued fraction converges fast below the mean of the distribution; above it, the symmetry
    I(x; a, b) = 1 - I(1 - x; b, a) is used.
    """
    if x <= 0 or x >= 1:
        return min(max(x, 0.0), 1.0)
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(1 - x, b, a)
    logarithm = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(logarithm + a * math.log(x) + b * math.log1p(-x)) / a
    return front / continued_fraction(x, a, b)


def continued_fraction(x: float, a: float, b: float) -> float:
    """Evaluate 1 + d1/(1 + d2/(1 + ...)), NIST's Digital Library of Mathematical Functions 8.17.22.

    The method is that of Lentz: numerators and denominators are replaced by their ratios.
    """
    value, c, d = 1.0, 1.0, 0.0
    for k in range(1, 1000):
        m = k // 2
        if k % 2:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / (1 + term * d)
        c = 1 + term / c
        value *= c * d
        if abs(c * d - 1) < 1e-16:
            break
    return value
