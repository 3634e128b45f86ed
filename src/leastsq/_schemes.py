"""Jacobians of a model by better differences than forward ones: jac='3-point' and 'cs'."""

from __future__ import annotations

from typing import Any

import numpy as np

from leastsq._bounds import Box
from leastsq._checks import FLOAT64, FloatArray, Function

CUBE_ROOT = float(np.finfo(FLOAT64).eps) ** (1 / 3)
TINY = 1e-20
INFINITE = np.array(np.inf)


def three_point(f: Function, box: Box | None) -> Function:
    """Difference a model to second order: centrally, or to one side next to a bound."""

    def jac(x: Any, *params: Any) -> Any:
        p = np.array(params, FLOAT64)
        below, above = (INFINITE, INFINITE) if box is None else (p - box.lower, box.upper - p)
        below, above = np.broadcast_to(below, p.shape), np.broadcast_to(above, p.shape)
        return np.stack([column(x, p, j, below[j], above[j]) for j in range(p.size)], -1)

    def column(x: Any, p: FloatArray, j: int, below: float, above: float) -> Any:
        def moved(by: float) -> tuple[Any, float]:
            other = p.copy()
            other[j] += by
            return np.asarray(f(x, *other)), other[j] - p[j]

        step = CUBE_ROOT * max(1, abs(p[j]))
        if min(below, above) > step:
            (after, forward), (before, backward) = moved(step), moved(-step)
            return (after - before) / (forward - backward)
        here, _ = moved(0)
        if below == above == 0:
            return np.zeros_like(here, FLOAT64)
        step = min(step, max(below, above) / 2.5)
        side = 1 if above > below else -1
        (near, h), (far, k) = moved(side * step), moved(side * 2 * step)
        return (k**2 * (near - here) - h**2 * (far - here)) / (h * k * (k - h))

    return jac


def complex_step(f: Function) -> Function:
    """Differentiate a model that takes complex numbers, without cancellation."""

    def jac(x: Any, *params: Any) -> Any:
        columns = []
        for j, value in enumerate(params):
            h = TINY * max(1, abs(value))
            moved = [*params[:j], value + 1j * h, *params[j + 1 :]]
            columns.append(np.imag(f(x, *moved)) / h)
        return np.stack(columns, -1)

    return jac
