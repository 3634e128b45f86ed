"""Rate equations inside the residual
==================================

Two molecules of A form one molecule of B, and B decays: A' = -2 k1 A**2, B' = k1 A**2 - k2 B. B
is measured at 60 times. The residual function integrates the equations at every call. NumPy
cannot vectorize the loop over time steps. With Numba, the whole fit runs in compiled code.
"""

from time import perf_counter

import numba
import numpy as np
from report import picture, table

from leastsq import leastsq

TITLE = "2 A -> B -> products, 60 points"
NAMES = ["k1", "k2", "A(0)"]
TRUTH = [1.2, 0.4, 2.0]
START = [0.5, 1.0, 1.0]
STEPS = 50


@numba.njit
def rates(k1, k2, a, b):
    """How fast A and B change."""
    made = k1 * a * a
    return -2 * made, made - k2 * b


@numba.njit
def model(t, k1, k2, a):
    """B at the times t, from a of A, by Runge and Kutta's method."""
    found = np.empty(t.size)
    b, before = 0.0, 0.0
    for i in range(t.size):
        h = (t[i] - before) / STEPS
        before = t[i]
        for _ in range(STEPS):
            a1, b1 = rates(k1, k2, a, b)
            a2, b2 = rates(k1, k2, a + h / 2 * a1, b + h / 2 * b1)
            a3, b3 = rates(k1, k2, a + h / 2 * a2, b + h / 2 * b2)
            a4, b4 = rates(k1, k2, a + h * a3, b + h * b3)
            a += h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
            b += h / 6 * (b1 + 2 * b2 + 2 * b3 + b4)
        found[i] = b
    return found


@numba.njit
def residuals(p, t, y):
    """Compute the differences between the model and the data."""
    return model(t, p[0], p[1], p[2]) - y


def main():
    """Make noisy data, fit them in compiled code and in Python, and show the fit."""
    t = np.linspace(0.1, 8, 60)
    y = model(t, *TRUTH) + 0.01 * np.random.default_rng(5).standard_normal(t.size)

    leastsq(residuals, START, args=(t, y))  # compiles
    began = perf_counter()
    result = leastsq(residuals, START, args=(t, y), full_output=True)
    seconds = perf_counter() - began

    began = perf_counter()
    model.py_func(t, *result[0])
    in_python = result[2]["nfev"] * (perf_counter() - began)

    table(TITLE, NAMES, result, seconds, {"truth": TRUTH})
    print(f"  as many evaluations by Python's loop: {in_python * 1e3:.0f} ms\n")
    picture("kinetics", TITLE, t, y, model, result[0], TRUTH)


if __name__ == "__main__":
    main()
