"""Residuals that several processes, threads or machines evaluate side by side."""

from __future__ import annotations

import sys
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from time import monotonic
from typing import Any

import numpy as np

from leastsq._arguments.arrays import FLOAT64, FloatArray, Function, name_of, real_array
from leastsq._arguments.counts import count_of
from leastsq._core._calls import model_values
from leastsq._functions.functions import is_dispatcher
from leastsq._models.residuals import residual_form


class Workers:
    """Evaluates func(p, *args) at many points; a context that ends its processes or threads.

    Its call takes points of shape (count, n), and returns residuals of shape (count, m). Without
    time it returns None.
    """

    def __init__(
        self, workers: Any, func: Function, args: tuple[Any, ...], m: int, deadline: float
    ) -> None:
        self.m = m
        self.deadline = deadline
        self.function = name_of(func)
        self.evaluate = partial(residuals_at, func, args)
        self.map = workers if callable(workers) else None
        self.count = 0
        self.pool: Executor | None = None
        self.share: Function = partial(share_of, self.evaluate)
        if self.map is not None:
            return
        self.count = count_of(workers, "workers", " or a map-like function")
        if has_no_gil(func):
            self.pool = ThreadPoolExecutor(self.count)
        else:
            self.pool = ProcessPoolExecutor(
                self.count, initializer=remember, initargs=(self.evaluate,)
            )
            self.share = remembered_share

    def __call__(self, points: Any) -> Any:
        """Evaluate the residuals, unless the time is over."""
        if monotonic() > self.deadline:
            return None
        if self.pool is not None:
            values = self.shared(self.pool, points)
        elif self.map is not None:
            values = list(self.map(self.evaluate, list(points)))
        return self.collected(values, points)

    def shared(self, pool: Executor, points: FloatArray) -> list[Any]:
        """Give each worker its share of the points, and wait.

        A thread of the pool sends them. It would have to wait if this thread evaluated points.
        """
        count = min(self.count, len(points))
        shares = [pool.submit(self.share, points[k::count]) for k in range(count)]
        values: list[Any] = [None] * len(points)
        for k, share in enumerate(shares):
            values[k::count] = share.result()
        return values

    def collected(self, values: list[Any], points: Any) -> Any:
        """Collect the residuals: arrays, or futures, as those of Dask's map; and check them."""
        found = [value.result() if hasattr(value, "result") else value for value in values]
        is_complex = points.dtype.kind == "c"  # a complex step
        name = f"The return value of {self.function}"
        arrays = [np.asarray(each) if is_complex else real_array(each, name) for each in found]
        count = len(points)
        if len(arrays) != count or any(array.shape != (self.m,) for array in arrays):
            shapes = sorted({array.shape for array in arrays})
            raise ValueError(
                f"workers returned {len(arrays)} values of the shapes {shapes}, not {count} of the "
                f"shape ({self.m},)"
            )
        return np.array(arrays, complex if is_complex else FLOAT64)

    def __enter__(self) -> None:
        """Do nothing: the processes begin when they are needed."""

    def __exit__(self, *exception: Any) -> None:
        """End the processes or threads, without waiting for them."""
        if self.pool is not None:
            self.pool.shutdown(wait=False, cancel_futures=True)


class PicklableResiduals:
    """The residuals of a model, for other processes."""

    def __init__(self, f: Function, weighing: str | None) -> None:
        self.f = f
        self.weighing = weighing
        self.form = residual_form(f, weighing)

    def __call__(self, p: FloatArray, *args: Any) -> Any:
        """Evaluate the residuals."""
        return self.form(p, *args)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the model alone."""
        return type(self), (self.f, self.weighing)


class ModelValues:
    """The values of a model at all points of its data, for other processes."""

    def __init__(self, f: Function, shape: tuple[int, ...]) -> None:
        self.f = f
        self.shape = shape
        self.__name__ = name_of(f)

    def __call__(self, p: Any, x: Any) -> Any:
        """Evaluate the model; shape (m,)."""
        return np.broadcast_to(model_values(self.f, x, p), self.shape).reshape(-1)

    def of_many(self, points: Any, x: Any) -> Any:
        """Evaluate the model for points of shape (n, k); shape (m, k)."""
        count = points.shape[1]
        values = self.f(x, *points.reshape(-1, count, *(1,) * len(self.shape)))
        return np.broadcast_to(values, (count, *self.shape)).reshape(count, -1).T


def has_no_gil(func: Any) -> bool:
    """Tell whether calls in several threads run side by side."""
    if is_dispatcher(func):
        return bool(func.targetoptions.get("nogil"))
    return not getattr(sys, "_is_gil_enabled", lambda: True)()


def share_of(evaluate: Function, points: FloatArray) -> list[FloatArray]:
    """Evaluate the residuals at some points."""
    return [evaluate(point) for point in points]


def residuals_at(func: Function, args: tuple[Any, ...], p: FloatArray) -> FloatArray:
    """Evaluate the residuals at one point."""
    return np.array(func(np.array(p), *args)).reshape(-1)  # it may return the same array again


REMEMBERED: list[Function] = []


def remember(evaluate: Function) -> None:
    """Keep what a process needs for all of its points."""
    REMEMBERED[:] = [evaluate]


def remembered_share(points: FloatArray) -> list[FloatArray]:
    """Evaluate the residuals that this process remembers, at some points."""
    return share_of(REMEMBERED[0], points)
