"""What came back from the core -> what leastsq returns, says or raises."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from leastsq import _minpack
from leastsq._checks import FloatArray

IMPROPER_INPUT = 0
SOLVED = (1, 2, 3, 4)
OUT_OF_MEMORY = 11


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
    5: "Number of calls to function has reached maxfev = {maxfev}.",
    6: ("ftol={ftol:g} is too small, no further reduction in the sum of squares\n  is possible."),
    7: (
        "xtol={xtol:g} is too small, no further improvement in the approximate\n"
        "  solution is possible."
    ),
    8: (
        "gtol={gtol:g} is too small, func(x) is orthogonal to the columns of\n"
        "  the Jacobian to machine precision."
    ),
    9: "The residuals at x0 are not finite: func returned NaN or infinity.",
    10: (
        "The Jacobian is not finite: Dfun returned NaN or infinity, or func did\n"
        "  on both sides of a point where it was to be differenced."
    ),
}


class InfoDict(TypedDict, total=False):
    """The optional outputs; njev only where the caller gave the Jacobian."""

    fvec: FloatArray
    nfev: int
    njev: int
    fjac: FloatArray
    ipvt: NDArray[np.int32]
    qtf: FloatArray


class Settings(NamedTuple):
    """The options of the solver, checked by the core."""

    ftol: float
    xtol: float
    gtol: float
    maxfev: int
    factor: float
    diag: FloatArray | None


class Outcome(NamedTuple):
    """All that the core leaves behind."""

    x: FloatArray
    fvec: FloatArray
    r: FloatArray
    ipvt: NDArray[np.int32]
    qtf: FloatArray
    counts: dict[str, int]
    ier: int


def fault(settings: Settings) -> str:
    """Say what the core found improper."""
    for name in ("ftol", "xtol", "gtol"):
        value = getattr(settings, name)
        if not value >= 0:
            return f"{name} must not be negative: got {value:g}."
    if not settings.factor > 0:
        return f"factor must be positive: got {settings.factor:g}."
    return f"diag must be positive: got {settings.diag}."


def message(outcome: Outcome, settings: Settings) -> str:
    """Say in words what the exit code means."""
    if outcome.ier == IMPROPER_INPUT:
        return f"Improper input parameters. {fault(settings)}"
    return MESSAGES[outcome.ier].format(**settings._asdict())


def covariance(outcome: Outcome) -> FloatArray | None:
    """Compute (J'J)^-1, or None without a solution or where the Jacobian is singular."""
    if outcome.ier not in SOLVED:
        return None
    cov_x, regular = _minpack.covar(outcome.r.copy(order="F"), outcome.ipvt)
    return cov_x if regular else None


def infodict(outcome: Outcome) -> InfoDict:
    """Collect the optional outputs, in SciPy's order and layout."""
    n = outcome.x.size
    fjac = np.zeros((n, outcome.fvec.size))
    fjac[:, :n] = outcome.r.T
    return {
        "fvec": outcome.fvec,
        **outcome.counts,  # type: ignore[typeddict-item]
        "fjac": fjac,
        "ipvt": outcome.ipvt - 1,
        "qtf": outcome.qtf,
    }


def as_tuple(outcome: Outcome, settings: Settings, full_output: bool) -> tuple[Any, ...]:
    """Return what leastsq returns; raise or warn where its caller would not see a failure."""
    x, ier = outcome.x, outcome.ier
    if ier == OUT_OF_MEMORY:
        raise MemoryError(f"leastsq with {outcome.fvec.size} residuals, {x.size} parameters")
    if full_output:
        return x, covariance(outcome), infodict(outcome), message(outcome, settings), ier
    if ier == IMPROPER_INPUT:
        raise TypeError(message(outcome, settings))
    if ier not in SOLVED:
        warnings.warn(message(outcome, settings), RuntimeWarning, stacklevel=3)
    return x, ier
