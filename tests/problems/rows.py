"""Models whose rows may be in parts, random fits of them, and data of many rows."""

import numba
import numpy as np


def decay(t, a, b, c):
    return a * np.exp(-b * t) + c


def decay_jac(t, a, b, c):
    e = np.exp(-b * t)
    return np.column_stack([e, -a * t * e, np.ones_like(t)])


def peak(t, a, m, s, c):
    return a * np.exp(-(((t - m) / s) ** 2) / 2) + c


def peak_jac(t, a, m, s, c):
    z = (t - m) / s
    e = np.exp(-(z**2) / 2)
    return np.column_stack([e, a * e * z / s, a * e * z**2 / s, np.ones_like(t)])


def line(t, a, b):
    return a + b * t


def line_jac(t, a, b):
    return np.column_stack([np.ones_like(t), t])


MODELS = [
    (decay, decay_jac, (2.5, 1.3, 0.5)),
    (peak, peak_jac, (3.0, 2.2, 0.7, 0.2)),
    (line, line_jac, (1.0, -0.4)),
]


def problem(seed):
    """A random fit: model, derivative, data, start, and options."""
    rng = np.random.default_rng(seed)
    f, jac, true = MODELS[rng.integers(len(MODELS))]
    m = int(rng.integers(12, 900))
    t = np.sort(rng.uniform(0, 5, m))
    y = f(t, *true) + 0.1 * rng.standard_normal(m)
    p0 = np.array(true) * rng.uniform(0.7, 1.4, len(true))
    options = {}
    if rng.random() < 0.5:
        options["sigma"] = rng.uniform(0.05, 0.2, m)
        options["absolute_sigma"] = bool(rng.random() < 0.5)
    if rng.random() < 0.4:
        options["bounds"] = np.array(true) - rng.uniform(0.01, 1, len(true)), np.inf
        p0 = np.maximum(p0, options["bounds"][0])
    if rng.random() < 0.4:
        options["loss"] = str(rng.choice(["soft_l1", "huber", "cauchy"]))
        options["f_scale"] = float(rng.uniform(0.5, 2))
        y[rng.random(m) < 0.1] += 3
    chunks = int(rng.choice([1, 2, 3, 5, 50, m // 2, m - 1, m, 10 * m]))
    return f, jac, t, y, p0, options, chunks


def far(popt, pcov, other):
    """How far two results are apart, in standard errors; also compare the errors."""
    error = np.sqrt(np.diag(pcov))
    is_free = error > 0
    apart = np.abs(popt - other[0])[is_free] / error[is_free]
    scale = np.sqrt(np.outer(error, error))[np.ix_(is_free, is_free)]
    errors = np.abs(pcov - other[1])[np.ix_(is_free, is_free)] / scale
    return apart.max(initial=0), errors.max(initial=0)


M = 2**17 + 5000
LARGE = np.linspace(0, 5, M)

njit_decay = numba.njit(nogil=True)(decay)


@numba.njit(nogil=True)
def njit_jac(t, a, b, c):
    found = np.empty((t.size, 3))
    found[:, 0] = np.exp(-b * t)
    found[:, 1] = -a * t * found[:, 0]
    found[:, 2] = 1
    return found
