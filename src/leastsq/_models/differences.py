"""Jacobians by central differences and complex steps: jac='3-point' and 'cs'.

The functions here take f(p), and return the columns of its Jacobian at p.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from leastsq._arguments.arrays import FLOAT64, FloatArray
from leastsq._arguments.bounds import Box

Values = Callable[[Any], Any]
Columns = Callable[[Values, FloatArray], list[Any]]

CUBE_ROOT = float(np.finfo(FLOAT64).eps) ** (1 / 3)
TINY = 1e-20
THREE_POINT_ERROR = 1e-9
INFINITE = np.array(np.inf)


def central_columns(box: Box | None, steps: FloatArray | None = None) -> Columns:
    """Make central differences, and one-sided ones next to a bound.

    steps are relative to the parameters, as diff_step.
    """

    def columns(f: Values, p: FloatArray) -> list[Any]:
        below, above = (INFINITE, INFINITE) if box is None else (p - box.lower, box.upper - p)
        below, above = np.broadcast_to(below, p.shape), np.broadcast_to(above, p.shape)
        return [column(f, p, j, below[j], above[j]) for j in range(p.size)]

    def step_of(p: FloatArray, j: int) -> float:
        if steps is None:
            return float(CUBE_ROOT * max(1, abs(p[j])))
        return float(steps[j] * (abs(p[j]) or 1))

    def column(f: Values, p: FloatArray, j: int, below: float, above: float) -> Any:
        def moved(by: float) -> tuple[Any, float]:
            other = p.copy()
            other[j] += by
            return np.asarray(f(other)), other[j] - p[j]

        step = step_of(p, j)
        if min(below, above) > step:
            (after, forward), (before, backward) = moved(step), moved(-step)
            return (after - before) / (forward - backward)
        step = min(step, max(below, above) / 2.5)
        side = 1 if above > below else -1
        (near, h), (far, k) = moved(side * step), moved(side * 2 * step)
        here, _ = moved(0)
        if h == 0 or k == h:  # no numbers between the bounds
            return np.zeros_like(here, FLOAT64) if k == 0 else (far - here) / k
        return (k**2 * (near - here) - h**2 * (far - here)) / (h * k * (k - h))

    return columns


def complex_columns(f: Values, p: FloatArray) -> list[Any]:
    """Make complex steps, for a function that accepts complex parameters."""
    columns = []
    for j, value in enumerate(p.tolist()):
        h = TINY * (abs(value) or 1)
        moved = p.astype(complex)
        moved[j] += 1j * h
        columns.append(np.imag(f(moved)) / h)
    return columns


def side_by_side(columns: list[Any], shape: tuple[int, ...]) -> Any:
    """Make a Jacobian from its columns, and broadcast each to the shape of the data."""
    return np.stack([np.broadcast_to(c, shape).reshape(-1) for c in columns], -1)
