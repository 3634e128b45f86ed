"""Nonlinear least squares: ``scipy.optimize.leastsq`` as a small and fast library."""

from typing import TYPE_CHECKING, Any

from leastsq._check_derivative import check_derivative
from leastsq._curve_fit import curve_fit
from leastsq._errors import FitError, OptimizeWarning
from leastsq._functions.native import NativeFunction, StoppedError
from leastsq._least_squares import least_squares
from leastsq._leastsq import leastsq
from leastsq._optimize_result import OptimizeResult
from leastsq._patch import patch_scipy, unpatch_scipy

if TYPE_CHECKING:
    from leastsq._curve_fit_many import curve_fit_many
    from leastsq._fit.many_fits import ManyFits

__all__ = [
    "FitError",
    "ManyFits",
    "NativeFunction",
    "OptimizeResult",
    "OptimizeWarning",
    "StoppedError",
    "check_derivative",
    "curve_fit",
    "curve_fit_many",
    "least_squares",
    "leastsq",
    "patch_scipy",
    "unpatch_scipy",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import the modules for many fits when they are used; they are half of the library."""
    if name not in ("curve_fit_many", "ManyFits"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from leastsq import _curve_fit_many

    value = globals()[name] = getattr(_curve_fit_many, name)
    return value


def __dir__() -> list[str]:
    """List the names that are imported later, too."""
    return sorted({*globals(), *__all__})
