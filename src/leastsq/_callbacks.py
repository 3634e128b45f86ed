"""What a user's func returns -> residuals that the core can take."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Coroutine, Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leastsq._checks import (
    FLOAT64,
    LARGEST_INT,
    FloatArray,
    Function,
    name_of,
    real_array,
)


def as_residuals(returned: object, func: Function) -> NDArray[Any]:
    """Flatten what func returned to a 1-D array whose dtype casts safely to float64."""
    if type(returned) is np.ndarray and returned.dtype is FLOAT64:
        residuals: NDArray[Any] = returned
    else:
        refuse_nothing(returned, func, "the residuals")
        residuals = real_array(returned, f"What {name_of(func)} returns")
    if residuals.size > LARGEST_INT:
        raise ValueError(
            f"{name_of(func)} returns {residuals.size} residuals: there may be at most "
            f"{LARGEST_INT}"
        )
    return residuals.reshape(-1)


def refuse_nothing(returned: object, func: Function, wanted: str) -> None:
    """Refuse what a function returns that has no return statement, is async or a generator."""
    if returned is None:
        raise TypeError(f"{name_of(func)} returns None: it must return {wanted}")
    if isinstance(returned, Coroutine | Generator | AsyncGenerator):
        if not isinstance(returned, AsyncGenerator):
            returned.close()
        raise TypeError(
            f"{name_of(func)} returns a {type(returned).__name__}: it must return {wanted}, "
            "not be async or yield them"
        )


def as_many_residuals(returned: object, func: Function, m: int) -> FloatArray:
    """Make residuals of what func returned, and refuse them if they are not m like the first."""
    residuals = as_residuals(returned, func)
    if residuals.size != m:
        raise changed_size(func, m, residuals.size)
    return np.require(residuals, FLOAT64, ["C", "A"])


def changed_size(func: Function, m: int, size: int) -> ValueError:
    """Say that residuals are not as many as at x0."""
    return ValueError(
        "The array returned by a function changed size between calls: "
        f"{name_of(func)} returned {m} residuals at x0, but {size} later"
    )
