"""The exponential curve's residuals and Jacobian, for Python and as Numba compiles them."""

import numpy as np
from numba import njit


def curve(p, x, y):
    return p[0] * np.exp(-p[1] * x) + p[2] - y


def curve_jacobian(p, x, y):
    decay = np.exp(-p[1] * x)
    return np.column_stack((decay, -p[0] * x * decay, np.ones_like(x)))


njit_curve = njit(curve)
njit_jacobian = njit(curve_jacobian)


def curve_transpose(p, x, y):
    return curve_jacobian(p, x, y).T.copy()


@njit
def njit_transpose(p, x, y):
    return njit_jacobian(p, x, y).T.copy()
