"""Points that are masked or NaN, and the data without them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leastsq._checks import FloatArray, is_masked
from leastsq._numbers import as_numbers
from leastsq._sigma import wrong_shape

Flags = NDArray[np.bool_]


def masked_points(xdata: Any, ydata: Any, sigma: Any, shape: tuple[int, ...]) -> Flags | None:
    """Tell at which points any of the data is masked; None if that is nowhere."""
    points: Flags | None = None
    for values in (xdata, ydata, sigma):
        if not is_masked(values):
            continue
        mask = np.ma.getmaskarray(values)
        if values is sigma and mask.ndim == 2 and len(shape) == 1:
            mask = mask.diagonal()
        if mask.shape[mask.ndim - len(shape) :] != shape:
            raise ValueError(
                f"a mask of shape {mask.shape} does not go with ydata of shape {shape}"
            )
        masked = np.any(mask.reshape(-1, *shape), axis=0)
        points = masked if points is None else points | masked
    return points


def missing_points(xdata: Any, y: FloatArray) -> Flags:
    """Tell at which points ydata or xdata is NaN, if xdata is an array or a table of numbers."""
    missing = np.isnan(y)
    if isinstance(xdata, np.ndarray):
        in_x = np.isnan(xdata)
        return missing | in_x.any(axis=tuple(range(in_x.ndim - 1)))
    if not is_table(xdata, y):
        return missing
    try:
        in_x = np.isnan(as_numbers(xdata, "xdata"))
    except (TypeError, ValueError):
        return missing
    return missing | in_x.reshape(y.size, -1).any(axis=1)


def is_table(xdata: Any, y: FloatArray) -> bool:
    """Tell whether it has a row for each point, and rows can be taken from it by a mask."""
    return (
        hasattr(xdata, "__array__")
        and hasattr(xdata, "__getitem__")
        and hasattr(xdata, "__len__")
        and len(xdata) == y.size
        and y.ndim == 1
    )


def without(
    left_out: Flags, xdata: Any, ydata: FloatArray, sigma: Any
) -> tuple[Any, FloatArray, Any]:
    """Leave out points."""
    kept = ~left_out
    if not kept.any():
        raise ValueError("every point of the data is masked or NaN: there is nothing to fit")
    if isinstance(xdata, np.ndarray):
        if not (xdata.shape[-ydata.ndim :] == kept.shape == ydata.shape):
            raise ValueError(
                f"xdata and ydata do not go together: shapes {xdata.shape} and {ydata.shape}"
            )
        xdata = xdata[..., kept]
    elif is_table(xdata, ydata):
        xdata = xdata[kept]
    else:
        raise ValueError(
            "to leave out points that are masked or NaN, xdata must be an array, a list, a tuple "
            f"or a table with a row for each of the {ydata.size} points, got a "
            f"{type(xdata).__name__}"
        )
    if sigma is not None:
        errors = np.ma.getdata(sigma) if is_masked(sigma) else np.asarray(sigma)
        if errors.size > 1:
            if errors.ndim > 2 or any(size != ydata.size for size in errors.shape):
                raise ValueError(wrong_shape(errors, ydata))
            sigma = errors[np.ix_(*[kept] * errors.ndim)]
    return xdata, ydata[kept], sigma
