"""Data that a function of the user's loads, part by part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from leastsq._arguments.arrays import name_of


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

    __module__ = "leastsq"

    are_in_use = False
    """Whether any object of this class was made: most programs need not look for one."""

    def __init__(self, load: Callable[[int], Any], count: int, *, dask: bool = False) -> None:
        if not callable(load):
            raise TypeError(f"load must be callable, got {load!r}")
        if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 1:
            raise ValueError(f"count must be a positive whole number, got {count!r}")
        self.load = load
        self.count = int(count)
        self.dask = dask
        Parts.are_in_use = True

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Become a copy, perhaps of an object in another process."""
        self.__dict__.update(state)
        Parts.are_in_use = True

    def __repr__(self) -> str:
        """Show what loads the parts."""
        return f"Parts({name_of(self.load)}, {self.count})"


def has_parts(args: tuple[Any, ...]) -> bool:
    """Tell whether Parts are among the arguments of leastsq."""
    return Parts.are_in_use and any(isinstance(each, Parts) for each in args)
