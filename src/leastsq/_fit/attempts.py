"""Further attempts of a fit whose end is poor, and the choice of the best."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from leastsq._arguments.arrays import FloatArray
from leastsq._arguments.bounds import Box
from leastsq._arguments.settings import Settings
from leastsq._core._calls import MAXFEV_REACHED, STOPPED, TIME_IS_UP
from leastsq._errors import OUT_OF_DOMAIN
from leastsq._fit.conditions import Conditions
from leastsq._fit.result import SOLVED, Outcome
from leastsq._fit.retries import Retries
from leastsq._fit.traps import all_act, other_tries
from leastsq._fit.tries import Try, has_crawled, may_be_noisy, tries_for

if TYPE_CHECKING:
    from leastsq._core._calls import Watch


def solve_again(
    once: Callable[[FloatArray, Settings, Box | None], Outcome],
    outcome: Outcome,
    start: FloatArray,
    conditions: Conditions,
) -> Outcome:
    """Try again as tries_after says, until the callback stops the fit; return the best outcome.

    If a try leaves the domain of the function, the tries end if there is a solution. If there is
    none, but calls to go on with, the other tries follow.
    """
    settings, box, watch = conditions.settings, conditions.box, conditions.watch
    best, counts = outcome, outcome.counts
    retries = Retries(outcome, tries_after(outcome, start, settings, box), settings)
    while (again := retries.next_try()) is not None:
        nfev = counts["trials" if settings.limits_trials else "nfev"]
        left = settings.maxfev - nfev if settings.is_limited else settings.maxfev
        if watch is not None and watch.has_stopped:
            best = best._replace(ending=STOPPED)
            break
        if left < fewest_calls(start.size, settings):
            if best.is_poor and settings.loss is not None:
                best = best._replace(ending=MAXFEV_REACHED)
            break
        if watch is not None:
            watch.earlier_nit, watch.earlier_nfev = counts["nit"], nfev
        its = again.settings(settings, again.diag)
        try:
            other = once(
                again.x.copy(), replace(its, maxfev=min(left, its.maxfev)), again.box or box
            )
        except OUT_OF_DOMAIN:
            if watch is not None and watch.has_raised:
                raise
            if best.ier in SOLVED:
                break
            if retries.has_rest:
                continue
            raise
        counts = {name: count + other.counts[name] for name, count in counts.items()}
        if retries.take(again, other):
            best = other
        if other.ier == TIME_IS_UP:
            break
        if other.ier == STOPPED:
            nearest = min(best, other, key=lambda each: each.fnorm)
            best = nearest._replace(ending=STOPPED)
            break
        del other  # the next try need not keep its residuals
    best = best._replace(counts=counts)
    return best if watch is None else back_at_best(once, best, conditions, watch)


def back_at_best(
    once: Callable[[FloatArray, Settings, Box | None], Outcome],
    outcome: Outcome,
    conditions: Conditions,
    watch: Watch,
) -> Outcome:
    """Return to the best point that the callback has seen, if it stopped the fit elsewhere.

    A fit with a robust loss may leave it, and another attempt may have found it.
    """
    x = watch.better_than(outcome.fnorm) if outcome.ier == STOPPED else None
    if x is None:
        return outcome
    there = once(x, conditions.settings, conditions.box)  # the callback stops it there
    counts = {name: count + there.counts[name] for name, count in outcome.counts.items()}
    return there._replace(ending=STOPPED, counts=counts)


def fewest_calls(n: int, settings: Settings) -> int:
    """Return with how many calls a try may find something, as the core does.

    Two models and three points; a try with a robust loss may return to the start.
    """
    if settings.loss is not None:
        return 1
    return 3 if settings.limits_trials else 2 * n + 3


def tries_after(
    outcome: Outcome, start: FloatArray, settings: Settings, box: Box | None
) -> list[Try]:
    """Choose how to try again: from the start, or where all parameters have an effect."""
    is_poor = outcome.is_poor and outcome.ier not in (TIME_IS_UP, STOPPED)
    crawled = has_crawled(outcome.ier, settings)
    is_noisy = not outcome.has_jacobian and bool(
        may_be_noisy(outcome.ending, outcome.is_open, outcome.is_confined, settings)
    )
    ways = is_poor, outcome.is_open or crawled, outcome.is_misfit, crawled, is_noisy
    tries = tries_for(start, outcome.x, settings, box, *ways)
    if box is None or not box.is_bounded() or outcome.ier not in SOLVED:
        return tries
    if not all_act(outcome.x, outcome.least_effect, outcome.fnorm):
        tries += other_tries(start, outcome.x, outcome.effect, outcome.fnorm, box)
    return tries
