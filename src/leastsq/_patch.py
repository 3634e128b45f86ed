"""Put this library in SciPy's place, for code that calls SciPy's functions."""

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

STAND_INS: dict[Callable[..., Any], Callable[..., Any]] = {}  # by SciPy's functions; while patched
PATCHES: set[Patch] = set()  # that have not been undone
LOCK = threading.RLock()


class Patch:
    """What patch_scipy returns: a context manager whose exit undoes what it did."""

    def __enter__(self) -> None:
        """Do nothing: patch_scipy has done it."""

    def __exit__(self, *exception: object) -> None:
        """Give SciPy its functions back, unless another patch still stands."""
        with LOCK:
            if self in PATCHES:
                PATCHES.remove(self)
                if not PATCHES:
                    unpatch_scipy()


def patch_scipy() -> Patch:
    """Put leastsq and curve_fit in the place of SciPy's.

    From then on ``scipy.optimize.leastsq``, ``curve_fit`` and ``root(method='lm')`` are this
    library's: for all modules that look them up, and for those that imported them by name, lmfit
    and astropy among them. What was kept elsewhere, as an attribute of a class or a default of an
    argument, is not found. ``curve_fit`` hands options that this library does not have (``loss``,
    ``tr_solver`` and others of SciPy's ``least_squares``) to SciPy's. `OptimizeWarning` becomes a
    subclass of SciPy's.

    Returns
    -------
    Patch
        A context manager whose exit undoes this, unless SciPy is patched otherwise: by a call
        before, or in another thread.

    Raises
    ------
    ImportError
        SciPy is not installed.

    See Also
    --------
    unpatch_scipy : undo this.

    Notes
    -----
    ``python -m leastsq --patch-scipy script.py`` runs a script so.

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
            rebind(STAND_INS)
            OptimizeWarning.__bases__ = (LeastsqWarning, optimize.OptimizeWarning)
        except BaseException:
            unpatch_scipy()
            raise
        return patch


def unpatch_scipy() -> None:
    """Give SciPy its functions back, wherever they are known by name.

    Also in modules that were imported since `patch_scipy`, and however often that was called.
    Nothing happens if SciPy is not patched.
    """
    with LOCK:
        rebind({stand_in: original for original, stand_in in STAND_INS.items()})
        STAND_INS.clear()
        PATCHES.clear()
        OptimizeWarning.__bases__ = (LeastsqWarning,)


def rebind(replacements: dict[Callable[..., Any], Callable[..., Any]]) -> None:
    """Replace functions in all modules, under whatever name; lazy modules stay unloaded."""
    by_identity = {id(old): new for old, new in replacements.items()}
    for module in list(sys.modules.values()):
        if not isinstance(module, ModuleType):
            continue
        namespace = object.__getattribute__(module, "__dict__")
        for name, value in list(namespace.items()):
            if id(value) in by_identity:
                namespace[name] = by_identity[id(value)]


def copy_of(function: Any, original: Any) -> Any:
    """Make a function that can be told from ours, to know what to give back to SciPy."""
    copy = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return in_the_place_of(original, functools.update_wrapper(copy, function))


def with_fallback(function: Any, original: Any) -> Any:
    """Make a function that leaves to SciPy what this library does not do."""
    named = inspect.signature(function).parameters

    @functools.wraps(function)
    def stand_in(*args: Any, **kwargs: Any) -> Any:
        options = {name: value for name, value in kwargs.items() if name not in named}
        chosen = function if foreign_option(options) is None else original
        return chosen(*args, **kwargs)

    return in_the_place_of(original, stand_in)


def in_the_place_of(original: Any, stand_in: Any) -> Any:
    """Let a function be pickled by the name under which it is found."""
    stand_in.__module__ = original.__module__
    return stand_in
