"""The options of leastsq, converted."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from leastsq._arguments.arrays import LARGEST_INT, FloatArray, own_vector, real_number
from leastsq._arguments.limits import limit_of
from leastsq._arguments.loss import read_loss
from leastsq._arguments.settings import Settings

DEFAULT_TOLERANCE = 1.49012e-8
NO_SCALE = 1.0  # the default of f_scale


def read_settings(
    n: int,
    differenced: bool,
    ftol: float = DEFAULT_TOLERANCE,
    xtol: float = DEFAULT_TOLERANCE,
    gtol: float = 0.0,
    maxfev: float = 0,
    epsfcn: float | None = None,
    factor: float = 100.0,
    diag: ArrayLike | None = None,
    atol: float | None = None,
    diff_step: ArrayLike | None = None,
    loss: Any = "linear",
    f_scale: ArrayLike = NO_SCALE,
    threads: int = 1,
    **others: Any,
) -> Settings:
    """Convert the options of a fit of n parameters, with a differenced Jacobian or not."""
    if atol is not None:
        ftol = one_tolerance(ftol, atol)
    is_usual = (
        epsfcn is diag is diff_step is None
        and f_scale is NO_SCALE
        and type(loss) is str
        and loss == "linear"
        and type(ftol) is type(xtol) is type(gtol) is type(factor) is float
        and type(maxfev) is int
    )
    if is_usual:
        numbers = n, differenced, ftol, xtol, gtol, maxfev, None, factor, None, None, threads
        return shared_settings(*numbers, **others)
    return make_settings(
        n,
        differenced,
        ftol,
        xtol,
        gtol,
        maxfev,
        epsfcn,
        factor,
        diag,
        diff_step,
        threads,
        loss=read_loss(loss, f_scale),
        **others,
    )


def make_settings(
    n: int,
    differenced: bool,
    ftol: float,
    xtol: float,
    gtol: float,
    maxfev: float,
    epsfcn: float | None,
    factor: float,
    diag: ArrayLike | None = None,
    diff_step: ArrayLike | None = None,
    threads: int = 1,
    **others: Any,
) -> Settings:
    """Convert the options one by one; the others are converted already."""
    usual_maxfev = others.pop("usual_maxfev", (200 if differenced else 100) * (n + 1))
    return Settings(
        real_number(ftol, "ftol"),
        real_number(xtol, "xtol"),
        real_number(gtol, "gtol"),
        real_number(factor, "factor"),
        None if epsfcn is None else real_number(epsfcn, "epsfcn"),
        limit_of(maxfev, usual_maxfev),
        min(usual_maxfev, LARGEST_INT),
        None if diag is None else scale_factors(diag, n),
        None if diff_step is None else steps(diff_step, n),
        is_limited=others.pop("is_limited", maxfev > 0),
        threads=threads,
        **others,
    )


shared_settings = lru_cache(make_settings)


def one_tolerance(ftol: float, atol: float) -> float:
    """Return ftol, given by either of its names."""
    if ftol is not DEFAULT_TOLERANCE:
        raise TypeError("atol is a synonym of ftol: pass one of the two, not both")
    return real_number(atol, "atol")


def scale_factors(diag: ArrayLike, n: int) -> FloatArray:
    """Convert diag to n numbers."""
    factors = own_vector(diag, "diag")
    if factors.size != n:
        raise ValueError(
            f"diag must have one factor for each of the {n} parameters, got {factors.size}"
        )
    return factors


def steps(diff_step: ArrayLike, n: int) -> FloatArray:
    """Convert the relative steps of finite differences: one for all parameters, or n."""
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
