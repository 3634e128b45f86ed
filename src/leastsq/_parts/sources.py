"""Where the parts of the data are: slices of arrays, or what a function of the user's loads."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from leastsq._arguments.arrays import name_of
from leastsq._parts.work import FEWEST_ROWS, Rows


class Parts:
    """Data in parts, each of which is loaded where it is evaluated.

    Parameters
    ----------
    load : callable
        ``load(i)`` returns the arguments of part i for func and Dfun: a tuple, or any other object
        as the only argument. It is called each time the part is evaluated.
    count : int
        Number of parts: i is from 0 to count - 1.
    dask : bool, optional
        Whether Dask evaluates the parts, with the scheduler that is set there: for example the
        workers of a ``distributed.Client``. Then load is called there, and must be such that it can
        be pickled.

    Examples
    --------
    >>> import numpy as np
    >>> from leastsq import Parts, leastsq
    >>> def load(i):  # in practice it reads a file
    ...     t = np.linspace(i, i + 1, 100)
    ...     return t, 2.5*np.exp(-1.3*t) + 0.5
    >>> def residuals(p, t, y):
    ...     return p[0]*np.exp(-p[1]*t) + p[2] - y
    >>> p, ier = leastsq(residuals, [1, 1, 1], args=(Parts(load, 5),))
    >>> np.round(p, 6)
    array([2.5, 1.3, 0.5])
    """

    def __init__(self, load: Callable[[int], Any], count: int, *, dask: bool = False) -> None:
        if not callable(load):
            raise TypeError(f"load must be callable, got {load!r}")
        if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 1:
            raise ValueError(f"count must be a positive whole number, got {count!r}")
        self.load = load
        self.count = int(count)
        self.dask = dask

    def __repr__(self) -> str:
        """Show what loads the parts."""
        return f"Parts({name_of(self.load)}, {self.count})"


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


def asks_for_parts(args: tuple[Any, ...]) -> bool:
    """Tell whether the arguments of leastsq contain Parts."""
    return any(isinstance(each, Parts) for each in args)
