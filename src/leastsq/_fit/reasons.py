"""Why the fits of a batch ended, in words."""

from __future__ import annotations

from collections.abc import Iterable

from leastsq._core._calls import PROMISE_BROKEN
from leastsq._fit.many_fits import NOT_DONE, RAISED
from leastsq._fit.plan import Plan
from leastsq._fit.result import message

MASKED, TOO_FEW, IMPROPER = -1, -2, -4
ZERO_SIGMA = -5
"""The reason for which a fit is improper, if it is not the start or the bounds."""
MESSAGES = {
    NOT_DONE: "The fit was not done: the batch was stopped before.",
    MASKED: "Every point is masked or NaN.",
    TOO_FEW: "There are fewer points than free parameters.",
    RAISED: "The model raised an exception.",
    IMPROPER: (
        "The start is not within the bounds, a start or a bound is NaN, or the bounds fix every "
        "parameter."
    ),
    ZERO_SIGMA: "sigma contains zeros: a point with sigma = 0 would weigh infinitely.",
}
BOUNDED = 64
"""Is added to the reason why a fit ended if the fit has bounds."""
LEAST = 8
"""More than the absolute value of any negative reason."""
ALL_REASONS = [
    code + BOUNDED * bounded
    for code in (*range(1, 11), *range(PROMISE_BROKEN + 1, PROMISE_BROKEN + 5))
    for bounded in (False, True)
]
"""How fits can end."""


def messages(plan: Plan, reasons: Iterable[int]) -> dict[int, str]:
    """Describe how fits ended, for some reasons."""
    found = dict(MESSAGES)
    for reason in reasons:
        if reason > 0:
            settings, limit, *_ = plan.options(reason >= BOUNDED)
            text = message(reason % BOUNDED, settings, limit, not plan.is_differenced)
            found[int(reason)] = text
    return found
