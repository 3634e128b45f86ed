"""Residuals that several processes, threads or machines evaluate side by side."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing import Pool
from time import monotonic
from typing import Any

import numpy as np

from leastsq._arguments.arrays import FLOAT64, FloatArray, Function
from leastsq._functions.functions import is_dispatcher
from leastsq._models.residuals import IN_PYTHON, residual_form


class Workers:
    """Evaluates func(p, *args) at many points; a context that ends its processes or threads.

    Its call takes points of shape (count, n), and returns residuals of shape (count, m). Without
    time it returns None.
    """

    def __init__(
        self, workers: Any, func: Function, args: tuple[Any, ...], deadline: float
    ) -> None:
        self.deadline = deadline
        self.evaluate = partial(residuals_at, func, args)
        self.map: Any = None
        self.pool: Any = None
        self.others: Function
        if callable(workers):
            self.map = workers
            return
        self.count = worker_count(workers)
        others = max(self.count - 1, 1)  # this process is one of them
        if has_no_gil(func):
            self.pool, self.others = ThreadPoolExecutor(others), self.evaluate
        else:
            self.pool = Pool(others, initializer=remember, initargs=(func, args))
            self.others = remembered

    def __call__(self, points: FloatArray) -> FloatArray | None:
        """Evaluate the residuals, unless the time is over."""
        if monotonic() > self.deadline:
            return None
        if self.map is not None:
            return collected(self.map(self.evaluate, list(points)))
        values: list[Any] = [None] * len(points)
        is_mine = [i % self.count == 0 for i in range(len(points))]
        for i, point in enumerate(points):
            if not is_mine[i]:
                values[i] = submit(self.pool, self.others, point)
        for i, point in enumerate(points):
            if is_mine[i]:
                values[i] = self.evaluate(point)
        return collected(values)

    def __enter__(self) -> None:
        """Do nothing: the processes have begun."""

    def __exit__(self, *exception: Any) -> None:
        """End the processes or threads."""
        if self.pool is not None:
            self.pool.__exit__(*exception)


def submit(pool: Any, function: Function, point: FloatArray) -> Any:
    """Let a process or a thread evaluate a point."""
    if isinstance(pool, ThreadPoolExecutor):
        return pool.submit(function, point)
    return pool.apply_async(function, (point,))


class ModelResiduals:
    """The residuals of a model, for other processes."""

    def __init__(self, f: Function, weighing: str | None) -> None:
        self.f = f
        self.weighing = weighing
        self.form = residual_form(f, weighing, IN_PYTHON)

    def __call__(self, p: FloatArray, *args: Any) -> Any:
        """Evaluate the residuals."""
        return self.form(p, *args)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the model alone."""
        return type(self), (self.f, self.weighing)


def worker_count(workers: Any) -> int:
    """Convert the number of processes or threads; -1 is one for each processor."""
    if isinstance(workers, bool) or not isinstance(workers, int | np.integer):
        raise TypeError(f"workers must be a whole number or a map-like function, got {workers!r}")
    if workers == -1:
        return os.cpu_count() or 1
    if workers < 1:
        raise ValueError(f"workers must be positive or -1, got {workers}")
    return int(workers)


def has_no_gil(func: Any) -> bool:
    """Tell whether calls in several threads run side by side."""
    if is_dispatcher(func):
        return bool(func.targetoptions.get("nogil"))
    return not getattr(sys, "_is_gil_enabled", lambda: True)()


def residuals_at(func: Function, args: tuple[Any, ...], p: FloatArray) -> FloatArray:
    """Evaluate the residuals at one point."""
    return np.asarray(func(np.array(p), *args), FLOAT64).reshape(-1)


def collected(values: Iterable[Any]) -> FloatArray:
    """Collect the residuals: arrays, or futures, as those of Dask's map."""
    return np.array([result_of(value) for value in values])


def result_of(value: Any) -> Any:
    """Wait for a result, if it is not an array already."""
    if isinstance(value, np.ndarray):
        return value
    return value.result() if hasattr(value, "result") else value.get()


REMEMBERED: list[Any] = []


def remember(func: Function, args: tuple[Any, ...]) -> None:
    """Keep what a process needs for all of its points."""
    REMEMBERED[:] = func, args


def remembered(p: FloatArray) -> FloatArray:
    """Evaluate the residuals that this process remembers."""
    func, args = REMEMBERED
    return residuals_at(func, args, p)
