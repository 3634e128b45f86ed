"""The results of many fits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leastsq._arguments.arrays import FloatArray
from leastsq._arguments.bounds import Box
from leastsq._arguments.layout import Stack
from leastsq._core._calls import GTOL_REACHED, PROMISE_BROKEN
from leastsq._fit.doubts import UNCERTAIN, VANISHED, are_vague, left_alone, ran_away
from leastsq._fit.many_fits import NOT_DONE, RAISED, ManyFits, is_solved
from leastsq._fit.plan import Plan
from leastsq._fit.reasons import BOUNDED, LEAST, MASKED, ZERO_SIGMA, messages
from leastsq._fit.result import TO_PRECISION, Outcome, inverse

ADOPTED = (
    *("x", "cov", "stderr", "chi2", "status", "reason", "active_mask", "held", "doubt"),
    "is_misfit",
)
"""The arrays that another try replaces."""
NO_COVARIANCE = -1
"""The state of the parameters of a fit without a covariance."""
SURE, DOUBTFUL, UNKNOWN = 0, 1, 2
"""How much is known of the covariance of a fit."""


class Solutions(NamedTuple):
    """The results of some fits, in the order of minpack_results; the first axis is of the fits.

    cov and state are None if covariances are not needed; effect is None without bounds.
    """

    x: FloatArray
    fnorm: FloatArray
    cov: FloatArray | None
    state: NDArray[np.int32] | None
    effect: FloatArray | None
    ending: NDArray[np.int32]
    nfev: NDArray[np.int32]

    def take(self, chosen: NDArray[np.bool_]) -> Solutions:
        """Select some of the fits."""
        return Solutions(*(None if part is None else part[chosen] for part in self))  # type: ignore[arg-type]

    @property
    def ier(self) -> NDArray[np.int32]:
        """The exit codes of leastsq."""
        return np.asarray(self.ending % PROMISE_BROKEN, np.int32)

    def addresses(self, first: int) -> NDArray[np.int64]:
        """Return the addresses of the arrays, from one fit on; null pointers for None."""
        parts = [0 if part is None else part[first:].ctypes.data for part in self]
        return np.array(parts, np.int64)


def room_for(p: FloatArray, with_covariance: bool, box: Box | None) -> Solutions:
    """Make arrays for the results of fits that start from p."""
    fits, n = p.shape
    return Solutions(
        p.copy(),
        np.zeros(fits),
        np.empty((fits, n, n)) if with_covariance else None,
        np.zeros((fits, n), np.int32) if with_covariance else None,
        None if box is None else np.zeros((fits, n)),
        np.zeros(fits, np.int32),
        np.zeros(fits, np.int32),
    )


class Results:
    """The results of all fits, in the order of the batch.

    covariance is True, "stderr" or False.
    """

    def __init__(self, fits: int, n: int, covariance: bool | str) -> None:
        self.covariance = covariance
        self.x = np.full((fits, n), np.nan)
        self.cov = np.full((fits, n, n), np.nan) if covariance is True else None
        self.stderr = np.full((fits, n), np.nan) if covariance == "stderr" else None
        self.chi2 = np.full(fits, np.nan)
        self.npoints = np.zeros(fits, np.int32)
        self.status = np.zeros(fits, np.int8)
        self.reason = np.zeros(fits, np.int8)
        self.nfev = np.zeros(fits, np.int32)
        self.active_mask = np.zeros((fits, n), np.int8)
        self.held = np.zeros((fits, n), np.int8)
        self.doubt = np.zeros(fits, np.int8)
        self.is_misfit = np.zeros(fits, bool)
        self.has_solution = np.zeros(fits, bool)
        self.attempts = np.zeros(fits, np.int8)
        self.is_cut_short = False
        """Whether the time was up before all fits that failed were tried again."""
        self.errors: dict[int, str] = {}
        self.texts: dict[str, str] = {}
        self.first_error: tuple[int, Exception] | None = None
        self.lock = Lock()

    def store(
        self,
        places: NDArray[np.int64],
        found: Solutions,
        box: Box | None,
        as_least_squares: bool,
    ) -> None:
        """Store the results of some fits."""
        ending = found.ending
        status = ending % PROMISE_BROKEN
        if as_least_squares:
            for code, other in TO_PRECISION.items():
                status[ending == code] = other
        solved = is_solved(status)
        self.x[places] = found.x
        with np.errstate(over="ignore", under="ignore"):
            self.chi2[places] = found.fnorm**2
        self.reason[places] = ending + (0 if box is None else BOUNDED)
        self.status[places] = status
        self.nfev[places] = found.nfev
        self.attempts[places] = 1
        if box is not None:
            self.active_mask[places] = box.active_mask(found.x)
            self.held[places] = box.held(found.x)
        if found.cov is None or found.state is None:
            return
        unknown = (found.state == NO_COVARIANCE).any(axis=1)
        doubt = np.where(unknown, UNKNOWN, np.where(found.state.any(axis=1), DOUBTFUL, SURE))
        self.doubt[places] = np.where(solved, doubt, SURE)
        found.cov[unknown] = np.inf
        found.cov[~solved] = np.nan
        if self.cov is not None:
            self.cov[places] = found.cov
        if self.stderr is not None:
            self.stderr[places] = np.sqrt(np.diagonal(found.cov, axis1=1, axis2=2))

    def store_outcome(
        self, place: int, outcome: Outcome, absolute_sigma: bool, as_least_squares: bool
    ) -> None:
        """Store the result of one fit."""
        cov, state = None, None
        if self.covariance is not False:
            pcov, state = inverse(outcome, absolute_sigma)
            cov = np.full((1, *outcome.columns.shape), np.inf) if pcov is None else pcov[None]
            state = np.full((1, outcome.x.size), NO_COVARIANCE) if pcov is None else state[None]
        found = Solutions(
            outcome.x[None],
            np.array([outcome.fnorm]),
            cov,
            state,
            None,
            np.array([outcome.ending]),
            np.array([outcome.counts["nfev"]]),
        )
        box = outcome.box
        rows = None if box is None else Box(box.lower[None], box.upper[None])
        self.store(np.array([place]), found, rows, as_least_squares)

    @contextmanager
    def keeping(self, places: NDArray[np.int64]) -> Iterator[None]:
        """Do not store errors of some fits, which are tried again although they are solved."""
        self.has_solution[places] = True
        try:
            yield
        finally:
            self.has_solution[places] = False

    def store_error(self, place: int, error: Exception) -> None:
        """Store what the model of one fit raised, unless the fit has a solution already."""
        if self.has_solution[place]:
            return
        self.status[place] = RAISED
        for values in (self.x, self.cov, self.stderr, self.chi2):
            if values is not None:
                values[place] = np.nan
        self.nfev[place] = 0
        self.attempts[place] = 1
        text = text_of(error)
        self.errors[place] = self.texts.setdefault(text, text)  # equal texts are stored once
        with self.lock:
            if self.first_error is None or place <= self.first_error[0]:
                self.first_error = place, error

    def take_error(self) -> Exception:
        """Give away the first exception of a model, whose traceback refers to the data."""
        assert self.first_error is not None
        error, self.first_error = self.first_error[1], None
        return error

    def adopt(self, places: NDArray[np.int64], others: Results) -> None:
        """Replace the results of fits by others that found a better solution; add all counts."""
        self.attempts[places] += others.attempts
        self.nfev[places] += others.nfev
        self.is_cut_short |= bool((others.status == NOT_DONE).any())
        is_lower = ~self.is_solved[places] | (others.chi2 < self.chi2[places])
        better = others.is_solved & is_lower
        chosen = places[better]
        for name in ADOPTED:
            values = getattr(self, name)
            if values is not None:
                values[chosen] = getattr(others, name)[better]
        for place in chosen.tolist():
            self.errors.pop(place, None)

    @property
    def is_solved(self) -> NDArray[np.bool_]:
        """Whether each fit found a solution."""
        return is_solved(self.status)

    @property
    def can_help(self) -> NDArray[np.bool_]:
        """Whether each fit found a solution that describes the data, and may be those of others."""
        return np.asarray(self.is_solved & ~self.is_misfit)

    @property
    def needs_help(self) -> NDArray[np.bool_]:
        """Whether each fit was begun, but found no solution, or one that misses the data."""
        was_begun = (self.status > 0) | (self.status == RAISED)
        return np.asarray(was_begun & ~self.can_help)

    @property
    def have_all_raised(self) -> bool:
        """Whether no fit that has points ended in another way than by an exception."""
        return bool(np.isin(self.status, (RAISED, MASKED)).all())

    @property
    def has_failed(self) -> NDArray[np.bool_]:
        """Whether each fit ended without a solution; a masked fit has not failed."""
        failed: Any = ~self.is_solved
        return np.asarray(failed & (self.status != MASKED) & (self.status != NOT_DONE))

    def doubt_distant_ends(self, p0: Stack) -> None:
        """Doubt the solutions where a parameter ran away, is vague, or was left alone."""
        stderr = self.stderr
        if self.cov is not None:
            stderr = np.sqrt(np.diagonal(self.cov, axis1=1, axis2=2))
        if stderr is None:
            return
        with np.errstate(invalid="ignore"):
            sizes = np.abs(self.x)
            largest = np.fmax.reduce(np.abs(p0.values), axis=None, initial=0)
            may_be = (stderr > UNCERTAIN * sizes) | (sizes < VANISHED * largest)
        places = np.flatnonzero(may_be.any(axis=1) & self.is_solved)
        chosen = p0.rows(places), self.x[places]
        errors = stderr[places]
        is_lost = ran_away(*chosen, errors) | are_vague(*chosen, errors)
        is_lost |= left_alone(*chosen, self.held[places])
        self.doubt[places] = np.maximum(self.doubt[places], DOUBTFUL * is_lost.any(axis=1))

    @property
    def is_unkept(self) -> NDArray[np.bool_]:
        """Whether no step of each solution reduced the sum of squares as much as predicted."""
        ending = self.reason % BOUNDED
        broken = (ending > PROMISE_BROKEN) & (ending < PROMISE_BROKEN + GTOL_REACHED)
        return np.asarray(self.is_solved & broken)

    def finish(self, shape: tuple[int, ...], plan: Plan, keep_last: bool) -> ManyFits:
        """Make the result that users see."""
        has_reason = (self.status > 0) | (self.reason == ZERO_SIGMA)
        reasons = np.where(has_reason, self.reason, self.status)
        if not keep_last:
            self.x[self.has_failed] = np.nan
        n = self.x.shape[1]
        return ManyFits(
            self.x.reshape(*shape, n),
            None if self.cov is None else self.cov.reshape(*shape, n, n),
            None if self.stderr is None else self.stderr.reshape(*shape, n),
            self.chi2.reshape(shape),
            self.npoints.reshape(shape),
            self.status.reshape(shape),
            self.nfev.reshape(shape),
            self.active_mask.reshape(*shape, n),
            self.attempts.reshape(shape),
            ((self.doubt != SURE) | self.is_unkept | self.is_misfit).reshape(shape),
            messages(plan, np.flatnonzero(np.bincount(reasons.astype(np.int64) + LEAST)) - LEAST),
            reasons.reshape(shape),
            self.errors,
        )


def text_of(error: Exception) -> str:
    """Describe an exception, even if it cannot describe itself."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:
        return type(error).__name__
