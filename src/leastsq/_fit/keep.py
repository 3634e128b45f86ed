"""What is done with the results of a group, however its fits are done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from leastsq._arguments.arrays import FloatArray
from leastsq._arguments.options import Settings
from leastsq._core._calls import POOR_END, PROMISE_BROKEN
from leastsq._fit.batch import Group
from leastsq._fit.many_fits import is_solved
from leastsq._fit.one_by_one import OneByOne
from leastsq._fit.plan import Plan
from leastsq._fit.results import Results, Solutions
from leastsq._fit.traps import Try, interior, other_tries, without_effect

Flags = NDArray[np.bool_]
Solve = Callable[[Group, Settings], tuple[Solutions, Flags]]
"""Fits a group; returns the results, and which fits are done."""


class Keeper:
    """Keeps the results of groups, and tries fits again where parameters have no effect."""

    def __init__(self, plan: Plan, results: Results) -> None:
        self.plan = plan
        self.results = results
        self.one_by_one = OneByOne(plan, results)
        self.is_trying = False

    def fit(self, group: Group, solve: Solve) -> None:
        """Fit a group, store the results, and try fits again where this may help."""
        if group.m < self.plan.n:  # possible if parameters are fixed
            self.one_by_one.fit(group)
            return
        found, is_done = solve(group, self.plan.options(group.box is not None).settings)
        again, is_poor = self.keep(group, found, is_done)
        if again.any() and not self.plan.is_cancelled:
            tries = Tries(self.plan, group.take(again), found.take(again), is_poor[again], solve)
            self.is_trying = True
            tries.run(self)
            self.is_trying = False

    def keep(self, group: Group, found: Solutions, is_done: Flags) -> tuple[Flags, Flags]:
        """Store the results that are final.

        Return which fits are to be tried again, as curve_fit does, and which of them began with a
        wider loss and ended poorly. After an exception in another try nothing is final.
        """
        is_poor = take_poor(found)
        again = is_done & (is_poor | has_idle(group, found))
        if not self.is_trying:
            self.store(group, found, is_done & ~again)
        return again, is_poor

    def store(self, group: Group, found: Solutions, is_done: Flags) -> None:
        """Store the results of the fits that are done."""
        if not is_done.all():
            group, found = group.take(is_done), found.take(is_done)
        as_least_squares = self.plan.options(group.box is not None).as_least_squares
        self.results.store(group.places, found, group.box, as_least_squares)


def take_poor(found: Solutions) -> Flags:
    """Tell which fits may end better without a wider loss, and leave that out of their endings."""
    is_poor = found.ending >= POOR_END
    found.ending[is_poor] -= POOR_END
    return np.asarray(is_poor)


def has_idle(group: Group, found: Solutions) -> Flags:
    """Tell which solutions within bounds have parameters without effect."""
    box, effect = group.box, found.effect
    if box is None or effect is None:
        return np.zeros(len(group.places), bool)
    inside = interior(group.p, box)
    idle = without_effect(effect, found.x, inside, box, found.fnorm[:, None]).any(axis=1)
    return np.asarray(idle & is_solved(found.ending % PROMISE_BROKEN))


class Tries:
    """The further tries of the fits of a group, which are done at the same time."""

    def __init__(
        self, plan: Plan, group: Group, found: Solutions, is_poor: Flags, solve: Solve
    ) -> None:
        self.group = group
        self.first = found
        self.best = Solutions(*(None if part is None else part.copy() for part in found))  # type: ignore[arg-type]
        self.solve = solve
        settings = plan.options(group.box is not None).settings
        self.settings = replace(settings, begins_wide=False)
        self.nfev = found.nfev.copy()
        self.is_poor = is_poor
        self.waits = np.ones(len(group.places), bool)
        self.is_done = np.ones(len(group.places), bool)
        self.is_short = np.zeros(len(group.places), bool)
        self.tries = [
            [Try(start, None, limit=1.0)] if poor else []
            for start, poor in zip(group.p, is_poor, strict=True)
        ]
        for i in np.flatnonzero(has_idle(group, found)).tolist():
            self.tries[i] += other_tries(
                group.p[i],
                found.x[i],
                found.effect[i],  # type: ignore[index]
                found.fnorm[i],
                group.box_of(i),  # type: ignore[arg-type]
            )

    def run(self, keeper: Keeper) -> None:
        """Do the tries, and store the best results."""
        for k in range(max(map(len, self.tries), default=0)):
            for is_scaled in (False, True):
                chosen = [i for i, tries in enumerate(self.tries) if self.asks(i, k, is_scaled)]
                if chosen:
                    self.try_once(np.array(chosen), [self.tries[i][k] for i in chosen], is_scaled)
        self.best.nfev[:] = self.nfev
        keeper.store(self.group, self.best, self.is_done & ~self.is_short)
        if self.is_short.any():  # curve_fit counts the calls of all tries
            keeper.one_by_one.fit(self.group.take(self.is_short))

    def asks(self, i: int, k: int, is_scaled: bool) -> bool:
        """Tell whether a fit waits for its try number k, with a scale of its own or without."""
        if not self.waits[i] or k >= len(self.tries[i]):
            return False
        return is_scaled == (self.tries[i][k].diag is not None and self.settings.diag is None)

    def try_once(self, chosen: NDArray[np.int64], tries: list[Try], is_scaled: bool) -> None:
        """Do one more try of some fits."""
        settings = self.settings
        if is_scaled:
            diag: FloatArray = np.array([again.diag for again in tries])
            settings = replace(settings, factor=1.0, diag=diag)
        start = np.array([again.x for again in tries])
        other, is_done = self.solve(self.group.take(chosen)._replace(p=start), settings)
        take_poor(other)
        self.nfev[chosen] += other.nfev
        self.is_done[chosen] &= is_done
        self.is_short[chosen] |= self.nfev[chosen] >= settings.maxfev
        solved = is_solved(other.ending % PROMISE_BROKEN)
        limit = np.array([again.limit for again in tries])
        lower = other.fnorm < limit * self.first.fnorm[chosen]
        was_solved = is_solved(self.first.ending[chosen] % PROMISE_BROKEN)
        is_final = was_solved & ~self.is_poor[chosen]
        better = is_done & np.where(is_final, solved & lower, lower | (solved & ~was_solved))
        for mine, its in zip(self.best, other, strict=True):
            if mine is not None and its is not None:
                mine[chosen[better]] = its[better]
        self.waits[chosen] = is_done & ~better & ~self.is_short[chosen]
