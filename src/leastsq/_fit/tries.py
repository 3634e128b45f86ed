"""How a fit is tried again."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from leastsq._arguments.arrays import FloatArray
from leastsq._core._calls import AS_IT_IS, ON_OTHER_SIDE

WORTHWHILE = 0.999
"""A smaller ratio of two norms of residuals means another minimum."""


class Try(NamedTuple):
    """How to try again.

    x is the start. diag contains the scale factors of the steps; None for the usual scale. limit is
    the ratio of the norms of residuals below which the try has found a better minimum. attempt is
    the option of the core. share is the part of maxfev that the try may use.
    """

    x: FloatArray
    diag: FloatArray | None = None
    limit: float = WORTHWHILE
    attempt: int = AS_IT_IS
    share: float = 1.0


def on_other_side(start: FloatArray, is_robust: bool) -> Try:
    """Choose how to try again after a poor end: from the start, and on its other side."""
    return Try(start.copy(), None, 1.0 if is_robust else WORTHWHILE, ON_OTHER_SIDE)


def unscaled(start: FloatArray) -> Try:
    """Choose how to try again after an open end: from the start, with steps that are not scaled."""
    return Try(start.copy(), np.ones(start.size), share=0.5)
