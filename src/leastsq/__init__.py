"""Nonlinear least squares: ``scipy.optimize.leastsq`` as a small, fast library of its own."""

from leastsq._leastsq import leastsq
from leastsq._native import NativeFunction, StoppedError

__all__ = ["NativeFunction", "StoppedError", "leastsq"]
__version__ = "0.1.0"
