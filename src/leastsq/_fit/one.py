"""One fit: the call of the core."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import empty
from numpy.typing import NDArray

from leastsq import _core
from leastsq._arguments.arrays import FloatArray
from leastsq._arguments.bounds import Box
from leastsq._arguments.options import Settings
from leastsq._core._calls import MAXFEV_REACHED, OUT_OF_MEMORY, POOR_END, STOPPED, TIME_IS_UP
from leastsq._fit.result import SOLVED, Outcome
from leastsq._fit.traps import Try, all_act, other_tries
from leastsq._functions.functions import Functions
from leastsq._functions.native import StoppedError

if TYPE_CHECKING:
    from leastsq._core._calls import Observer

INT32 = np.dtype(np.int32)


def solve(
    functions: Functions,
    x: FloatArray,
    settings: Settings,
    box: Box | None,
    watch: Observer | None = None,
) -> Outcome:
    """Minimize from x, and try again where this may help."""
    has_tries = settings.loss is not None or (box is not None and box.is_bounded())
    if not (has_tries and settings.tries_again):
        return solve_once(functions, x, settings, box, watch)

    def once(x: FloatArray, settings: Settings) -> Outcome:
        functions.fvec = np.empty_like(functions.fvec)  # the outcome keeps the old array
        functions.is_evaluated = False
        try:
            return solve_once(functions, x, settings, box, watch)
        except BaseException:
            if outcome.is_poor:  # the caller finds the best point in the array of the first fit
                first[:] = x
            raise

    first, start = x, x.copy()
    outcome = solve_once(functions, x, settings, box, watch)
    return solve_again(once, outcome, start, settings, box, watch)


def solve_again(
    once: Callable[[FloatArray, Settings], Outcome],
    outcome: Outcome,
    start: FloatArray,
    settings: Settings,
    box: Box | None,
    watch: Observer | None,
) -> Outcome:
    """Try again as tries_after says, until the callback stops the fit; return the best outcome."""
    best, counts = outcome, outcome.counts
    for again in tries_after(outcome, start, box):
        nfev = counts["trials" if settings.limits_trials else "nfev"]
        left = settings.maxfev - nfev
        if best is not outcome or (watch is not None and watch.has_stopped):
            break
        if left <= 0:
            if outcome.is_poor:
                best = outcome._replace(ending=MAXFEV_REACHED)
            break
        if watch is not None:
            watch.earlier_nit, watch.earlier_nfev = counts["nit"], nfev
        options: dict[str, Any] = {"maxfev": left, "begins_wide": False}
        if again.diag is not None and settings.diag is None:
            options.update(factor=1.0, diag=again.diag)
        other = once(again.x, replace(settings, **options))
        counts = {name: count + other.counts[name] for name, count in counts.items()}
        if is_better(other, outcome, again):
            best = other
        if other.ier == TIME_IS_UP:
            break
        if other.ier == STOPPED:
            nearest = min(outcome, other, key=lambda each: each.fnorm)
            best = nearest._replace(ending=STOPPED)
            break
    return best._replace(counts=counts)


def tries_after(outcome: Outcome, start: FloatArray, box: Box | None) -> list[Try]:
    """Choose how to try again: without a wider loss, or where all parameters have an effect."""
    tries = []
    if outcome.is_poor and outcome.ier not in (TIME_IS_UP, STOPPED):
        tries.append(Try(start, None, limit=1.0))
    if box is None or not box.is_bounded() or outcome.ier not in SOLVED:
        return tries
    if not all_act(outcome.x, outcome.least_effect, outcome.fnorm):
        tries += other_tries(start, outcome.x, outcome.effect, outcome.fnorm, box)
    return tries


def is_better(other: Outcome, outcome: Outcome, again: Try) -> bool:
    """Tell whether another try has found a better minimum; after a poor end, a better point."""
    is_lower, is_solved = other.fnorm < again.limit * outcome.fnorm, other.ier in SOLVED
    if outcome.ier in SOLVED and not outcome.is_poor:
        return is_lower and is_solved
    return is_lower or (is_solved and outcome.ier not in SOLVED)


def solve_once(
    functions: Functions,
    x: FloatArray,
    settings: Settings,
    box: Box | None,
    watch: Observer | None = None,
) -> Outcome:
    """Minimize the sum of squares from x. The array x becomes the solution."""
    *left, ending = minimize(functions, x, settings, box, watch)
    error, has_Dfun = functions.jacobian_error(), functions.Dfun is not None
    return made(x, functions.fvec, box, error, *left, ending, has_Dfun, 0)


def made(*fields: Any) -> Outcome:
    """Make an Outcome of its fields up to rows; its ending may be that of a poor end."""
    outcome = Outcome(*fields)
    if outcome.ending < POOR_END:
        return outcome
    return outcome._replace(ending=outcome.ending - POOR_END, is_poor=True)


def minimize(
    functions: Functions,
    x: FloatArray,
    settings: Settings,
    box: Box | None,
    watch: Observer | None = None,
) -> tuple[float, FloatArray, NDArray[np.int32], dict[str, int], int]:
    """Minimize as solve_once does; return the fields of its Outcome from fnorm to ending."""
    n = x.size
    left = empty((n + 1, n)), empty(n, INT32)
    released = functions.release_the_gil
    fit = _core.fit_nogil if released else _core.fit
    if settings.loss is not None:
        settings = settings.for_rows(functions.m)
    fnorm, nfev, trials, njev, steps, ending = fit(
        functions.residual,
        functions.jacobian,
        settings.for_core(box, functions.precision, watch, released, functions.together),
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
