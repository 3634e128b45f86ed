"""xdata, ydata and sigma, as users give them to curve_fit -> arrays that can be fitted."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from leastsq._checks import FLOAT64, FloatArray, are_finite

SCALE, WHITEN = "scale", "whiten"
SEQUENCES = np.ndarray, list, tuple


class Data(NamedTuple):
    """What is fitted, and what weighs its residuals in which way."""

    x: Any
    y: FloatArray
    weights: FloatArray | None
    weighing: str | None

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
    """Convert the data, and refuse or leave out what is not a number."""
    if nan_policy == "propagate":
        raise ValueError("`nan_policy='propagate'` is not supported by this function.")
    if nan_policy not in (None, "raise", "omit"):
        raise ValueError(f"nan_policy must be one of {{None, 'raise', 'omit'}}, got {nan_policy!r}")
    if check_finite is None:
        check_finite = nan_policy is None
    y = as_numbers(ydata, "ydata", check_finite)
    if isinstance(xdata, SEQUENCES):
        xdata = as_numbers(xdata, "xdata", check_finite)
    if y.size == 0:
        raise ValueError("`ydata` must not be empty!")
    if nan_policy is not None and not check_finite:
        xdata, y, sigma = without_nans(xdata, y, sigma, nan_policy)
    if sigma is None:
        return Data(xdata, y, None, None)
    return Data(xdata, y, *read_sigma(sigma, y))


def without_nans(
    xdata: Any, ydata: FloatArray, sigma: Any, nan_policy: str
) -> tuple[Any, FloatArray, Any]:
    """Leave out points with a NaN, or refuse them."""
    missing = np.isnan(ydata)
    if isinstance(xdata, np.ndarray):
        in_x = np.isnan(xdata)
        missing = missing | in_x.any(axis=tuple(range(in_x.ndim - 1)))
    if not missing.any():
        return xdata, ydata, sigma
    if nan_policy == "raise":
        raise ValueError("The input contains nan values")
    if not isinstance(xdata, np.ndarray):
        raise ValueError(
            f"nan_policy='omit' needs an array, a list or a tuple as xdata, got {xdata!r}"
        )
    if not (xdata.shape[-ydata.ndim :] == missing.shape == ydata.shape):
        raise ValueError(
            f"xdata and ydata do not go together: shapes {xdata.shape} and {ydata.shape}"
        )
    kept = ~missing
    if sigma is not None:
        errors = np.asarray(sigma)
        if errors.size > 1:
            if any(size != ydata.size for size in errors.shape):
                raise ValueError(wrong_shape(errors, ydata))
            sigma = errors[np.ix_(*[kept] * errors.ndim)]
    return xdata[..., kept], ydata[kept], sigma


def as_numbers(values: ArrayLike, name: str, check_finite: bool) -> FloatArray:
    """Convert data to float64."""
    array = np.asarray(values)
    if array.dtype is not FLOAT64:
        if array.dtype.kind == "c":
            raise TypeError(f"{name} must be real: fit real and imaginary parts side by side")
        try:
            array = array.astype(FLOAT64)
        except OverflowError as error:
            raise ValueError(f"{name} must be numbers of float64: {error}") from error
    if check_finite and not are_finite(array):
        raise ValueError(f"array must not contain infs or NaNs: {name}")
    return array


def read_sigma(sigma: ArrayLike, ydata: FloatArray) -> tuple[FloatArray, str]:
    """Turn errors, or their covariance, into what weighs residuals; and tell how it does."""
    errors = as_numbers(sigma, "sigma", check_finite=False)
    if np.isnan(errors).any():
        raise ValueError("`sigma` must not contain NaN: it holds the errors of ydata")
    if errors.size == 1 or (errors.shape == ydata.shape and errors.ndim == 1):
        if not errors.all():
            raise ValueError(
                "`sigma` must not contain zeros: a point without an error would weigh infinitely"
            )
        return 1.0 / errors.reshape(-1), SCALE
    if errors.shape == (ydata.size, ydata.size) and ydata.ndim == 1:
        try:
            factor = np.linalg.cholesky(errors)
        except np.linalg.LinAlgError as error:
            raise ValueError("`sigma` must be positive definite.") from error
        if not np.isfinite(factor).all():
            raise ValueError("`sigma` must be positive definite and finite.")
        return np.asfortranarray(factor), WHITEN
    raise ValueError(wrong_shape(errors, ydata))


def wrong_shape(errors: FloatArray, ydata: FloatArray) -> str:
    """Say which shapes sigma may have."""
    return (
        f"`sigma` has incorrect shape. It must be one number, one error for each point of a 1-D "
        f"ydata or their covariance matrix: got {errors.shape} for ydata of shape {ydata.shape}"
    )
