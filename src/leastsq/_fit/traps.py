"""Other starts for a fit with bounds that ended where parameters have no effect.

If an amplitude is zero, the position and the width of its peak have no effect. A fit from a distant
start can end at such a bound, because the sum of squares falls towards it, and nothing shows where
the peak should be. Then the fit is tried again from a point close to that corner: the parameters on
a bound are moved a little away from it, and the parameters without effect return to their starting
values. If the amplitude is small, its effect is small, and position and width can make long steps.
If several parameters are on bounds, each of them is tried in turn, until the sum of squares falls.

A small amplitude at the start has a similar effect: the first step moves position and width to a
place without data. Therefore the last try starts from p0 again, with steps that are scaled by the
values of the parameters in p0, and not by their effects.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leastsq._arguments.arrays import FloatArray
from leastsq._arguments.bounds import Box
from leastsq._fit.tries import Try

LITTLE = 0.01
"""The part of the distance from a bound to the start, for a new start next to the bound."""
NEAR = 0.1
"""A parameter that is closer to its bound than this part of the distance is on the bound."""
MOST = 3
"""The largest number of corners to try."""
LARGEST_SIZE = 1e300
"""The largest unit of a step: the core refuses scales that differ by more."""
NO_EFFECT = 1e-6
"""A parameter has no effect if doubling it changes the residuals by less than this part."""


def all_act(x: FloatArray, least_effect: float, fnorm: float) -> bool:
    """Tell at a glance whether all parameters have an effect.

    least_effect is the smallest element of the diagonal of R.
    """
    return bool(least_effect * min(map(abs, x.tolist())) > NO_EFFECT * fnorm)


def other_tries(
    start: FloatArray, x: FloatArray, effect: FloatArray, fnorm: float, box: Box
) -> list[Try]:
    """Choose other starts; none if all parameters have an effect.

    effect is the largest element of each column of R.
    """
    if (effect * np.abs(x)).min() > NO_EFFECT * fnorm:
        return []
    inside = interior(start, box)
    idle = without_effect(effect, x, inside, box, fnorm)
    if not idle.any():
        return []
    movable = box.lower < box.upper
    with np.errstate(all="ignore"):
        bound = np.where(x - box.lower <= box.upper - x, box.lower, box.upper)
        held = movable & (np.abs(x - bound) <= NEAR * np.abs(inside - bound)) & np.isfinite(bound)
    tries = []
    for j in np.flatnonzero(held)[:MOST]:
        again = np.where(idle | held, inside, x)
        again[j] = bound[j] + LITTLE * (inside[j] - bound[j])
        tries.append(Try(again))
    if (idle & (x != start)).any():
        again = np.where(movable, inside, start)
        tries.append(Try(again, 1 / np.clip(np.abs(again), 1, LARGEST_SIZE)))
    return tries


def without_effect(
    effect: FloatArray, x: FloatArray, inside: FloatArray, box: Box, fnorm: Any
) -> NDArray[np.bool_]:
    """Mark the parameters without effect on the residuals, for one fit or many.

    inside is the result of interior.
    """
    with np.errstate(all="ignore"):
        change = effect * np.maximum(np.abs(x), np.abs(inside))
    idle: NDArray[np.bool_] = (box.lower < box.upper) & ~(change > NO_EFFECT * fnorm)
    return idle


def interior(start: FloatArray, box: Box) -> FloatArray:
    """Return the start, with other values between the bounds where it is on one of them."""
    return np.where((box.lower < start) & (start < box.upper), start, box.interior())
