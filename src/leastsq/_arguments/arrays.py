"""Checks and conversions of the arrays, numbers and functions that users pass."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leastsq._core._calls import plain_vector

Function = Callable[..., Any]
FloatArray = NDArray[np.float64]

FLOAT64 = np.dtype(np.float64)
EPSILON = float(np.finfo(FLOAT64).eps)
SUMMED = ": func must return the residuals, not the sum of their squares"
LARGEST_INT = np.iinfo(np.int32).max  # the core counts residuals and calls with 32 bits
MOST_PARAMETERS = math.isqrt(LARGEST_INT) - 1  # the core counts the elements of (n+1) x (n+2)


def name_of(function: Function) -> str:
    """Name a function for a message."""
    return getattr(function, "__name__", None) or type(function).__name__


def real_array(value: object, what: str) -> NDArray[Any]:
    """Convert a value to an array whose dtype can be cast safely to float64; round longdouble."""
    if is_masked(value):
        raise TypeError(
            f"{what} must be real numbers: some are masked. Remove the masked elements with "
            "array.compressed()"
        )
    try:
        array = np.asarray(value)
        if array.dtype.kind == "O" and not isinstance(value, np.ndarray):
            # One by one, because astype would convert None to NaN.
            array = np.array([float(number) for number in array.flat]).reshape(array.shape)
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError(f"{what} must be real numbers: {error}") from error
    if array.dtype.type is np.longdouble:
        return array.astype(FLOAT64)
    if not np.can_cast(array.dtype, FLOAT64):
        parts = ". Fit real and imaginary parts side by side, as values.view(float)"
        raise TypeError(
            f"{what} must be real numbers: Cannot cast array data from {array.dtype!r} "
            f"to {FLOAT64!r} according to the rule 'safe'{parts * (array.dtype.kind == 'c')}"
        )
    return array


def is_masked(value: object) -> bool:
    """Tell whether an element of a masked array, or of a sequence of them, is masked."""
    if type(value) is np.ndarray:
        return False
    masked = sys.modules.get("numpy.ma")  # without this module there are no masked arrays
    if masked is None:
        return False
    if isinstance(value, list | tuple):
        return any(isinstance(part, np.ndarray) and is_masked(part) for part in value)
    return isinstance(value, np.ndarray) and bool(masked.is_masked(value))


def real_number(value: object, name: str) -> float:
    """Convert a value that must be one number."""
    try:
        if isinstance(value, str | bytes | bytearray):
            raise TypeError
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"{name} must be a real number, got {value!r}") from None


def are_finite(array: FloatArray) -> bool:
    """Tell whether an array contains neither NaN nor infinity."""
    # The sum of squares is fast, but can overflow.
    return math.isfinite(np.vdot(array, array)) or bool(np.isfinite(array).all())


def norm(vector: FloatArray) -> float:
    """Compute the Euclidean norm without overflow or underflow."""
    squares = float(np.vdot(vector, vector))  # vdot does not warn of an overflow
    if 1e-280 < squares < math.inf:
        return math.sqrt(squares)
    largest = float(np.abs(vector).max(initial=0.0))
    if largest == 0 or not math.isfinite(largest):
        return largest
    return largest * math.sqrt(float(np.sum((vector / largest) ** 2)))


def own_vector(value: object, what: str) -> FloatArray:
    """Copy real numbers in any shape to a 1-D float64 array."""
    vector = plain_vector(value)
    if vector is not None:
        return vector
    return real_array(value, what).astype(FLOAT64).flatten()


def refuse_many_parameters(n: int) -> None:
    """Refuse more parameters than the core can count."""
    if n > MOST_PARAMETERS:
        raise ValueError(f"x0 has {n} parameters: leastsq takes at most {MOST_PARAMETERS}")


def refuse_sizes(m: int, n: int) -> None:
    """Refuse fewer residuals than parameters, and more parameters than the core can count."""
    refuse_many_parameters(n)
    if n > m:
        raise TypeError(
            f"Improper input: func input vector length N={n} must not exceed "
            f"func output vector length M={m}{SUMMED * (m == 1)}"
        )
