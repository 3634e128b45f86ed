"""Numbers of threads, processes or fits."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from leastsq._arguments.arrays import LARGEST_INT


def count_of(given: Any, name: str, or_else: str = "") -> int:
    """Convert a number of threads or processes; -1 is one for each processor."""
    if isinstance(given, bool) or not isinstance(given, int | np.integer):
        raise TypeError(f"{name} must be a whole number{or_else}, got {given!r}")
    if given == -1:
        return os.cpu_count() or 1
    if given < 1:
        raise ValueError(f"{name} must be positive or -1, got {given}")
    return min(int(given), LARGEST_INT)


def size_of(given: Any, name: str) -> int:
    """Convert a positive number."""
    if isinstance(given, int | np.integer) and given < 1:
        raise ValueError(f"{name} must be positive, got {given}")
    return count_of(given, name)
