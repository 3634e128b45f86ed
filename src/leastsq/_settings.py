"""The options of leastsq, as users give them -> what the core takes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from leastsq._checks import LARGEST_INT, FloatArray, own_vector, real_number

DEFAULT_TOLERANCE = 1.49012e-8
LARGEST_SPREAD = 1e300
IMPROPER = "Improper input parameters."
EMPTY = "x0 is empty: there is nothing to solve for."

Settings = tuple[
    float, float, float, int, float, FloatArray | None, float | None, FloatArray | None
]
"""ftol, xtol, gtol, maxfev, factor, diag, epsfcn, diff_step; None where the core chooses.

A plain tuple: a named one takes longer to make than a small fit to take a step.
"""


def fault(settings: Settings) -> str | None:
    """Say what is improper, by the rules that the core goes by."""
    ftol, xtol, gtol, _, factor, diag, epsfcn, _ = settings
    if diag is not None and (wrong := fault_of_scale(diag)):
        return wrong
    if epsfcn is not None and not math.isfinite(epsfcn):
        return f"epsfcn must be finite: got {epsfcn:g}."
    if ftol >= 0.0 and xtol >= 0.0 and gtol >= 0.0 and factor > 0.0:
        return None
    if not factor > 0:
        return f"factor must be positive: got {factor:g}."
    tolerances = {"ftol": ftol, "xtol": xtol, "gtol": gtol}
    name = next(name for name, tolerance in tolerances.items() if not tolerance >= 0)
    return f"{name} must not be negative: got {tolerances[name]:g}."


def fault_of_scale(diag: FloatArray) -> str | None:
    """Say what is improper about scale factors."""
    if not ((diag > 0) & (diag < np.inf)).all():
        return f"diag must be positive and finite: got {diag}."
    if diag.size and diag.max() > LARGEST_SPREAD * diag.min():
        return f"diag must not spread over a factor of more than {LARGEST_SPREAD:g}: got {diag}."
    return None


def read_settings(
    n: int,
    default_calls: int,
    ftol: float = DEFAULT_TOLERANCE,
    xtol: float = DEFAULT_TOLERANCE,
    gtol: float = 0.0,
    maxfev: int = 0,
    epsfcn: float | None = None,
    factor: float = 100.0,
    diag: ArrayLike | None = None,
    atol: float | None = None,
    diff_step: ArrayLike | None = None,
) -> Settings:
    """Convert the options of a fit of n parameters."""
    if atol is not None:
        ftol = one_tolerance(ftol, atol)
    if not type(ftol) is type(xtol) is type(gtol) is type(factor) is float:
        ftol, xtol = real_number(ftol, "ftol"), real_number(xtol, "xtol")
        gtol, factor = real_number(gtol, "gtol"), real_number(factor, "factor")
    return (
        ftol,
        xtol,
        gtol,
        most_calls(maxfev, default_calls),
        factor,
        None if diag is None else scale_factors(diag, n),
        None if epsfcn is None else real_number(epsfcn, "epsfcn"),
        None if diff_step is None else steps(diff_step, n),
    )


def one_tolerance(ftol: float, atol: float) -> float:
    """Take ftol under either of its names."""
    if ftol is not DEFAULT_TOLERANCE:
        raise TypeError("atol is a synonym of ftol: pass one of the two, not both")
    return real_number(atol, "atol")


def most_calls(given: float, default: int, name: str = "maxfev") -> int:
    """Choose the limit on calls of func; the core counts them in 32 bits."""
    if type(given) is not int:
        calls = real_number(given, name)
        if math.isnan(calls) or (math.isfinite(calls) and calls != int(calls)):
            raise TypeError(f"{name} must be a whole number, or infinite, got {given!r}")
        given = int(min(max(calls, 0), LARGEST_INT))
    return min(given, LARGEST_INT) if given > 0 else default


def scale_factors(diag: ArrayLike, n: int) -> FloatArray:
    """Take diag as n numbers of the caller's."""
    factors = own_vector(diag, "diag")
    if factors.size != n:
        raise ValueError(
            f"diag must have one factor for each of the {n} parameters, got {factors.size}"
        )
    return factors


def steps(diff_step: ArrayLike, n: int) -> FloatArray:
    """Take the relative steps of differences: one for all parameters, or n."""
    relative = own_vector(diff_step, "diff_step")
    if relative.size == 1:
        relative = np.full(n, relative[0])
    if relative.size != n:
        raise ValueError(
            f"diff_step must be one number, or one for each of the {n} parameters, "
            f"got {relative.size}"
        )
    if not (np.isfinite(relative) & (relative != 0)).all():
        raise ValueError(f"diff_step must be finite and not zero: got {diff_step!r}")
    return np.abs(relative)
