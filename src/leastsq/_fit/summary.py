"""One warning for all fits of a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leastsq._core._calls import PROMISE_BROKEN
from leastsq._fit.many_fits import NOT_DONE, RAISED, ManyFits
from leastsq._fit.results import BOUNDED, DOUBTFUL, IMPROPER, TOO_FEW, UNKNOWN, Results

FAILURES = {
    5: "reached the maximum number of calls",
    6: "stopped because ftol is too small",
    7: "stopped because xtol is too small",
    8: "stopped because gtol is too small",
    9: "have residuals that are not finite at the start",
    10: "have a Jacobian that is not finite",
    TOO_FEW: "have fewer points than free parameters",
    RAISED: "ended because the model raised an exception",
    IMPROPER: "have an improper start, improper bounds, or zeros in sigma",
}


def summary(fits: ManyFits, results: Results) -> str:
    """Say how many fits failed and why, and how many are doubtful; empty if all is well."""
    status = results.status
    parts = [
        f"{len(places)} {text} (status {code}, the first at {index_of(places[0], fits)})"
        for code, text in FAILURES.items()
        if (places := np.flatnonzero(status == code)).size
    ]
    lines = []
    if parts:
        failed = np.count_nonzero(results.has_failed)
        lines.append(f"{failed} of {status.size} fits failed: {'; '.join(parts)}")
    if undone := np.count_nonzero(status == NOT_DONE):
        lines.append(f"{undone} of {status.size} fits were not done, because the time was up")
    is_solved = fits.success.reshape(-1)
    is_unkept = is_solved & (results.reason % BOUNDED > PROMISE_BROKEN)
    doubts = {
        "stopped where no step reduced the sum of squares as much as the Jacobian predicts": (
            is_unkept & (results.reason % BOUNDED < PROMISE_BROKEN + 4)
        ),
        "have no covariance: the data do not determine the parameters": results.doubt == UNKNOWN,
        "have doubtful covariances: the data hardly determine the parameters": (
            results.doubt == DOUBTFUL
        ),
    }
    for text, chosen in doubts.items():
        if chosen.any():
            first = index_of(np.flatnonzero(chosen)[0], fits)
            lines.append(f"{np.count_nonzero(chosen)} fits {text} (the first at {first})")
    return ". ".join(lines)


def index_of(place: Any, fits: ManyFits) -> Any:
    """Return the index of a fit along the batch axes."""
    index: tuple[NDArray[np.int64], ...] = np.unravel_index(place, fits.status.shape or (1,))
    numbers = tuple(map(int, index))
    return numbers[0] if len(numbers) == 1 else numbers
