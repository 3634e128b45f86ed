"""The options of curve_fit: those of leastsq, and those of SciPy's least_squares."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from inspect import signature
from reprlib import repr as repr_of
from typing import Any, TypedDict

import numpy as np
from numpy.typing import ArrayLike

from leastsq._arguments.arrays import FloatArray, Function, own_vector, real_number
from leastsq._arguments.limits import limit_of
from leastsq._arguments.options import DEFAULT_TOLERANCE, NO_SCALE, read_settings
from leastsq._arguments.settings import Settings

NEUTRAL: dict[str, Any] = {
    "tr_solver": None,
    "tr_options": {},
    "jac_sparsity": None,
    "kwargs": {},
}
"""Values of the options of least_squares that have no effect."""
SYNONYMS = {
    **dict.fromkeys(("yerr", "y_err", "err", "error", "errors", "dy", "std"), "sigma"),
    **dict.fromkeys(("weights", "weight", "w"), "sigma=1/np.sqrt(weights)"),
    **dict.fromkeys(("max_iter", "maxiter", "max_iterations", "nmax"), "maxfev"),
    **dict.fromkeys(("fixed", "fix", "vary"), "bounds, which fix a parameter if they are equal"),
    **dict.fromkeys(("tol", "rtol", "eps"), "ftol or xtol"),
    **dict.fromkeys(("guess", "x0", "start", "init", "initial"), "p0"),
    **dict.fromkeys(("dfun", "jacobian", "grad"), "jac"),
}
"""The names of options in other programs."""


class SolverOptions(TypedDict, total=False):
    """The options of curve_fit_many that are those of curve_fit, for type checkers."""

    ftol: float | None
    xtol: float | None
    gtol: float | None
    maxfev: float | None
    max_nfev: float | None
    epsfcn: float | None
    diff_step: ArrayLike | None
    factor: float | None
    diag: ArrayLike | None
    x_scale: ArrayLike | str | None
    atol: float | None
    loss: str | Function
    f_scale: ArrayLike
    col_deriv: bool


METHODS = (None, "lm", "trf", "dogbox")
SETTINGS = SolverOptions.__annotations__.keys() - {"col_deriv"}
"""Those that fit_settings converts."""


class Options(SolverOptions, total=False):
    """The options of curve_fit, for type checkers."""

    verbose: int
    callback: Function | None
    max_time: float | None
    vectorized: bool
    workers: Any
    chunks: Any
    threads: int | None


def check_choices(method: str | None, absolute_sigma: bool) -> None:
    """Refuse other values than those that there are to choose from."""
    if method not in METHODS:
        raise ValueError(f"`method` must be 'lm', 'trf', 'dogbox' or None, got {method!r}")
    if absolute_sigma not in (True, False):
        raise TypeError(f"absolute_sigma must be True or False, got {absolute_sigma!r}")


def means_least_squares(method: str | None, is_bounded: bool) -> bool:
    """Tell whether the options and the end of a fit are those of SciPy's least_squares."""
    return method in ("trf", "dogbox") or (method is None and is_bounded)


def refuse_foreign(options: Mapping[str, Any], function: Function) -> None:
    """Refuse options that a function of this library does not have."""
    if "args" in options:
        raise ValueError("'args' is not a supported keyword argument.")
    foreign = foreign_option(options)
    if foreign is None:
        return
    parameters = signature(function).parameters.values()
    known = {p.name for p in parameters if p.kind is not p.VAR_KEYWORD}
    near = get_close_matches(foreign, sorted(known | SolverOptions.__annotations__.keys()), 2, 0.8)
    meant = SYNONYMS.get(foreign.lower()) or " or ".join(near)
    message = f"{function.__name__} of leastsq has no option {foreign}={repr_of(options[foreign])}"
    raise TypeError(f"{message}. Did you mean {meant}?" if meant else message)


def foreign_option(options: Mapping[str, Any]) -> str | None:
    """Name an option that only SciPy's least_squares has; None if there is none."""
    for name, value in options.items():
        neutral = NEUTRAL.get(name)
        is_neutral = value is None or (type(value) is type(neutral) and value == neutral)
        if name not in SolverOptions.__annotations__ and not (name in NEUTRAL and is_neutral):
            return name
    return None


def fit_settings(
    n: int,
    differenced: bool,
    bounded: bool,
    as_least_squares: bool,
    ftol: Any = DEFAULT_TOLERANCE,
    xtol: Any = DEFAULT_TOLERANCE,
    gtol: Any = 0.0,
    maxfev: float | None = None,
    max_nfev: float | None = None,
    epsfcn: float | None = None,
    diff_step: ArrayLike | None = None,
    factor: float | None = None,
    diag: ArrayLike | None = None,
    x_scale: ArrayLike | str | None = None,
    atol: float | None = None,
    loss: str | Function = "linear",
    f_scale: ArrayLike = NO_SCALE,
) -> tuple[Settings, str | None]:
    """Convert the options.

    Also return the maximum number of calls of f in the user's words, if it is not maxfev.
    """
    if factor is None:
        is_robust = not isinstance(loss, str) or loss != "linear"
        factor = 1.0 if bounded or is_robust else 100.0
    if as_least_squares:
        ftol, xtol, gtol = (0.0 if each is None else each for each in (ftol, xtol, gtol))
    if x_scale is not None and not isinstance(x_scale, str):
        diag = 1 / positive(x_scale, n)
    elif x_scale not in (None, "jac"):
        raise ValueError(f"x_scale must be 'jac' or positive numbers, got {x_scale!r}")
    limit = None
    is_limited = bool(maxfev) or max_nfev is not None
    others = {}
    if as_least_squares or max_nfev is not None:
        name, given = ("maxfev", maxfev) if max_nfev is None else ("max_nfev", max_nfev)
        if max_nfev is not None and not real_number(max_nfev, name) >= 1:
            raise ValueError(f"max_nfev must be None or a positive number, got {max_nfev!r}")
        others = {"limits_trials": True, "usual_maxfev": 100 * n}
        maxfev = limit_of(given or 0, 100 * n, name)
        limit = f"{name} = {maxfev}" + (", without those for differences" if differenced else "")
    return read_settings(
        n,
        differenced,
        ftol,
        xtol,
        gtol,
        maxfev or 0,
        epsfcn,
        factor,
        diag,
        atol,
        diff_step,
        loss,
        f_scale,
        is_limited=is_limited,
        **others,
    ), limit


def positive(x_scale: Any, n: int) -> FloatArray:
    """Convert the units of n parameters to an array."""
    units = own_vector(x_scale, "x_scale")
    if units.size not in (1, n) or not ((units > 1e-300) & (units < np.inf)).all():
        raise ValueError(
            f"x_scale must be 'jac', a positive number or {n} positive numbers, got {x_scale!r}"
        )
    return np.full(n, units)


default_settings = lru_cache(fit_settings)
