"""Solutions at which a model does not describe the data."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leastsq._arguments.arrays import FloatArray, Function, name_of

UNEXPLAINED = 0.5
"""A model that leaves so large a part of the variance of the data is not the one that made them."""
EXACT = 1e-10
"""Residuals that are smaller, in units of the data, may be rounding errors."""


def left_over(fnorm: Any, y: FloatArray, weights: FloatArray | None) -> NDArray[np.float64]:
    """Return which part of the variance of the data the residuals are; zero if they are exact.

    fnorm contains the norms of the weighed residuals, shape (...); y has the shape (..., m), and so
    have the weights, or (..., 1).
    """
    with np.errstate(all="ignore"):
        squares = np.broadcast_to(1.0 if weights is None else weights**2, y.shape)
        mean = np.average(y, axis=-1, weights=squares, keepdims=True)
        variance = (squares * (y - mean) ** 2).sum(axis=-1)
        is_exact = fnorm <= EXACT * np.sqrt((squares * y**2).sum(axis=-1))
        return np.where(is_exact, 0.0, np.square(fnorm) / variance)


def misfit(f: Function, part: float) -> str:
    """Say that a model does not describe the data; part is what it leaves of their variance."""
    explained = f"only {1 - part:.0%}" if part < 1 else "nothing"
    return (
        f"{name_of(f)} does not describe the data at the solution: it explains {explained} of the "
        "variance of ydata, and the rest is not noise, because most neighbouring residuals have "
        "the same sign. The solution may be a local minimum. Try another p0, or another model"
    )
