"""Nonlinear least squares: ``scipy.optimize.leastsq`` as a small and fast library."""

from leastsq._check_derivative import check_derivative
from leastsq._curve_fit import curve_fit
from leastsq._errors import FitError, OptimizeWarning
from leastsq._functions.native import NativeFunction, StoppedError
from leastsq._leastsq import leastsq
from leastsq._patch import patch_scipy, unpatch_scipy

__all__ = [
    "FitError",
    "NativeFunction",
    "OptimizeWarning",
    "StoppedError",
    "check_derivative",
    "curve_fit",
    "leastsq",
    "patch_scipy",
    "unpatch_scipy",
]
__version__ = "0.1.0"
