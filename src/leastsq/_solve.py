"""A call of the core: functions, a starting point and settings -> what came of it."""

from __future__ import annotations

import numpy as np

from leastsq import _minpack
from leastsq._bounds import Box
from leastsq._checks import FloatArray
from leastsq._functions import Functions
from leastsq._native import StoppedError
from leastsq._result import OUT_OF_MEMORY, Outcome
from leastsq._settings import Settings


def solve(functions: Functions, x: FloatArray, settings: Settings, box: Box | None) -> Outcome:
    """Minimize the sum of squares from x, which becomes the solution."""
    n = x.size
    fvec = functions.fvec
    stop = settings[:4]
    unused = x
    scale = (
        settings.factor,
        settings.diag is not None,
        unused if settings.diag is None else settings.diag,
    )
    limits = (False, unused, unused) if box is None else (True, *box)
    model = np.empty((n, n), order="F"), np.empty(n, np.int32), np.empty(n)
    counts: dict[str, int] = {}
    if functions.Dfun is None:
        precision = functions.precision if settings.epsfcn is None else settings.epsfcn
        lmdif = _minpack.lmdif_nogil if functions.release_the_gil else _minpack.lmdif
        counts["nfev"], ier = lmdif(
            functions.residual,
            functions.residual_data,
            functions.native_func is not None,
            x,
            fvec,
            functions.evaluated,
            *stop,
            precision,
            *scale,
            *limits,
            *model,
        )
    else:
        lmder = _minpack.lmder_nogil if functions.release_the_gil else _minpack.lmder
        counts["nfev"], counts["njev"], ier = lmder(
            functions.residual,
            functions.residual_data,
            functions.native_func is not None,
            functions.jacobian,
            functions.jacobian_data,
            functions.native_Dfun is not None,
            x,
            fvec,
            functions.evaluated,
            *stop,
            *scale,
            *limits,
            *model,
        )
    if ier < 0:
        functions.raise_failure()
        raise StoppedError(ier, x, counts["nfev"])
    if ier == OUT_OF_MEMORY:
        raise MemoryError(f"{functions.m} residuals, {n} parameters")
    return Outcome(x, fvec, *model, counts, ier, box)
