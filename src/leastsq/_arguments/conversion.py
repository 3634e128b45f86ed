"""Conversion of data to float64."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np

from leastsq._arguments.arrays import FLOAT64, FloatArray, are_finite

COMPLEX = (
    "fit real and imaginary parts side by side, as y.view(float), with a model that returns "
    "values.view(float)"
)


def as_numbers(values: Any, name: str) -> FloatArray:
    """Convert data to float64; missing values become NaN."""
    if values is None:
        raise TypeError(f"{name} must be numbers, got None")
    try:
        array = np.asarray(values)
        if array.dtype is FLOAT64:
            return array
        if array.dtype.kind == "O" and hasattr(values, "to_numpy"):  # pandas, with its own NA
            return np.asarray(values.to_numpy(dtype=float, na_value=np.nan))
        if array.dtype.kind == "c":
            raise TypeError(f"{name} must be real: {COMPLEX}")
        numbers = array.astype(FLOAT64)
    except OverflowError as error:
        raise ValueError(f"{name} must be numbers of float64: {error}") from error
    except (TypeError, ValueError) as error:
        if str(error).startswith(name):
            raise
        raise type(error)(f"{name} must be numbers: {error}{hint(values)}") from error
    if array.dtype.kind in "mM":
        numbers[np.isnat(array)] = np.nan
    return numbers


def hint(values: Any) -> str:
    """Explain how to convert dates, if the values are dates."""
    first = next(iter(np.ravel(np.asarray(values, object))), None)
    if not isinstance(first, datetime.date | datetime.timedelta):
        return ""
    return (
        ". Convert dates to times since the first: [(t - dates[0]).total_seconds() for t in dates]"
    )


def refuse_infinite(array: FloatArray, name: str) -> None:
    """Raise an error if an array contains NaN or infinity."""
    if not are_finite(array):
        raise ValueError(f"array must not contain infs or NaNs: {name}")
