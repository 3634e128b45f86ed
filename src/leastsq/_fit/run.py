"""Run all fits of a batch, and make the result."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import get_ident, main_thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leastsq._arguments.arrays import FloatArray, name_of
from leastsq._arguments.limits import deadline_after
from leastsq._arguments.many import Batch
from leastsq._errors import FitError, add_note
from leastsq._fit.engines import SOME, Engine, engine_for
from leastsq._fit.many_fits import ManyFits
from leastsq._fit.neighbours import try_neighbours
from leastsq._fit.one_by_one import OneByOne
from leastsq._fit.plan import Plan
from leastsq._fit.pool import Pool, Work
from leastsq._fit.progress import Progress
from leastsq._fit.results import Results
from leastsq._fit.summary import index_of
from leastsq._models.joint import MixedFitsError, warn_of_single_calls

FEWEST = 32
"""Fits that are worth a chunk of their own, unless the user wants smaller chunks."""
CHUNK_BYTES = 2**25
"""The size of the data of a chunk, at most, so that the memory does not grow with the data."""


def fit_all(
    plan: Plan,
    batch: Batch,
    vectorized: bool | None,
    covariance: bool | str,
    on_failure: str,
    threads: int | None,
    chunk: int | None,
    max_time: float | None,
    told: Progress,
    quiet: bool = False,
) -> tuple[ManyFits, Results]:
    """Fit all data sets; also return the results as they were collected."""
    fits = batch.layout.fits
    results = Results(fits, batch.n, covariance)
    plan.deadline = None if max_time is None else deadline_after(max_time)

    def fit_with(engine: Engine) -> None:
        runner = Runner(engine, batch, covariance, threads, chunk)
        until_failure = on_failure == "raise" and not batch.asks_neighbours
        runner.run(np.arange(fits), None, results, told, until_failure)
        if batch.asks_neighbours:
            try_neighbours(batch.layout.batch, results, partial(runner.again, told=told))

    try:
        engine = engine_for(plan, batch, vectorized, quiet)
        try:
            fit_with(engine)
        except MixedFitsError as error:
            if vectorized:
                raise ValueError(f"{name_of(plan.f)} is not vectorized: {error}") from None
            if not quiet:
                warn_of_single_calls(plan.f, str(error))
            results = Results(fits, batch.n, covariance)
            plan.cancel[0] = 0
            told.restart()
            fit_with(Engine(OneByOne, engine.plan, SOME))
    except BaseException as error:
        give_partial(error, finished(results, batch, plan, on_failure))
        raise
    found = finished(results, batch, plan, on_failure)
    if on_failure == "raise":
        raise_first(found, results)
    return found, results


class Runner:
    """Runs an engine in threads, if it is native or threads are asked for."""

    def __init__(
        self,
        engine: Engine,
        batch: Batch,
        covariance: bool | str,
        threads: int | None,
        chunk: int | None,
    ) -> None:
        self.engine = engine
        self.batch = batch
        self.covariance = covariance
        self.threads = threads or ((os.cpu_count() or 1) if engine.is_native else 1)
        self.chunk = chunk

    def run(
        self,
        fits: NDArray[np.int64],
        p: FloatArray | None,
        results: Results,
        told: Callable[[int], Any],
        until_failure: bool,
    ) -> None:
        """Fit some of the data sets, from p or from their own starts."""
        parts = 1 if self.threads == 1 else 2 * self.threads
        most = max(1, min(self.engine.chunk, CHUNK_BYTES // (8 * self.batch.layout.m)))
        size = self.chunk or min(most, max(FEWEST, -(-fits.size // parts)))
        pool = Pool(fits.size, size, self.engine.plan, told)

        def stop_at_failure(work: Work) -> Work:
            def until(first: int, last: int) -> None:
                work(first, last)
                if results.has_failed[first:last].any():
                    pool.leave()

            return until if until_failure else work

        works = [
            stop_at_failure(self.engine.work(self.batch, results, fits, p))
            for _ in range(min(self.threads, -(-fits.size // size)))
        ]
        if len(works) > 1 or (self.engine.is_native and self.needs_attention):
            pool.run(works)
        elif works:
            pool.run_here(works[0])

    @property
    def needs_attention(self) -> bool:
        """Whether this thread must be free for signals or the deadline while native code runs."""
        is_main = get_ident() == main_thread().ident
        return is_main or self.engine.plan.deadline is not None

    def again(self, fits: NDArray[np.int64], p: FloatArray, told: Progress) -> Results:
        """Fit some of the data sets again, from p. They were counted before."""
        results = Results(fits.size, self.batch.n, self.covariance)
        self.run(fits, p, results, lambda more: told(0), False)
        return results


def finished(results: Results, batch: Batch, plan: Plan, on_failure: str) -> ManyFits:
    """Make the result that users see."""
    results.doubt_distant_ends(batch.p0)
    return results.finish(batch.layout.batch, plan, keep_last=on_failure != "nan")


def give_partial(error: BaseException, fits: ManyFits) -> None:
    """Give an exception the results so far."""
    with suppress(Exception):  # some exceptions do not allow new attributes
        error.partial = fits  # type: ignore[attr-defined]


def raise_first(fits: ManyFits, results: Results) -> None:
    """Raise an error for the first fit without a solution, if there is one."""
    failed = np.flatnonzero(results.has_failed)
    if not failed.size:
        return
    place = int(failed[0])
    index = index_of(place, fits)
    if results.first_error is not None and place == results.first_error[0]:
        error = results.take_error()
        add_note(error, f"in the fit at index {index}")
    else:
        where = index if isinstance(index, tuple) else (index,)
        text = fits.message(where if fits.status.ndim else ())
        counts = {"nfev": int(results.nfev[place])}
        status = int(results.status[place])
        error = FitError(f"The fit at index {index}: {text}", results.x[place], counts, status)
    give_partial(error, fits)
    try:
        raise error
    finally:
        del error  # a traceback refers to the variables of this function
