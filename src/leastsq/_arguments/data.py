"""The data of curve_fit: xdata, ydata and sigma."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leastsq._arguments.arrays import FloatArray
from leastsq._arguments.conversion import as_numbers, refuse_infinite
from leastsq._arguments.missing import masked_points, missing_points, without
from leastsq._arguments.sigma import read_sigma
from leastsq._core._calls import are_plain

SEQUENCES = np.ndarray, list, tuple


class Data(NamedTuple):
    """Data, the weights of the residuals, and how they are applied.

    kept marks the points that were not left out; None if all were kept.
    """

    x: Any
    y: FloatArray
    weights: FloatArray | None
    weighing: str | None
    kept: NDArray[np.bool_] | None = None

    @property
    def args(self) -> tuple[Any, ...]:
        """The arguments of the residual function."""
        return self[:2] if self.weighing is None else self[:3]


def read_data(
    xdata: Any,
    ydata: ArrayLike,
    sigma: ArrayLike | None,
    check_finite: bool | None,
    nan_policy: str | None,
) -> Data:
    """Convert the data; refuse or leave out points with NaN."""
    if nan_policy == "propagate":
        raise ValueError("`nan_policy='propagate'` is not supported by this function.")
    if nan_policy not in (None, "raise", "omit"):
        raise ValueError(f"nan_policy must be one of {{None, 'raise', 'omit'}}, got {nan_policy!r}")
    if sigma is None and are_plain(xdata, ydata) and ydata.size:  # type: ignore[union-attr]
        return Data(xdata, ydata, None, None)  # type: ignore[arg-type]
    if check_finite is None:
        check_finite = nan_policy is None
    y = np.asarray(as_numbers(ydata, "ydata"), order="C")
    masked = masked_points(xdata, ydata, sigma, y.shape)
    if isinstance(xdata, SEQUENCES):
        xdata = as_numbers(xdata, "xdata")
    if y.size == 0:
        raise ValueError("`ydata` must not be empty!")
    kept = None
    if masked is not None:
        xdata, y, sigma = without(masked, xdata, y, sigma)
        kept = ~masked.reshape(-1)
    if check_finite:
        refuse_infinite(y, "ydata")
        if isinstance(xdata, np.ndarray):
            refuse_infinite(xdata, "xdata")
    elif nan_policy is not None:
        missing = missing_points(xdata, y)
        if missing.any() and nan_policy == "raise":
            raise ValueError("The input contains nan values")
        if missing.any():
            xdata, y, sigma = without(missing, xdata, y, sigma)
            kept = np.ones(missing.size, bool) if kept is None else kept
            kept[kept] = ~missing.reshape(-1)
    if sigma is None:
        return Data(xdata, y, None, None, kept)
    return Data(xdata, y, *read_sigma(sigma, y), kept)
