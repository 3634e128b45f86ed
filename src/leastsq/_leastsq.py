"""leastsq: the drop-in for scipy.optimize.leastsq."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from leastsq._arguments.arrays import FloatArray, Function, own_vector
from leastsq._arguments.bounds import read_box
from leastsq._arguments.counts import count_of
from leastsq._arguments.limits import FOREVER, deadline_after
from leastsq._arguments.options import DEFAULT_TOLERANCE, NO_SCALE, read_settings
from leastsq._arguments.settings import EMPTY, IMPROPER, Settings
from leastsq._arguments.warn import warn
from leastsq._core._calls import IMPROPER_INPUT, MAXFEV_REACHED, POOR_END, PROMISE_BROKEN, STOPPED
from leastsq._errors import OptimizeWarning, add_best_point
from leastsq._fit.conditions import Conditions
from leastsq._fit.one import minimize, solve, solved
from leastsq._fit.result import (
    SOLVED,
    SOLVED_OR_FLAT,
    Outcome,
    full_tuple,
    message,
)
from leastsq._fit.watch import watch_for
from leastsq._functions.functions import Functions, refuse_unread
from leastsq._models.side_by_side import at_one_point, side_by_side
from leastsq._parts.parts import has_parts


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
    loss: str | Function = "linear",
    f_scale: ArrayLike = NO_SCALE,
    callback: Function | None = None,
    max_time: float | None = None,
    vectorized: bool = False,
    workers: Any = None,
    partitioned: bool = False,
    threads: int | None = None,
) -> tuple[Any, ...]:
    """Minimize the sum of squares of the values of a function.

    Starting from x0, find the n parameters x for which ``sum(func(x)**2)`` is smallest. The method
    is Levenberg-Marquardt in the form of Moré (MINPACK's ``lmdif`` and ``lmder``).

    Parameters
    ----------
    func : callable or NativeFunction
        ``func(x, *args)`` returns the m >= n residuals: an array of any shape, or a sequence of
        real numbers. x is a float64 array of shape (n,) that func may keep or write to. func is
        called once for each point, including x0. Functions compiled by ``numba.njit`` and
        NativeFunctions are called directly. If func and Dfun are both compiled, the GIL is
        released (except with ``parallel=True``), and fits in several threads run in parallel.
    x0 : array_like
        Starting point: n numbers. It is flattened if it is not 1-D.
    args : tuple, optional
        Further arguments of func and Dfun, if these are not NativeFunctions. Any other object than
        a tuple is passed as the only argument. With an object Parts among them, func computes the
        residuals of one part of the data.
    Dfun : callable or NativeFunction, optional
        ``Dfun(x, *args)`` returns the Jacobian, shape (m, n). The element in row i and column j is
        the derivative of residual i with respect to parameter j. Without Dfun, the Jacobian is
        estimated by forward differences.
    full_output : bool, optional
        Whether to return cov_x, infodict and mesg.
    col_deriv : bool, optional
        Whether Dfun returns the transpose of the Jacobian, shape (n, m). This has no effect on a
        NativeFunction.
    ftol : float, optional
        Stop if the actual and the predicted relative reduction of the sum of squares are both at
        most ftol. The fit goes on, also by xtol, while the linear model predicts that the sum of
        squares can be reduced by more than a millionth (or ftol or xtol, if larger).
    xtol : float, optional
        Stop if the relative change of the scaled x is at most xtol.
    gtol : float, optional
        Stop if the cosine of the angle between the residuals and each column of the Jacobian is at
        most gtol. With bounds, the columns of parameters that are pressed against a bound do not
        count.
    maxfev : int, optional
        Maximum number of calls of func. 0 means 200(n + 1) without Dfun and 100(n + 1) with Dfun,
        for each attempt. It is looked at after each Jacobian, so up to n more calls may be made.
    epsfcn : float, optional
        Relative error of the values of func. The step of a forward difference is
        ``sqrt(epsfcn)*abs(x[j])``, or ``sqrt(epsfcn)`` if x[j] is 0. The default is the machine
        precision of the dtype that func returns. Other steps are tried if the residuals do not
        change with this step, or are curved within it.
    factor : float, optional
        The length of the first step is at most ``factor*norm(diag*x0)``, or factor if this norm is
        0.
    diag : array_like, optional
        n positive scale factors of the parameters. The default is the largest norm so far of each
        column of the Jacobian.
    atol : float, optional
        A second name for ftol.
    bounds : pair of array_like, or object with the attributes lb and ub, optional
        Lower and upper bounds of the parameters: n numbers each, or one number for all parameters.
        Use infinite values for no bound. Equal bounds fix a parameter. func and Dfun are never
        called outside the bounds. Close to a bound, a finite difference steps away from it; if the
        bounds are closer together than the step, the step is shortened. x0 must be within the
        bounds or on them.
    diff_step : float or array_like, optional
        Steps of the finite differences: n numbers that are not zero, or one for all parameters. The
        step is ``abs(diff_step*x[j])``, or diff_step if x[j] is 0. The sign of diff_step does not
        matter. No other steps are tried.
    loss : {'linear', 'soft_l1', 'huber', 'cauchy', 'arctan'} or callable, optional
        A robust loss instead of the sum of squares: see least_squares. cov_x belongs to the weighed
        Jacobian then.
    f_scale : float or array_like, optional
        The size of residuals from which the loss grows more slowly than the square: one number, or
        m numbers.
    callback : callable, optional
        ``callback(x)``, or ``callback(intermediate_result)`` if its only parameter has this name,
        is called after each step that is taken: see least_squares. If it raises StopIteration or
        returns True, the fit stops with ier 12.
    max_time : float, optional
        Seconds after which func and Dfun are not called any more. The fit stops with ier 11 at the
        best point.
    vectorized : bool, optional
        Whether func takes many points at once: x of shape (n, k), and returns residuals of shape
        (m, k), for any k. Then the k = n points of a difference need one call, or a few if there
        are more than 10,000 residuals in all. The first values are compared with those of a call
        for one point.
    workers : int or map-like callable, optional
        Evaluate the points of a difference side by side: in so many processes (-1: one for each
        processor), in threads if func is compiled with ``nogil=True``, or by
        ``workers(function, points)``, such as the map of a pool or of a Dask client. func and args
        must be such that they can be pickled.
    partitioned : bool, optional
        Whether args contains Dask collections (tables, bags, arrays) whose partitions Dask is to
        evaluate: func gets a partition in place of each collection. The collections must have the
        same number of partitions. infodict is as with Parts.
    threads : int, optional
        In how many threads the rows of a large Jacobian are processed, or the parts evaluated if
        args contains Parts; -1 means one thread for each processor. The default is 1. The results
        do not depend on the number. See workers for func itself.

    Returns
    -------
    x : ndarray, shape (n,), float64
        The solution, or the best point found.
    cov_x : ndarray, shape (n, n), or None
        The inverse of J'J, where J is the last Jacobian. None if J is singular or no solution was
        found. With bounds, the inverse for the parameters that are not on a bound; the other rows
        and columns are zero. Multiply it by the residual variance ``sum(fvec**2)/(m - n)`` (with a
        loss, by ``chi2/(m - n)``) to get the covariance of the parameters. cov_x, infodict and mesg
        are returned with full_output only.
    infodict : dict
        ``fvec``
            The m residuals at x.
        ``nfev``
            Number of calls of func.
        ``njev``
            Number of calls of Dfun, if it is given.
        ``fjac``
            Shape (n, m). ``fjac.T[:n]`` is the triangle R of ``J P = Q R`` for the last Jacobian J.
            The absolute values on its diagonal do not increase. The other elements are zero.
        ``ipvt``
            The n column indices (0-based) of the permutation P: column j of P is column ipvt[j] of
            the identity matrix.
        ``qtf``
            The first n elements of ``Q.T @ f``, where f contains the residuals at the last
            Jacobian.
        ``chi2``, ``count``
            With a loss, or with data in parts: the sum of squares (with a loss, of its values), and
            the number of residuals. Of data in parts, fvec is None, and fjac has the shape (n, n).
        ``active_mask``
            With bounds only: -1 for a parameter on its lower bound and for a fixed parameter, 1 for
            a parameter on its upper bound, 0 for the others; n numbers.
    mesg : str
        The meaning of ier.
    ier : int
        1 to 4: a solution was found (1 by ftol, 2 by xtol, 3 by both, 4 by gtol). 5: maxfev was
        reached. 6, 7, 8: ftol, xtol or gtol is too small. 9: func is not finite at x0. 10: the
        Jacobian is not finite. 11: max_time is over. 12: callback stopped the fit. 0: improper
        input.

    Raises
    ------
    TypeError
        Improper input (ier 0) or an empty x0, without full_output; fewer residuals than parameters;
        a Jacobian with the wrong shape; arguments or returned values that are not real numbers.
    ValueError
        x0 is not within the bounds; bounds are NaN, or a lower bound is above its upper bound, or
        the number of bounds is wrong; diag does not have n elements; func returned another number
        of residuals than at x0; Dfun is a NativeFunction for another number of residuals.
    StoppedError
        A NativeFunction returned a negative number. StoppedError is a RuntimeError.
    BaseException
        If func, Dfun or a signal handler raises an exception (for example KeyboardInterrupt), the
        fit raises it again. Its attribute x is the best point found so far.

    Warns
    -----
    OptimizeWarning
        The fit stopped with ier 1 to 3, but no step reduced the sum of squares as much as the
        Jacobian predicts. With full_output, mesg says so instead.
    RuntimeWarning
        No solution was found (ier 5 to 11), and full_output is False. Or an njit function is called
        from Python; the warning gives the reason.

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
        loss,
        f_scale,
        1 if threads is None else count_of(threads, "threads"),
    )
    watch = None if callback is None else watch_for(callback, None, counts_trials=False)
    deadline = FOREVER if max_time is None else deadline_after(max_time)
    box = None if bounds is None else read_box(bounds, n)
    if box is not None:
        box.refuse_outside(x, "x0")
    if not full_output and settings.fault:
        raise TypeError(f"{IMPROPER} {settings.fault}")

    if partitioned or has_parts(args):
        if vectorized or workers is not None:
            raise ValueError("vectorized and workers are for data in memory, not for parts")
        if n == 0:
            raise TypeError(f"{IMPROPER} {EMPTY}")
        conditions = Conditions(settings, box, False, watch, deadline)
        outcome = residuals_in_parts().fit_residuals_in_parts(
            func, Dfun, args, col_deriv, x, conditions, partitioned, threads
        )
        return ended(outcome, settings, full_output)
    try:
        single = at_one_point(func) if vectorized else func
        functions = Functions(single, Dfun, args, col_deriv, x, None, deadline)
        if n == 0:
            return full_tuple(nothing_to_solve(functions, x), settings)
        is_plain = settings.loss is None and box is None
        if full_output or not is_plain or vectorized or workers is not None:
            with side_by_side(functions, func, args, x, vectorized, workers):
                outcome = solve(functions, x, Conditions(settings, box, watch=watch))
            return ended(outcome, settings, full_output)
        start = x.copy()
        left = minimize(functions, x, settings.first, box, watch)
        if left[-1] >= POOR_END or left[-1] == MAXFEV_REACHED:
            outcome = solved(functions, x, start, Conditions(settings, watch=watch), left)
            return ended(outcome, settings, full_output)
    except BaseException as error:
        add_best_point(error, x)
        raise
    return x, exit_code(left[-1], settings, Dfun is not None)


def ended(outcome: Outcome, settings: Settings, full_output: bool) -> tuple[Any, ...]:
    """Return the results of a fit."""
    if full_output:
        return full_tuple(outcome, settings)
    return outcome.x, exit_code(outcome.ending, settings, outcome.has_jacobian)


def exit_code(ending: int, settings: Settings, has_Dfun: bool) -> int:
    """Return ier; warn unless a solution was found."""
    if ending in SOLVED:
        return ending
    ier = ending % PROMISE_BROKEN
    if ending not in SOLVED_OR_FLAT and ending != STOPPED:
        text = message(ending, settings, has_Dfun=has_Dfun)
        warn(text, OptimizeWarning if ier in SOLVED else RuntimeWarning)
    return ier


@cache
def residuals_in_parts() -> Any:
    """Import the module that fits data in parts."""
    return import_module("leastsq._fit.residuals_in_parts")


def nothing_to_solve(functions: Functions, x: FloatArray) -> Outcome:
    """Return what SciPy returns for an empty x0: improper input, with the residuals."""
    counts = {"nfev": 0, "njev": 0}
    has_Dfun = functions.Dfun is not None
    left = np.empty((2, 0)), np.empty(0, np.int32)
    return Outcome(
        x, functions.fvec, None, (0.0, 0.0), 0.0, *left, counts, IMPROPER_INPUT, has_Dfun
    )


def refuse_flag_or_data(Dfun: object) -> None:
    """Refuse an object that cannot be called, such as a flag meant for another argument."""
    if isinstance(Dfun, bool | np.bool_):
        raise TypeError(
            f"Dfun must be callable, got {Dfun}: the fourth argument of leastsq is Dfun; "
            f"pass full_output={Dfun} (or col_deriv={Dfun}) by its keyword"
        )
    if not callable(Dfun):
        raise TypeError(f"Dfun must be callable, got {Dfun!r}")
