"""confidence_band: where the true curve is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from leastsq._arguments.arrays import FLOAT64, FloatArray, Function, real_number
from leastsq._functions.signature import refuse_other_count
from leastsq._student import two_sided_quantile

PART = 0.1
"""The steps of the differences, in standard errors of the parameters."""
ROUNDED = 1e4
"""The least step, in units of the spacing of float64 numbers."""


def confidence_band(
    f: Function,
    x: Any,
    popt: ArrayLike,
    pcov: ArrayLike,
    level: float = 0.95,
    jac: Function | None = None,
    dof: float | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Compute the confidence band of a fitted curve.

    At each x, the interval between the limits contains the true value of the model with the
    probability level, if the model is right. To first order in the errors of the parameters (the
    delta method), the variance of the curve is the diagonal of ``J pcov J'``, where J contains the
    derivatives of f with respect to the parameters.

    The band is for the curve. New measurements scatter around the curve by their own errors, too.

    Parameters
    ----------
    f : callable
        The model ``f(x, p1, ..., pn)``, as for curve_fit.
    x : array_like or object
        Where to compute the band: the first argument of f. Lists and tuples are converted to a
        float64 array.
    popt : array_like
        The n parameters, as returned by curve_fit.
    pcov : array_like
        Their covariance, shape (n, n), as returned by curve_fit.
    level : float, optional
        The probability of the interval at each x, between 0 and 1.
    jac : callable, optional
        ``jac(x, p1, ..., pn)`` returns the derivatives of f, shape (m, n). Default: central
        differences, with steps of a tenth of the standard errors.
    dof : float, optional
        The number of degrees of freedom: points less parameters, if pcov was scaled by the scatter
        of the residuals (``absolute_sigma=False``). Then the limits are quantiles of Student's t
        distribution, which matters for few points. Default: the normal distribution.

    Returns
    -------
    lower, upper : ndarray
        The limits; their shape is that of ``f(x, *popt)``. They are infinite if pcov is not finite.

    Raises
    ------
    TypeError
        f takes another number of parameters than popt has; arguments that are not numbers.
    ValueError
        pcov does not have the shape (n, n); level is not between 0 and 1; dof is not positive; jac
        returns another shape than (m, n).

    See Also
    --------
    curve_fit : fit a function to data.

    References
    ----------
    Seber, G. A. F., and Wild, C. J., Nonlinear Regression, Wiley, 1989, section 5.1.

    Examples
    --------
    >>> import numpy as np
    >>> from leastsq import confidence_band, curve_fit
    >>> def decay(t, amplitude, rate):
    ...     return amplitude*np.exp(-rate*t)
    >>> t = np.linspace(0, 5, 50)
    >>> y = decay(t, 2.5, 1.3) + 0.1*np.cos(40*t)
    >>> popt, pcov = curve_fit(decay, t, y)
    >>> lower, upper = confidence_band(decay, t, popt, pcov, dof=t.size - popt.size)
    >>> bool(np.all((lower < decay(t, 2.5, 1.3)) & (decay(t, 2.5, 1.3) < upper)))
    True
    """
    p = np.atleast_1d(np.asarray(popt, FLOAT64))
    cov = np.atleast_2d(np.asarray(pcov, FLOAT64))
    if p.ndim != 1 or cov.shape != (p.size, p.size):
        raise ValueError(
            f"popt must have the shape (n,) and pcov (n, n), got {p.shape} and {cov.shape}"
        )
    if not 0 < real_number(level, "level") < 1:
        raise ValueError(f"level must be between 0 and 1, got {level!r}")
    if dof is not None and not real_number(dof, "dof") > 0:
        raise ValueError(f"dof must be positive, got {dof!r}")
    refuse_other_count(f, p.size, "popt")
    if isinstance(x, list | tuple):
        x = np.asarray(x, FLOAT64)
    curve = np.asarray(f(x, *p), FLOAT64)
    if not np.isfinite(cov).all():
        return np.full(curve.shape, -np.inf), np.full(curve.shape, np.inf)
    if jac is None:
        J = differences(f, x, p, np.sqrt(np.maximum(np.diag(cov), 0)), curve)
    else:
        J = np.asarray(jac(x, *p), FLOAT64)
        if J.size != curve.size * p.size or J.shape[-1] != p.size:
            raise ValueError(f"jac must return the shape {(curve.size, p.size)}, got {J.shape}")
        J = J.reshape(-1, p.size)
    variance = np.einsum("ij,jk,ik->i", J, cov, J).reshape(curve.shape)
    half = two_sided_quantile(level, dof) * np.sqrt(np.maximum(variance, 0))
    return curve - half, curve + half


def differences(
    f: Function, x: Any, p: FloatArray, errors: FloatArray, curve: FloatArray
) -> FloatArray:
    """Difference a model by steps within the errors of its parameters; shape (m, n).

    Where the model is not finite on one side, the difference is one-sided. The derivative with
    respect to a parameter without an error is not needed.
    """
    J = np.zeros((curve.size, p.size))
    for j in map(int, np.flatnonzero(errors)):
        step = max(PART * errors[j], ROUNDED * np.spacing(abs(p[j])))
        points = p[j] - step, p[j], p[j] + step
        values = [values_at(f, x, p, j, points[0]), curve, values_at(f, x, p, j, points[2])]
        first = 0 if np.isfinite(values[0]).all() else 1
        last = 2 if np.isfinite(values[2]).all() else 1
        if first < last:
            quotient = (values[last] - values[first]) / (points[last] - points[first])
            J[:, j] = np.broadcast_to(quotient, curve.shape).reshape(-1)
        else:
            J[:, j] = np.nan
    return J


def values_at(f: Function, x: Any, p: FloatArray, j: int, value: float) -> FloatArray:
    """Evaluate a model with another value of parameter j."""
    point = p.copy()
    point[j] = value
    with np.errstate(all="ignore"):
        return np.asarray(f(x, *point), FLOAT64)
