"""The arguments of curve_fit_many, converted to stacks of rows, one for each fit."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leastsq._arguments.arrays import FLOAT64, FloatArray, is_masked
from leastsq._arguments.bounds import Box, pair
from leastsq._arguments.conversion import as_numbers
from leastsq._arguments.layout import Blocks, Layout, Stack, read_layout


class Batch(NamedTuple):
    """The data of all fits, and their starts and bounds. x is shared, or one stack or more."""

    layout: Layout
    x: FloatArray | None
    xs: tuple[Stack, ...]
    y: Stack
    sigma: Stack | None
    mask: Stack | None
    p0: Stack
    box: tuple[Stack, Stack] | None
    asks_neighbours: bool

    @property
    def n(self) -> int:
        """The number of parameters of a fit."""
        return int(self.p0.values.shape[-1])

    def rows_of_x(self, places: NDArray[np.int64]) -> FloatArray:
        """Return the x of some fits that have their own; shape (fits, m) or (fits, k, m)."""
        rows = [stack.rows(places) for stack in self.xs]
        return rows[0] if len(rows) == 1 else np.stack(rows, axis=1)


def numbers(values: Any, name: str) -> NDArray[Any]:
    """Convert data to numbers; integers and float32 are converted later, in parts.

    Masked elements become NaN, and are left out like these.
    """
    if hasattr(values, "__dask_graph__") and hasattr(values, "compute"):
        values = values.compute()  # which keeps a mask
    if is_masked(values):
        return np.ma.array(values, dtype=FLOAT64).filled(np.nan)
    array = values if isinstance(values, np.ndarray) else np.asarray(values)
    return np.asarray(array) if array.dtype.kind in "fiu" else as_numbers(values, name)


def read_mask(mask: ArrayLike | None, layout: Layout) -> Stack | None:
    """Convert the mask."""
    if mask is None:
        return None
    array = np.asarray(mask)
    if array.dtype != bool:
        raise TypeError(f"mask must be boolean, got {array.dtype}: True leaves a point out")
    return layout.arrange(array, "mask")


def read_x(xdata: Any, layout: Layout) -> tuple[FloatArray | None, tuple[Stack, ...]]:
    """Convert xdata: an array that all fits share, or a tuple of arrays, x of each fit."""
    if isinstance(xdata, tuple):
        if not xdata:
            raise ValueError("xdata must not be an empty tuple")
        named = [(x, f"xdata[{i}]") for i, x in enumerate(xdata)]
        return None, tuple(layout.arrange(numbers(x, name), name, True) for x, name in named)
    if xdata is None:
        return None, ()
    x = as_numbers(numbers(xdata, "xdata"), "xdata")
    count = len(layout.points)
    if x.shape[x.ndim - count :] == layout.points and x.ndim <= count + 1:
        x = x.reshape(*x.shape[: x.ndim - count], layout.m)
    if x.ndim not in (1, 2) or x.shape[-1] != layout.m:
        raise ValueError(
            f"xdata has shape {x.shape}, but it must be ({layout.m},) or (k, {layout.m}) for ydata "
            f"with {layout.m} points a fit. If each fit has its own x, pass a tuple of arrays"
        )
    return np.ascontiguousarray(x), ()


def read_sigma(sigma: ArrayLike | None, layout: Layout) -> Stack | None:
    """Convert the errors of the data."""
    return None if sigma is None else layout.arrange(numbers(sigma, "sigma"), "sigma")


def read_starts(
    p0: ArrayLike | None, n: int | None, bounds: Any, layout: Layout
) -> tuple[Stack, tuple[Stack, Stack] | None]:
    """Convert the starting points and the bounds; n is needed if p0 is None."""
    given = None if p0 is None else np.atleast_1d(as_numbers(numbers(p0, "p0"), "p0"))
    if given is not None:
        n = given.shape[-1]
    assert n is not None
    if n == 0:
        raise TypeError("p0 is empty: there is nothing to fit")
    lower, upper = (
        per_parameter(limit, n, f"the {which} bounds")
        for limit, which in zip(pair(bounds), ("lower", "upper"), strict=True)
    )
    if given is None:
        given = Box(*np.broadcast_arrays(lower, upper)).interior()
    is_shared = given.ndim == lower.ndim == upper.ndim == 1
    box = Box(lower, upper)
    if is_shared:
        given = np.where(box.lower == box.upper, box.lower, given)
        box.refuse_outside(given, "p0")
    if lower.ndim == upper.ndim == 1 and np.array_equal(lower, upper):
        raise ValueError("the bounds fix every parameter, and leave none to fit")
    limits = (
        parameters(lower, n, layout, "the lower bounds"),
        parameters(upper, n, layout, "the upper bounds"),
    )
    starts = parameters(given, n, layout, "p0")
    is_bounded = (lower > -np.inf).any() or (upper < np.inf).any()
    return starts, limits if is_bounded else None


def per_parameter(limit: Any, n: int, name: str) -> FloatArray:
    """Convert bounds; shape (..., n)."""
    values = np.atleast_1d(as_numbers(numbers(limit, name), name))
    if values.shape[-1] not in (1, n):
        raise ValueError(
            f"{name} of shape {values.shape} must have one value for each of the {n} parameters"
        )
    return np.broadcast_to(values, (*values.shape[:-1], n))


def parameters(values: FloatArray, n: int, layout: Layout, name: str) -> Stack:
    """Broadcast values of the parameters to all fits."""
    try:
        return Stack(np.broadcast_to(values, (*layout.batch, n)))
    except ValueError:
        raise ValueError(
            f"{name} of shape {values.shape} must have the parameters on the last axis: the shape "
            f"{(n,)}, or {(*layout.batch, n)} for each fit"
        ) from None


def read_batch(
    xdata: Any,
    ydata: Any,
    p0: ArrayLike | None,
    n: int | None,
    sigma: ArrayLike | None,
    bounds: Any,
    axis: int | tuple[int, ...],
    mask: ArrayLike | None,
) -> Batch:
    """Convert the arguments; n is the number of parameters if p0 is None."""
    y = numbers(ydata, "ydata")
    layout = read_layout(y, axis)
    x, xs = read_x(xdata, layout)
    again = asks_neighbours(p0)
    starts, box = read_starts(None if again else p0, n, bounds, layout)
    hidden, errors = read_mask(mask, layout), read_sigma(sigma, layout)
    return Batch(layout, x, xs, layout.arrange(y, "ydata"), errors, hidden, starts, box, again)


def asks_neighbours(p0: Any) -> bool:
    """Tell whether failed fits are to begin again from the solutions of their neighbours."""
    if isinstance(p0, str) and p0 not in ("neighbours", "neighbors"):
        raise ValueError(f"p0 must be numbers or 'neighbours', got {p0!r}")
    return isinstance(p0, str)


def read_blocks(
    m: int,
    xdata: Any,
    ydata: Any,
    p0: ArrayLike | None,
    sigma: ArrayLike | None,
    bounds: Any,
    axis: int | tuple[int, ...],
    mask: ArrayLike | None,
) -> Batch:
    """Convert the arguments for a NativeFunction of m residuals: its data are the rows of ydata."""
    if xdata is not None or sigma is not None:
        raise TypeError("a NativeFunction reads its data from ydata: xdata and sigma must be None")
    if p0 is None or asks_neighbours(p0):
        raise ValueError("pass p0: the number of parameters of a NativeFunction is not known")
    if isinstance(ydata, np.ma.MaskedArray):
        raise TypeError(
            "ydata must not be a masked array for a NativeFunction, which does not see masks: pass "
            "mask to leave out whole fits"
        )
    blocks = np.ascontiguousarray(ydata)
    if blocks.dtype.hasobject:
        raise TypeError(
            "ydata must contain the data blocks of a NativeFunction, not Python objects"
        )
    batch = blocks.shape if blocks.dtype.fields else blocks.shape[:-1]
    if axis != -1 or (blocks.ndim == 0 and not blocks.dtype.fields):
        raise ValueError("the data block of a NativeFunction must be the last axis of ydata")
    layout = Layout((len(batch),), len(batch) + 1, batch, (m,))
    hidden = read_mask(mask, layout)
    if hidden is not None and hidden.values.shape[-1] != 1:
        raise ValueError("the mask of a NativeFunction leaves out whole fits: its last axis is 1")
    rows = np.empty((0, 1), np.uint8)
    if layout.fits:
        rows = blocks.reshape(layout.fits, -1).view(np.uint8)
    starts, box = read_starts(p0, None, bounds, layout)
    return Batch(layout, None, (), Blocks(rows), None, hidden, starts, box, False)
