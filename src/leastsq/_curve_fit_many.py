"""curve_fit_many: one model, very many data sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Unpack

import numpy as np
from numpy.typing import ArrayLike

from leastsq._arguments.arrays import Function
from leastsq._arguments.bounds import EVERYWHERE
from leastsq._arguments.counts import count_of, size_of
from leastsq._arguments.curve_fit_options import SolverOptions, check_choices, refuse_foreign
from leastsq._arguments.many import Batch, asks_neighbours, read_batch, read_blocks
from leastsq._arguments.warn import warn
from leastsq._errors import FitError, OptimizeWarning, add_note
from leastsq._fit.many_fits import ManyFits
from leastsq._fit.plan import Plan
from leastsq._fit.progress import Progress
from leastsq._fit.run import fit_all, give_partial
from leastsq._fit.summary import summary
from leastsq._fit.watch import refuse_idle
from leastsq._functions.native import NativeFunction
from leastsq._functions.signature import parameter_count, refuse_other_count
from leastsq._models.jacobian import NO_MODEL
from leastsq._models.lazy import is_lazy

ON_FAILURE = ("nan", "last", "raise")


def curve_fit_many(
    f: Function,
    xdata: Any,
    ydata: ArrayLike,
    p0: ArrayLike | None = None,
    sigma: ArrayLike | None = None,
    absolute_sigma: bool = False,
    bounds: Any = EVERYWHERE,
    *,
    axis: int | tuple[int, ...] = -1,
    mask: ArrayLike | None = None,
    method: str | None = None,
    jac: Function | str | None = None,
    vectorized: bool | None = None,
    covariance: bool | str = True,
    on_failure: str = "nan",
    threads: int | None = None,
    chunk: int | None = None,
    max_time: float | None = None,
    callback: Callable[[int, int], Any] | None = None,
    progress: bool = False,
    **options: Unpack[SolverOptions],
) -> ManyFits:
    """Fit one function to many data sets by nonlinear least squares.

    The results equal those of curve_fit for each data set alone, usually bit for bit. They can
    differ by rounding errors in two cases: NumPy rounds a power of an array in another way than a
    power of a number, and an njit model has 131,072 points or more. The fits are independent:
    nothing that happens in one fit stops another.

    In the shapes below, ``...`` stands for the batch axes, m for the number of points of a fit and
    n for the number of parameters.

    Parameters
    ----------
    f : callable or NativeFunction
        The model ``f(x, p1, ..., pn)``, as in curve_fit. If f is compiled by ``numba.njit``, and
        jac too if it is given, all fits run in compiled code, without the GIL. If f is a
        NativeFunction, it computes the residuals of one fit; its data are a row of ydata.
    xdata : array_like or tuple of array_like
        The x of all fits: shape (m,), or (k, m) for k independent variables. If each fit has its
        own x, pass a tuple of k arrays that can be broadcast to (..., m): the model gets x of shape
        (m,) if k is 1, otherwise (k, m). For a NativeFunction: None.
    ydata : array_like
        The data, shape (..., m). Points that are NaN, or where xdata or sigma are NaN, are left out
        of their fit, as with ``nan_policy="omit"`` in curve_fit. For a NativeFunction: an array
        whose last axis is the data block of one fit, or a structured array with one element for
        each fit. The function receives the address of a copy of this block, in which NaN stays; its
        size and dtype must be those that the function reads, which nothing checks.
    p0 : array_like or 'neighbours', optional
        The starting points: shape (n,), or (..., n) for a start of its own for each fit. Default:
        as in curve_fit, from the bounds. With "neighbours", the fits begin from these starts, too;
        then each fit that failed, or whose model does not describe the data, begins again from the
        solutions of its neighbours along the batch axes.
    sigma : array_like, optional
        The errors of ydata: a number; shape (m,) or (..., m); or (..., 1) for one error for each
        fit.
    absolute_sigma : bool, optional
        Whether sigma contains the true errors, as in curve_fit.
    bounds : pair of array_like, or object with the attributes lb and ub, optional
        Lower and upper bounds: numbers, shape (n,), or (..., n) for bounds of their own for each
        fit. Equal bounds fix a parameter, whatever its start.
    axis : int or tuple of int, optional
        The axis of points of ydata, or the axes if the points are pixels of an image. The other
        axes are the batch axes. Arrays with as many axes as ydata (sigma, mask and those of xdata)
        have the same layout. The model gets the points as a 1-D array.
    mask : array_like of bool, optional
        True leaves a point out; shape (m,) or (..., m), or (..., 1) to leave out whole fits.
        Masked arrays add their masks.
    method : {None, 'lm', 'trf', 'dogbox'}, optional
        As in curve_fit.
    jac : callable, NativeFunction or {None, '2-point', '3-point', 'cs'}, optional
        The derivatives of f, as in curve_fit.
    vectorized : bool, optional
        Whether f, if it is a Python function, can be called for many fits at once. The parameters
        have the shape (count, 1) then, so that they broadcast against x, and f returns the values
        of all fits, shape (count, m); jac returns the shape (count, m, n). Most functions made of
        NumPy operations can. Default: a comparison with single calls decides; if f cannot, a
        RuntimeWarning says why. With True, an error says why. With False, f is called for one
        fit at a time.
    covariance : {True, False, 'stderr'}, optional
        Whether to return the covariances, only the standard errors, or neither.
    on_failure : {'nan', 'last', 'raise'}, optional
        What to do about a fit without a solution: set its parameters to NaN; return the best
        parameters found; or raise an error for the first such fit: a FitError, or what f raised. A
        fit of which all points are left out (status -1) is not a failure.
    threads : int, optional
        The number of threads; -1 is one for each processor. Default: all cores for compiled
        functions, one thread for Python functions. The results do not depend on it. With several
        threads, f is called in several threads at the same time.
    chunk : int, optional
        The number of fits that a thread does before it reports. Default: at most 4096, and at
        most 32 MB of data. The results do not depend on it.
    max_time : float, optional
        The time in seconds after which the fits that are left are not done (status 0).
    callback : callable, optional
        ``callback(done, total)`` is called after each chunk, with the number of fits that are done.
        While fits begin again from their neighbours, done stays at total. An exception ends all
        fits; what the callback returns is ignored.
    progress : bool, optional
        Whether to show a progress bar. This needs tqdm.
    **options
        Options of curve_fit: ftol, xtol, gtol, maxfev, max_nfev, epsfcn, diff_step, factor, diag,
        x_scale, atol, col_deriv, loss (a name) and f_scale (a number). They are the same for all
        fits.

    Returns
    -------
    ManyFits
        The results, with the attributes popt, pcov, perr, chi2, npoints, status, nfev, active_mask,
        attempts, doubtful and success. Unpacking gives popt, shape (..., n), and pcov, shape
        (..., n, n).

    Raises
    ------
    FitError
        With ``on_failure="raise"``: a fit found no solution.
    ValueError
        Shapes that do not match; a common start outside the common bounds; an invalid option.
    TypeError
        Arguments of a wrong type; p0 with another number of parameters than f.
    BaseException
        If every fit that has points ends because f or jac raises an exception, the first exception
        is raised. An exception of callback, Ctrl-C, and TimeoutError, which signal handlers raise,
        end all fits; once they have begun, the attribute ``partial`` of the exception contains the
        ManyFits so far. A
        chunk of a Dask array does not keep exceptions of f: its fits have the status -3.

    Warns
    -----
    OptimizeWarning
        Once for all fits: how many failed and why, and how many have no covariance.
    RuntimeWarning
        An njit function is called from Python, or a Python function is called for one fit at a
        time. The warning gives the reason.

    See Also
    --------
    curve_fit : fit one data set.

    Examples
    --------
    >>> import numpy as np
    >>> from leastsq import curve_fit_many
    >>> def decay(t, amplitude, rate):
    ...     return amplitude*np.exp(-rate*t)
    >>> t = np.linspace(0, 5, 50)
    >>> rates = np.array([[0.5, 1.0], [1.5, 2.0]])
    >>> stack = decay(t, 3.0, rates[..., None])  # shape (2, 2, 50)
    >>> fits = curve_fit_many(decay, t, stack)
    >>> fits.popt.shape, fits.success.all()
    ((2, 2, 2), np.True_)
    >>> np.round(fits.popt[..., 1], 6)
    array([[0.5, 1. ],
           [1.5, 2. ]])
    """
    if not callable(f):
        raise TypeError(f"f must be callable, got {f!r}")
    check_choices(method, absolute_sigma)
    if isinstance(covariance, np.bool_):
        covariance = bool(covariance)
    if not isinstance(covariance, bool) and covariance != "stderr":
        raise ValueError(f"covariance must be True, False or 'stderr', got {covariance!r}")
    if axis is None:
        raise TypeError("axis must be a whole number, or a tuple of whole numbers, got None")
    refuse_idle(callback)
    threads = None if threads is None else count_of(threads, "threads")
    chunk = None if chunk is None else size_of(chunk, "chunk")
    if on_failure not in ON_FAILURE:
        raise ValueError(f"on_failure must be 'nan', 'last' or 'raise', got {on_failure!r}")
    if vectorized not in (None, True, False):
        raise TypeError(f"vectorized must be True, False or None, got {vectorized!r}")
    if {"nan_policy", "check_finite"} & set(options):
        raise TypeError("nan_policy and check_finite are not options here: NaN is always left out")
    if "workers" in options:
        raise TypeError("workers is not an option here: use threads")
    refuse_foreign(options, curve_fit_many)
    refuse_mixed(f, jac)
    if is_lazy(ydata):
        from leastsq._dask import fit_lazily

        if callback is not None or progress or max_time is not None:
            raise TypeError(
                "callback, progress and max_time are not for Dask arrays, which are fitted later: "
                "see dask.diagnostics.ProgressBar"
            )
        if threads is not None or chunk is not None:
            raise TypeError(
                "threads and chunk are not for Dask arrays: the scheduler fits each of their "
                "chunks in one thread"
            )

        n = parameters_in(p0) or parameter_count(f)
        plan = Plan(f, jac, n, method, absolute_sigma, options)
        plan.check(bounded=bounds is not EVERYWHERE)
        how = vectorized, covariance, on_failure
        return fit_lazily(fit_chunk, plan, how, xdata, ydata, p0, sigma, bounds, axis, mask)
    given = xdata, ydata, p0, sigma, bounds, axis, mask
    plan, batch = read_all(f, jac, method, absolute_sigma, options, *given)
    with Progress(batch.layout.fits, callback, progress) as told:
        fits, results = fit_all(
            plan, batch, vectorized, covariance, on_failure, threads, chunk, max_time, told
        )
    if results.first_error is not None and results.have_all_raised:
        raise results.take_error()
    results.first_error = None  # its traceback refers to the data
    if text := summary(fits, results, plan.absolute_sigma):
        try:
            warn(text, OptimizeWarning)
        except OptimizeWarning as error:  # the user asks for errors in place of warnings
            give_partial(error, fits)
            raise
    return fits


def read_all(
    f: Function,
    jac: Any,
    method: str | None,
    absolute_sigma: bool,
    options: Mapping[str, Any],
    xdata: Any,
    ydata: Any,
    p0: Any,
    sigma: Any,
    bounds: Any,
    axis: Any,
    mask: Any,
) -> tuple[Plan, Batch]:
    """Convert the arguments."""
    if isinstance(f, NativeFunction):
        batch = read_blocks(f.m, xdata, ydata, p0, sigma, bounds, axis, mask)
    else:
        n = None if p0 is not None and not asks_neighbours(p0) else parameter_count(f)
        batch = read_batch(xdata, ydata, p0, n, sigma, bounds, axis, mask)
        refuse_other_count(f, batch.n)
    plan = Plan(f, jac, batch.n, method, absolute_sigma, options)
    plan.check(bounded=batch.box is not None)
    return plan, batch


def parameters_in(p0: Any) -> int:
    """Count the parameters in p0; 0 if it contains no numbers."""
    if p0 is None or asks_neighbours(p0):
        return 0
    return int((np.shape(p0) or (1,))[-1])


def fit_chunk(plan: Plan, how: tuple[Any, Any, Any], **data: Any) -> ManyFits:
    """Fit a chunk of a Dask array in one thread, without warnings."""
    arguments = plan.f, plan.jac, plan.method, plan.absolute_sigma, plan.given
    plan, batch = read_all(*arguments, axis=-1, **data)
    told = Progress(batch.layout.fits, None, False)
    try:
        return fit_all(plan, batch, *how, 1, None, None, told, quiet=True)[0]
    except FitError as error:
        add_note(error, "The index is that within a chunk of the Dask array.")
        raise


def refuse_mixed(f: Function, jac: Any) -> None:
    """Refuse a model in C with a Jacobian that is not, and the other way."""
    if isinstance(f, NativeFunction):
        if jac is not None and not isinstance(jac, NativeFunction):
            raise TypeError(f"jac must be a NativeFunction, as f is, got {jac!r}")
        if jac is not None and jac.m != f.m:
            raise ValueError(f"jac is for {jac.m} residuals, but f for {f.m}")
    elif isinstance(jac, NativeFunction):
        raise TypeError(NO_MODEL.format("jac"))
