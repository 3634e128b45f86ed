"""Where the parts of the data are: slices of arrays, or what a function of the user's loads."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from leastsq._arguments.arrays import is_masked
from leastsq._arguments.conversion import as_numbers
from leastsq._parts.parts import Parts
from leastsq._parts.work import Rows

FEW = 16
"""Rows of a short part."""


class Loaded:
    """The arguments of leastsq, one of which is Parts."""

    def __init__(self, args: tuple[Any, ...]) -> None:
        places = [i for i, each in enumerate(args) if isinstance(each, Parts)]
        if len(places) != 1:
            raise TypeError(f"args may contain one object Parts, got {len(places)}")
        self.before, self.behind = args[: places[0]], args[places[0] + 1 :]
        self.parts: Parts = args[places[0]]
        self.count = self.parts.count

    def load(self, i: int) -> tuple[Any, ...]:
        """Load the arguments of one part."""
        found = self.parts.load(i)
        return (*self.before, *(found if isinstance(found, tuple) else (found,)), *self.behind)


class Slices:
    """The data of curve_fit, which are read some rows at a time."""

    def __init__(self, xdata: Any, ydata: Any, sigma: Any, f_scale: Any, rows: int) -> None:
        self.data = Rows(xdata, ydata, sigma, f_scale)
        self.m = length_of(ydata, "ydata")
        if self.m == 0:
            raise ValueError("`ydata` must not be empty!")
        for name, values in (("sigma", sigma), ("f_scale", f_scale)):
            is_one = values is None or np.shape(values) == ()
            if not is_one and length_of(values, name) not in (1, self.m):
                raise ValueError(
                    f"{name} must be one number, or one for each of the {self.m} points, got "
                    f"{length_of(values, name)}"
                )
        for values in xdata if isinstance(xdata, tuple) else (xdata,):
            if count_of(values) != self.m:
                raise ValueError(
                    f"xdata has {count_of(values)} points, but ydata {self.m}: with chunks, the "
                    "last axis of xdata is that of the points"
                )
        self.rows = rows
        self.count = max(1, math.ceil(self.m / rows))

    def load(self, i: int) -> Rows:
        """Read one part."""
        return loaded(self.data.between(i * self.rows, min((i + 1) * self.rows, self.m)))

    def samples(self, places: int, most: int) -> list[Rows]:
        """Read some rows from several places, and a few at the end: the last part may be short."""
        rows = max(1, min(most, self.m // places))
        starts = np.unique(np.linspace(0, self.m - rows, places).astype(np.int64)).tolist()
        lots = [(first, first + rows) for first in starts]
        if rows > FEW:
            lots.append((self.m - FEW, self.m))
        return [loaded(self.data.between(*lot)) for lot in lots]


def loaded(rows: Rows) -> Rows:
    """Read what is not an array yet, such as a data set of a file."""
    x, y, sigma, f_scale = rows
    if isinstance(x, tuple):
        columns = [array_of(values, "xdata") for values in x]
        x = (np.ma.array if any(map(is_masked, columns)) else np.array)(columns)
    elif not hasattr(x, "to_numpy"):  # a table or a column
        x = array_of(x, "xdata")
    return Rows(x, array_of(y, "ydata"), array_of(sigma, "sigma"), array_of(f_scale, "f_scale"))


def array_of(values: Any, name: str) -> Any:
    """Convert values to an array that compiled code can read; masked values stay masked."""
    if values is None or is_masked(values):
        return values
    numbers = as_numbers(values, name)
    return numbers if numbers.flags.aligned else np.require(numbers, requirements="A")


def length_of(values: Any, name: str) -> int:
    """Return the number of points of 1-D data."""
    return int(shape_of_vector(values, name)[0])


def shape_of_vector(values: Any, name: str) -> tuple[Any, ...]:
    """Return the shape of 1-D data; Dask may not know the length."""
    shape: tuple[Any, ...] = values.shape if hasattr(values, "shape") else np.shape(values)
    if len(shape) != 1:
        raise ValueError(f"{name} must be 1-D to be divided into chunks; got the shape {shape}")
    return shape


def count_of(x: Any) -> int:
    """Return the number of points of xdata, or of one of its rows."""
    shape = x.shape if hasattr(x, "shape") else np.shape(x)
    if not shape:
        kind = "one number" if np.isscalar(x) or np.ndim(x) == 0 else f"a {type(x).__name__}"
        raise TypeError(f"with chunks or threads, xdata must be arrays or a table, got {kind}")
    return int(shape[0 if hasattr(x, "iloc") else -1])
