"""A parabola
==========

The model is linear in its parameters, so the solver finds them in one step.
"""

from time import perf_counter

import numpy as np
from report import picture, table

from leastsq import leastsq

TITLE = "Parabola a*x^2 + b*x + c, 100 points"
NAMES = ["a", "b", "c"]
TRUTH = [2, -3, 5]
START = [1, -1, 1]


def model(x, a, b, c):
    """A parabola."""
    return a * x**2 + b * x + c


def residuals(p, x, y):
    """Compute the differences between the model and the data."""
    return model(x, *p) - y


def main():
    """Make noisy data, fit them, and show the fit."""
    x = np.linspace(-5, 5, 100)
    y = model(x, *TRUTH) + 2.0 * np.random.default_rng(1).standard_normal(x.size)

    began = perf_counter()
    result = leastsq(residuals, START, args=(x, y), full_output=True)
    seconds = perf_counter() - began

    table(TITLE, NAMES, result, seconds, {"truth": TRUTH})
    picture("polynomial", TITLE, x, y, model, result[0], TRUTH)


if __name__ == "__main__":
    main()
