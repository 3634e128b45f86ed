"""The limits of a fit: how many calls it may make, and how long it may take."""

from __future__ import annotations

import math
from time import monotonic

from leastsq._arguments.arrays import LARGEST_INT, real_number

FOREVER = math.inf


def limit_of(given: float, default: int, name: str = "maxfev") -> int:
    """Convert a whole number, or infinity; the core counts with 32 bits.

    The default is for numbers that are not positive.
    """
    if type(given) is not int:
        number = real_number(given, name)
        if math.isnan(number) or (math.isfinite(number) and number != int(number)):
            raise TypeError(f"{name} must be a whole number, or infinite, got {given!r}")
        given = int(min(max(number, 0), LARGEST_INT))
    return min(given if given > 0 else default, LARGEST_INT)


def deadline_after(max_time: float | None) -> float:
    """Convert a time in seconds to a value of the clock `monotonic`."""
    if max_time is None:
        return FOREVER
    seconds = real_number(max_time, "max_time")
    if not seconds >= 0:
        raise ValueError(f"max_time must not be negative, got {max_time!r}")
    return monotonic() + seconds
