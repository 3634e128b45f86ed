"""The results of a fit: covariance, infodict, message."""

from __future__ import annotations

import mmap
from functools import lru_cache
from typing import Any, NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from leastsq import _core
from leastsq._arguments.arrays import LARGEST_INT, FloatArray
from leastsq._arguments.bounds import Box
from leastsq._arguments.settings import EMPTY, IMPROPER, Settings
from leastsq._core._calls import (
    GTOL_REACHED,
    IMPROPER_INPUT,
    PROMISE_BROKEN,
    STOPPED,
    TIME_IS_UP,
)

SOLVED = (1, 2, 3, 4)
SOLVED_OR_FLAT = (*SOLVED, GTOL_REACHED + PROMISE_BROKEN)  # no warning, as in SciPy
TO_PRECISION = {6: 1, 7: 2, 8: 4}  # the tolerance is met as well as rounding allows
LARGE_FJAC = 4_000_000  # bytes
MESSAGES = {
    1: (
        "Both actual and predicted relative reductions in the sum of squares\n"
        "  are at most {ftol:g}"
    ),
    2: "The relative error between two consecutive iterates is at most {xtol:g}",
    3: (
        "Both actual and predicted relative reductions in the sum of squares\n"
        "  are at most {ftol:g} and the relative error between two consecutive iterates is at \n"
        "  most {xtol:g}"
    ),
    4: (
        "The cosine of the angle between func(x) and any column of the\n"
        "  Jacobian is at most {gtol:g} in absolute value"
    ),
    5: "Number of calls to function has reached {limit}.",
    6: ("ftol={ftol:g} is too small, no further reduction in the sum of squares\n  is possible."),
    7: (
        "xtol={xtol:g} is too small, no further improvement in the approximate\n"
        "  solution is possible."
    ),
    8: (
        "gtol={gtol:g} is too small, func(x) is orthogonal to the columns of\n"
        "  the Jacobian to machine precision."
    ),
    9: "The residuals at the starting point are not finite: they contain NaN or infinity.",
    10: (
        "The Jacobian is not finite: it contains NaN or infinity, or the residuals are not\n"
        "  finite on both sides of a point where their difference is needed."
    ),
    TIME_IS_UP: "The time max_time is over; the fit has not ended.",
    STOPPED: "Stopped because `callback` function raised `StopIteration` or returned `True`",
}

FLAT = ".\n  But the Jacobian is zero although the residuals are not: they do not depend on x here"
UNKEPT = (
    ".\n  But no step reduced the sum of squares as much as the Jacobian predicts: the\n"
    "  derivatives are wrong, or the residuals are noisy or not smooth there"
)

CHECK = ".\n  check_derivative tells whether the Jacobian is the derivative of the function"


class InfoDict(TypedDict, total=False):
    """The optional outputs.

    njev is there with Dfun, active_mask with bounds, chi2 and count with a loss or with parts.
    """

    fvec: FloatArray | None
    nfev: int
    njev: int
    fjac: FloatArray
    ipvt: NDArray[np.int32]
    qtf: FloatArray
    active_mask: NDArray[np.int_]
    chi2: float
    count: int


class Outcome(NamedTuple):
    """Everything that the core returns.

    error contains a lower and an upper estimate of the relative error of the Jacobian's columns.
    fnorm is the norm of fvec; with a loss, the square root of what is minimized. counts contains
    nfev, njev, trials (calls of func that are not for differences) and nit (steps that were taken).
    Data in parts have no fvec; rows is the number of residuals then.
    epsfcn is that of an attempt with longer steps of differences.
    is_poor tells that another attempt may end better, is_open that a parameter has no effect of its
    own, is_misfit that most neighbouring residuals have the same sign, is_sure_misfit that this is
    no chance, is_confined that the residuals may have few correct digits.
    The rows of augmented are the columns of the triangle R; the first n elements of Q'f; and how
    much the step of each column changed the residuals, in units of the data.
    """

    x: FloatArray
    fvec: FloatArray | None
    box: Box | None
    error: tuple[float, float]
    fnorm: float
    augmented: FloatArray
    ipvt: NDArray[np.int32]
    counts: dict[str, int]
    ending: int
    has_jacobian: bool
    rows: int = 0
    is_poor: bool = False
    is_open: bool = False
    is_misfit: bool = False
    is_sure_misfit: bool = False
    is_confined: bool = False
    epsfcn: float | None = None

    @property
    def residuals(self) -> FloatArray:
        """The residuals of a fit in memory."""
        assert self.fvec is not None
        return self.fvec

    @property
    def m(self) -> int:
        """The number of residuals."""
        return self.rows if self.fvec is None else self.fvec.size

    @property
    def ier(self) -> int:
        """The exit code that users see."""
        return self.ending % PROMISE_BROKEN

    @property
    def cost(self) -> float:
        """Half of what is minimized; infinite if it overflows."""
        return self.fnorm * self.fnorm / 2

    @property
    def columns(self) -> FloatArray:
        """The columns of the triangle R."""
        return self.augmented[:-2]

    @property
    def effect(self) -> FloatArray:
        """The largest element of each column of R."""
        effect = np.empty(self.x.size)
        effect[self.ipvt - 1] = np.abs(self.columns).max(axis=1)
        return effect

    @property
    def least_effect(self) -> float:
        """The smallest element of the diagonal of R, which no element of effect is below."""
        last = self.x.size - 1
        return abs(float(self.augmented[last, last]))

    def held(self) -> NDArray[np.int32]:
        """Tell which parameters are on a bound, or fixed."""
        if self.box is None:
            return np.zeros(self.x.size, np.int32)
        return self.box.held(self.x)

    def active_mask(self) -> NDArray[np.int32]:
        """Tell which parameters are on a bound."""
        if self.box is None:
            return np.zeros(self.x.size, np.int32)
        return self.box.active_mask(self.x).astype(np.int32)


def message(
    ending: int, settings: Settings, limit: str | None = None, has_Dfun: bool = False
) -> str:
    """Describe how a fit ended; limit is the maximum number of calls in the user's words."""
    if ending == IMPROPER_INPUT:
        return f"{IMPROPER} {settings.fault or EMPTY}"
    return text(
        ending,
        settings.ftol,
        settings.xtol,
        settings.gtol,
        limit or f"maxfev = {settings.maxfev}",
        has_Dfun,
    )


@lru_cache(64)
def text(ending: int, ftol: float, xtol: float, gtol: float, limit: str, has_Dfun: bool) -> str:
    """Describe how a fit ended by the tolerances and the limit."""
    meaning = MESSAGES[ending % PROMISE_BROKEN].format(ftol=ftol, xtol=xtol, gtol=gtol, limit=limit)
    return meaning + addition(ending, has_Dfun)


def addition(ending: int, has_Dfun: bool) -> str:
    """Describe what is doubtful about a solution."""
    if ending == GTOL_REACHED + PROMISE_BROKEN:
        return FLAT
    if ending > PROMISE_BROKEN:
        return UNKEPT + (CHECK if has_Dfun else "")
    return ""


def is_doubtful(ending: int) -> bool:
    """Tell whether a fit stopped where no step reduced the sum of squares as predicted."""
    return ending > PROMISE_BROKEN and ending not in SOLVED_OR_FLAT


def covariance(outcome: Outcome) -> FloatArray | None:
    """Compute (J'J)^-1; None if there is no solution or the Jacobian is singular."""
    return inverse(outcome)[0] if outcome.ier in SOLVED else None


def inverse(
    outcome: Outcome, absolute: bool = True, held: NDArray[np.int32] | None = None
) -> tuple[FloatArray | None, NDArray[np.int32]]:
    """Compute the inverse of J'J if it exists, and the state of each parameter.

    Multiply it by the reduced sum of squares if absolute is false. Leave out the parameters that
    held marks. The default is that of the outcome.
    """
    if held is None:
        held = outcome.held()
    cov_x, state, regular = _core.covar(
        min(outcome.m, LARGEST_INT),
        outcome.columns.T,
        outcome.augmented[-2],
        outcome.augmented[-1],
        outcome.ipvt,
        outcome.x,
        held,
        outcome.fnorm,
        absolute,
        not outcome.has_jacobian,
        *outcome.error,
    )
    if outcome.m > LARGEST_INT and not absolute:  # the core counts with 32 bits
        n = np.count_nonzero(held == 0)
        cov_x *= (LARGEST_INT - n) / (outcome.m - n)
    return (cov_x.T if regular else None), state  # in C order; the matrix is symmetric


def infodict(outcome: Outcome, settings: Settings) -> InfoDict:
    """Collect the optional outputs, in SciPy's order and layout."""
    n = outcome.x.size
    m = n if outcome.fvec is None else outcome.m
    fjac = untouched_zeros(n, m)
    fjac[:, :n] = outcome.columns[:, :m]
    info: InfoDict = {
        "fvec": outcome.fvec,
        "nfev": outcome.counts["nfev"],
        **({"njev": outcome.counts["njev"]} if outcome.has_jacobian else {}),
        "fjac": fjac,
        "ipvt": outcome.ipvt - 1,
        "qtf": outcome.augmented[-2].copy(),
    }
    if outcome.fvec is None or settings.loss is not None:
        info["chi2"] = 2 * outcome.cost
        info["count"] = outcome.m
    if outcome.box is not None:
        info["active_mask"] = outcome.box.active_mask(outcome.x)
    return info


def untouched_zeros(n: int, m: int) -> FloatArray:
    """Make zeros that take memory and time only when they are written to."""
    size = 8 * n * m
    if size < LARGE_FJAC or not hasattr(mmap, "MAP_PRIVATE"):
        return np.zeros((n, m))
    try:
        pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError as error:
        raise MemoryError(f"not enough memory for fjac, shape ({n}, {m})") from error
    return np.frombuffer(pages).reshape(n, m)


def full_tuple(outcome: Outcome, settings: Settings) -> tuple[Any, ...]:
    """Return what leastsq returns with full_output."""
    return (
        outcome.x,
        covariance(outcome),
        infodict(outcome, settings),
        message(outcome.ending, settings, has_Dfun=outcome.has_jacobian),
        outcome.ier,
    )
