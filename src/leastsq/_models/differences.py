"""Jacobians by central differences and complex steps: jac='3-point' and 'cs'.

The functions here take p and a function that evaluates many points, and return the columns of the
Jacobian at p.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from leastsq._arguments.arrays import EPSILON, FLOAT64, FloatArray
from leastsq._arguments.bounds import Box

Values = Callable[[Any], list[Any]]
Columns = Callable[[Values, FloatArray], list[Any]]
Groups = list[list[int]]

CUBE_ROOT = float(np.finfo(FLOAT64).eps) ** (1 / 3)
TINY = 1e-20
CLEAR = 1e-7
"""A relative change of the values that is clear of their rounding errors."""
KNOWN = 1e-12
"""A relative change of the values that is no rounding error."""
FAINT = 1e-9
"""A relative change of the values whose rounding errors do little harm."""
FARTHEST = 0.01
"""The longest step of a faint parameter in units of its value."""
FARTHEST_FROM_ZERO = 100.0
"""The longest step of a faint parameter that is zero, so its unit is not known."""
BENT = 0.03
"""A part of the change that is not linear, from which a step is too long. Its error is 0.05 %."""
STRAIGHT = 0.01
"""The same part after a step was shortened."""
JUMP = 1000.0
"""The factor for a step if the values do not tell by how much it is too short or too long."""
NARROW = 10
"""No step is tried between two whose ratio is smaller."""
ALMOST_ZERO = 1e-3
"""A parameter that is smaller, in units of its value at the start, may be zero."""
MOST_BENDS = 3
"""A step is shortened so many times at most: noise bends the values for any step."""
THREE_POINT_ERROR = 1e-9
INFINITE = np.array(np.inf)


class Pair(NamedTuple):
    """The two steps that are taken in one parameter, and whether they go in the same direction."""

    near: float
    far: float
    is_one_sided: bool


class Derivative(NamedTuple):
    """The derivative with respect to a parameter, by two steps from the point."""

    column: Any
    change: float
    """The largest difference of the values after the two steps."""
    bend: float
    """The largest part of it that is not linear: a second difference."""
    size: float
    """The largest of the values, or of what they would be if the parameter were zero.

    Without the values after steps that are too long, which may be larger by any factor.
    """

    def error(self, size: float) -> float:
        """Estimate the relative error of the column, from rounding and from curvature."""
        if self.change == 0:
            return np.inf
        return EPSILON * size / self.change + (self.bend / self.change) ** 2

    def is_bent(self, size: float) -> bool:
        """Tell whether the values are not linear within the steps."""
        return self.bend > max(BENT * self.change, KNOWN * size)

    def shortening(self) -> float:
        """Compute the factor for a step that is too long."""
        is_known = self.bend < self.change / 2
        return STRAIGHT * self.change / self.bend if is_known else 1 / JUMP

    def lengthening(self, size: float, wanted: float) -> float:
        """Compute the factor for a step that is too short, for a change of a part of the size."""
        is_known = self.change > KNOWN * size
        return wanted * size / self.change if is_known else JUMP


class Search:
    """The search for the step of one parameter, and the best derivative found."""

    def __init__(self, step: float, limit: float, p: float) -> None:
        self.step = step
        self.limit = limit
        self.farthest = max(limit, FARTHEST * abs(p) if p else FARTHEST_FROM_ZERO)
        self.too_short = 0.0
        self.too_long = np.inf
        self.best: Derivative | None = None
        self.error = np.inf
        self.bends = 0

    def goes_on(self, found: Derivative, size: float) -> bool:
        """Take the derivative by the last step, and choose another step if it may be better."""
        error = found.error(size)
        if self.best is None or error < self.error:
            self.best, self.error = found, error
        last = self.step
        if found.is_bent(size):
            self.too_long = last
            self.bends += 1
            self.step = last * found.shortening()
        elif 2 * found.change < CLEAR * size and last < self.limit:
            self.too_short = last
            self.step = min(last * found.lengthening(size, CLEAR), self.limit)
        elif 2 * found.change < FAINT * size and last < self.farthest:
            self.too_short = last
            self.step = min(last * found.lengthening(size, FAINT), self.farthest)
        else:
            return False
        if not self.too_short < self.step < self.too_long:
            self.step = math.sqrt(self.too_short * self.too_long)
        return self.too_long > NARROW * self.too_short and self.bends <= MOST_BENDS


def central_columns(
    box: Box | None,
    steps: FloatArray | None = None,
    groups: Groups | None = None,
    x0: FloatArray | None = None,
) -> Columns:
    """Make central differences, and one-sided ones next to a bound.

    steps are relative to the parameters, as diff_step. The default is a step relative to the
    parameter; a longer one, up to SciPy's or to a hundredth of the parameter, if the change of the
    values is lost in their rounding errors; a shorter one if the values are bent within the step.
    The parameters of a group move together, by steps relative to their sizes; x0 is the start.
    """

    def columns(values_at: Values, p: FloatArray) -> list[Any]:
        longest = CUBE_ROOT * np.maximum(1, np.abs(p))
        if steps is not None:
            h = steps * np.where(p == 0, 1, np.abs(p))
        elif x0 is not None:
            h = CUBE_ROOT * sizes_at(p, x0)
        else:
            h = np.where(p == 0, longest, CUBE_ROOT * np.abs(p))
        is_free = steps is None and groups is None
        place = dict(enumerate(places(groups, p.size)))
        found = derivatives(values_at, p, h, place, box, is_free)
        if not is_free:
            return [found[j].column for j in range(p.size)]
        numbers = zip(h.tolist(), longest.tolist(), p.tolist(), strict=True)
        searches = [Search(*each) for each in numbers]
        size = 0.0
        while found:
            size = max(size, *(each.size for each in found.values()))
            again = [j for j, each in found.items() if searches[j].goes_on(each, size)]
            h[again] = [searches[j].step for j in again]
            place = {j: i for i, j in enumerate(again)}
            found = derivatives(values_at, p, h, place, box, is_free) if again else {}
        return [each.best.column for each in searches if each.best is not None]

    return columns


def sizes_at(x: FloatArray, x0: FloatArray) -> FloatArray:
    """Estimate the sizes of parameters, to which the steps of their groups are relative.

    A parameter that became almost zero has a part of its size at the start. If it was zero, its
    size is 1 until it is known.
    """
    sizes = np.abs(x)
    unknown = np.where(sizes > EPSILON, sizes, 1)
    return np.where(x0 == 0, unknown, np.maximum(sizes, ALMOST_ZERO * np.abs(x0)))


def derivatives(
    values_at: Values,
    p: FloatArray,
    h: FloatArray,
    place: dict[int, int],
    box: Box | None,
    sees_bends: bool,
) -> dict[int, Derivative]:
    """Difference by steps h; place tells which of the pairs of points belongs to a parameter.

    The bends need the values at p, too.
    """
    below, above = (INFINITE, INFINITE) if box is None else (p - box.lower, box.upper - p)
    below, above = np.broadcast_to(below, p.shape), np.broadcast_to(above, p.shape)
    pairs = {j: pair(float(h[j]), below[j], above[j]) for j in place}
    count = 2 * max(place.values()) + 2
    needs_center = sees_bends or any(each.is_one_sided for each in pairs.values())
    points = np.tile(p, (count + needs_center, 1))
    for j, (near, far, _) in pairs.items():
        points[2 * place[j], j] += near
        points[2 * place[j] + 1, j] += far
    values = values_at(points)
    found = {}
    for j, each in pairs.items():
        both = slice(2 * place[j], 2 * place[j] + 2)
        column = quotient(each, points[both, j] - p[j], values[both], values[-1])
        near, far = values[both]
        change = largest(near - far)
        bend = largest(second_difference(each, near, far, values[-1])) if sees_bends else 0.0
        if bend > BENT * change:
            size = largest(values[-1])
        else:
            size = max(largest(near), largest(far), largest(column) * abs(p[j]))
        found[j] = Derivative(column, change, bend, size)
    return found


def pair(step: float, below: float, above: float) -> Pair:
    """Choose two steps within the room below and above a parameter."""
    if min(below, above) > step:
        return Pair(step, -step, False)
    step = min(step, max(below, above) / 2.5)
    side = 1 if above > below else -1
    return Pair(side * step, side * 2 * step, True)


def largest(values: Any) -> float:
    """Compute the largest absolute value."""
    return float(np.max(np.abs(values), initial=0))


def quotient(pair: Pair, taken: FloatArray, values: list[Any], here: Any) -> Any:
    """Compute a derivative from the values after the two steps, and from those without a step."""
    (h, k), (near, far) = taken, values
    if not pair.is_one_sided:
        return (near - far) / (h - k)
    if h == 0 or k == h:  # no numbers between the bounds
        return np.zeros_like(here, FLOAT64) if k == 0 else (far - here) / k
    return (k**2 * (near - here) - h**2 * (far - here)) / (h * k * (k - h))


def second_difference(pair: Pair, near: Any, far: Any, here: Any) -> Any:
    """Compute by how much the values after the two steps are not linear."""
    return here - 2 * near + far if pair.is_one_sided else near - 2 * here + far


def complex_columns(groups: Groups | None = None) -> Columns:
    """Make complex steps, for a function that accepts complex parameters."""

    def columns(values_at: Values, p: FloatArray) -> list[Any]:
        steps = TINY * np.where(p == 0, 1, np.abs(p))
        place = places(groups, p.size)
        points = np.tile(p.astype(complex), (max(place) + 1, 1))
        points[place, np.arange(p.size)] += 1j * steps
        values = values_at(points)
        return [np.imag(values[i]) / h for i, h in zip(place, steps, strict=True)]

    return columns


def places(groups: Groups | None, n: int) -> list[int]:
    """Return the group of each of n parameters; without groups, each has its own."""
    if groups is None:
        return list(range(n))
    found = {j: i for i, group in enumerate(groups) for j in group}
    return [found[j] for j in range(n)]


def broadcast_columns(columns: list[Any], shape: tuple[int, ...]) -> Any:
    """Make a Jacobian from its columns, and broadcast each to the shape of the data."""
    size = math.prod(shape)
    return np.stack(
        [c.reshape(size) if c.size == size else np.broadcast_to(c, size) for c in columns], -1
    )
