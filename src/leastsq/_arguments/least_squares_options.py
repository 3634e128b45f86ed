"""The options of least_squares."""

from __future__ import annotations

from typing import Any

import numpy as np

from leastsq._arguments.arrays import EPSILON, FLOAT64, FloatArray, are_finite, real_number
from leastsq._arguments.bounds import Box
from leastsq._arguments.curve_fit_options import positive
from leastsq._arguments.limits import limit_of
from leastsq._arguments.options import read_settings
from leastsq._arguments.settings import IMPROPER, Settings
from leastsq._arguments.warn import warn
from leastsq._core._calls import DOGBOX, LM, TRF

TESTS = {"lm": LM, "trf": TRF, "dogbox": DOGBOX}
JACOBIANS = ("2-point", "3-point", "cs")
SCIPY = "scipy.optimize.least_squares"


def check_choices(jac: Any, method: Any, tr_solver: Any, verbose: Any) -> None:
    """Refuse values that these options cannot have."""
    if not isinstance(method, str) or method not in TESTS:
        raise ValueError(f"`method` must be 'trf', 'dogbox' or 'lm', got {method!r}")
    if not (callable(jac) or (isinstance(jac, str) and jac in JACOBIANS)):
        raise ValueError(f"`jac` must be '2-point', '3-point', 'cs' or callable, got {jac!r}")
    if tr_solver not in (None, "exact", "lsmr"):
        raise ValueError(f"`tr_solver` must be None, 'exact' or 'lsmr', got {tr_solver!r}")
    if tr_solver == "lsmr":
        raise ValueError(f"tr_solver='lsmr' is a solver for sparse Jacobians of {SCIPY}")
    if verbose not in (0, 1, 2):
        raise ValueError(f"`verbose` must be in [0, 1, 2], got {verbose!r}")


def read_x0(x0: Any) -> FloatArray:
    """Convert the starting point."""
    given = np.array(x0)
    if given.dtype.kind == "c":
        raise ValueError("`x0` must be real.")
    x = given.astype(FLOAT64, copy=False)
    if x.ndim == 0:
        x = x.reshape(1)
    if x.ndim > 1:
        raise ValueError(f"`x0` must have at most 1 dimension, got {x.ndim}")
    if x.size == 0:
        raise ValueError("`x0` is empty: there is nothing to solve for")
    if not are_finite(x):
        raise ValueError(f"`x0` must be finite, got {x0!r}")
    return x


def settings_of(
    n: int,
    box: Box | None,
    method: str,
    ftol: float | None,
    xtol: float | None,
    gtol: float | None,
    x_scale: Any,
    loss: Any,
    f_scale: Any,
    diff_step: Any,
    max_nfev: Any,
) -> Settings:
    """Convert the options."""
    ftol, xtol, gtol = tolerance(ftol, "ftol"), tolerance(xtol, "xtol"), tolerance(gtol, "gtol")
    small = [value < EPSILON for value in (ftol, xtol, gtol)]
    if any(small) and method == "lm":
        raise ValueError(
            f"All tolerances must be higher than machine epsilon ({EPSILON:.2e}) for method 'lm'."
        )
    if all(small):
        raise ValueError(
            f"At least one of the tolerances must be higher than machine epsilon ({EPSILON:.2e})."
        )
    if max_nfev is not None and not real_number(max_nfev, "max_nfev") > 0:
        raise ValueError(f"`max_nfev` must be None or positive integer, got {max_nfev!r}")
    diag = None
    if isinstance(x_scale, str) and x_scale != "jac":
        raise ValueError(f"x_scale must be 'jac' or positive numbers, got {x_scale!r}")
    if not (x_scale is None or isinstance(x_scale, str)):
        diag = 1 / positive(x_scale, n)
    settings = read_settings(
        n,
        True,
        ftol,
        xtol,
        gtol,
        maxfev=limit_of(max_nfev or 0, 100 * n, "max_nfev"),
        usual_maxfev=100 * n,
        factor=100.0 if method == "lm" and box is None and loss == "linear" else 1.0,
        diag=diag,
        diff_step=diff_step,
        loss=loss,
        f_scale=f_scale,
        limits_trials=True,
        is_limited=max_nfev is not None,
        concludes=False,
        tests=TESTS[method],
    )
    if settings.fault:
        raise ValueError(f"{IMPROPER} {settings.fault}")
    return settings


def tolerance(given: float | None, name: str) -> float:
    """Convert a tolerance; None is zero."""
    if given is None:
        return 0.0
    value = real_number(given, name)
    if value < EPSILON:
        warn(
            f"Setting `{name}` below the machine epsilon ({EPSILON:.2e}) effectively disables the "
            "corresponding termination condition.",
            UserWarning,
        )
    return max(value, 0.0)
