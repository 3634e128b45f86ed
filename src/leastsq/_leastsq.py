"""leastsq: the drop-in for scipy.optimize.leastsq."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from leastsq._arguments.arrays import FloatArray, Function, own_vector
from leastsq._arguments.bounds import read_box
from leastsq._arguments.options import DEFAULT_TOLERANCE, EMPTY, IMPROPER, fault, read_settings
from leastsq._arguments.warn import warn
from leastsq._core._calls import IMPROPER_INPUT, PROMISE_BROKEN
from leastsq._errors import BestPoint, OptimizeWarning
from leastsq._fit.one import minimize, solve
from leastsq._fit.result import (
    SOLVED,
    SOLVED_OR_FLAT,
    Outcome,
    full_tuple,
    message,
)
from leastsq._functions.functions import Functions, refuse_unread


def leastsq(
    func: Function,
    x0: ArrayLike,
    args: Any = (),
    Dfun: Function | None = None,
    full_output: bool = False,
    col_deriv: bool = False,
    ftol: float = DEFAULT_TOLERANCE,
    xtol: float = DEFAULT_TOLERANCE,
    gtol: float = 0.0,
    maxfev: int = 0,
    epsfcn: float | None = None,
    factor: float = 100.0,
    diag: ArrayLike | None = None,
    *,
    atol: float | None = None,
    bounds: Any = None,
    diff_step: ArrayLike | None = None,
) -> tuple[Any, ...]:
    """Minimize the sum of squares of a function's values.

    Finds the n parameters x for which ``sum(func(x)**2)`` is smallest, by the Levenberg-Marquardt
    method in Moré's form (MINPACK's ``lmdif`` and ``lmder``), from a starting point x0.

    Parameters
    ----------
    func : callable or NativeFunction
        ``func(x, *args)`` returns the m >= n residuals, an array of any shape or a sequence of
        real numbers. It gets x as a float64 array of shape (n,), its own to keep or to write to.
        It is called once for each point, x0 included. What is compiled, by ``numba.njit`` or as a
        NativeFunction, is called without Python, and where nothing else is called, without the
        GIL: fits in several threads then run in parallel.
    x0 : array_like
        Starting point: n numbers, flattened if not 1-D.
    args : tuple, optional
        Further arguments of func and Dfun, where they are Python's. What is not a tuple is passed
        as the only one.
    Dfun : callable or NativeFunction, optional
        ``Dfun(x, *args)`` returns the Jacobian: the derivative of residual i with respect to
        parameter j in row i, column j; shape (m, n). Without it the Jacobian is estimated by
        forward differences.
    full_output : bool, optional
        Return cov_x, infodict and mesg too.
    col_deriv : bool, optional
        Whether Dfun returns the transpose, shape (n, m). It does not matter to a NativeFunction.
    ftol : float, optional
        Stop when the actual and the predicted relative reduction of the sum of squares are both at
        most this.
    xtol : float, optional
        Stop when the relative change of the scaled x is at most this.
    gtol : float, optional
        Stop when the cosine of the angle between the residuals and each column of the Jacobian is
        at most this; with bounds, the columns of the parameters that are not pressed against one.
    maxfev : int, optional
        Most calls of func. 0: 200(n + 1) without Dfun, 100(n + 1) with it.
    epsfcn : float, optional
        Relative error of func. A forward difference steps by ``sqrt(epsfcn)*abs(x[j])``, or by
        ``sqrt(epsfcn)`` where x[j] is 0. By default the machine precision of the dtype that func
        returns. Where the residuals do not feel such a step, or bend within it, other steps are
        tried.
    factor : float, optional
        The first step is at most ``factor*norm(diag*x0)`` long, or factor itself where that is 0.
    diag : array_like, optional
        n positive scale factors of the parameters. By default the norms of the Jacobian's columns,
        kept up to date.
    atol : float, optional
        A synonym of ftol.
    bounds : pair of array_like, or object with the attributes lb and ub, optional
        Lower and upper bounds of the parameters: n numbers each, or one for all; infinite where
        there is none. A parameter whose bounds are equal is fixed. Neither func nor Dfun is called
        outside the bounds, not for a difference either: near a bound it steps the other way, and
        within bounds that are closer it takes what there is. x0 must be within, and may be on
        a bound.
    diff_step : float or array_like, optional
        The steps of differences in units of ``abs(x[j])``, or themselves where x[j] is 0: n
        positive numbers, or one for all. No others are tried then.

    Returns
    -------
    x : ndarray, shape (n,), float64
        The solution, or the best point found.
    cov_x : ndarray, shape (n, n), or None
        The inverse of J'J, from the last Jacobian; None if it is singular or there is no solution.
        With bounds, of the parameters that are on none; the other rows and columns are zero.
        Multiply it by the residual variance ``sum(fvec**2)/(m - n)`` to get the covariance of the
        parameters. Only with full_output, like infodict and mesg.
    infodict : dict
        ``fvec``
            The m residuals at x.
        ``nfev``
            Number of calls of func.
        ``njev``
            Number of calls of Dfun, where it is given.
        ``fjac``
            Shape (n, m). ``fjac.T[:n]`` is the triangle R of ``J P = Q R`` for the last Jacobian J
            that was computed, with a diagonal of nonincreasing magnitude; zeros elsewhere.
        ``ipvt``
            The n column indices (0-based) of the permutation P: column j of P is column ipvt[j] of
            the identity.
        ``qtf``
            ``Q.T @ f``, its first n elements, f being the residuals where J was computed.
        ``active_mask``
            Only with bounds: -1 for each of the n parameters that is on its lower bound or fixed, 1
            on its upper bound, 0 for the others.
    mesg : str
        What ier means.
    ier : int
        1 to 4: a solution was found (1 by ftol, 2 by xtol, 3 by both, 4 by gtol). 5: maxfev was
        reached. 6, 7, 8: ftol, xtol or gtol is too small. 9: func is not finite at x0. 10: the
        Jacobian is not finite. 0: improper input.

    Raises
    ------
    TypeError
        Improper input (ier 0) without full_output; an empty x0; fewer residuals than parameters; a
        Jacobian of the wrong shape; arguments or returned values that are not real numbers.
    ValueError
        x0 is not within the bounds; bounds that are NaN, cross each other or are not as many as the
        parameters; diag has not n elements; func returned another number of residuals than at x0,
        or Dfun is a NativeFunction for another number.
    StoppedError
        A NativeFunction returned a negative number. A RuntimeError.
    BaseException
        Whatever func or Dfun raises comes out as it is, and so does what the handler of a signal
        raises (KeyboardInterrupt, of Ctrl-C). The best point found until then is its attribute x.

    Warns
    -----
    OptimizeWarning
        The fit came to rest (ier 1 to 3), but no step brought the reduction of the sum of squares
        that the Jacobian promises. With full_output, mesg says so instead.
    RuntimeWarning
        No solution was found (ier 5 to 10), without full_output. Or an njit function is called
        from Python, for the reason that is given.

    References
    ----------
    J. J. Moré, "The Levenberg-Marquardt algorithm: implementation and theory", in Numerical
    Analysis, Lecture Notes in Mathematics 630, Springer, 1978, pp. 105-116.

    Examples
    --------
    >>> import numpy as np
    >>> from leastsq import leastsq
    >>> t = np.linspace(0, 5, 50)
    >>> y = 2.5*np.exp(-1.3*t) + 0.5
    >>> def residuals(p, t, y):
    ...     return p[0]*np.exp(-p[1]*t) + p[2] - y
    >>> p, ier = leastsq(residuals, [1, 1, 1], args=(t, y))
    >>> np.round(p, 6)
    array([2.5, 1.3, 0.5])
    """
    if not callable(func):
        raise TypeError(f"func must be callable, got {func!r}")
    if Dfun is not None:
        refuse_flag_or_data(Dfun)
    if not isinstance(args, tuple):
        args = (args,)
    if args:
        refuse_unread(func, Dfun)
    x = own_vector(x0, "x0")
    n = x.size
    if n == 0 and not full_output:
        raise TypeError(f"{IMPROPER} {EMPTY}")
    settings = read_settings(
        n,
        Dfun is None,
        ftol,
        xtol,
        gtol,
        maxfev,
        epsfcn,
        factor,
        diag,
        atol,
        diff_step,
    )
    box = None if bounds is None else read_box(bounds, n)
    if box is not None:
        box.refuse_outside(x, "x0")
    if not full_output and (improper := fault(settings, n)):
        raise TypeError(f"{IMPROPER} {improper}")

    with BestPoint(x):
        functions = Functions(func, Dfun, args, col_deriv, x)
        if n == 0:
            return full_tuple(nothing_to_solve(functions, x), settings)
        if full_output:
            return full_tuple(solve(functions, x, settings, box), settings)
        if box is None:
            ending = minimize(functions, x, settings, box)[-1]
        else:
            outcome = solve(functions, x, settings, box)
            x, ending = outcome.x, outcome.ending
    ier = ending % PROMISE_BROKEN
    if ending not in SOLVED_OR_FLAT:
        text = message(ending, settings, n, has_Dfun=Dfun is not None)
        warn(text, OptimizeWarning if ier in SOLVED else RuntimeWarning)
    return x, ier


def nothing_to_solve(functions: Functions, x: FloatArray) -> Outcome:
    """Say of an empty x0 what SciPy does: improper input, with the residuals."""
    counts = {"nfev": 0} if functions.Dfun is None else {"nfev": 0, "njev": 0}
    left = np.empty((1, 0)), np.empty(0, np.int32)
    return Outcome(x, functions.fvec, None, (0.0, 0.0), *left, counts, IMPROPER_INPUT)


def refuse_flag_or_data(Dfun: object) -> None:
    """Refuse what cannot be called, above all a flag that was meant for another argument."""
    if isinstance(Dfun, bool | np.bool_):
        raise TypeError(
            f"Dfun must be callable, got {Dfun}: the fourth argument of leastsq is Dfun; "
            f"pass full_output={Dfun} (or col_deriv={Dfun}) by its keyword"
        )
    if not callable(Dfun):
        raise TypeError(f"Dfun must be callable, got {Dfun!r}")
