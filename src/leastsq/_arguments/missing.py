"""Missing points: masked, or NaN."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leastsq._arguments.arrays import FloatArray, is_masked
from leastsq._arguments.conversion import as_numbers
from leastsq._arguments.sigma import wrong_shape

Flags = NDArray[np.bool_]


def masked_points(xdata: Any, ydata: Any, sigma: Any, shape: tuple[int, ...]) -> Flags | None:
    """Mark the points at which any of the data is masked; None if there are none."""
    points: Flags | None = None
    for values in (xdata, ydata, sigma):
        if not is_masked(values):
            continue
        mask = np.ma.getmaskarray(np.ma.array(values))
        if values is sigma and mask.ndim == 2 and len(shape) == 1:
            mask = mask.diagonal()
        if mask.shape[mask.ndim - len(shape) :] != shape:
            raise ValueError(
                f"the mask has shape {mask.shape}, which does not match ydata of shape {shape}"
            )
        masked = np.any(mask.reshape(-1, *shape), axis=0)
        points = masked if points is None else points | masked
    return points


def missing_points(xdata: Any, y: FloatArray) -> Flags:
    """Mark the points at which ydata is NaN, or xdata if it is an array or a table."""
    missing = np.isnan(y)
    if isinstance(xdata, np.ndarray):
        in_x = np.isnan(xdata)
        if not in_x.any():
            return missing
        if xdata.shape[xdata.ndim - y.ndim :] != y.shape:
            raise ValueError(mismatch(xdata, y))
        return missing | in_x.any(axis=tuple(range(xdata.ndim - y.ndim)))
    if not is_table(xdata, y):
        return missing
    if hasattr(xdata, "isna"):  # a pandas object, whose columns may contain text
        in_x = np.asarray(xdata.isna())
    else:
        try:
            in_x = np.isnan(as_numbers(xdata, "xdata"))
        except (TypeError, ValueError):
            return missing
    return missing | in_x.reshape(y.size, -1).any(axis=1)


def mismatch(xdata: Any, y: FloatArray) -> str:
    """Describe xdata and ydata that do not have the same number of points."""
    return f"the shapes of xdata and ydata do not match: {xdata.shape} and {y.shape}"


def is_table(xdata: Any, y: FloatArray) -> bool:
    """Tell whether an object has a row for each point, and can be indexed with a mask."""
    return (
        hasattr(xdata, "__array__")
        and hasattr(xdata, "__getitem__")
        and hasattr(xdata, "__len__")
        and len(xdata) == y.size
        and y.ndim == 1
    )


def is_of_polars(xdata: Any) -> bool:
    """Tell whether an object belongs to polars, which selects rows by `filter`."""
    return type(xdata).__module__.partition(".")[0] == "polars"


def without(
    left_out: Flags, xdata: Any, ydata: FloatArray, sigma: Any
) -> tuple[Any, FloatArray, Any]:
    """Return the data without some points."""
    kept = ~left_out
    if not kept.any():
        raise ValueError("every point of the data is masked or NaN: there is nothing to fit")
    if isinstance(xdata, np.ndarray):
        if not (xdata.shape[-ydata.ndim :] == kept.shape == ydata.shape):
            raise ValueError(mismatch(xdata, ydata))
        xdata = xdata[..., kept]
    elif is_table(xdata, ydata):
        xdata = xdata.filter(kept) if is_of_polars(xdata) else xdata[kept]
    else:
        raise ValueError(
            "to leave out points that are masked or NaN, xdata must be an array, a list, a tuple "
            f"or a table with a row for each of the {ydata.size} points, got a "
            f"{type(xdata).__name__}"
        )
    if sigma is not None:
        errors = np.ma.array(sigma) if is_masked(sigma) else np.asarray(sigma)
        if errors.size > 1:
            if ydata.ndim > 1 or errors.ndim > 2 or set(errors.shape) != {ydata.size}:
                raise ValueError(wrong_shape(errors, ydata))
            sigma = errors[np.ix_(*[kept] * errors.ndim)]
        if is_masked(sigma):
            raise ValueError("`sigma` is masked for a pair of points that are both used")
    return xdata, ydata[kept], sigma
