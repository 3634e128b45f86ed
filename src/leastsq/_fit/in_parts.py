"""One fit whose rows are in parts."""

from __future__ import annotations

import math
from time import monotonic, time
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leastsq import _core
from leastsq._arguments.arrays import FloatArray, refuse_sizes
from leastsq._arguments.bounds import Box
from leastsq._arguments.options import Settings
from leastsq._core._calls import NORM_ALONE, NOTHING_MORE, TIME_IS_UP
from leastsq._fit.one import INT32, solve_again
from leastsq._fit.result import Outcome
from leastsq._functions.functions import jacobian_error
from leastsq._parts.questions import Answer, Engine, Question, TimeIsUpError

if TYPE_CHECKING:
    from leastsq._core._calls import Observer

FEW = 8
"""With more parameters, a Jacobian is worth waiting for whether its point is accepted."""


class InParts:
    """A fit by an engine, which evaluates the parts.

    has_trips tells that a question takes time of its own, as with Dask: then the Jacobian at a
    point is asked for together with the residuals.
    """

    def __init__(
        self,
        engine: Engine,
        has_trips: bool,
        Dfun: Any,
        settings: Settings,
        box: Box | None,
        watch: Observer | None,
        deadline: float,
        may_be_few: bool,
    ) -> None:
        self.engine = engine
        self.Dfun = Dfun
        self.settings = settings
        self.box = box
        self.watch = watch
        self.deadline = deadline if deadline == math.inf else time() + (deadline - monotonic())
        self.may_be_few = may_be_few
        self.has_trips = has_trips

    def solve(self, x: FloatArray) -> Outcome:
        """Minimize from x, which becomes the best point; try other starts as a fit in memory."""
        start = x.copy()
        self.engine.check(start)
        outcome = self.solve_once(x, self.settings)
        if self.box is not None and self.box.is_bounded():
            outcome = solve_again(self.solve_once, outcome, start, self.settings, self.box)
        self.engine.check(outcome.x)
        return outcome

    def solve_once(self, x: FloatArray, settings: Settings) -> Outcome:
        """Minimize from x, without other starts."""
        n = x.size
        numbers, counts = np.zeros(6 * n + 1), np.zeros(4, INT32)
        numbers[1 : n + 1] = x
        left = np.zeros((n + 1, n)), np.zeros(n, INT32)
        try:
            answer = first = self.ask(NORM_ALONE, numbers)
        except TimeIsUpError:
            return self.outcome(x, (0.0, 0.0), math.nan, left, counts, TIME_IS_UP, 0)
        if not self.may_be_few:
            refuse_sizes(first.rows, n)
        options = settings.for_core(self.box, first.precision, self.watch)
        one_trip = self.has_trips or n <= FEW
        handle = _core.parts_open(options, n, self.Dfun is None, one_trip)
        if handle == 0:
            raise MemoryError(f"not enough memory for {n} parameters")
        told, reason = False, 0
        try:
            while True:
                ending, what = _core.parts_advance(
                    handle, told, answer.sums, reason, x, numbers, counts
                )
                if what == NOTHING_MORE:
                    break
                told = True
                try:
                    answer = self.ask(what, numbers)
                except TimeIsUpError:
                    reason = TIME_IS_UP
            fnorm = _core.parts_result(handle, *left)
        finally:
            _core.parts_close(handle)
        error = jacobian_error(self.Dfun, n, first.precision, answer.is_single)
        return self.outcome(x, error, fnorm, left, counts, ending, first.rows)

    def outcome(
        self,
        x: FloatArray,
        error: tuple[float, float],
        fnorm: float,
        left: tuple[FloatArray, NDArray[np.int32]],
        counts: NDArray[np.int32],
        ending: int,
        rows: int,
    ) -> Outcome:
        """Collect what the core returned."""
        names = ("nfev", "trials", "njev", "nit")
        numbers = dict(zip(names, counts.tolist(), strict=True))
        has_Dfun = self.Dfun is not None
        return Outcome(x, None, self.box, error, fnorm, *left, numbers, ending, has_Dfun, rows)

    def ask(self, what: int, numbers: FloatArray) -> Answer:
        """Ask all parts, unless the time is over."""
        if time() > self.deadline:
            raise TimeIsUpError
        return self.engine.ask(Question(what, numbers.copy(), self.deadline))
