"""check_derivative: compare a Jacobian with differences of its function."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from leastsq._arguments.arrays import FLOAT64, FloatArray, Function, norm, own_vector
from leastsq._functions.functions import refuse_unfit, refuse_unread
from leastsq._functions.native import NativeFunction
from leastsq._functions.python import Jacobian, as_many_residuals, as_residuals

STEPS = 10.0 ** np.arange(-12, 1)  # in units of the parameter; see unit_of where that is 0


def check_derivative(
    func: Function, x0: ArrayLike, Dfun: Function, args: Any = (), *, col_deriv: bool = False
) -> FloatArray:
    """Compare a Jacobian with central differences of its function.

    Parameters
    ----------
    func : callable or NativeFunction
        ``func(x, *args)`` returns the m residuals, as for `leastsq`.
    x0 : array_like
        The point at which to compare: n numbers. Choose a general point: not all zeros, and not the
        solution. func is called at x0 and at 26 neighbouring points for each parameter.
    Dfun : callable or NativeFunction
        ``Dfun(x, *args)`` returns the Jacobian, shape (m, n).
    args : tuple, optional
        Further arguments of func and Dfun.
    col_deriv : bool, optional
        Whether Dfun returns the transpose, shape (n, m).

    Returns
    -------
    error : ndarray, shape (n,), float64
        The relative error of each column of the Jacobian: the norm of the difference between the
        column and its estimate by finite differences, divided by the larger of the two norms. It
        is about 1e-6 or less for a correct column, 0.5 for a column that is wrong by a factor of
        2, and 2 for a column with the wrong sign. It is larger for a correct column if rounding
        errors of large residuals dominate the differences. NaN if func or Dfun is not finite.

    Raises
    ------
    TypeError, ValueError
        For the same reasons as in `leastsq`.

    See Also
    --------
    leastsq : minimize the sum of squares of func.

    References
    ----------
    MINPACK's ``chkder`` has the same purpose: J. J. Moré, B. S. Garbow and K. E. Hillstrom, User
    Guide for MINPACK-1, Argonne National Laboratory report ANL-80-74, 1980.

    Examples
    --------
    >>> import numpy as np
    >>> from leastsq import check_derivative
    >>> t = np.linspace(0, 5, 50)
    >>> def residuals(p):
    ...     return p[0]*np.exp(-p[1]*t) - 1
    >>> def jacobian(p):  # the sign of the second column is wrong
    ...     decay = np.exp(-p[1]*t)
    ...     return np.stack([decay, p[0]*t*decay], axis=1)
    >>> check_derivative(residuals, [2.5, 1.3], jacobian).round(3)
    array([0., 2.])
    """
    for name, function in {"func": func, "Dfun": Dfun}.items():
        if not callable(function):
            raise TypeError(f"{name} must be callable, got {function!r}")
    if not isinstance(args, tuple):
        args = (args,)
    if args:
        refuse_unread(func, Dfun)
    x = own_vector(x0, "x0")
    fvec = as_residuals(at(func, x, args), func).astype(FLOAT64)
    given = jacobian_at(Dfun, x, args, fvec, col_deriv)

    def residuals(j: int, step: float) -> tuple[FloatArray, float]:
        moved = x.copy()
        moved[j] += step
        reached = float(moved[j])
        return as_many_residuals(at(func, moved, args), func, fvec.size).copy(), reached

    def differenced(j: int, step: float) -> FloatArray:
        (after, above), (before, below) = residuals(j, step), residuals(j, -step)
        return (after - before) / (above - below)

    units = [abs(float(x[j])) or unit_of(fvec, given[:, j]) for j in range(x.size)]
    with np.errstate(all="ignore"):
        return np.array(
            [
                relative_error(
                    np.array(given[:, j], FLOAT64),
                    most_certain([differenced(j, step * units[j]) for step in STEPS]),
                )
                for j in range(x.size)
            ]
        )


def at(func: Function, x: FloatArray, args: tuple[Any, ...]) -> Any:
    """Call func with a copy of x, which func may keep or write to."""
    return func(x.copy()) if isinstance(func, NativeFunction) else func(x.copy(), *args)


def jacobian_at(
    Dfun: Function, x: FloatArray, args: tuple[Any, ...], fvec: FloatArray, col_deriv: bool
) -> Any:
    """Evaluate the Jacobian, of shape (m, n)."""
    if isinstance(Dfun, NativeFunction):
        refuse_unfit(Dfun, fvec.size)
        return Dfun.jacobian_at(x, fvec)
    return Jacobian(Dfun, fvec.size, x.size, col_deriv)(x.copy(), *args)


def unit_of(fvec: FloatArray, column: FloatArray) -> float:
    """Compute by how much a parameter must change to change the residuals by their own size."""
    size, slope = norm(fvec), norm(np.array(column, FLOAT64))
    return size / slope if 0 < slope < np.inf and 0 < size < np.inf else 1.0


def most_certain(columns: list[FloatArray]) -> FloatArray:
    """Choose the estimate that changes least when the step changes."""
    changes = [
        relative_error(smaller, larger) if smaller.any() else np.nan
        for smaller, larger in itertools.pairwise(columns)
    ]
    return columns[int(np.argmin(np.where(np.isnan(changes), np.inf, changes)))]


def relative_error(a: FloatArray, b: FloatArray) -> float:
    """Compute the relative difference of two columns."""
    larger = max(norm(a), norm(b))
    return norm(a - b) / larger if larger else 0.0
