"""Nonlinear least squares: ``scipy.optimize.leastsq`` as a small and fast library."""

from leastsq._check_derivative import check_derivative
from leastsq._curve_fit import curve_fit
from leastsq._curve_fit_many import curve_fit_many
from leastsq._errors import FitError, OptimizeWarning
from leastsq._fit.many_fits import ManyFits
from leastsq._functions.native import NativeFunction, StoppedError
from leastsq._leastsq import leastsq
from leastsq._patch import patch_scipy, unpatch_scipy

__all__ = [
    "FitError",
    "ManyFits",
    "NativeFunction",
    "OptimizeWarning",
    "StoppedError",
    "check_derivative",
    "curve_fit",
    "curve_fit_many",
    "leastsq",
    "patch_scipy",
    "unpatch_scipy",
]
__version__ = "0.1.0"
