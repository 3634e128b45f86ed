"""A call of the core: functions, a starting point and settings -> what came of it."""

from __future__ import annotations

import numpy as np
from numpy import empty
from numpy.typing import NDArray

from leastsq import _minpack
from leastsq._bounds import Box
from leastsq._checks import FloatArray
from leastsq._functions import Functions
from leastsq._native import StoppedError
from leastsq._result import OUT_OF_MEMORY, Outcome
from leastsq._settings import Settings

INT32 = np.dtype(np.int32)


def solve(functions: Functions, x: FloatArray, settings: Settings, box: Box | None) -> Outcome:
    """Minimize the sum of squares from x, which becomes the solution."""
    left = minimize(functions, x, settings, box)
    return Outcome(x, functions.fvec, box, functions.jacobian_error(), *left)


def minimize(
    functions: Functions, x: FloatArray, settings: Settings, box: Box | None
) -> tuple[FloatArray, NDArray[np.int32], dict[str, int], int]:
    """Minimize as solve does; return the last four fields of its Outcome."""
    n = x.size
    fvec = functions.fvec
    ftol, xtol, gtol, maxfev, factor, diag, epsfcn, diff_step = settings
    fixed_scale, bounded = diag is not None, box is not None
    if diag is None:
        diag = x  # unread
    lower, upper = (x, x) if box is None else box
    left = empty((n + 1, n)), empty(n, INT32)
    if functions.Dfun is None:
        lmdif = _minpack.lmdif_nogil if functions.release_the_gil else _minpack.lmdif
        nfev, ending = lmdif(
            functions.residual,
            functions.residual_data,
            functions.native_func is not None,
            x,
            fvec,
            functions.evaluated,
            ftol,
            xtol,
            gtol,
            maxfev,
            functions.precision if epsfcn is None else epsfcn,
            diff_step is not None,
            x if diff_step is None else diff_step,
            factor,
            fixed_scale,
            diag,
            bounded,
            lower,
            upper,
            *left,
        )
        counts = {"nfev": nfev}
    else:
        lmder = _minpack.lmder_nogil if functions.release_the_gil else _minpack.lmder
        nfev, njev, ending = lmder(
            functions.residual,
            functions.residual_data,
            functions.native_func is not None,
            functions.jacobian,
            functions.jacobian_data,
            functions.native_Dfun is not None,
            x,
            fvec,
            functions.evaluated,
            ftol,
            xtol,
            gtol,
            maxfev,
            factor,
            fixed_scale,
            diag,
            bounded,
            lower,
            upper,
            *left,
        )
        counts = {"nfev": nfev, "njev": njev}
    if ending < 0:
        functions.raise_failure()
        raise StoppedError(ending, x, nfev)
    if ending == OUT_OF_MEMORY:
        raise MemoryError(f"{functions.m} residuals, {n} parameters")
    return *left, counts, ending
