"""The way out of a place within the bounds where a model has forgotten its parameters.

An amplitude of zero leaves a peak without a place and a width. If the sum of squares falls towards
such a bound from a start that was far off, the fit ends there, and nothing tells where the peak
should be. So the fit is tried once more, from next to the corner: what came to its bound is a
little off it, and the parameters without effect are where they started. A small amplitude has
small effects, which let place and width take long steps. If several parameters came to bounds, each
is tried in its turn, until the sum of squares is lower.

A small amplitude at the start does the same: the first step flings place and width to where the
data do not reach. The last try is therefore from the start again, in steps that are measured by the
parameters' own sizes there and not by their effects.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from leastsq._arguments.arrays import FloatArray, norm
from leastsq._arguments.bounds import Box, between

LITTLE = 0.01
"""Of the way from a bound to the start."""
NEAR = 0.1
"""Of that way, for a parameter that came to its bound."""
MOST = 3
"""Corners to try."""
LARGEST_SIZE = 1e300
"""Of a parameter, as the unit of its steps: the core takes scales that differ by no more."""
NO_EFFECT = 1e-6
"""Of the residuals, by a change of a parameter by its own size."""


class Try(NamedTuple):
    """Where to start again, and the scale of the steps from there if it is not the usual one."""

    x: FloatArray
    diag: FloatArray | None


def other_tries(
    start: FloatArray,
    x: FloatArray,
    fvec: FloatArray,
    box: Box,
    augmented: FloatArray,
    ipvt: NDArray[np.int32],
) -> list[Try]:
    """Choose where to start again: nowhere if all parameters have effects."""
    column = np.empty(x.size)
    column[ipvt - 1] = np.abs(augmented[:-1]).max(axis=1)
    if (column * np.abs(x)).min() > NO_EFFECT * norm(fvec):
        return []
    movable = box.lower < box.upper
    inside = np.array([interior(*bounds) for bounds in zip(start, *box, strict=True)])
    with np.errstate(all="ignore"):
        effect = column * np.maximum(np.abs(x), np.abs(inside)) / norm(fvec)
        idle = movable & ~(effect > NO_EFFECT)
        bound = np.where(x - box.lower <= box.upper - x, box.lower, box.upper)
        held = movable & (np.abs(x - bound) <= NEAR * np.abs(inside - bound)) & np.isfinite(bound)
    if not idle.any():
        return []
    tries = []
    for j in np.flatnonzero(held)[:MOST]:
        again = np.where(idle | held, inside, x)
        again[j] = bound[j] + LITTLE * (inside[j] - bound[j])
        tries.append(Try(again, None))
    if (idle & (x != start)).any():
        again = np.where(movable, inside, start)
        tries.append(Try(again, 1 / np.clip(np.abs(again), 1, LARGEST_SIZE)))
    return tries


def interior(value: float, low: float, high: float) -> float:
    """Take the start, or a point within the bounds if it is on one of them."""
    return value if low < value < high else between(low, high)
