"""A sine wave
===========

A sine wave of unknown amplitude, frequency and phase, fitted to 100 noisy points. The sum of
squares has many minima.
"""

from time import perf_counter

import numpy as np
from report import picture, table

from leastsq import leastsq

TITLE = "Sine a*sin(b*x + c), 100 points"
NAMES = ["a", "b", "c"]
TRUTH = [2, 1.5, 0.5]
START = [1, 1, 0]


def model(x, a, b, c):
    """A sine wave."""
    return a * np.sin(b * x + c)


def residuals(p, x, y):
    """Compute the differences between the model and the data."""
    return model(x, *p) - y


def main():
    """Make noisy data, fit them, and show the fit."""
    x = np.linspace(0, 2 * np.pi, 100)
    y = model(x, *TRUTH) + 0.2 * np.random.default_rng(3).standard_normal(x.size)

    began = perf_counter()
    # The sum of squares has many minima: a short first step keeps to the nearest one.
    result = leastsq(residuals, START, args=(x, y), full_output=True, factor=0.1)
    seconds = perf_counter() - began

    table(TITLE, NAMES, result, seconds, {"truth": TRUTH})
    picture("sine", TITLE, x, y, model, result[0], TRUTH)


if __name__ == "__main__":
    main()
