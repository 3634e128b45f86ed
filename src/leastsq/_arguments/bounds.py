"""The argument bounds."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from operator import le
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leastsq._arguments.arrays import FloatArray, own_vector, real_number

EVERYWHERE = (-np.inf, np.inf)
"""The default of bounds."""
FIXED = 2
"""The mark of a parameter whose bounds are equal."""
ORDER = (
    "Bounds are (lower, upper): first the lower bounds of all parameters, then the upper ones, not "
    "a pair for each parameter"
)


class Box(NamedTuple):
    """The bounds of the parameters: lower <= x <= upper."""

    lower: FloatArray
    upper: FloatArray

    def active_mask(self, x: FloatArray) -> NDArray[np.int_]:
        """Mark parameters on a bound: -1 on the lower bound or fixed, 1 on the upper bound."""
        return np.where(x <= self.lower, -1, x >= self.upper)

    def held(self, x: FloatArray) -> NDArray[np.int32]:
        """Mark parameters on a bound, and those that are FIXED, as the core does."""
        is_on_bound = (x <= self.lower) | (x >= self.upper)
        return np.where(self.lower == self.upper, FIXED, is_on_bound).astype(np.int32)

    def is_bounded(self) -> bool:
        """Tell whether any bound is finite."""
        return any(map(math.isfinite, itertools.chain(self.lower.tolist(), self.upper.tolist())))

    def interior(self) -> FloatArray:
        """Choose the midpoint of two bounds, 1 away from a single bound, otherwise 1."""
        lower, upper = self
        has_lower, has_upper = np.isfinite(lower), np.isfinite(upper)
        if has_lower.all() and has_upper.all():
            return lower / 2 + upper / 2
        low, high = np.where(has_lower, lower, 0.0), np.where(has_upper, upper, 0.0)
        one_sided = np.where(has_lower, low + 1, np.where(has_upper, high - 1, 1.0))
        return np.where(has_lower & has_upper, low / 2 + high / 2, one_sided)

    def refuse_outside(self, x: FloatArray, name: str) -> None:
        """Raise an error if a starting point is not within the bounds."""
        values = x.tolist()
        above = all(map(le, self.lower.tolist(), values))
        if not (above and all(map(le, values, self.upper.tolist()))):
            raise ValueError(self.fault(x, name))

    def fault(self, x: FloatArray, name: str) -> str:
        """Describe what is wrong with the first parameter that is not within its bounds."""
        is_right = self.lower <= self.upper
        if is_right.all():
            is_right = (self.lower <= x) & (x <= self.upper)
        j = int(np.argmin(is_right))
        value, low, high = x[j], self.lower[j], self.upper[j]
        if np.isnan(low) or np.isnan(high):
            return f"the bounds of {name}[{j}] must be numbers, got {low} and {high}"
        if low > high:
            return (
                f"the lower bound of {name}[{j}], {low}, is above its upper bound {high}. {ORDER}"
            )
        if np.isnan(value):
            return f"{name}[{j}] is NaN"
        side = f"above its upper bound {high}" if value > high else f"below its lower bound {low}"
        return f"Initial guess is outside of provided bounds: {name}[{j}] = {value} is {side}"


def read_box(bounds: Any, n: int) -> Box:
    """Convert the bounds of n parameters."""
    lower, upper = pair(bounds)
    box = Box(limits(lower, n, "lower"), limits(upper, n, "upper"))
    if n and box.lower.tolist() == box.upper.tolist():
        raise ValueError(
            f"the bounds {bounds!r} fix every parameter, and leave none to fit. {ORDER}"
        )
    return box


def pair(bounds: Any) -> tuple[Any, Any]:
    """Split bounds into lower and upper bounds."""
    if hasattr(bounds, "lb") and hasattr(bounds, "ub"):
        return bounds.lb, bounds.ub
    if isinstance(bounds, Mapping):
        raise ValueError(f"bounds must not be a {type(bounds).__name__}. {ORDER}")
    if hasattr(bounds, "to_numpy"):  # iterating over a table gives the names of its columns
        bounds = bounds.to_numpy()
    try:
        lower, upper = bounds
    except (TypeError, ValueError):
        raise ValueError(
            f"bounds must be a pair (lb, ub) or have the attributes lb and ub, got {bounds!r}. "
            f"{ORDER}"
        ) from None
    return lower, upper


def limits(bound: Any, n: int, which: str) -> FloatArray:
    """Convert lower or upper bounds: one for each of the n parameters, or one for all."""
    if type(bound) in (int, float):
        bound = [real_number(bound, f"the {which} bound")] * n
    values = own_vector(bound, f"The {which} bounds")
    if values.size == 1:
        values = np.full(n, values[0])
    if values.size != n:
        raise ValueError(
            f"there must be one {which} bound for each of the {n} parameters, or one for all, "
            f"got {values.size}"
        )
    return values
