"""One fit whose rows are in parts."""

from __future__ import annotations

import math
from time import monotonic, time
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leastsq import _core
from leastsq._arguments.arrays import EPSILON, FloatArray, refuse_many_parameters
from leastsq._arguments.bounds import Box
from leastsq._arguments.settings import Settings
from leastsq._core._calls import NOTHING_MORE, TIME_IS_UP, TimeIsUpError
from leastsq._fit.attempts import solve_again
from leastsq._fit.conditions import Conditions
from leastsq._fit.one import INT32, made
from leastsq._fit.result import Outcome
from leastsq._functions.functions import jacobian_error
from leastsq._parts.questions import Answer, Engine, Question, no_rows

if TYPE_CHECKING:
    from leastsq._core._calls import Options

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
        conditions: Conditions,
    ) -> None:
        self.engine = engine
        self.has_trips = has_trips
        self.Dfun = Dfun
        self.conditions = conditions
        deadline = conditions.deadline
        self.deadline = deadline if deadline == math.inf else time() + (deadline - monotonic())

    def solve(self, x: FloatArray) -> Outcome:
        """Minimize from x, which becomes the best point; try other starts as a fit in memory."""
        start = x.copy()
        try:
            refuse_many_parameters(x.size)
            if time() <= self.deadline:
                self.engine.check(start)
            outcome = self.solve_once(x, self.conditions.settings.first, self.conditions.box)
            outcome = solve_again(self.solve_once, outcome, start, self.conditions)
            if outcome.ending != TIME_IS_UP:
                self.engine.check(outcome.x)
        finally:
            self.engine.close()
        return outcome

    def solve_once(self, x: FloatArray, settings: Settings, box: Box | None) -> Outcome:
        """Minimize from x, without other starts."""
        talk = self.begin(x, settings, box, EPSILON)
        try:
            answer = first = self.answer(talk, True)
            if first is not None and first.precision > EPSILON and self.Dfun is None:
                talk.close()
                talk = self.begin(x, settings, box, first.precision)  # with longer steps
                answer = first = self.answer(talk, True)
            if first is not None:
                self.refuse_few(first.rows, x.size)
            while answer is not None:
                if first is not None and answer.rows not in (0, first.rows):
                    raise ValueError(
                        f"the number of residuals has changed from {first.rows} to {answer.rows} "
                        "during the fit"
                    )
                talk.tell(answer)
                answer = self.answer(talk, False)
            return self.outcome(talk, first)
        finally:
            talk.close()

    def refuse_few(self, m: int, n: int) -> None:
        """Refuse data without residuals, and fewer residuals than parameters."""
        if m == 0:
            raise ValueError("there is nothing to fit: the parts have no residuals")
        if m < n and not self.conditions.may_be_few:
            raise TypeError(
                f"Improper input: there are {m} residuals, which must not be fewer than the {n} "
                "parameters"
            )

    def begin(self, x: FloatArray, settings: Settings, box: Box | None, precision: float) -> Talk:
        """Begin a fit; precision is that of the residuals."""
        options = settings.for_core(box, precision, self.conditions.watch)
        in_one_trip = self.has_trips or x.size <= FEW
        return Talk(x, options, self.Dfun is None, in_one_trip)

    def answer(self, talk: Talk, is_first: bool) -> Answer | None:
        """Ask all parts what the core asks; None if it asks nothing, or the time is over."""
        if talk.what == NOTHING_MORE:
            return None
        try:
            if time() > self.deadline:
                raise TimeIsUpError
            numbers = talk.numbers.copy()
            return self.engine.ask(Question(talk.what, numbers, self.deadline, is_first))
        except TimeIsUpError:
            talk.stop(TIME_IS_UP)
            return None

    def outcome(self, talk: Talk, first: Answer | None) -> Outcome:
        """Collect the results."""
        fnorm, left = talk.result()
        error, rows = (0.0, 0.0), 0
        if first is None:
            fnorm = math.nan  # nothing was evaluated
        else:
            rows = first.rows
            error = jacobian_error(self.Dfun, talk.x.size, first.precision, first.is_single)
        names = ("nfev", "trials", "njev", "nit")
        counts = dict(zip(names, talk.counts.tolist(), strict=True))
        has_Dfun, box = self.Dfun is not None, self.conditions.box
        return made(talk.x, None, box, error, fnorm, *left, counts, talk.ending, has_Dfun, rows)


class Talk:
    """What the core asks and is told during a fit. x becomes the best point."""

    def __init__(
        self, x: FloatArray, options: Options, differenced: bool, in_one_trip: bool
    ) -> None:
        n = x.size
        self.x = x
        self.options = options
        self.numbers = np.zeros(6 * n + 3)
        self.counts = np.zeros(4, INT32)
        self.handle = _core.parts_open(options, n, differenced, in_one_trip)
        if self.handle == 0:
            raise MemoryError(f"not enough memory for {n} parameters")
        self.advance(False, no_rows(n).sums, 0)

    def advance(self, told: bool, sums: FloatArray, reason: int) -> None:
        """Let the core go on until it asks something; with a reason, let it end."""
        self.ending, self.what = _core.parts_advance(
            self.handle, told, sums, reason, self.x, self.numbers, self.counts
        )

    def tell(self, answer: Answer) -> None:
        """Tell the core an answer."""
        self.advance(True, answer.sums, 0)

    def stop(self, reason: int) -> None:
        """Let the fit end."""
        self.advance(True, no_rows(self.x.size).sums, reason)

    def result(self) -> tuple[float, tuple[FloatArray, NDArray[np.int32]]]:
        """Return the norm, and the triangle with its order."""
        n = self.x.size
        left = np.empty((n + 2, n)), np.empty(n, INT32)
        return _core.parts_result(self.handle, *left), left

    def close(self) -> None:
        """Free the memory."""
        if self.handle:
            _core.parts_close(self.handle)
            self.handle = 0
