"""Store the results of a group of fits, and try some of the fits again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leastsq._arguments.bounds import Box
from leastsq._arguments.settings import Settings
from leastsq._core._calls import CONFINED_END, MISFIT, OPEN_END, POOR_END, SURE_MISFIT
from leastsq._fit.attempts import fewest_calls
from leastsq._fit.batch import Group
from leastsq._fit.many_fits import is_solved
from leastsq._fit.one_by_one import OneByOne
from leastsq._fit.plan import Plan
from leastsq._fit.results import Results, Solutions
from leastsq._fit.retries import End, Retries
from leastsq._fit.traps import interior, other_tries, without_effect
from leastsq._fit.tries import Try, has_crawled, has_turned, may_be_noisy, tries_for

Flags = NDArray[np.bool_]
Solve = Callable[[Group, Settings], tuple[Solutions, Flags]]
"""Fits a group; returns the results, and which fits are done."""


class Keeper:
    """Stores the results of groups, and makes further attempts where curve_fit would."""

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
        found, is_done = solve(group, self.plan.options(group.box is not None).settings.first)
        ends, again = self.keep(group, found, is_done)
        if again.any() and not self.plan.is_cancelled:
            chosen = group.take(again), found.take(again), ends.take(again)
            tries = Tries(self.plan, self.results, *chosen, solve)
            self.is_trying = True
            tries.run(self)
            self.is_trying = False

    def keep(self, group: Group, found: Solutions, is_done: Flags) -> tuple[Ends, Flags]:
        """Store the results that are final; tell which fits are tried again, as in curve_fit.

        After an exception in another try nothing is final.
        """
        settings = self.plan.options(group.box is not None).settings
        ends = take_ends(found, settings)
        is_turned = ends.is_misfit & has_turned(group.p, found.x)
        is_noisy = ends.is_noisy & self.plan.is_differenced
        is_doubtful = ends.is_poor | ends.is_open | is_turned | is_noisy | has_idle(group, found)
        again = is_done & is_doubtful
        if not self.is_trying:
            self.store(group, found, ends.is_sure_misfit, is_done & ~again)
        return ends, again

    def store(self, group: Group, found: Solutions, is_sure_misfit: Flags, is_done: Flags) -> None:
        """Store the results of the fits that are done."""
        if not is_done.all():
            group, found = group.take(is_done), found.take(is_done)
        options = self.plan.options(group.box is not None)
        self.results.store(group.places, found, group.box, options.as_least_squares)
        if options.settings.loss is None:
            are_misfits = group.misses(found.fnorm, is_sure_misfit[is_done])
            self.results.is_misfit[group.places] = are_misfits


class Ends(NamedTuple):
    """How fits ended: poorly, open, maybe and surely without describing the data, noisily."""

    is_poor: Flags
    is_open: Flags
    is_misfit: Flags
    is_sure_misfit: Flags
    is_noisy: Flags

    def take(self, chosen: Flags) -> Ends:
        """Select some of the fits."""
        return Ends(*(part[chosen] for part in self))


def take_ends(found: Solutions, settings: Settings) -> Ends:
    """Tell how fits ended, and leave only the reasons in their endings."""
    ending = np.maximum(found.ending, 0)
    flags = POOR_END, OPEN_END, MISFIT, SURE_MISFIT, CONFINED_END
    is_poor, is_open, is_misfit, is_sure, is_confined = (ending & flag > 0 for flag in flags)
    np.copyto(found.ending, ending % POOR_END, where=found.ending >= 0)
    is_open |= has_crawled(found.ending, settings)
    is_noisy = may_be_noisy(found.ending, is_open, is_confined, settings)
    return Ends(is_poor, is_open, is_misfit, is_sure, is_noisy)


def has_idle(group: Group, found: Solutions) -> Flags:
    """Tell which solutions within bounds have parameters without effect."""
    box, effect = group.box, found.effect
    if box is None or effect is None:
        return np.zeros(len(group.places), bool)
    inside = interior(group.p, box)
    idle = without_effect(effect, found.x, inside, box, found.fnorm[:, None]).any(axis=1)
    return np.asarray(idle & is_solved(found.ier))


class Tries:
    """The further tries of the fits of a group, which are done at the same time."""

    def __init__(
        self,
        plan: Plan,
        results: Results,
        group: Group,
        found: Solutions,
        ends: Ends,
        solve: Solve,
    ) -> None:
        self.results = results
        self.group = group
        self.best = Solutions(*(None if part is None else part.copy() for part in found))  # type: ignore[arg-type]
        self.solve = solve
        self.settings = settings = plan.options(group.box is not None).settings
        self.nfev = found.nfev.copy()
        self.is_sure_misfit = ends.is_sure_misfit
        self.most = settings.maxfev - fewest_calls(plan.n, settings)
        if not settings.is_limited:
            self.most = np.iinfo(np.int32).max
        self.is_short = self.nfev > self.most
        self.waits = ~self.is_short
        self.is_done = np.ones(len(group.places), bool)
        tries: list[list[Try]] = [[] for _ in group.p]
        is_noisy = plan.is_differenced & ends.is_noisy
        is_crawling = has_crawled(found.ending, settings)
        ways = ends.is_poor, ends.is_open, ends.is_misfit, is_crawling, is_noisy
        for i in range(len(group.places)):
            its = (bool(way[i]) for way in ways)
            box = group.box_of(i)
            tries[i] += tries_for(group.p[i], found.x[i], settings, box, *its)
        for i in np.flatnonzero(has_idle(group, found)).tolist():
            tries[i] += other_tries(
                group.p[i],
                found.x[i],
                found.effect[i],  # type: ignore[index]
                found.fnorm[i],
                group.box_of(i),  # type: ignore[arg-type]
            )
        begun = zip(ends_of(found, ends), tries, strict=True)
        self.retries = [Retries(*its, settings) for its in begun]

    def run(self, keeper: Keeper) -> None:
        """Do the tries, and store the best results."""
        while alike := self.next_tries():
            for chosen in alike.values():
                self.try_once(np.array(list(chosen)), list(chosen.values()))
        self.best.nfev[:] = self.nfev
        is_final = self.is_done & ~self.is_short
        keeper.store(self.group, self.best, self.is_sure_misfit, is_final)
        if self.is_short.any():  # curve_fit counts the calls of all tries
            keeper.one_by_one.fit(self.group.take(self.is_short))

    def next_tries(self) -> dict[tuple[Any, ...], dict[int, Try]]:
        """Take the next try of each fit that waits for one, by their kinds."""
        alike: dict[tuple[Any, ...], dict[int, Try]] = {}
        for i in np.flatnonzero(self.waits).tolist():
            again = self.retries[i].next_try()
            if again is not None:
                alike.setdefault(again.kind, {})[i] = again
        return alike

    def try_once(self, chosen: NDArray[np.int64], tries: list[Try]) -> None:
        """Do one more try of some fits; the tries are of one kind."""
        diag = None if tries[0].diag is None else np.array([again.diag for again in tries])
        settings = tries[0].settings(self.settings, diag)
        start = np.array([again.x for again in tries])
        group = self.group.take(chosen)._replace(p=start)
        if tries[0].box is not None:
            boxes = [again.box for again in tries if again.box is not None]
            group = group._replace(box=Box(*map(np.array, zip(*boxes, strict=True))))
        was_solved = is_solved(self.best.ier[chosen])
        with self.results.keeping(self.group.places[chosen[was_solved]]):
            other, is_done = self.solve(group, settings)
        ends = take_ends(other, self.settings)
        self.nfev[chosen] += np.where(is_done, other.nfev, 0)
        self.is_done[chosen] &= is_done | was_solved
        self.is_short[chosen] |= self.nfev[chosen] > self.most
        self.waits[chosen] = is_done & ~self.is_short[chosen]
        taken = zip(chosen.tolist(), tries, ends_of(other, ends), strict=True)
        better = is_done & [self.retries[i].take(again, end) for i, again, end in taken]
        self.is_sure_misfit[chosen[better]] = ends.is_sure_misfit[better]
        for mine, theirs in zip(self.best, other, strict=True):
            if mine is not None and theirs is not None:
                mine[chosen[better]] = theirs[better]


def ends_of(found: Solutions, ends: Ends) -> list[End]:
    """Return where each fit has ended."""
    columns = found.fnorm, found.ending, ends.is_poor, ends.is_open
    return [End(*row) for row in zip(found.x, *(each.tolist() for each in columns), strict=True)]
