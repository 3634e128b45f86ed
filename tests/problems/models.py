"""Models for curve_fit, and errors of 50 points in every form."""

import numpy as np


def exponential(x, a, b, c):
    return a * np.exp(-b * x) + c


def derivatives(x, a, b, c):
    e = np.exp(-b * x)
    return np.stack([e, -a * x * e, np.ones_like(x)], axis=-1)


def line(x, a, b):
    return a * x + b


def correlated(m):
    """The covariance of errors that are related to those of their neighbours."""
    apart = np.abs(np.subtract.outer(np.arange(m), np.arange(m)))
    return 0.02**2 * (-0.6) ** apart


SIGMAS = {
    "none": None,
    "scalar": 0.02,
    "array of one": np.array([0.02]),
    "each": np.linspace(0.01, 0.03, 50),
    "list": list(np.linspace(0.01, 0.03, 50)),
    "covariance": correlated(50),
}
