"""The further tries of one fit: which comes next, and where the best of them has ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from leastsq._arguments.arrays import FloatArray
from leastsq._arguments.settings import Settings
from leastsq._core._calls import MAXFEV_REACHED, PROMISE_BROKEN
from leastsq._fit.result import SOLVED, Outcome
from leastsq._fit.tries import WORTHWHILE, Try, going_on, has_crawled, is_broken, the_rest

WELL_BELOW = 0.9
"""A smaller ratio means that a solution is none, even if the try has used up its calls there."""
NO_HIGHER = 1.0001
"""The ratio of the norms of residuals at the same minimum, if the residuals are noisy."""
LOWER = 1 - 1e-6
"""The same ratio if rounding errors do not explain it."""
ALIKE = 1e-3
"""The relative difference of the parameters of two solutions that are the same."""


class End(NamedTuple):
    """Where a fit or a try of a batch has ended; the names are those of Outcome."""

    x: FloatArray
    fnorm: float
    ending: int
    is_poor: bool
    is_open: bool

    @property
    def ier(self) -> int:
        """The exit code of leastsq."""
        return self.ending % PROMISE_BROKEN


class Retries:
    """The tries that are left, and the best end so far.

    is_confirmed tells that a try has found the same solution again.
    """

    def __init__(self, end: Outcome | End, tries: Iterable[Try], settings: Settings) -> None:
        self.best = end
        self.left = deque(tries)
        self.settings = settings
        self.is_confirmed = False
        self.is_improved = False

    @property
    def has_rest(self) -> bool:
        """Whether one of the tries uses up all calls."""
        return any(each.is_rest for each in self.left)

    def next_try(self) -> Try | None:
        """Take the next try that is of use; a try that has improved the end is the last."""
        best = self.best
        if self.is_improved and not (best.is_open or best.ier == MAXFEV_REACHED):
            return None
        while self.left:
            again = self.left.popleft()
            if again.is_of_use(best.ier in SOLVED, self.is_confirmed):
                return again._replace(x=best.x) if again.is_rest else again
        return None

    def take(self, again: Try, end: Outcome | End) -> bool:
        """Take the end of a try; tell whether it is better than the best so far."""
        best = self.best
        is_better = again_is_better(again, end, best)
        self.is_confirmed = self.is_confirmed or are_same_solution(end, best)
        self.choose_left(again, end, is_better)
        if is_better:
            self.best = end
            self.is_improved = True
        return is_better

    def choose_left(self, again: Try, end: Outcome | End, is_better: bool) -> None:
        """Choose which tries to do after another; go on where it has ended if this is hopeful.

        If a parameter that was to keep its sign has become zero, it may change the sign after all.
        If its sign does not matter, as that of a width, no other try keeps it.
        """
        best = self.best
        if again.has_ended_at_zero(end.x):
            is_open = best.is_open or has_crawled(best.ier, self.settings)
            free = [each._replace(box=None) for each in self.left if is_open or each.box is None]
            is_lower = end.ier in SOLVED and end.fnorm < WORTHWHILE * best.fnorm
            self.left = deque([going_on(end.x), *free] if is_lower else free)
        elif again.box is not None and are_as_high(end, best):
            self.left = deque(each for each in self.left if each.box is None)
        elif again.share < 1 and end.ier == MAXFEV_REACHED:
            if is_better:
                self.left.appendleft(the_rest(end.x))
            elif is_well_below(end, best):
                self.left.appendleft(going_on(end.x))


def again_is_better(again: Try, end: Outcome | End, best: Outcome | End) -> bool:
    """Tell whether a try has found a better minimum; after a poor end, a better point."""
    if again.has_ended_at_zero(end.x):
        return False
    limit = again.limit
    if again.epsfcn is not None and not is_broken(end.ending):
        limit = NO_HIGHER if is_broken(best.ending) else LOWER
    is_lower = end.fnorm < limit * best.fnorm
    if best.ier not in SOLVED:
        return is_lower or (end.ier in SOLVED and end.fnorm <= best.fnorm)
    if best.is_poor:
        return is_lower
    return (is_lower and end.ier in SOLVED) or (best.is_open and is_well_below(end, best))


def are_as_high(end: Outcome | End, best: Outcome | End) -> bool:
    """Tell whether the residuals at two ends have the same norm."""
    return abs(end.fnorm - best.fnorm) <= (1 - WORTHWHILE) * best.fnorm


def are_same_solution(end: Outcome | End, best: Outcome | End) -> bool:
    """Tell whether two ends are solutions, and the same."""
    if end.ier not in SOLVED or best.ier not in SOLVED or not are_as_high(end, best):
        return False
    with np.errstate(invalid="ignore"):
        return bool((np.abs(end.x - best.x) <= ALIKE * np.abs(best.x)).all())


def is_well_below(end: Outcome | End, best: Outcome | End) -> bool:
    """Tell whether a try has used up its calls well below the best end."""
    return end.ier == MAXFEV_REACHED and end.fnorm < WELL_BELOW * best.fnorm
