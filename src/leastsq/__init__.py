"""Nonlinear least squares: ``scipy.optimize.leastsq`` as a small, fast library of its own."""

from leastsq._leastsq import leastsq

__all__ = ["leastsq"]
__version__ = "0.1.0"
