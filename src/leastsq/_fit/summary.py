"""One warning for all fits of a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leastsq._fit.many_fits import NOT_DONE, RAISED, ManyFits
from leastsq._fit.reasons import IMPROPER, TOO_FEW
from leastsq._fit.results import DOUBTFUL, UNKNOWN, Results

FAILURES = {
    5: "the maximum number of calls was reached",
    6: "ftol is too small",
    7: "xtol is too small",
    8: "gtol is too small",
    9: "the residuals at the start are not finite",
    10: "the Jacobian is not finite",
    TOO_FEW: "there are fewer points than free parameters",
    RAISED: "the model raised an exception",
    IMPROPER: "the start, the bounds or sigma are improper",
}


def summary(fits: ManyFits, results: Results, absolute_sigma: bool) -> str:
    """Say how many fits failed and why, and how many are doubtful; empty if all is well."""
    status, total = results.status, results.status.size
    lines = []
    reasons = [
        f"{text} ({counted(status == code, fits)}, status {code})"
        for code, text in FAILURES.items()
        if (status == code).any()
    ]
    if reasons:
        failed = np.count_nonzero(results.has_failed)
        lines.append(f"{failed} of {total} fits failed: {'; '.join(reasons)}")
    if undone := np.count_nonzero(status == NOT_DONE):
        lines.append(f"{undone} of {total} fits were not done, because the time was up")
    if results.is_cut_short:
        lines.append("The time was up before all failed fits began again from their neighbours")
    unknown = results.doubt == UNKNOWN
    free = results.x.shape[1] - np.count_nonzero(results.active_mask, axis=1)
    without_freedom = unknown & (results.npoints <= free) & (not absolute_sigma)
    doubts = {
        "There are no more points than parameters, so there is no covariance; if sigma holds the "
        "standard deviations of the data, pass absolute_sigma=True": without_freedom,
        "The data do not determine all parameters, so there is no covariance": (
            unknown & ~without_freedom
        ),
        "The data hardly determine the parameters, and the covariance is doubtful": (
            results.doubt == DOUBTFUL
        ),
        "No step reduced the sum of squares as much as the Jacobian predicts": results.is_unkept,
        "The model explains less than half of the variance of the data, and the rest is no noise": (
            results.is_misfit
        ),
    }
    lines.extend(
        f"{text} ({counted(chosen, fits)})" for text, chosen in doubts.items() if chosen.any()
    )
    return ". ".join(lines)


def counted(chosen: NDArray[np.bool_], fits: ManyFits) -> str:
    """Count the fits, and name the first."""
    places = np.flatnonzero(chosen)
    first = index_of(places[0], fits)
    return f"{len(places)} fits, the first at {first}" if len(places) > 1 else f"the fit at {first}"


def index_of(place: Any, fits: ManyFits) -> Any:
    """Return the index of a fit along the batch axes."""
    index: tuple[NDArray[np.int64], ...] = np.unravel_index(place, fits.status.shape or (1,))
    numbers = tuple(map(int, index))
    return numbers[0] if len(numbers) == 1 else numbers
