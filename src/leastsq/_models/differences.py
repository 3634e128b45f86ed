"""Jacobians by central differences and complex steps: jac='3-point' and 'cs'.

The functions here take p and a function that evaluates many points, and return the columns of the
Jacobian at p.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from leastsq._arguments.arrays import FLOAT64, FloatArray
from leastsq._arguments.bounds import Box

Values = Callable[[Any], list[Any]]
Columns = Callable[[Values, FloatArray], list[Any]]
Groups = list[list[int]]

CUBE_ROOT = float(np.finfo(FLOAT64).eps) ** (1 / 3)
TINY = 1e-20
CLEAR = 1e-7
"""A relative change of the values that is clear of their rounding errors."""
GROWTH = 1000.0
"""By this factor, at least, a step becomes longer: a small change may be a rounding error."""
THREE_POINT_ERROR = 1e-9
INFINITE = np.array(np.inf)


class Pair(NamedTuple):
    """The two steps that are taken in one parameter, and whether they go in the same direction."""

    near: float
    far: float
    is_one_sided: bool


class Derivative(NamedTuple):
    """The derivative with respect to a parameter; change is the largest change by its steps."""

    column: Any
    change: float
    size: float
    """The largest of the values, or of what they would be if the parameter were zero."""


def central_columns(
    box: Box | None, steps: FloatArray | None = None, groups: Groups | None = None
) -> Columns:
    """Make central differences, and one-sided ones next to a bound.

    steps are relative to the parameters, as diff_step. The default is a step relative to the
    parameter; a longer one, up to SciPy's, if the change of the values is lost in their rounding
    errors. The parameters of a group move together, by SciPy's steps.
    """

    def columns(values_at: Values, p: FloatArray) -> list[Any]:
        longest = CUBE_ROOT * np.maximum(1, np.abs(p))
        if steps is not None:
            h = steps * np.where(p == 0, 1, np.abs(p))
        elif groups is not None:
            h = longest
        else:
            h = np.where(p == 0, longest, CUBE_ROOT * np.abs(p))
        found = derivatives(values_at, p, h, dict(enumerate(places(groups, p.size))), box)
        while steps is None:
            clear = CLEAR * max(each.size for each in found.values())
            short = [j for j in found if h[j] < longest[j] and found[j].change < clear]
            if not short:
                break
            factors = [max(clear / max(found[j].change, TINY), GROWTH) for j in short]
            h[short] = np.minimum(h[short] * factors, longest[short])
            found |= derivatives(values_at, p, h, {j: i for i, j in enumerate(short)}, box)
        return [found[j].column for j in range(p.size)]

    return columns


def derivatives(
    values_at: Values, p: FloatArray, h: FloatArray, place: dict[int, int], box: Box | None
) -> dict[int, Derivative]:
    """Difference by steps h; place tells which of the pairs of points belongs to a parameter."""
    below, above = (INFINITE, INFINITE) if box is None else (p - box.lower, box.upper - p)
    below, above = np.broadcast_to(below, p.shape), np.broadcast_to(above, p.shape)
    pairs = {j: pair(float(h[j]), below[j], above[j]) for j in place}
    count = 2 * max(place.values()) + 2
    points = np.tile(p, (count + any(each.is_one_sided for each in pairs.values()), 1))
    for j, (near, far, _) in pairs.items():
        points[2 * place[j], j] += near
        points[2 * place[j] + 1, j] += far
    values = values_at(points)
    found = {}
    for j, each in pairs.items():
        both = slice(2 * place[j], 2 * place[j] + 2)
        column = quotient(each, points[both, j] - p[j], values[both], values[-1])
        near, far = values[both]
        size = max(largest(near), largest(far), largest(column) * abs(p[j]))
        found[j] = Derivative(column, largest(near - far), size)
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


def side_by_side(columns: list[Any], shape: tuple[int, ...]) -> Any:
    """Make a Jacobian from its columns, and broadcast each to the shape of the data."""
    size = math.prod(shape)
    return np.stack(
        [c.reshape(size) if c.size == size else np.broadcast_to(c, size) for c in columns], -1
    )
