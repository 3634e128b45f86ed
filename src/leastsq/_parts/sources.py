"""Where the parts of the data are: slices of arrays, or what a function of the user's loads."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from leastsq._parts.parts import Parts
from leastsq._parts.work import FEWEST_ROWS, Rows


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

    def sample(self, rows: int) -> tuple[Any, ...]:
        """Return the arguments of the first part."""
        return self.load(0)


class Slices:
    """The data of curve_fit, which are read some rows at a time."""

    def __init__(self, xdata: Any, ydata: Any, sigma: Any, f_scale: Any, rows: int) -> None:
        self.data = Rows(xdata, ydata, sigma, f_scale)
        self.m = length_of(ydata, "ydata")
        for name, values in (("sigma", sigma), ("f_scale", f_scale)):
            if np.ndim(values) > 0 and length_of(values, name) not in (1, self.m):
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

    def sample(self, rows: int) -> Rows:
        """Read the first rows."""
        return loaded(self.data.between(0, min(rows, max(2 * self.rows, FEWEST_ROWS), self.m)))


def loaded(rows: Rows) -> Rows:
    """Read what is not an array yet, such as a data set of a file."""
    x, *others = rows
    if isinstance(x, tuple):
        x = np.array([np.asarray(values) for values in x])
    elif not hasattr(x, "iloc"):
        x = np.asarray(x)
    return Rows(x, *(None if values is None else np.asarray(values) for values in others))


def length_of(values: Any, name: str) -> int:
    """Return the number of points of 1-D data."""
    if np.ndim(values) != 1 if isinstance(values, list | tuple) else len(values.shape) != 1:
        raise ValueError(f"{name} must be 1-D to be divided into chunks; got {np.shape(values)}")
    return len(values)


def count_of(x: Any) -> int:
    """Return the number of points of xdata, or of one of its rows."""
    if hasattr(x, "iloc"):
        return len(x)
    return int(np.shape(x)[-1]) if not hasattr(x, "shape") else int(x.shape[-1])
