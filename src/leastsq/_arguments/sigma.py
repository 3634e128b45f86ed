"""The argument sigma of curve_fit: errors, or their covariance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from leastsq._arguments.arrays import FloatArray
from leastsq._arguments.conversion import as_numbers

SCALE, WHITEN = "scale", "whiten"
UNEVEN = 1e-5
"""The largest difference of two elements that should be equal, as a correlation of their points."""


def read_sigma(sigma: ArrayLike, ydata: FloatArray) -> tuple[FloatArray, str]:
    """Convert sigma to weights, or to the factor of the covariance, and say which."""
    if np.asarray(sigma).dtype.kind in "US":
        raise TypeError(f"sigma must be numbers, got {sigma!r}")
    errors = as_numbers(sigma, "sigma")
    if np.isnan(errors).any():
        raise ValueError("`sigma` must not contain NaN: it holds the errors of ydata")
    if errors.size == 1 or (errors.shape == ydata.shape and errors.ndim == 1):
        with np.errstate(all="ignore"):
            weights = 1.0 / errors.reshape(-1)
        if np.isinf(weights).any():
            raise ValueError(
                "`sigma` must not contain zeros: a point with sigma = 0 would weigh infinitely"
            )
        return weights, SCALE
    if errors.shape == (ydata.size, ydata.size) and ydata.ndim == 1:
        spread = np.sqrt(np.abs(np.diag(errors)))
        with np.errstate(invalid="ignore"):
            is_uneven = np.abs(errors - errors.T) > UNEVEN * np.outer(spread, spread)
        if is_uneven.any():
            raise ValueError("`sigma` must be symmetric: it is the covariance matrix of ydata")
        try:
            factor = np.linalg.cholesky(errors)
        except np.linalg.LinAlgError as error:
            raise ValueError("`sigma` must be positive definite.") from error
        if not np.isfinite(factor).all():
            raise ValueError("`sigma` must be positive definite and finite.")
        return np.asfortranarray(factor), WHITEN
    raise ValueError(wrong_shape(errors, ydata))


def wrong_shape(errors: FloatArray, ydata: FloatArray) -> str:
    """Describe the shapes that sigma may have."""
    return (
        f"`sigma` has incorrect shape. It must be one number, one error for each point of a 1-D "
        f"ydata or their covariance matrix: got {errors.shape} for ydata of shape {ydata.shape}"
    )
