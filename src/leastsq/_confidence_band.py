"""confidence_band: where the true curve is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from leastsq._arguments.arrays import FLOAT64, FloatArray, Function, real_array, real_number
from leastsq._arguments.conversion import as_numbers
from leastsq._arguments.data import SEQUENCES
from leastsq._functions.signature import refuse_other_count
from leastsq._student import two_sided_quantile

PART = 0.1
"""The steps of the differences, in units of the errors that parameters have alone: see spread."""
ROUNDED = 1e4
"""The least step, in units of the spacing of float64 numbers."""
DWARF = 1e-300
WHAT = "The return value of {}"


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
        Where to compute the band: the first argument of f. Lists, tuples and arrays are converted
        to a float64 array, as by curve_fit.
    popt : array_like
        The n parameters, as returned by curve_fit.
    pcov : array_like
        Their covariance, shape (n, n), as returned by curve_fit.
    level : float, optional
        The probability of the interval at each x, between 0 and 1.
    jac : callable, optional
        ``jac(x, p1, ..., pn)`` returns the derivatives of f, shape (m, n). Default: central
        differences within the errors of the parameters.
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
    if jac is not None and not callable(jac):
        raise TypeError(f"jac must be callable or None, got {jac!r}")
    if isinstance(x, SEQUENCES):
        x = as_numbers(x, "x")
    try:
        curve = real_array(f(x, *p), WHAT.format("f")).astype(FLOAT64)
    except TypeError:
        refuse_other_count(f, p.size, "popt")
        raise
    if not np.isfinite(cov).all():
        return np.full(curve.shape, -np.inf), np.full(curve.shape, np.inf)
    errors, factor, alone = spread(cov)
    if jac is None:
        J = differences(f, x, p, errors, alone, curve)
    else:
        J = real_array(jac(x, *p), WHAT.format("jac"))
        if J.size != curve.size * p.size or (p.size > 1 and J.shape[-1] != p.size):
            raise ValueError(f"jac must return the shape {(curve.size, p.size)}, got {J.shape}")
        J = J.reshape(-1, p.size)
    deviations = np.linalg.norm((J * errors) @ factor, axis=1).reshape(curve.shape)
    half = two_sided_quantile(level, dof) * deviations
    return curve - half, curve + half


def spread(cov: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Split a covariance into standard errors and a factor L of the correlations, L L'.

    Also return the standard errors that the parameters would have if all others were known.
    """
    errors = np.sqrt(np.maximum(np.diag(cov), 0))
    scale = np.where(errors > 0, errors, 1)
    correlation = cov / scale / scale[:, None]
    values, vectors = np.linalg.eigh((correlation + correlation.T) / 2)
    floor = max(values[-1], 0) * cov.shape[0] * np.finfo(float).eps
    inverse = np.einsum("jk,k->j", vectors**2, 1 / np.maximum(values, max(floor, DWARF)))
    return errors, vectors * np.sqrt(np.maximum(values, 0)), errors / np.sqrt(inverse)


def differences(
    f: Function,
    x: Any,
    p: FloatArray,
    errors: FloatArray,
    alone: FloatArray,
    curve: FloatArray,
) -> FloatArray:
    """Difference a model by steps within the errors of its parameters; shape (m, n).

    If parameters are correlated, the model is linear only for steps within the errors that they
    have alone. Where the model is not finite on one side, the difference is one-sided. The
    derivative with respect to a parameter without an error is not needed.
    """
    J = np.zeros((curve.size, p.size))
    for j in map(int, np.flatnonzero(errors)):
        step = max(PART * alone[j], ROUNDED * np.spacing(abs(p[j])))
        below, above = (values_at(f, x, p, j, p[j] + sign * step) for sign in (-1, 1))
        with np.errstate(all="ignore"):
            sides = [(above - below) / 2, above - curve, curve - below]
            change = np.select([np.isfinite(side) for side in sides], sides, np.nan)
            J[:, j] = np.broadcast_to(change / step, curve.shape).reshape(-1)
    return J


def values_at(f: Function, x: Any, p: FloatArray, j: int, value: float) -> FloatArray:
    """Evaluate a model with another value of parameter j."""
    point = p.copy()
    point[j] = value
    with np.errstate(all="ignore"):
        return np.array(f(x, *point), FLOAT64)
