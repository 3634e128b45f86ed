"""Residuals and Jacobians that Python functions return, converted for the core."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Coroutine, Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leastsq._arguments.arrays import (
    FLOAT64,
    LARGEST_INT,
    FloatArray,
    Function,
    name_of,
    real_array,
)

FLOAT32 = np.dtype(np.float32)


def as_residuals(returned: object, func: Function) -> NDArray[Any]:
    """Flatten what func returned to a 1-D array whose dtype casts safely to float64."""
    if type(returned) is np.ndarray and returned.dtype is FLOAT64:
        residuals: NDArray[Any] = returned
    else:
        refuse_nothing(returned, func, "the residuals")
        residuals = real_array(returned, f"The return value of {name_of(func)}")
    if residuals.size > LARGEST_INT:
        raise ValueError(
            f"{name_of(func)} returns {residuals.size} residuals: there may be at most "
            f"{LARGEST_INT}"
        )
    return residuals.reshape(-1)


def refuse_nothing(returned: object, func: Function, wanted: str) -> None:
    """Refuse the return value of a function without return, a coroutine or a generator."""
    if returned is None:
        raise TypeError(f"{name_of(func)} returns None: it must return {wanted}")
    if isinstance(returned, Coroutine | Generator | AsyncGenerator):
        if not isinstance(returned, AsyncGenerator):
            returned.close()
        raise TypeError(
            f"{name_of(func)} returns a {type(returned).__name__}: it must return {wanted}. "
            "Remove `async`, or replace `yield` by `return`"
        )


def as_many_residuals(returned: object, func: Function, m: int) -> FloatArray:
    """Convert what func returned to m residuals; refuse any other number of them."""
    residuals = as_residuals(returned, func)
    if residuals.size != m:
        raise changed_size(func, m, residuals.size)
    return np.require(residuals, FLOAT64, ["C", "A"])


def changed_size(func: Function, m: int, size: int) -> ValueError:
    """Make the error for a number of residuals that differs from that at x0."""
    return ValueError(
        "The array returned by a function changed size between calls: "
        f"{name_of(func)} returned {m} residuals at x0, but {size} later"
    )


class Jacobian:
    """A user's Jacobian function; its values are m x n, aligned, float64 or float32."""

    def __init__(self, Dfun: Function, m: int, n: int, col_deriv: bool) -> None:
        self.Dfun = Dfun
        self.shape = (n, m) if col_deriv else (m, n)
        self.transposed = bool(col_deriv)
        self.is_vector = n == 1
        self.is_single = False

    def __call__(self, x: FloatArray, *args: Any) -> NDArray[Any]:
        """Evaluate the Jacobian at x."""
        jacobian = real_array(self.Dfun(x, *args), f"The return value of {name_of(self.Dfun)}")
        if self.is_vector and jacobian.size == max(self.shape):
            jacobian = jacobian.reshape(self.shape)
        if jacobian.shape != self.shape:
            raise self.mismatch(jacobian.shape)
        if jacobian.dtype not in (FLOAT64, FLOAT32) or not jacobian.flags.aligned:
            jacobian = np.array(jacobian, FLOAT64)
        self.is_single = jacobian.dtype == FLOAT32
        return jacobian.T if self.transposed else jacobian

    def mismatch(self, shape: tuple[int, ...]) -> TypeError:
        """Make the error for a Jacobian with the wrong shape."""
        m, n = self.shape[::-1] if self.transposed else self.shape
        role = getattr(self.Dfun, "role", None)
        is_turned = getattr(role, "kind", None) == "transpose"  # by the model, before
        wanted = (n, m) if self.transposed or is_turned else (m, n)
        given = shape[::-1] if is_turned else shape
        text = (
            f"There is a mismatch between the Jacobian and the residuals: the shape of what "
            f"{name_of(self.Dfun)} returns should be {wanted}, but it is {given}"
        )
        if given == wanted[::-1]:
            text += f". For the transpose, pass col_deriv={wanted == (m, n)}"
        return TypeError(text)
