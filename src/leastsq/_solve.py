"""A call of the core: functions, a starting point and settings -> what came of it."""

from __future__ import annotations

import numpy as np
from numpy import empty
from numpy.typing import NDArray

from leastsq import _minpack
from leastsq._bounds import Box
from leastsq._checks import FloatArray, norm
from leastsq._functions import Functions
from leastsq._native import StoppedError
from leastsq._result import OUT_OF_MEMORY, SOLVED, Outcome
from leastsq._settings import Settings
from leastsq._traps import other_tries

INT32 = np.dtype(np.int32)
WORTHWHILE = 0.999  # of the norm of the residuals: another minimum


def solve(functions: Functions, x: FloatArray, settings: Settings, box: Box | None) -> Outcome:
    """Minimize the sum of squares from x; again if that ends where the model is flat."""
    if box is None or not box.is_bounded():
        return solve_once(functions, x, settings, box)
    start = x.copy()
    outcome = best = solve_once(functions, x, settings, box)
    if outcome.ier not in SOLVED:
        return outcome
    counts = outcome.counts
    ftol, xtol, gtol, maxfev, factor, diag, epsfcn, diff_step = settings
    for again in other_tries(start, x, outcome.fvec, box, outcome.augmented, outcome.ipvt):
        left = maxfev - counts["nfev"]
        if left <= 0 or best is not outcome:
            break
        functions.fvec = np.empty_like(functions.fvec)  # the outcome keeps its own
        functions.evaluated = False
        is_cautious = again.diag is not None and diag is None
        scale = (1.0, again.diag) if is_cautious else (factor, diag)
        other = solve_once(
            functions, again.x, (ftol, xtol, gtol, left, *scale, epsfcn, diff_step), box
        )
        counts = {name: count + other.counts[name] for name, count in counts.items()}
        if other.ier in SOLVED and norm(other.fvec) < WORTHWHILE * norm(outcome.fvec):
            best = other
    return best._replace(counts=counts)


def solve_once(functions: Functions, x: FloatArray, settings: Settings, box: Box | None) -> Outcome:
    """Minimize the sum of squares from x, which becomes the solution."""
    left = minimize(functions, x, settings, box)
    return Outcome(x, functions.fvec, box, functions.jacobian_error(), *left)


def minimize(
    functions: Functions, x: FloatArray, settings: Settings, box: Box | None
) -> tuple[FloatArray, NDArray[np.int32], dict[str, int], int]:
    """Minimize as solve_once does; return the last four fields of its Outcome."""
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
        functions.raise_wrong_shape()
        raise StoppedError(ending, x, nfev)
    if ending == OUT_OF_MEMORY:
        raise MemoryError(f"{functions.m} residuals, {n} parameters")
    return *left, counts, ending
