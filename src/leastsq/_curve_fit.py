"""curve_fit: the drop-in for scipy.optimize.curve_fit."""

from __future__ import annotations

from operator import is_
from typing import Any, Literal, Unpack, overload

import numpy as np
from numpy.typing import ArrayLike

from leastsq._arguments.arrays import FloatArray, Function, own_vector
from leastsq._arguments.bounds import EVERYWHERE, Box, read_box
from leastsq._arguments.curve_fit_options import (
    Options,
    check_choices,
    default_settings,
    fit_settings,
    means_least_squares,
    refuse_foreign,
)
from leastsq._arguments.data import Data, read_data
from leastsq._arguments.limits import deadline_after
from leastsq._arguments.options import DEFAULT_TOLERANCE, NO_SCALE
from leastsq._arguments.sigma import SCALE
from leastsq._arguments.warn import warn
from leastsq._core._calls import CONDITIONAL, are_plain
from leastsq._errors import FitError, OptimizeWarning
from leastsq._fit.conditions import Conditions
from leastsq._fit.curve import curve_in_parts, fit_curve
from leastsq._fit.doubts import (
    conditional_covariance,
    distance_doubt,
    doubtful_covariance,
    may_be_lost,
    no_covariance,
)
from leastsq._fit.misfit import UNEXPLAINED, left_over, misfit
from leastsq._fit.result import (
    SOLVED,
    SOLVED_OR_FLAT,
    TO_PRECISION,
    Outcome,
    infodict,
    inverse,
    message,
)
from leastsq._fit.watch import Report, watch_for
from leastsq._functions.native import NativeFunction
from leastsq._functions.signature import parameter_count
from leastsq._models.jacobian import NO_MODEL, read_jac
from leastsq._models.lazy import is_lazy
from leastsq._parts.parts import has_parts

PLAIN = (
    *(DEFAULT_TOLERANCE, DEFAULT_TOLERANCE, 0.0, None, None, None, None),
    *(None, None, None, None, "linear", NO_SCALE),
)
"""The defaults of the options of the solver."""


@overload
def curve_fit(
    f: Function,
    xdata: Any,
    ydata: ArrayLike,
    p0: ArrayLike | None = None,
    sigma: ArrayLike | None = None,
    absolute_sigma: bool = False,
    check_finite: bool | None = None,
    bounds: Any = EVERYWHERE,
    method: str | None = None,
    jac: Function | str | None = None,
    *,
    full_output: Literal[False] = False,
    nan_policy: str | None = None,
    **options: Unpack[Options],
) -> tuple[FloatArray, FloatArray]: ...
@overload
def curve_fit(
    f: Function,
    xdata: Any,
    ydata: ArrayLike,
    p0: ArrayLike | None = None,
    sigma: ArrayLike | None = None,
    absolute_sigma: bool = False,
    check_finite: bool | None = None,
    bounds: Any = EVERYWHERE,
    method: str | None = None,
    jac: Function | str | None = None,
    *,
    full_output: Literal[True],
    nan_policy: str | None = None,
    **options: Unpack[Options],
) -> tuple[FloatArray, FloatArray, dict[str, Any], str, int]: ...
@overload
def curve_fit(
    f: Function,
    xdata: Any,
    ydata: ArrayLike,
    p0: ArrayLike | None = None,
    sigma: ArrayLike | None = None,
    absolute_sigma: bool = False,
    check_finite: bool | None = None,
    bounds: Any = EVERYWHERE,
    method: str | None = None,
    jac: Function | str | None = None,
    *,
    full_output: bool,
    nan_policy: str | None = None,
    **options: Unpack[Options],
) -> tuple[Any, ...]: ...
def curve_fit(
    f: Function,
    xdata: Any,
    ydata: ArrayLike,
    p0: ArrayLike | None = None,
    sigma: ArrayLike | None = None,
    absolute_sigma: bool = False,
    check_finite: bool | None = None,
    bounds: Any = EVERYWHERE,
    method: str | None = None,
    jac: Function | str | None = None,
    *,
    full_output: bool = False,
    nan_policy: str | None = None,
    ftol: float | None = DEFAULT_TOLERANCE,
    xtol: float | None = DEFAULT_TOLERANCE,
    gtol: float | None = 0.0,
    maxfev: float | None = None,
    max_nfev: float | None = None,
    epsfcn: float | None = None,
    diff_step: ArrayLike | None = None,
    factor: float | None = None,
    diag: ArrayLike | None = None,
    x_scale: ArrayLike | str | None = None,
    atol: float | None = None,
    loss: str | Function = "linear",
    f_scale: ArrayLike = NO_SCALE,
    col_deriv: bool = False,
    callback: Function | None = None,
    max_time: float | None = None,
    verbose: int = 0,
    vectorized: bool = False,
    workers: Any = None,
    chunks: Any = None,
    threads: int | None = None,
    **others: Any,
) -> tuple[Any, ...]:
    """Fit a function to data by nonlinear least squares.

    Find the n parameters for which ``sum(((f(xdata, *params) - ydata)/sigma)**2)`` is smallest, and
    their covariance.

    Parameters
    ----------
    f : callable
        The model ``f(x, p1, ..., pn)``. It returns the predicted value of ydata at each of the m
        points. f is called once for each set of parameters. If f is compiled by ``numba.njit``, and
        jac too if it is given, the whole fit runs in compiled code, without the GIL.
    xdata : array_like or object
        The first argument of f. Lists, tuples and arrays are converted to a float64 array, usually
        of shape (m,), or (k, m) for k independent variables. Other objects are passed unchanged.
    ydata : array_like
        The m measured values, usually of shape (m,).
    p0 : array_like, optional
        Starting point: n numbers. Default: one value for each parameter of f, also for those that
        have a default. The value is the midpoint of two bounds, 1 away from a single bound,
        otherwise 1.
    sigma : array_like, optional
        The errors of ydata: one standard deviation for all points, or one for each point, shape
        (m,), in the unit of ydata; or the covariance matrix, shape (m, m), in the unit squared.
    absolute_sigma : bool, optional
        Whether sigma contains the true errors. If not, only the ratios of the errors matter, and
        pcov is scaled by the reduced sum of squares.
    check_finite : bool, optional
        Whether to refuse NaN and infinity in xdata and ydata. Default: True without a nan_policy,
        False with one.
    bounds : pair of array_like, or object with the attributes lb and ub, optional
        Lower and upper bounds of the parameters: n numbers each, or one number for all parameters.
        Use infinite values for no bound. Equal bounds fix a parameter. f and jac are never called
        outside the bounds.
    method : {None, 'lm', 'trf', 'dogbox'}, optional
        For compatibility with SciPy. Every value selects the same Levenberg-Marquardt solver,
        which supports bounds. With 'trf' or 'dogbox', or with bounds, there may be fewer points
        than parameters.
    jac : callable or {None, '2-point', '3-point', 'cs'}, optional
        ``jac(x, p1, ..., pn)`` returns the derivatives of f, shape (m, n). The element in row i and
        column j is the derivative at point i with respect to parameter j. jac may be compiled like
        f. Otherwise the derivatives are estimated: by forward differences (None or '2-point'); by
        central differences ('3-point'), one-sided next to a bound; or by a complex step ('cs'),
        for an f that accepts complex parameters.
    full_output : bool, optional
        Whether to return infodict, mesg and ier.
    nan_policy : {None, 'raise', 'omit'}, optional
        Whether to refuse ('raise') or to leave out ('omit') points with a NaN in xdata or ydata.
        With None, check_finite decides.
    ftol, xtol, gtol : float, optional
        Stop if the relative reduction of the sum of squares is at most ftol, the relative change
        of the parameters at most xtol, or the cosine of the angle between the residuals and each
        column of the Jacobian at most gtol: see leastsq. None means 0 with method 'trf' or
        'dogbox', and with bounds and without method.
    maxfev : int, optional
        Maximum number of calls of f. Default: 200(n + 1), or 100(n + 1) with jac, for each attempt.
        It is looked at after each Jacobian, so up to n more calls may be made.
        With method 'trf' or 'dogbox', or with bounds and without method, it has the meaning and
        the default of max_nfev, which counts if both are given.
    max_nfev : int, optional
        Maximum number of calls of f, without those for finite differences. Default: 100n,
        for each attempt.
    epsfcn : float, optional
        Relative error of the values of f: see leastsq.
    diff_step : float or array_like, optional
        Steps of the finite differences: n numbers that are not zero, or one for all parameters. The
        step is ``abs(diff_step*p[j])``, or diff_step if p[j] is 0. The sign of diff_step does not
        matter.
    factor : float, optional
        The length of the first step is at most ``factor*norm(diag*p0)``. Default: 100; 1 with
        bounds or with a loss.
    diag : array_like, optional
        n positive scale factors of the parameters: see leastsq.
    x_scale : array_like or 'jac', optional
        The unit of each parameter, n numbers or one: the same as ``diag = 1/x_scale``.
    atol : float, optional
        A second name for ftol.
    loss : {'linear', 'soft_l1', 'huber', 'cauchy', 'arctan'} or callable, optional
        A robust loss instead of the sum of squares: see least_squares. pcov is computed from the
        weighed Jacobian and the cost then, as in SciPy.
    f_scale : float or array_like, optional
        The size of residuals, divided by sigma, from which the loss grows more slowly than the
        square: one number, or m numbers.
    col_deriv : bool, optional
        Whether jac returns the transpose of the Jacobian, shape (n, m).
    callback : callable, optional
        ``callback(p)``, or ``callback(intermediate_result)``, is called after each step that is
        taken: see least_squares.
    max_time : float, optional
        Seconds after which f is not called any more. Then there is a FitError with the best point.
    verbose : {0, 1, 2}, optional
        Whether to print how the fit ended (1), and each step (2).
    vectorized : bool, optional
        Whether f takes many points at once: parameters of shape (k, 1). It returns shape (k, m).
    workers : int or map-like callable, optional
        Evaluate the points of a finite difference side by side: see leastsq.
    chunks : int or bool, optional
        The number of points of xdata, ydata and sigma to read at a time (True chooses it), so that
        memory maps and files may be larger than memory. f must be a function of each point alone
        then. Dask arrays are evaluated by Dask, chunk by chunk.
    threads : int, optional
        The number of threads that evaluate chunks; -1 means one for each processor. f must be a
        function of each point alone then.
    **others
        Options of SciPy's least_squares that have no effect here, such as ``tr_solver=None``.

    Returns
    -------
    popt : ndarray, shape (n,), float64
        The parameters.
    pcov : ndarray, shape (n, n)
        The covariance of the parameters. ``sqrt(diag(pcov))`` contains the standard errors. If the
        covariance cannot be estimated, all elements are infinite, and there is an OptimizeWarning:
        the Jacobian is singular, or there are no more points than parameters and sigma is not
        absolute. The rows and columns of parameters on a bound are zero.
    infodict : dict
        As returned by leastsq. ``fvec`` contains the residuals
        ``(f(xdata, *popt) - ydata)/sigma``; of data in parts it is None.
    mesg : str
        The meaning of ier.
    ier : int
        1 to 4: see leastsq.

    Raises
    ------
    FitError
        No solution was found, or ftol, xtol, gtol, factor, epsfcn or diag has an invalid value.
        FitError is a RuntimeError with the attributes popt, infodict and ier.
    ValueError
        xdata or ydata contain NaN or infinity; sigma has the wrong shape, contains zeros or NaN, or
        is not positive definite; p0 is not within the bounds; p0 is None and the signature of f
        does not show the number of parameters; another option has an invalid value.
    TypeError
        Fewer points than parameters; an unknown option; data that are not real numbers.
    BaseException
        If f, jac or a signal handler raises an exception (for example KeyboardInterrupt), the fit
        raises it again. Its attribute x contains the best parameters found so far.

    Warns
    -----
    OptimizeWarning
        The covariance could not be estimated; or the fit stopped where no step reduced the sum of
        squares as much as the Jacobian predicts; or f explains less than half of the variance of
        ydata, and most neighbouring residuals have the same sign.
    RuntimeWarning
        An njit function is called from Python. The warning gives the reason.

    See Also
    --------
    leastsq : minimize the sum of squares of any residuals.

    References
    ----------
    P. R. Bevington and D. K. Robinson, Data Reduction and Error Analysis for the Physical Sciences,
    3rd ed., McGraw-Hill, 2003, chapter 8: standard errors from the matrix J'J.

    Examples
    --------
    >>> import numpy as np
    >>> from leastsq import curve_fit
    >>> def decay(t, amplitude, rate, level):
    ...     return amplitude*np.exp(-rate*t) + level
    >>> t = np.linspace(0, 5, 50)
    >>> y = decay(t, 2.5, 1.3, 0.5) + 0.02*np.cos(40*t)
    >>> popt, pcov = curve_fit(decay, t, y)
    >>> np.round(popt, 1)
    array([2.5, 1.3, 0.5])
    >>> popt, pcov = curve_fit(decay, t, y, bounds=(0, [2, 10, 1]))
    >>> popt[0]
    np.float64(2.0)
    """
    if not callable(f):
        raise TypeError(f"f must be callable, got {f!r}")
    if isinstance(f, NativeFunction):
        raise TypeError(NO_MODEL.format("f"))
    check_choices(method, absolute_sigma)
    if others:
        refuse_foreign(others, curve_fit)
    if verbose not in (0, 1, 2):
        raise ValueError(f"verbose must be 0, 1 or 2, got {verbose!r}")
    p, box = start(f, p0, bounds)
    n = p.size
    if has_parts((xdata, ydata)):
        raise TypeError("Parts is for leastsq: pass residuals(p, *part) and args=(Parts(...),)")
    as_least_squares = means_least_squares(method, box is not None)
    may_be_few = as_least_squares or box is not None
    is_divided = asks_for_parts(xdata, ydata, sigma, chunks, threads)
    if is_divided:
        derivative = read_jac(jac, f, box, (0,))
    else:
        data = read_data(xdata, ydata, sigma, check_finite, nan_policy)
        refuse_few(n, data.y.size, may_be_few)
        derivative = read_jac(jac, f, box, data.y.shape)
    options: tuple[Any, ...] = (
        *(ftol, xtol, gtol, maxfev, max_nfev, epsfcn, diff_step),
        *(factor, diag, x_scale, atol, loss, f_scale),
    )
    read = default_settings if all(map(is_, options, PLAIN)) else fit_settings
    is_differenced = derivative is None
    settings, limit = read(n, is_differenced, box is not None, as_least_squares, *options)
    p0 = p.copy()
    report = Report(verbose) if verbose == 2 else None
    watch = watch_for(callback, report, counts_trials=as_least_squares)
    conditions = Conditions(settings, box, may_be_few, watch, deadline_after(max_time))
    if is_divided:
        outcome = curve_in_parts().fit_curve_in_parts(
            f,
            (xdata, ydata, sigma),
            p,
            (jac, derivative),
            col_deriv,
            conditions,
            check_finite,
            nan_policy,
            chunks,
            threads,
            vectorized or workers is not None,
        )
    else:
        outcome = fit_curve(f, data, p, derivative, col_deriv, conditions, vectorized, workers)
    ending = outcome.ending
    if as_least_squares:
        outcome = outcome._replace(ending=TO_PRECISION.get(ending, ending))
    mesg = ""
    if full_output or verbose or outcome.ending not in SOLVED_OR_FLAT:
        mesg = message(ending, settings, limit, not is_differenced)
    if verbose:
        print(f"{mesg}\n{outcome.counts['nfev']} calls of f, cost {outcome.cost:.4e}")
    if outcome.ier not in SOLVED:
        raise FitError(
            f"Optimal parameters not found: {mesg}",
            outcome.x,
            infodict(outcome, settings),
            outcome.ier,
        )
    if outcome.ending not in SOLVED_OR_FLAT:
        warn(mesg, OptimizeWarning)
    pcov = parameter_covariance(f, p0, outcome, absolute_sigma)
    if outcome.is_sure_misfit and settings.loss is None and not is_divided:
        warn_of_misfit(f, data, outcome.fnorm)
    if full_output:
        return outcome.x, pcov, infodict(outcome, settings), mesg, outcome.ier
    return outcome.x, pcov


def asks_for_parts(xdata: Any, ydata: Any, sigma: Any, chunks: Any, threads: Any) -> bool:
    """Tell whether the data are divided, or are to be divided."""
    if not (chunks is None or chunks is False) or threads is not None:
        return True
    if sigma is None and type(xdata) is type(ydata) is np.ndarray:  # the usual case
        return False
    columns = xdata if isinstance(xdata, tuple) else (xdata,)
    return any(map(is_lazy, (ydata, sigma, *columns)))


def refuse_few(n: int, m: int, may_be_few: bool) -> None:
    """Refuse fewer points than parameters, as SciPy does."""
    if not may_be_few and m != 1 and n > m:
        raise TypeError(
            f"The number of func parameters={n} must not exceed the number of data points={m}"
        )


def start(f: Function, p0: ArrayLike | None, bounds: Any) -> tuple[FloatArray, Box | None]:
    """Choose the starting point, and read the bounds if there are any."""
    p = None if p0 is None else own_vector(p0, "p0")
    n = parameter_count(f) if p is None else p.size
    if n == 0:
        raise TypeError("p0 is empty: there is nothing to fit")
    if p is not None and not are_plain(p) and np.isnan(p).any():
        raise ValueError(f"p0 must be numbers, got {p0!r}")
    if bounds is EVERYWHERE:
        return (np.array([1.0] * n) if p is None else p), None
    box = read_box(bounds, n)
    if p is None:
        p = box.interior()
    box.refuse_outside(p, "p0")
    return p, (box if box.is_bounded() else None)


def warn_of_misfit(f: Function, data: Data, fnorm: float) -> None:
    """Warn if the residuals, which are not noise, are most of the variance of the data."""
    if data.weighing in (None, SCALE):
        y, weights = data.y.ravel(), data.weights
        part = float(left_over(fnorm, y, None if weights is None else weights.ravel()))
        if part > UNEXPLAINED:
            warn(misfit(f, part), OptimizeWarning)


def parameter_covariance(
    f: Function, p0: FloatArray, outcome: Outcome, absolute_sigma: bool
) -> FloatArray:
    """Estimate the covariance of the parameters; infinite if that is not possible."""
    x, held = outcome.x, outcome.held()
    pcov, state = inverse(outcome, absolute_sigma, held)
    if pcov is None:
        warn(no_covariance(f, p0, x, held, state, outcome.m), OptimizeWarning)
        return np.full((x.size, x.size), np.inf)
    is_doubtful = np.count_nonzero(state) > 0
    if is_doubtful and CONDITIONAL not in state:
        warn(doubtful_covariance(f, state), OptimizeWarning)
    elif may_be_lost(p0, x, pcov) and (
        doubt := distance_doubt(f, p0, x, np.sqrt(np.diagonal(pcov)), held)
    ):
        warn(doubt, OptimizeWarning)
    elif is_doubtful:
        warn(conditional_covariance(f, state == CONDITIONAL, held), OptimizeWarning)
    return pcov
