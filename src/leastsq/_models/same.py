"""Whether two evaluations of a function differ by rounding errors only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leastsq._arguments.arrays import FloatArray

ROUNDING = 64 * np.finfo(float).eps
"""Rounding errors, relative to the largest value."""
LITTLE = 1e-9
"""A little difference, relative to a value, or to the change of the values from point to point."""


def are_same(values: FloatArray, others: FloatArray) -> bool:
    """Tell whether all values differ by rounding errors only."""
    return values.shape == others.shape and bool(
        (values == others).all() or mark_same(values, others).all()
    )


def mark_same(values: FloatArray, others: FloatArray) -> NDArray[np.bool_]:
    """Mark the values that differ by rounding errors only; NaN is equal to NaN.

    The last axis is that of the points. A function that mixes fits or points may change what
    differs from point to point, which a large constant, such as the frequency of a clock, must not
    hide; or some small values, which larger ones must not hide.
    """
    known = np.isfinite(others)
    largest = np.max(others, axis=-1, keepdims=True, where=known, initial=-np.inf)
    least = np.min(others, axis=-1, keepdims=True, where=known, initial=np.inf)
    size = np.maximum(np.abs(largest), np.abs(least))
    size[~np.isfinite(size)] = 0
    with np.errstate(all="ignore"):
        change = np.where(largest > least, largest - least, 0)
        far = np.minimum(LITTLE * change, LITTLE * np.abs(others) + ROUNDING * size)
        near = np.abs(values - others) <= ROUNDING * size + far
    return np.asarray(near | (values == others) | (np.isnan(values) & np.isnan(others)))
