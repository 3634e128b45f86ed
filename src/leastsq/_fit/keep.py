"""What is done with the results of a group, however its fits were done."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leastsq._core._calls import PROMISE_BROKEN
from leastsq._fit.batch import Group
from leastsq._fit.many_fits import is_solved
from leastsq._fit.one_by_one import OneByOne
from leastsq._fit.plan import Plan
from leastsq._fit.results import Results, Solutions
from leastsq._fit.traps import interior, without_effect


class Keeper:
    """Stores results, and tries fits again that ended where parameters have no effect."""

    def __init__(self, plan: Plan, results: Results) -> None:
        self.plan = plan
        self.results = results
        self.one_by_one = OneByOne(plan, results)

    def store(self, group: Group, found: Solutions, is_done: NDArray[np.bool_]) -> None:
        """Store the results of the fits that are done."""
        if not is_done.all():
            group, found = group.take(is_done), found.take(is_done)
        as_least_squares = self.plan.options(group.box is not None).as_least_squares
        self.results.store(group.places, found, group.box, as_least_squares)

    def try_again(self, group: Group, found: Solutions, is_done: NDArray[np.bool_]) -> None:
        """Fit again, as curve_fit does, where parameters within bounds have no effect."""
        box, effect = group.box, found.effect
        if box is None or effect is None:
            return
        inside = interior(group.p, box)
        idle = without_effect(effect, found.x, inside, box, found.fnorm[:, None]).any(axis=1)
        again = idle & is_done & is_solved(found.ending % PROMISE_BROKEN)
        if again.any():
            self.one_by_one.fit(group.take(again))
