"""An exponential decay
====================

An exponential decay to a constant, fitted to 50 noisy points. Many tutorials begin with this fit.
"""

from time import perf_counter

import numpy as np
from report import picture, table

from leastsq import leastsq

TITLE = "Exponential decay a*exp(-b*x) + c, 50 points"
NAMES = ["a", "b", "c"]
TRUTH = [2, 1.5, 0.5]
START = [1, 1, 1]


def model(x, a, b, c):
    """A decay onto c."""
    return a * np.exp(-b * x) + c


def residuals(p, x, y):
    """Compute the differences between the model and the data."""
    return model(x, *p) - y


def main():
    """Make noisy data, fit them, and show the fit."""
    x = np.linspace(0, 5, 50)
    y = model(x, *TRUTH) + 0.05 * np.random.default_rng(2).standard_normal(x.size)

    began = perf_counter()
    result = leastsq(residuals, START, args=(x, y), full_output=True)
    seconds = perf_counter() - began

    table(TITLE, NAMES, result, seconds, {"truth": TRUTH})
    picture("exponential", TITLE, x, y, model, result[0], TRUTH)


if __name__ == "__main__":
    main()
