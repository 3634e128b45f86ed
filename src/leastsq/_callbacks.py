"""What a user's func returns -> residuals that the core can take."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leastsq._checks import FLOAT64, FloatArray, Function, name_of, real_array


def as_residuals(returned: object, func: Function) -> NDArray[Any]:
    """Flatten what func returned to a 1-D array whose dtype casts safely to float64."""
    if type(returned) is np.ndarray and returned.dtype is FLOAT64:
        return returned if returned.ndim == 1 else returned.reshape(-1)
    if returned is None:
        raise TypeError(f"{name_of(func)} returned None: it must return the residuals")
    if isinstance(returned, Coroutine | Generator):
        returned.close()
        raise TypeError(
            f"{name_of(func)} returned a {type(returned).__name__}: it must return the residuals, "
            "not be async or yield them"
        )
    return real_array(returned, f"What {name_of(func)} returns").reshape(-1)


def as_many_residuals(returned: object, func: Function, m: int) -> FloatArray:
    """Make residuals of what func returned, and refuse them if they are not m like the first."""
    residuals = as_residuals(returned, func)
    if residuals.size != m:
        raise ValueError(
            "The array returned by a function changed size between calls: "
            f"{name_of(func)} returned {m} residuals at x0, but {residuals.size} later"
        )
    return np.require(residuals, FLOAT64, ["C", "A"])
