"""A function at many points, for Jacobians that are differenced in Python."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any

import numpy as np

from leastsq._arguments.arrays import Function, name_of
from leastsq._core._calls import TimeIsUpError
from leastsq._models.same import are_same

MOST_JOINT_NUMBERS = 10_000
"""Temporaries of more numbers leave the cache: then a joint call is slower than single ones."""


class AtPoints:
    """Evaluates function(p, *args) at many points p: one after another, or by `together`.

    together takes points of shape (k, n) and returns k values, or None if there was no time. When
    the clock `monotonic` shows deadline, the function is not called any more.
    """

    def __init__(self, function: Function) -> None:
        self.function = function
        self.together: Callable[[Any], Iterable[Any] | None] | None = None
        self.deadline = math.inf

    def __call__(self, points: Any, args: tuple[Any, ...]) -> list[Any]:
        """Return the values at the points, as arrays."""
        if self.together is not None:
            values = self.together(points)
            if values is None:
                raise TimeIsUpError
            return list(values)
        return [self.value(p, args) for p in points]

    def value(self, p: Any, args: tuple[Any, ...]) -> Any:
        """Evaluate one point, if there is time."""
        if monotonic() > self.deadline:
            raise TimeIsUpError
        return np.array(self.function(p.copy(), *args))  # it may return the same array again


def known_as(differenced: Any, points: AtPoints, error: float | None) -> Function:
    """Tell where a Jacobian gets its values, and its relative error if that is not rounding."""
    differenced.points = points
    if error is not None:
        differenced.error = error
    return differenced  # type: ignore[no-any-return]


class Vectorized:
    """Evaluates a function of points of shape (n, k), whose values have the shape (m, k).

    The first values are compared with those of `alone`, a function of one point.
    """

    def __init__(
        self, function: Function, alone: Function, name: Function, m: int, deadline: float
    ) -> None:
        self.function = function
        self.alone = alone
        self.name = name_of(name)
        self.m = m
        self.deadline = deadline
        self.is_checked = False

    def __call__(self, points: Any) -> list[Any] | None:
        """Return the values at points of shape (k, n), a few points at a time."""
        most = max(1, MOST_JOINT_NUMBERS // self.m)
        found: list[Any] = []
        for first in range(0, len(points), most):
            if monotonic() > self.deadline:
                return None
            found.extend(self.some(np.ascontiguousarray(points[first : first + most].T)))
        if not self.is_checked:
            self.check(points)
        return found

    def check(self, points: Any) -> None:
        """Compare the values of one of several points with its values alone."""
        self.is_checked = True
        # The steps of central differences cancel in a mean, but not the steps in one direction.
        chosen = points if np.iscomplexobj(points) or len(points) < 4 else points[::2]
        some = np.ascontiguousarray(chosen.T)
        together, alone = self.some(some)[0], np.ravel(self.alone(points[0].copy()))
        both = ((np.real(together), np.real(alone)), (np.imag(together), np.imag(alone)))
        if not all(are_same(*values) for values in both[: 1 + np.iscomplexobj(points)]):
            raise ValueError(
                f"{self.name} is not vectorized: its values are others if it is called for "
                "several points at once than for one"
            )

    def some(self, columns: Any) -> Any:
        """Evaluate the points in the columns; return a row for each."""
        values = np.asarray(self.function(columns))
        if values.shape != (self.m, columns.shape[1]):
            raise ValueError(
                f"{self.name} is not vectorized: it returns values of shape {values.shape}, not "
                f"{(self.m, columns.shape[1])}"
            )
        return values.T
