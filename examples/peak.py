"""Residuals and Jacobian in C
===========================

A peak on a sloping background. The residuals and the Jacobian are functions in ``peak.c``. The
script compiles them with ``cc``, and the solver calls them at their addresses.
"""

import ctypes
import subprocess
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
from report import EXAMPLES, picture, table

from leastsq import NativeFunction, leastsq

TITLE = "Gaussian peak on a sloping background, 500 points"
NAMES = ["height", "center", "width", "base", "slope"]
TRUTH = [3, 4.2, 0.6, 1, 0.15]
START = [1, 5, 1, 0, 0]


class Data(ctypes.Structure):
    """What the C functions get: where the data lie."""

    _fields_ = (("x", ctypes.c_void_p), ("y", ctypes.c_void_p))


def model(x, height, center, width, base, slope):
    """The peak, for the picture."""
    return height * np.exp(-((x - center) ** 2) / (2 * width**2)) + base + slope * x


def compiled(source):
    """Compile C functions and load them."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "functions.so"
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", source, "-o", library, "-lm"], check=True)
        return ctypes.CDLL(library)


def main():
    """Make noisy data, fit them, and show the fit."""
    x = np.linspace(0, 10, 500)
    y = model(x, *TRUTH) + 0.2 * np.random.default_rng(8).standard_normal(x.size)
    functions = compiled(EXAMPLES / "peak.c")

    data = Data(x.ctypes.data, y.ctypes.data)
    residual = NativeFunction(functions.residual, x.size, data=data)
    jacobian = NativeFunction(functions.jacobian, x.size, data=data)

    began = perf_counter()
    result = leastsq(residual, START, Dfun=jacobian, full_output=True)
    seconds = perf_counter() - began

    table(TITLE, NAMES, result, seconds, {"truth": TRUTH})
    picture("peak", TITLE, x, y, model, result[0], TRUTH)


if __name__ == "__main__":
    main()
