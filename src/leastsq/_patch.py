"""Replace SciPy's functions by those of this library, in code that calls SciPy."""

from __future__ import annotations

import functools
import inspect
import sys
import threading
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

from leastsq._arguments.curve_fit_options import foreign_option
from leastsq._curve_fit import curve_fit
from leastsq._errors import LeastsqWarning, OptimizeWarning
from leastsq._leastsq import leastsq

STAND_INS: dict[Callable[..., Any], Callable[..., Any]] = {}  # for SciPy's functions
PATCHES: set[Patch] = set()  # the active ones
LOCK = threading.RLock()


class Patch:
    """A context manager that patch_scipy returns, and whose exit undoes the patch."""

    def __enter__(self) -> None:
        """Do nothing: patch_scipy has replaced the functions already."""

    def __exit__(self, *exception: object) -> None:
        """Restore SciPy's functions, unless another patch is still active."""
        with LOCK:
            if self in PATCHES:
                PATCHES.remove(self)
                if not PATCHES:
                    unpatch_scipy()


def patch_scipy() -> Patch:
    """Replace SciPy's leastsq, curve_fit and least_squares by those of this library.

    While SciPy is patched, ``scipy.optimize.leastsq``, ``curve_fit``, ``least_squares`` and
    ``root(method='lm')`` are the functions of this library: in all modules that look them up, and
    in modules that imported them by name before, such as lmfit and astropy. References in other
    places, such as attributes of classes or default arguments, are not replaced. SciPy's own
    functions are used for sparse Jacobians, and with ``tr_solver='lsmr'`` or ``jac_sparsity``.
    `OptimizeWarning` becomes a subclass of SciPy's.

    Returns
    -------
    Patch
        A context manager. Its exit restores SciPy's functions, unless another call of patch_scipy
        is still active, for example in another thread.

    Raises
    ------
    ImportError
        SciPy is not installed.

    See Also
    --------
    unpatch_scipy : restore SciPy's functions.

    Notes
    -----
    ``python -m leastsq --patch-scipy script.py`` runs a script with SciPy patched.

    Examples
    --------
    >>> import leastsq
    >>> with leastsq.patch_scipy():
    ...     from scipy.optimize import curve_fit
    ...     popt, pcov = curve_fit(lambda x, a: a*x, [1, 2, 3], [2.1, 3.9, 6])
    >>> round(popt[0], 2)
    np.float64(1.99)
    """
    try:
        from scipy import optimize
    except ImportError as error:
        raise ImportError("patch_scipy needs SciPy, and SciPy is not installed") from error
    with LOCK:
        patch = Patch()
        PATCHES.add(patch)
        if STAND_INS:
            return patch
        try:
            STAND_INS[optimize.leastsq] = copy_of(leastsq, optimize.leastsq)
            STAND_INS[optimize.curve_fit] = with_fallback(curve_fit, optimize.curve_fit)
            STAND_INS[optimize.least_squares] = dense_or(optimize.least_squares)
            rebind(STAND_INS)
            OptimizeWarning.__bases__ = (LeastsqWarning, optimize.OptimizeWarning)
        except BaseException:
            unpatch_scipy()
            raise
        return patch


def unpatch_scipy() -> None:
    """Restore SciPy's functions in all modules.

    This includes modules that were imported after `patch_scipy`. One call is enough, even if
    `patch_scipy` was called several times. Nothing happens if SciPy is not patched.
    """
    with LOCK:
        rebind({stand_in: original for original, stand_in in STAND_INS.items()})
        STAND_INS.clear()
        PATCHES.clear()
        OptimizeWarning.__bases__ = (LeastsqWarning,)


def rebind(replacements: dict[Callable[..., Any], Callable[..., Any]]) -> None:
    """Replace functions in all modules, under any name, without loading lazy modules."""
    by_identity = {id(old): new for old, new in replacements.items()}
    for module in list(sys.modules.values()):
        if not isinstance(module, ModuleType):
            continue
        namespace = object.__getattribute__(module, "__dict__")
        for name, value in list(namespace.items()):
            if id(value) in by_identity:
                namespace[name] = by_identity[id(value)]


def copy_of(function: Any, original: Any) -> Any:
    """Copy our function, to recognise the places where it replaces SciPy's."""
    copy = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return in_the_place_of(original, functools.update_wrapper(copy, function))


def with_fallback(function: Any, original: Any) -> Any:
    """Make a function that calls SciPy for options that this library does not have."""
    named = inspect.signature(function).parameters

    @functools.wraps(function)
    def stand_in(*args: Any, **kwargs: Any) -> Any:
        options = {name: value for name, value in kwargs.items() if name not in named}
        chosen = function if foreign_option(options) is None else original
        return chosen(*args, **kwargs)

    return in_the_place_of(original, stand_in)


def dense_or(original: Any) -> Any:
    """Make a function that calls SciPy's least_squares for what needs sparse solvers."""
    from scipy.optimize import OptimizeResult

    from leastsq._least_squares import least_squares
    from leastsq._models.jacobian import SparseJacobianError

    @functools.wraps(least_squares)
    def stand_in(*args: Any, **kwargs: Any) -> Any:
        given = inspect.signature(least_squares).bind(*args, **kwargs).arguments
        if given.get("tr_solver") == "lsmr" or given.get("jac_sparsity") is not None:
            return original(*args, **kwargs)
        try:
            return OptimizeResult(least_squares(*args, **kwargs))
        except SparseJacobianError:
            return original(*args, **kwargs)

    return in_the_place_of(original, stand_in)


def in_the_place_of(original: Any, stand_in: Any) -> Any:
    """Give a function the module of the original, so that it can be pickled by name."""
    stand_in.__module__ = original.__module__
    return stand_in
