"""The options of leastsq, as users give them -> what the core takes."""

from __future__ import annotations

import operator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from leastsq._checks import FloatArray, own_vector

DEFAULT_TOLERANCE = 1.49012e-8
LARGEST_COUNT = np.iinfo(np.int32).max
IMPROPER = "Improper input parameters."


class Settings(NamedTuple):
    """The options of the solver; epsfcn is None where the functions tell their precision."""

    ftol: float
    xtol: float
    gtol: float
    maxfev: int
    factor: float
    diag: FloatArray | None
    epsfcn: float | None

    def fault(self) -> str | None:
        """Say what is improper, by the rules that the core goes by."""
        ftol, xtol, gtol, _, factor, diag, _ = self
        if not ftol >= 0:
            return f"ftol must not be negative: got {ftol:g}."
        if not xtol >= 0:
            return f"xtol must not be negative: got {xtol:g}."
        if not gtol >= 0:
            return f"gtol must not be negative: got {gtol:g}."
        if not factor > 0:
            return f"factor must be positive: got {factor:g}."
        if diag is not None and not (diag > 0).all():
            return f"diag must be positive: got {diag}."
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
) -> Settings:
    """Convert the options of a fit of n parameters."""
    return Settings(
        real_number(ftol, "ftol") if atol is None else one_tolerance(ftol, atol),
        real_number(xtol, "xtol"),
        real_number(gtol, "gtol"),
        most_calls(maxfev, default_calls),
        real_number(factor, "factor"),
        None if diag is None else scale_factors(diag, n),
        None if epsfcn is None else real_number(epsfcn, "epsfcn"),
    )


def real_number(value: object, name: str) -> float:
    """Convert an option to a float."""
    if type(value) is float:
        return value
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a real number, got {value!r}") from None


def one_tolerance(ftol: float, atol: float) -> float:
    """Take ftol under either of its names."""
    if ftol is not DEFAULT_TOLERANCE:
        raise TypeError("atol is a synonym of ftol: pass one of the two, not both")
    return real_number(atol, "atol")


def most_calls(maxfev: int, default: int) -> int:
    """Choose the limit on calls of func; the core counts them in 32 bits."""
    try:
        calls = operator.index(maxfev)
    except TypeError:
        raise TypeError(f"maxfev must be an integer, got {maxfev!r}") from None
    return min(calls, LARGEST_COUNT) if calls > 0 else default


def scale_factors(diag: ArrayLike, n: int) -> FloatArray:
    """Take diag as n numbers of the caller's."""
    factors = own_vector(diag, "diag")
    if factors.size != n:
        raise ValueError(
            f"diag must have one factor for each of the {n} parameters, got {factors.size}"
        )
    return factors
