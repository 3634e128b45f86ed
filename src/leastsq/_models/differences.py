"""Jacobians of a model by central differences and complex steps: jac='3-point' and 'cs'."""

from __future__ import annotations

from typing import Any

import numpy as np

from leastsq._arguments.arrays import FLOAT64, FloatArray, Function
from leastsq._arguments.bounds import Box

CUBE_ROOT = float(np.finfo(FLOAT64).eps) ** (1 / 3)
TINY = 1e-20
THREE_POINT_ERROR = 1e-9
INFINITE = np.array(np.inf)


def three_point(f: Function, box: Box | None, shape: tuple[int, ...]) -> Function:
    """Make the Jacobian by central differences, or by one-sided ones next to a bound."""

    def jac(x: Any, *params: Any) -> Any:
        p = np.array(params, FLOAT64)
        below, above = (INFINITE, INFINITE) if box is None else (p - box.lower, box.upper - p)
        below, above = np.broadcast_to(below, p.shape), np.broadcast_to(above, p.shape)
        columns = [column(x, p, j, below[j], above[j]) for j in range(p.size)]
        return side_by_side(columns, shape)

    def column(x: Any, p: FloatArray, j: int, below: float, above: float) -> Any:
        def moved(by: float) -> tuple[Any, float]:
            other = p.copy()
            other[j] += by
            return np.asarray(f(x, *other)), other[j] - p[j]

        step = CUBE_ROOT * max(1, abs(p[j]))
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

    jac.error = THREE_POINT_ERROR  # type: ignore[attr-defined]
    return jac


def complex_step(f: Function, shape: tuple[int, ...]) -> Function:
    """Make the Jacobian by complex steps, for a model that accepts complex parameters."""

    def jac(x: Any, *params: Any) -> Any:
        columns = []
        for j, value in enumerate(params):
            h = TINY * (abs(value) or 1)
            moved = [*params[:j], value + 1j * h, *params[j + 1 :]]
            columns.append(np.imag(f(x, *moved)) / h)
        return side_by_side(columns, shape)

    return jac


def side_by_side(columns: list[Any], shape: tuple[int, ...]) -> Any:
    """Make a Jacobian from its columns, and broadcast each to the shape of the data."""
    return np.stack([np.broadcast_to(c, shape).reshape(-1) for c in columns], -1)
