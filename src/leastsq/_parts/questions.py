"""What the parts of a fit are asked, and what they answer: small messages, whatever the data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

import numpy as np

from leastsq import _core
from leastsq._arguments.arrays import FLOAT64, FloatArray
from leastsq._arguments.options import EPSILON
from leastsq._core._calls import OUT_OF_MEMORY


class Question(NamedTuple):
    """What all parts are asked: a code of the core, and numbers of which x is the first part.

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


class Answer(NamedTuple):
    """The sums over some rows, and what was seen of the functions.

    precision is the relative error of the residuals; is_single tells that Dfun returns float32.
    """

    sums: FloatArray
    precision: float
    is_single: bool

    @property
    def rows(self) -> int:
        """The number of rows."""
        return int(self.sums[0])

    def having(self, precision: float, is_single: bool) -> Answer:
        """Return the same sums, with what was seen of other functions, too."""
        return Answer(self.sums, max(self.precision, precision), self.is_single or is_single)


class Engine(Protocol):
    """Evaluates all parts."""

    def ask(self, question: Question) -> Answer:
        """Return the sums over the rows of all parts, added in the order of the parts."""

    def check(self, x: FloatArray) -> None:
        """Raise an error if a part of the rows has other values than alone."""


def no_rows(n: int) -> Answer:
    """Return the sums over no rows."""
    return Answer(np.zeros(4 + 3 * n + (n + 1) * (n + 2) // 2, FLOAT64), EPSILON, False)


def total(answers: Iterable[Answer], n: int) -> Answer:
    """Add the answers of parts of a fit of n parameters, in their order."""
    found = no_rows(n)
    for answer in answers:
        if _core.parts_add(n, found.sums, answer.sums) == OUT_OF_MEMORY:
            raise MemoryError(f"not enough memory for a fit of {n} parameters")
        found = found.having(answer.precision, answer.is_single)
    return found


def tell_part(error: BaseException, part: int, count: int) -> None:
    """Add to an exception in which part of the data it was raised."""
    error.add_note(f"This happened in part {part} of {count} (counted from 0).")
