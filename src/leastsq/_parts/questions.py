"""What the parts of a fit are asked, and what they answer: small messages, whatever the data."""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

import numpy as np

from leastsq import _core
from leastsq._arguments.arrays import EPSILON, FLOAT64, FloatArray
from leastsq._core._calls import NORM_ALONE, OUT_OF_MEMORY
from leastsq._errors import add_note

HAPPENED = "This happened"


class Question(NamedTuple):
    """What all parts are asked: a code of the core, and the numbers of a request (request.F90).

    deadline is the value of the clock `time.time`, which machines share, at which they stop. With
    the first question, data that are not finite are refused.
    """

    what: int
    numbers: FloatArray
    deadline: float
    is_first: bool

    @property
    def x(self) -> FloatArray:
        """The point."""
        return self.numbers[1 : 1 + self.numbers.size // 6].copy()


def norm_at(x: FloatArray) -> Question:
    """Ask for the norm at a point."""
    numbers = np.zeros(6 * x.size + 3)
    numbers[1 : 1 + x.size] = x
    numbers[-2] = 1
    return Question(NORM_ALONE, numbers, math.inf, False)


class Answer(NamedTuple):
    """The sums over some rows, and what was seen of the functions.

    precision is the relative error of the residuals; is_single tells that Dfun returns float32.
    """

    sums: FloatArray
    precision: float
    is_single: bool

    def add_data(self, norm: float) -> None:
        """Add the data of these rows, of which this is the norm."""
        self.sums[3] = math.hypot(self.sums[3], norm)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return int(self.sums[0])

    @property
    def norm(self) -> float:
        """The square root of what is minimized."""
        return float(self.sums[2])

    def having(self, precision: float, is_single: bool) -> Answer:
        """Return the same sums, with what was seen of other functions, too."""
        return Answer(self.sums, max(self.precision, precision), self.is_single or is_single)


class Engine(Protocol):
    """Evaluates all parts."""

    def ask(self, question: Question) -> Answer:
        """Return the sums over the rows of all parts, added in the order of the parts."""

    def check(self, x: FloatArray) -> None:
        """Raise an error if a model has other values for a part of the rows than for all."""

    def close(self) -> None:
        """Free what the engine needs."""


def no_rows(n: int) -> Answer:
    """Return the sums over no rows."""
    return Answer(np.zeros(12 + 3 * n + (n + 1) * (n + 2) // 2, FLOAT64), EPSILON, False)


class Total:
    """The sum of the answers of parts of a fit of n parameters, in their order."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.answer = no_rows(n)

    def add(self, more: Answer) -> None:
        """Add the answer of one more part."""
        if _core.parts_add(self.n, self.answer.sums, more.sums) == OUT_OF_MEMORY:
            raise MemoryError(f"not enough memory for a fit of {self.n} parameters")
        self.answer = self.answer.having(more.precision, more.is_single)


def tell_part(error: BaseException, part: int, count: int) -> None:
    """Add to an exception in which part of the data it was raised."""
    if not any(note.startswith(HAPPENED) for note in getattr(error, "__notes__", ())):
        add_note(error, f"{HAPPENED} in part {part} of {count} (counted from 0).")
