"""The options of curve_fit: those of leastsq, and those of SciPy's least_squares."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from leastsq._arguments.arrays import FloatArray, own_vector, real_number
from leastsq._arguments.options import Settings, most_calls, read_settings

LEASTSQS_OPTIONS = {
    "ftol",
    "xtol",
    "gtol",
    "maxfev",
    "epsfcn",
    "factor",
    "diag",
    "atol",
    "diff_step",
    "loss",
    "f_scale",
}
TOLERANCES = ("ftol", "xtol", "gtol")
OPTIONS = LEASTSQS_OPTIONS | {
    "col_deriv",
    "max_nfev",
    "x_scale",
    "verbose",
    "callback",
    "max_time",
    "vectorized",
    "workers",
    "chunks",
    "threads",
}
NEUTRAL: dict[str, Any] = {
    "tr_solver": None,
    "tr_options": {},
    "jac_sparsity": None,
    "kwargs": {},
}
"""Values of the options of least_squares that have no effect."""


def refuse_foreign(options: dict[str, Any]) -> None:
    """Refuse options that this library does not have."""
    if "args" in options:
        raise ValueError("'args' is not a supported keyword argument.")
    foreign = foreign_option(options)
    if foreign is not None:
        raise TypeError(f"curve_fit of leastsq has no option {foreign}={options[foreign]!r}")


def foreign_option(options: dict[str, Any]) -> str | None:
    """Name an option that only SciPy's least_squares has; None if there is none."""
    for name, value in options.items():
        neutral = NEUTRAL.get(name)
        is_neutral = value is None or (type(value) is type(neutral) and value == neutral)
        if name not in OPTIONS and not (name in NEUTRAL and is_neutral):
            return name
    return None


def fit_settings(
    n: int, differenced: bool, bounded: bool, as_least_squares: bool, **options: Any
) -> tuple[Settings, str | None]:
    """Convert the options.

    Also return the maximum number of calls of f in the user's words, if it is not maxfev.
    """
    given = {name: value for name, value in options.items() if name in LEASTSQS_OPTIONS}
    is_robust = options.get("loss", "linear") != "linear"
    given.setdefault("factor", 1 if bounded or is_robust else 100)
    if as_least_squares:
        off = [name for name in TOLERANCES if name in given and given[name] is None]
        given.update(dict.fromkeys(off, 0.0))
    if options.get("verbose", 0) not in (0, 1, 2):
        raise ValueError(f"verbose must be 0, 1 or 2, got {options['verbose']!r}")
    x_scale = options.get("x_scale")
    if x_scale is None:
        x_scale = "jac"
    if not isinstance(x_scale, str):
        given["diag"] = 1 / positive(x_scale, n)
    elif x_scale != "jac":
        raise ValueError(f"x_scale must be 'jac' or positive numbers, got {x_scale!r}")
    limit = None
    if as_least_squares or options.get("max_nfev") is not None:
        name = "maxfev" if options.get("max_nfev") is None else "max_nfev"
        most = most_calls(at_least_one(options, name), 100 * n, name)
        given.update(maxfev=most, limits_trials=True)
        limit = f"{name} = {most}" + (", without those for differences" if differenced else "")
    return read_settings(n, differenced, **given), limit


def at_least_one(options: dict[str, Any], name: str) -> Any:
    """Return the maximum number of calls of f; 0 for the default."""
    most = options.get(name) or 0
    if name == "max_nfev" and not real_number(most, name) >= 1:
        raise ValueError(f"max_nfev must be None or a positive number, got {options[name]!r}")
    return most


def positive(x_scale: Any, n: int) -> FloatArray:
    """Convert the units of n parameters to an array."""
    units = own_vector(x_scale, "x_scale")
    if units.size not in (1, n) or not ((units > 1e-300) & (units < np.inf)).all():
        raise ValueError(
            f"x_scale must be 'jac', a positive number or {n} positive numbers, got {x_scale!r}"
        )
    return np.full(n, units)


default_settings = lru_cache(fit_settings)
