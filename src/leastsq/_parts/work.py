"""What is done with one part of the data. The objects here can be pickled, if the functions can."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import monotonic, time
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leastsq import _core
from leastsq._arguments.arrays import FloatArray, Function, is_masked
from leastsq._arguments.bounds import Box
from leastsq._arguments.conversion import as_numbers
from leastsq._arguments.data import Data, read_data
from leastsq._arguments.missing import masked_points, missing_points
from leastsq._arguments.settings import Settings
from leastsq._arguments.sigma import SCALE
from leastsq._core._calls import NO_TIME, OUT_OF_MEMORY, TimeIsUpError
from leastsq._functions.functions import Functions, is_compiled
from leastsq._functions.native import StoppedError
from leastsq._models.jacobian import read_jac
from leastsq._models.model import Model
from leastsq._models.residuals import data_norm
from leastsq._parts.questions import Answer, Question, no_rows

MOST_ROWS = 16384
"""Rows that are evaluated at a time, so that the temporaries of a model stay in the cache."""
MOST_NUMBERS = 2**18
"""The largest number of elements of the Jacobian of these rows; there may be more parameters."""
FEWEST_ROWS = 256


NO_INPUTS = np.empty((0, 4), np.int64)
ALL = slice(None)


def add_rows(
    answer: Answer,
    functions: Functions,
    settings: Settings,
    question: Question,
    rows: slice = ALL,
) -> Answer:
    """Add the rows of some residuals to an answer."""
    released = functions.release_the_gil
    evaluate = _core.parts_evaluate_nogil if released else _core.parts_evaluate
    info = evaluate(
        functions.residual,
        functions.jacobian,
        settings.for_core(None, functions.precision, released=released),
        functions.fvec[rows],
        functions.is_evaluated,
        NO_INPUTS,
        1,
        question.numbers,
        question.what,
        answer.sums,
    )
    if info < 0:
        functions.raise_wrong_shape()
    raise_for(info, question)
    is_single = functions.python_Dfun is not None and functions.python_Dfun.is_single
    return answer.having(functions.precision, is_single)


def raise_for(info: int, question: Question) -> None:
    """Raise an error if the core could not evaluate some rows."""
    if info == NO_TIME:
        raise TimeIsUpError
    if info == OUT_OF_MEMORY:
        raise MemoryError("not enough memory for a part")
    if info < 0:
        raise StoppedError(info, question.x, 0)


def clock_of(question: Question) -> float:
    """Convert the deadline to a value of the clock `monotonic` of this process."""
    if question.deadline == math.inf:
        return math.inf
    left = question.deadline - time()
    if left <= 0:
        raise TimeIsUpError
    return monotonic() + left


@dataclass
class ResidualWork:
    """The residuals func(x, *args) of leastsq; a part of the data is a tuple args."""

    func: Function
    Dfun: Function | None
    col_deriv: bool
    settings: Settings

    def answer(self, question: Question, args: tuple[Any, ...]) -> Answer:
        """Evaluate one part."""
        x = question.x
        functions = Functions(
            self.func, self.Dfun, args, self.col_deriv, x, None, clock_of(question), False
        )
        answer = no_rows(x.size)
        return add_rows(answer, functions, self.settings, question) if functions.m else answer


class Rows(NamedTuple):
    """The data of some rows of curve_fit; points are on the last axis of x."""

    x: Any
    y: Any
    sigma: Any
    f_scale: Any

    def between(self, first: int, last: int) -> Rows:
        """Return some of the rows."""
        return Rows(
            points(self.x, first, last),
            self.y[first:last],
            part_of(self.sigma, first, last),
            part_of(self.f_scale, first, last),
        )


def part_of(values: Any, first: int, last: int) -> Any:
    """Return some of the values, if there is one for each point."""
    if values is None or values.shape == ():
        return values
    return values[:] if values.shape == (1,) else values[first:last]


def points(x: Any, first: int, last: int) -> Any:
    """Return some of the points of x, which may be a tuple of arrays or a table."""
    if isinstance(x, tuple):
        return tuple(points(values, first, last) for values in x)
    if hasattr(x, "iloc"):
        return x.iloc[first:last]
    return x[..., first:last] if getattr(x, "ndim", 1) > 1 else x[first:last]


@dataclass
class CurveWork:
    """The residuals of a model; a part of the data is an object Rows."""

    f: Function
    jac: Function | str | None
    col_deriv: bool
    box: Box | None
    settings: Settings
    check_finite: bool | None
    nan_policy: str | None

    def answer(self, question: Question, rows: Rows) -> Answer:
        """Evaluate one part, some of its rows at a time."""
        x, deadline = question.x, clock_of(question)
        rows = rows._replace(x=self.readable(rows.x))
        if is_compiled(self.f) and (answer := self.compiled_answer(question, rows, deadline)):
            return answer
        answer = no_rows(x.size)
        for block in blocks(rows, x.size):
            data, settings = self.read(block, question.is_first)
            if data is None:
                continue
            functions = self.functions(data, x, deadline)
            answer = add_rows(answer, functions, settings, question)
            if question.is_first:
                answer.add_data(data_norm(data))
        return answer

    def compiled_answer(self, question: Question, rows: Rows, deadline: float) -> Answer | None:
        """Evaluate one part in compiled code; None if that is not possible."""
        is_simple = isinstance(rows.x, np.ndarray) and rows.x.ndim < 3
        if rows.f_scale is not None or not is_simple or len(rows.y) == 0:
            return None
        data, settings = self.read(rows, question.is_first)
        if data is None:
            return None
        from leastsq._parts.compiled import compiled_answer

        jac = read_jac(self.jac, self.f, self.box, data.y.shape)
        if not (jac is None or is_compiled(jac)):
            return None
        answer = compiled_answer(
            self.f,
            jac,
            self.col_deriv,
            data,
            settings,
            question,
            block_rows(question.x.size),
            deadline,
        )
        if question.is_first and answer is not None:
            answer.add_data(data_norm(data))
        return answer

    def read(self, rows: Rows, is_first: bool) -> tuple[Data | None, Settings]:
        """Convert some rows; also return the settings for those that are not left out.

        Values that are not finite are refused when they are read first.
        """
        may_lack = self.nan_policy == "omit" or any(map(is_masked, rows))
        if may_lack and not self.kept(rows).any():
            return None, self.settings
        checks = self.check_finite if is_first or self.nan_policy is not None else False
        data = read_data(rows.x, rows.y, rows.sigma, checks, self.nan_policy)
        return data, self.settings_for(rows.f_scale).of_points(data.kept)

    def settings_for(self, scale: FloatArray | None) -> Settings:
        """Return the settings of some rows; scale is their f_scale if each row has its own."""
        loss = self.settings.loss
        if loss is None or scale is None:
            return self.settings
        return replace(self.settings, loss=loss._replace(scale=scale))

    def functions(self, data: Data, x: FloatArray, deadline: float) -> Functions:
        """Make the functions of some rows."""
        model = Model(self.f, data, x.size, is_padded=False)
        jac = read_jac(self.jac, self.f, self.box, data.y.shape)
        model.differentiate(jac, self.col_deriv)
        return Functions(
            model.residuals, model.jacobian, data.args, False, x, model, deadline, False
        )

    def readable(self, x: Any) -> Any:
        """Convert a column of a table to an array, if compiled code reads it."""
        is_column = hasattr(x, "to_numpy") and getattr(x, "ndim", 0) == 1
        return as_numbers(x, "xdata") if is_column and is_compiled(self.f) else x

    def model_x(self, rows: Rows) -> Any:
        """Return x as the model gets it."""
        x = self.readable(rows.x)
        x = as_numbers(x, "xdata") if isinstance(x, np.ndarray) else x
        if not (taken := self.kept(rows)).all():
            return x[..., taken] if isinstance(x, np.ndarray) else x[taken]
        return x

    def kept(self, rows: Rows) -> NDArray[np.bool_]:
        """Mark the points that are not left out."""
        y = np.asarray(rows.y)
        masked = masked_points(rows.x, rows.y, rows.sigma, y.shape)
        left_out = np.zeros(y.shape, bool) if masked is None else masked
        if self.nan_policy == "omit":
            left_out = left_out | missing_points(rows.x, y)
        return ~left_out


class ReadyWork(CurveWork):
    """The same, for data that are converted already: sigma is replaced by the weights."""

    def read(self, rows: Rows, is_first: bool) -> tuple[Data | None, Settings]:
        """Return some rows, and their settings."""
        weighing = None if rows.sigma is None else SCALE
        data = Data(rows.x, rows.y, rows.sigma, weighing)
        return data, self.settings_for(rows.f_scale)


def block_rows(n: int) -> int:
    """Return how many rows are evaluated at a time."""
    return max(FEWEST_ROWS, min(MOST_ROWS, MOST_NUMBERS // n))


def blocks(rows: Rows, n: int) -> Iterator[Rows]:
    """Divide rows into blocks."""
    size, count = block_rows(n), len(rows.y)
    if count <= size:
        if count:
            yield rows
        return
    for first in range(0, count, size):
        yield rows.between(first, min(first + size, count))
