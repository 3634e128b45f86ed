"""How the data of many fits lie: batch axes in front, and the points at the end."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leastsq._arguments.arrays import FLOAT64

Shape = tuple[int, ...]


class Layout(NamedTuple):
    """How the axes of ydata are divided into batch axes and axes of points."""

    axes: Shape
    ndim: int
    batch: Shape
    points: Shape

    @property
    def m(self) -> int:
        """The number of points of a fit."""
        return math.prod(self.points)

    @property
    def batch_axes(self) -> Shape:
        """The other axes of ydata."""
        return tuple(axis for axis in range(self.ndim) if axis not in self.axes)

    @property
    def fits(self) -> int:
        """The number of fits."""
        return math.prod(self.batch)

    def arrange(self, values: NDArray[Any], name: str, to_points: bool = False) -> Stack:
        """Arrange values like ydata, and broadcast them to all fits, perhaps to all points."""
        flat = self.flatten(values, name)
        last = self.m if to_points else flat.shape[-1] if flat.ndim else 1
        try:
            return Stack(np.broadcast_to(flat, (*self.batch, last)))
        except ValueError:
            raise self.mismatch(values.shape, name) from None

    def flatten(self, values: Any, name: str) -> Any:
        """Move the points to the last axis: one value for each point, or one for each fit."""
        shape, count = values.shape, len(self.points)
        if values.ndim == self.ndim:
            values = np.moveaxis(values, self.axes, range(-count, 0))
        batch = values.shape[: max(values.ndim - count, 0)]
        if values.ndim >= count and values.shape[len(batch) :] == self.points and count > 1:
            values = values.reshape(*batch, self.m)
        elif values.ndim == self.ndim and set(values.shape[-count:]) == {1}:
            values = values.reshape(*batch, 1)
        if values.ndim and values.shape[-1] not in (1, self.m):
            raise self.mismatch(shape, name)
        return values

    def mismatch(self, shape: Shape, name: str) -> ValueError:
        """Describe values that do not match ydata."""
        whole = [0] * self.ndim
        for sizes, axes in ((self.points, self.axes), (self.batch, self.batch_axes)):
            for size, axis in zip(sizes, axes, strict=True):
                whole[axis] = size
        each = tuple(1 if axis in self.axes else size for axis, size in enumerate(whole))
        return ValueError(
            f"{name} has the shape {shape}, which does not match ydata of shape {tuple(whole)}: "
            f"the shape is {tuple(whole)} or {self.points} for a value for each point, and {each} "
            "for a value for each fit"
        )


class Stack:
    """An array with batch axes in front, which is read fit by fit. The last axis stays."""

    def __init__(self, values: NDArray[Any]) -> None:
        self.values = values
        self.is_flat = values.dtype is FLOAT64 and values.flags.c_contiguous
        if self.is_flat:
            self.values = values.reshape(-1, values.shape[-1])

    def rows(self, places: NDArray[np.int64]) -> NDArray[Any]:
        """Return the rows of some fits; shape (fits, m); float64, or bool."""
        if self.is_flat:
            return np.asarray(self.values[in_a_row(places)])
        batch = self.values.shape[:-1]
        rows = self.values[np.unravel_index(places, batch)] if batch else self.values[None]
        return rows if rows.dtype == bool else np.ascontiguousarray(rows, FLOAT64)


def in_a_row(places: NDArray[np.int64]) -> Any:
    """Return a slice if the places follow each other, so that nothing is copied."""
    if not places.size:
        return places
    first, last = int(places[0]), int(places[-1])
    return slice(first, last + 1) if last - first + 1 == places.size else places


class Blocks(Stack):
    """The data blocks of a NativeFunction, as rows of bytes."""

    def rows(self, places: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return the blocks of some fits."""
        return np.asarray(self.values[in_a_row(places)])


def read_layout(ydata: NDArray[Any], axis: int | tuple[int, ...]) -> Layout:
    """Divide the axes of ydata."""
    if ydata.ndim == 0:
        raise ValueError("ydata must have an axis of points, got one number")
    axes = np.lib.array_utils.normalize_axis_tuple(axis, ydata.ndim, "axis")
    if not axes:
        raise ValueError("axis must name at least one axis of points")
    batch = tuple(size for k, size in enumerate(ydata.shape) if k not in axes)
    layout = Layout(axes, ydata.ndim, batch, tuple(ydata.shape[k] for k in axes))
    if layout.m == 0:
        raise ValueError("`ydata` must not be empty!")
    return layout
