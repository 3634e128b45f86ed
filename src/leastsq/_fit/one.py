"""One fit: the call of the core."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import empty
from numpy.typing import NDArray

from leastsq import _core
from leastsq._arguments.arrays import FloatArray, norm
from leastsq._arguments.bounds import Box
from leastsq._arguments.settings import Settings
from leastsq._core._calls import (
    CONFINED_END,
    MISFIT,
    OPEN_END,
    OUT_OF_MEMORY,
    POOR_END,
    STOPPED,
    SURE_MISFIT,
)
from leastsq._errors import OUT_OF_DOMAIN
from leastsq._fit.attempts import solve_again
from leastsq._fit.conditions import Conditions
from leastsq._fit.result import SOLVED, Outcome
from leastsq._fit.tries import has_crawled
from leastsq._functions.functions import Functions
from leastsq._functions.native import StoppedError

if TYPE_CHECKING:
    from leastsq._core._calls import Watch

INT32 = np.dtype(np.int32)
Left = tuple[float, FloatArray, NDArray[np.int32], dict[str, int], int]
"""What the core leaves: the fields of an Outcome from fnorm to ending."""


def solve(functions: Functions, x: FloatArray, conditions: Conditions) -> Outcome:
    """Minimize from x, and try again where this may help. The array x becomes the solution."""
    start = x.copy()
    left = minimize(functions, x, conditions.settings.first, conditions.box, conditions.watch)
    return solved(functions, x, start, conditions, left)


def solved(
    functions: Functions, x: FloatArray, start: FloatArray, conditions: Conditions, left: Left
) -> Outcome:
    """Return the outcome of the first fit, or of a better one if it ended poorly."""
    settings, box = conditions.settings, conditions.box
    outcome = outcome_of(functions, x, box, left)
    if not settings.tries_again:
        return outcome
    is_bounded = box is not None and box.is_bounded()
    is_doubtful = (
        *(outcome.is_poor, outcome.is_open, outcome.is_misfit, outcome.is_confined),
        outcome.ier == STOPPED,
    )
    if not (any(is_doubtful) or is_bounded or has_crawled(outcome.ier, settings)):
        return outcome
    is_linear = settings.loss is None

    def once(other: FloatArray, settings: Settings, its_box: Box | None) -> Outcome:
        functions.fvec = np.full_like(functions.fvec, np.nan)  # the outcome keeps the old array
        functions.is_evaluated = False
        try:
            left = minimize(functions, other, settings, its_box, conditions.watch)
        except BaseException as error:
            # The caller finds the best point in the array of the first fit, unless that is solved.
            is_kept = isinstance(error, OUT_OF_DOMAIN) and outcome.ier in SOLVED
            is_lower = not is_linear or norm(functions.fvec) < outcome.fnorm
            if outcome.is_poor and is_lower and not is_kept:
                x[:] = other
            raise
        return outcome_of(functions, other, box, left)._replace(epsfcn=settings.epsfcn)

    return solve_again(once, outcome, start, conditions)


def outcome_of(functions: Functions, x: FloatArray, box: Box | None, left: Left) -> Outcome:
    """Make an outcome of what the core left."""
    *others, ending = left
    error, has_Dfun = functions.jacobian_error(), functions.Dfun is not None
    return made(x, functions.fvec, box, error, *others, ending, has_Dfun, 0)


def made(*fields: Any) -> Outcome:
    """Make an Outcome of its fields up to rows; its ending may be that of a poor end."""
    outcome = Outcome(*fields)
    if outcome.ending < POOR_END:
        return outcome
    ending = outcome.ending
    return outcome._replace(
        ending=ending % POOR_END,
        is_poor=bool(ending & POOR_END),
        is_open=bool(ending & OPEN_END),
        is_misfit=bool(ending & MISFIT),
        is_sure_misfit=bool(ending & SURE_MISFIT),
        is_confined=bool(ending & CONFINED_END),
    )


def minimize(
    functions: Functions,
    x: FloatArray,
    settings: Settings,
    box: Box | None,
    watch: Watch | None = None,
) -> Left:
    """Minimize from x once, without another attempt."""
    n = x.size
    left = empty((n + 2, n)), empty(n, INT32)
    released = functions.release_the_gil
    fit = _core.fit_nogil if released else _core.fit
    if settings.loss is not None:
        settings.refuse_other_rows(functions.m)
    fnorm, nfev, trials, njev, steps, ending = fit(
        functions.residual,
        functions.jacobian,
        settings.for_core(box, functions.precision, watch, released, functions.together),
        functions.data_norm,
        x,
        functions.fvec,
        functions.is_evaluated,
        *left,
    )
    counts = {"nfev": nfev, "trials": trials, "njev": njev, "nit": steps}
    if ending < 0:
        functions.raise_wrong_shape()
        raise StoppedError(ending, x, nfev)
    if ending == OUT_OF_MEMORY:
        raise MemoryError(f"not enough memory for {functions.m} residuals and {n} parameters")
    return fnorm, *left, counts, ending
