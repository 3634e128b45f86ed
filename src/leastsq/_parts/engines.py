"""Who evaluates the parts of a fit: this process, or Dask."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from leastsq._arguments.arrays import Function, real_number
from leastsq._arguments.bounds import Box
from leastsq._arguments.conversion import as_numbers
from leastsq._arguments.counts import count_of
from leastsq._arguments.limits import limit_of
from leastsq._arguments.settings import Settings
from leastsq._functions.functions import is_parallel
from leastsq._functions.native import NativeFunction
from leastsq._models.lazy import is_lazy
from leastsq._parts.parts import has_parts
from leastsq._parts.questions import Engine
from leastsq._parts.sources import Loaded, Slices, length_of
from leastsq._parts.threads import Threads
from leastsq._parts.work import MOST_ROWS, CurveWork, ResidualWork

FEWEST_BLOCKS = 8
"""So many blocks of rows are evaluated by a thread at a time, at least."""
MOST_LOTS = 256
"""Into so many parts data in memory are divided, at most."""
NO_DASK = "data in Dask collections need Dask: pip install leastsq[dask]"


class Divided(NamedTuple):
    """An engine, and whether a question takes time of its own."""

    engine: Engine
    has_trips: bool


def divided_residuals(
    func: Function,
    Dfun: Function | None,
    args: tuple[Any, ...],
    col_deriv: bool,
    settings: Settings,
    partitioned: bool,
    threads: Any,
) -> Divided:
    """Choose who evaluates the residuals of leastsq."""
    if isinstance(func, NativeFunction) or isinstance(Dfun, NativeFunction):
        raise TypeError("a NativeFunction computes all residuals: it cannot be called for parts")
    if settings.loss is not None and settings.loss.scale.size > 1:
        raise ValueError("f_scale must be one number for data in parts")
    work = ResidualWork(func, Dfun, col_deriv, settings)
    source = Loaded(args) if has_parts(args) else None
    if threads is not None and (source is None or source.parts.dask):
        raise ValueError("threads is not for Dask: choose its scheduler")
    if source is None:
        return Divided(dask().partitions(work, args), True)
    if partitioned:
        raise ValueError("pass partitioned=True with Dask collections, not with Parts")
    if source.parts.dask:
        return Divided(dask().loaded_parts(work, source), True)
    return Divided(Threads(work, source, threads_for(threads, func, Dfun)), False)


def divided_curve(
    f: Function,
    jac: Function | str | None,
    col_deriv: bool,
    box: Box | None,
    settings: Settings,
    data: tuple[Any, Any, Any],
    check_finite: bool | None,
    nan_policy: str | None,
    chunks: Any,
    threads: Any,
) -> Divided:
    """Choose who evaluates a model; data are xdata, ydata and sigma."""
    f_scale = None
    if settings.loss is not None and settings.loss.scale.size > 1:
        f_scale = settings.loss.scale
    work = CurveWork(f, jac, col_deriv, box, settings, check_finite, nan_policy)
    if any(map(is_lazy, data)) or (isinstance(data[0], tuple) and any(map(is_lazy, data[0]))):
        if chunks is not None or threads is not None:
            raise ValueError(
                "chunks and threads are not for Dask arrays: rechunk the arrays, and choose the "
                "scheduler of Dask"
            )
        return Divided(dask().blocks(work, *data, f_scale), True)
    x, y, sigma = data
    x = tuple(map(sliceable, x)) if isinstance(x, tuple) else sliceable(x)
    y, sigma = numbers_of(y), numbers_of(sigma)
    count = threads_for(threads, f, jac)
    return Divided(Threads(work, Slices(x, y, sigma, f_scale, rows_of(chunks, y)), count), False)


def rows_of(chunks: Any, y: Any) -> int:
    """Convert the number of rows that are read at a time; True chooses it."""
    if chunks is None or chunks is False or chunks is True:
        return max(FEWEST_BLOCKS, -(-length_of(y, "ydata") // (MOST_LOTS * MOST_ROWS))) * MOST_ROWS
    if not real_number(chunks, "chunks") >= 1:
        raise ValueError(f"chunks must be a positive whole number or True, got {chunks!r}")
    return limit_of(chunks, 1, "chunks")


def sliceable(values: Any) -> Any:
    """Convert data to an array, unless they can be sliced as an array can."""
    is_array = hasattr(values, "shape") and hasattr(values, "__getitem__")
    return values if values is None or is_array else np.asarray(values)


def numbers_of(values: Any) -> Any:
    """Convert a column of a table to an array, and other data as sliceable does."""
    return as_numbers(values, "ydata") if hasattr(values, "to_numpy") else sliceable(values)


def threads_for(threads: Any, *functions: Any) -> int:
    """Convert the number of threads; functions that use Numba's threads get one thread."""
    count = 1 if threads is None else count_of(threads, "threads")
    return 1 if any(map(is_parallel, functions)) else count


def dask() -> Any:
    """Import the module that needs Dask."""
    try:
        from leastsq._parts import on_dask
    except ImportError as error:
        raise ImportError(NO_DASK) from error
    return on_dask
