"""Nonlinear least squares: SciPy's leastsq, curve_fit and least_squares as a fast library."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from leastsq._check_derivative import check_derivative
from leastsq._curve_fit import curve_fit
from leastsq._errors import FitError, OptimizeWarning
from leastsq._functions.native import NativeFunction, StoppedError
from leastsq._leastsq import leastsq
from leastsq._parts.parts import Parts
from leastsq._patch import patch_scipy, unpatch_scipy

if TYPE_CHECKING:
    from leastsq._confidence_band import confidence_band
    from leastsq._curve_fit_many import curve_fit_many
    from leastsq._fit.many_fits import ManyFits
    from leastsq._least_squares import least_squares
    from leastsq._optimize_result import OptimizeResult

__all__ = [
    "FitError",
    "ManyFits",
    "NativeFunction",
    "OptimizeResult",
    "OptimizeWarning",
    "Parts",
    "StoppedError",
    "check_derivative",
    "confidence_band",
    "curve_fit",
    "curve_fit_many",
    "least_squares",
    "leastsq",
    "patch_scipy",
    "unpatch_scipy",
]
__version__ = "0.1.0"
LATER = {
    "ManyFits": "leastsq._fit.many_fits",
    "OptimizeResult": "leastsq._optimize_result",
    "confidence_band": "leastsq._confidence_band",
    "curve_fit_many": "leastsq._curve_fit_many",
    "least_squares": "leastsq._least_squares",
}


MODULES = ("astropy", "xarray")


def __getattr__(name: str) -> Any:
    """Import the larger part of the library when it is used."""
    if name in MODULES:
        try:
            return import_module(f"{__name__}.{name}")
        except ImportError as error:
            raise AttributeError(str(error)) from error
    if name not in LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(LATER[name]), name)
    return value


def __dir__() -> list[str]:
    """List the public names, also those that are imported later."""
    special = (name for name in globals() if name.startswith("__"))
    return sorted({*special, *__all__, *MODULES})
