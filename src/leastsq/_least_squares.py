"""least_squares: the drop-in for scipy.optimize.least_squares."""

from __future__ import annotations

from functools import partial
from typing import Any

from numpy.typing import ArrayLike

from leastsq._arguments.arrays import FloatArray, Function, name_of
from leastsq._arguments.bounds import EVERYWHERE, Box, read_box
from leastsq._arguments.least_squares_options import check_choices, read_x0, settings_of
from leastsq._arguments.limits import deadline_after
from leastsq._arguments.options import NO_SCALE
from leastsq._arguments.warn import warn
from leastsq._errors import OptimizeWarning, add_best_point
from leastsq._fit.conditions import Conditions
from leastsq._fit.least_squares import Problem, result_of
from leastsq._fit.one import solve
from leastsq._fit.result import is_doubtful
from leastsq._fit.watch import Report, watch_for
from leastsq._functions.native import NativeFunction
from leastsq._models.side_by_side import at_one_point, side_by_side
from leastsq._optimize_result import OptimizeResult
from leastsq._parts.parts import has_parts


def least_squares(
    fun: Function,
    x0: ArrayLike,
    jac: Function | str = "2-point",
    bounds: Any = EVERYWHERE,
    method: str = "trf",
    ftol: float | None = 1e-8,
    xtol: float | None = 1e-8,
    gtol: float | None = 1e-8,
    x_scale: ArrayLike | str | None = None,
    loss: str | Function = "linear",
    f_scale: ArrayLike = NO_SCALE,
    diff_step: ArrayLike | None = None,
    tr_solver: str | None = None,
    tr_options: dict[str, Any] | None = None,
    jac_sparsity: Any = None,
    max_nfev: int | None = None,
    verbose: int = 0,
    args: tuple[Any, ...] = (),
    kwargs: dict[str, Any] | None = None,
    callback: Function | None = None,
    workers: Any = None,
    *,
    max_time: float | None = None,
    vectorized: bool = False,
) -> OptimizeResult:
    """Minimize a sum of squares, or of a robust loss, with bounds on the parameters.

    Find the n parameters x within the bounds for which the cost is smallest: half the sum of
    ``f_scale**2 * rho((fun(x)/f_scale)**2)`` over the m residuals. The method is
    Levenberg-Marquardt, as in leastsq.

    Parameters
    ----------
    fun : callable or NativeFunction
        ``fun(x, *args, **kwargs)`` returns the m residuals: a 1-D array, or one number. x is a
        float64 array of shape (n,). Functions compiled by ``numba.njit`` and NativeFunctions are
        called directly.
    x0 : array_like, shape (n,) or number
        Starting point, within the bounds or on them.
    jac : {'2-point', '3-point', 'cs'} or callable, optional
        ``jac(x, *args, **kwargs)`` returns the Jacobian, an array of shape (m, n). Otherwise it is
        estimated: by forward differences, by central differences ('3-point'), one-sided next to a
        bound, or by complex steps ('cs'), for a fun that accepts complex x.
    bounds : pair of array_like, or object with the attributes lb and ub, optional
        Lower and upper bounds: n numbers each, or one number for all parameters. Use infinite
        values for no bound. Equal bounds fix a parameter. fun and jac are never called outside the
        bounds.
    method : {'trf', 'dogbox', 'lm'}, optional
        For compatibility with SciPy. The solver is the same; the meaning of gtol and xtol differs.
        With 'lm' there may be bounds and a loss, too, but not fewer residuals than parameters.
    ftol : float or None, optional
        Stop if the actual and the predicted relative reduction of the cost are both at most ftol.
        None turns a test off.
    xtol : float or None, optional
        Stop if a step is shorter than ``xtol*(xtol + norm(x))``; with 'lm', if the relative change
        of the scaled x is at most xtol.
    gtol : float or None, optional
        Stop if no element of the gradient is larger than gtol. Parameters that are pressed against
        a bound do not count. With 'trf', each element is multiplied by the distance from the bound
        ahead. With 'lm', the cosine of the angle between the residuals and each column of the
        Jacobian is compared with gtol. With all tests, the fit goes on while the linear model
        predicts that the cost can be reduced by more than a millionth.
    x_scale : array_like or 'jac', optional
        The unit of each parameter: n positive numbers, or one for all. Default: 'jac', the inverse
        of the largest norm so far of each column of the Jacobian.
    loss : {'linear', 'soft_l1', 'huber', 'cauchy', 'arctan'} or callable, optional
        rho(z) is: z ('linear'); ``2*(sqrt(1 + z) - 1)`` ('soft_l1'); z up to 1, and then
        ``2*sqrt(z) - 1`` ('huber'); ``log(1 + z)`` ('cauchy'); ``arctan(z)`` ('arctan'). A function
        ``loss(z)`` returns rho(z) and its first two derivatives, shape (3, m).
    f_scale : float or array_like, optional
        The size of residuals from which a loss grows more slowly than the square: one number, or m
        numbers. If more than half of the residuals at x0 are larger than three times f_scale, the
        fit begins with a larger f_scale, and comes back to this one on its way. Then the cost may
        rise from one step to the next. If such a fit ends poorly, a second one begins with f_scale.
    diff_step : float or array_like, optional
        Steps of finite differences relative to x. The default is chosen from the precision of fun.
    tr_solver : {None, 'exact'}, optional
        For compatibility with SciPy. 'lsmr' and sparse Jacobians need SciPy's function.
    tr_options : dict, optional
        For compatibility with SciPy: no effect.
    jac_sparsity : array_like or sparse array, optional
        Shape (m, n): nonzero where an element of the Jacobian may be nonzero. Parameters that share
        no residual form a group, whose differences take one call of fun. The Jacobian in the result
        is dense.
    max_nfev : int, optional
        Maximum number of calls of fun, without those for differences. Default: 100 n, for
        each attempt.
    verbose : {0, 1, 2}, optional
        1 prints a report at the end, 2 also a line for each step.
    args, kwargs : tuple and dict, optional
        Further arguments of fun and jac.
    callback : callable, optional
        ``callback(x)``, or ``callback(intermediate_result)`` if its only parameter has this name,
        is called after each step that is taken. ``intermediate_result`` is an OptimizeResult with
        x, fun, cost, nit, nfev, and step_norm, trust_radius (in units of the scaled parameters),
        ratio (actual by predicted reduction of the cost), elapsed (seconds) and optimality. If
        callback raises StopIteration or returns True, the fit stops.
    workers : int or map-like callable, optional
        Evaluate the points of a forward difference side by side: in so many processes (-1: one for
        each processor), in threads if fun is compiled with ``nogil=True``, or by
        ``workers(function, points)``, such as the map of a pool or of a Dask client.
    max_time : float, optional
        Seconds after which fun and jac are not called any more.
    vectorized : bool, optional
        Whether fun takes many points at once: x of shape (n, k), for any k, and returns residuals
        of shape (m, k). Then a forward difference needs one call.

    Returns
    -------
    OptimizeResult
        A dict whose items are attributes, too:

        x : ndarray, shape (n,)
            The solution, or the best point found.
        cost : float
            The cost at x.
        fun : ndarray, shape (m,)
            The residuals at x.
        jac : ndarray, shape (m, n)
            The Jacobian at x. With a loss, its rows are weighed, so that ``jac.T @ jac`` is
            approximately the second derivative of the cost. NaN if the time was over.
        grad : ndarray, shape (n,)
            The gradient of the cost at x.
        optimality : float
            The largest element of the gradient: with 'dogbox', of the parameters that bounds let
            move; with 'trf', of these and scaled as described for gtol, which it is compared with.
        active_mask : ndarray, shape (n,)
            -1 for a parameter on its lower bound, 1 on its upper bound, 0 otherwise.
        nfev : int
            Number of calls of fun, without those for differences.
        njev : int or None
            Number of Jacobians; None with 'lm' and differences.
        nit : int
            Number of steps that were taken.
        status : int
            1 by gtol, 2 by ftol, 3 by xtol, 4 by ftol and xtol. 0: max_nfev was reached. -1: the
            Jacobian is not finite. -2: callback stopped the fit. -3: max_time is over.
        message : str
            The meaning of status.
        success : bool
            Whether status is positive.

    Raises
    ------
    ValueError
        An option has an invalid value; x0 is not within the bounds; the residuals at x0 are not
        finite; jac has the wrong shape, or is sparse.
    BaseException
        If a function of the user's or a signal handler raises an exception (for example
        KeyboardInterrupt), the fit raises it again. Its attribute x is the best point so far.

    Warns
    -----
    OptimizeWarning
        The fit stopped where no step reduced the cost as much as the Jacobian predicts.

    See Also
    --------
    leastsq, curve_fit

    References
    ----------
    B. Triggs, P. F. McLauchlan, R. I. Hartley and A. W. Fitzgibbon, "Bundle adjustment - a modern
    synthesis", Vision Algorithms: Theory and Practice, Springer, 2000, section 4.3: robust losses.

    Examples
    --------
    >>> import numpy as np
    >>> from leastsq import least_squares
    >>> t = np.linspace(0, 5, 50)
    >>> y = 2.5*np.exp(-1.3*t) + 0.5
    >>> y[::10] += 2  # outliers
    >>> def residuals(p, t, y):
    ...     return p[0]*np.exp(-p[1]*t) + p[2] - y
    >>> result = least_squares(residuals, [1, 1, 1], loss="cauchy", f_scale=0.01, args=(t, y))
    >>> np.round(result.x, 3)
    array([2.5, 1.3, 0.5])
    """
    if not callable(fun):
        raise TypeError(f"fun must be callable, got {fun!r}")
    check_choices(jac, method, tr_solver, verbose)
    if isinstance(fun, NativeFunction) and (kwargs or vectorized):
        raise TypeError("a NativeFunction takes no keyword arguments, and one point at a time")
    args = tuple(args) if isinstance(args, list | tuple) else (args,)
    if has_parts(args):
        raise TypeError("Parts is for leastsq, which has the same losses and options")
    if kwargs:
        fun = with_keywords(fun, kwargs)
        jac = with_keywords(jac, kwargs) if callable(jac) else jac
    x = read_x0(x0)
    box = bounds_around(x, bounds)
    settings = settings_of(
        x.size, box, method, ftol, xtol, gtol, x_scale, loss, f_scale, diff_step, max_nfev
    )
    report = Report(verbose) if verbose else None
    watch = watch_for(callback, report, counts_trials=True)
    deadline = deadline_after(max_time)
    try:
        single = at_one_point(fun) if vectorized else fun
        problem = Problem(single, jac, args, x, box, settings, method, jac_sparsity)
        functions = problem.functions(x, deadline)
        if problem.is_padded:
            vectorized, workers = False, None
        with side_by_side(functions, fun, args, x, vectorized, workers):
            outcome = solve(functions, x, Conditions(problem.settings, box, watch=watch))
            result = result_of(problem, functions, outcome)
    except BaseException as error:
        add_best_point(error, x)
        raise
    if report is not None:
        report.print_end(result)
    if is_doubtful(outcome.ending):
        warn(result.message, OptimizeWarning)
    return result


def with_keywords(function: Function, kwargs: dict[str, Any]) -> Function:
    """Pass keyword arguments to a function."""
    bound: Any = partial(function, **kwargs)
    bound.__name__ = name_of(function)
    return bound  # type: ignore[no-any-return]


def bounds_around(x: FloatArray, bounds: Any) -> Box | None:
    """Read the bounds, if there are any."""
    if bounds is EVERYWHERE:
        return None
    box = read_box(bounds, x.size)
    box.refuse_outside(x, "x0")
    return box if box.is_bounded() else None
