"""Least squares within bounds: Moré, Garbow and Hillstrom's with Gay's bounds, and random ones.

Bounds: D. M. Gay, "A trust-region approach to linearly constrained optimization", in Numerical
Analysis, D. F. Griffiths (ed.), Lecture Notes in Mathematics 1066 (1984), pp. 72-105. The sums of
squares that are known are from A. Neumaier's collection, https://arnold-neumaier.at/glopt/bounds.html.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from problems import mgh


class Problem(NamedTuple):
    """A problem within bounds, with its least sum of squares where that is known."""

    name: str
    residuals: Callable
    jacobian: Callable
    start: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    least: float | None = None


def off_the_axis(function, x):
    """The derivatives to machine precision, from a step off the real axis."""
    step = 1e-30
    shifted = np.asarray(x) + 1j * step * np.eye(len(x))
    return np.column_stack([function(row).imag / step for row in shifted])


def powell_badly_scaled(x):
    return np.array([1e4 * x[0] * x[1] - 1, np.exp(-x[0]) + np.exp(-x[1]) - 1.0001])


def brown_badly_scaled(x):
    return np.array([x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2])


def beale(x):
    return np.array([1.5, 2.25, 2.625]) - x[0] * (1 - x[1] ** mgh.count(3))


def gaussian(x):
    half = np.array([0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521])
    y = np.concatenate([half, [0.3989], half[::-1]])
    t = (8 - mgh.count(15)) / 2
    return x[0] * np.exp(-x[1] * (t - x[2]) ** 2 / 2) - y


def gulf(x):
    t = mgh.count(3) / 100
    y = 25 + np.cbrt(-50 * np.log(t)) ** 2
    return np.exp(-((y - x[1]) ** x[2]) / x[0]) - t


def wood(x):
    a, b, c, d = x
    p, q = np.sqrt([90, 10])
    return np.array([10 * (b - a**2), 1 - a, p * (d - c**2), 1 - c, q * (b + d - 2), (b - d) / q])


def biggs(x):
    t = mgh.count(13) / 10
    y = np.exp(-t) - 5 * np.exp(-10 * t) + 3 * np.exp(-4 * t)
    return x[2] * np.exp(-t * x[0]) - x[3] * np.exp(-t * x[1]) + x[5] * np.exp(-t * x[4]) - y


def brown_almost_linear_bounds(n):
    lower, upper = np.zeros(n), np.full(n, 100.0)
    lower[1::10], upper[2::10] = 1, 0.9
    return lower, upper


def first(value, others, n):
    """The bounds of n parameters of which the first is another's."""
    return np.append(value, np.full(n - 1, others))


# The start, the bounds, the least sum of squares.
OTHERS = {
    powell_badly_scaled: ([0, 1], [0, 1], [1, 9], 0.15125900e-9),
    brown_badly_scaled: ([1, 1], [0, 0.00003], [1e6, 100], 0.784e3),
    beale: ([1, 1], [0.6, 0.5], [10, 100], 0),
    gaussian: ([0.4, 1, 0], [0.398, 1, -0.5], [4.2, 2, 0.1], 0.112793e-7),
    gulf: ([5, 2.5, 0.15], [1e-16, 0, 0], [10, 10, 10], 0.58281431e-4),
    wood: ([-3, -1, -3, -1], [-100] * 4, [0, 10, 100, 100], 0.15567008e1),
    biggs: ([1, 2, 1, 1, 1, 1], [0, 0, 0, 1, 0, 0], [2, 8, 1, 7, 5, 5], 0.53209865e-3),
}

OSBORNE_2_UPPER = [150, 100, 100, 100, 100, 500, 500, 500, 100, 10, 0]

# Of problems in mgh.py: m, the bounds, the least sum of squares.
BOUNDED = [
    ("helical valley", 3, [-100, -1, -1], [0.8, 1, 1], 0.99042212),
    ("Box 3-D", 3, [0, 5, 0], [2, 9.5, 20], 0.30998153e-5),
    ("Brown-Dennis", 20, [-10, 0, -100, -20], [100, 15, 0, 0.2], 0.88860479e5),
    ("Rosenbrock", 2, [-50, 0], [0.5, 100], 0.25),
    ("Freudenstein-Roth", 2, [0, -30], [20, -0.9], None),
    ("Jennrich-Sampson", 10, [0.26, 0], [10, 20], None),
    ("Bard", 15, [0.1, 0, 0], [50, 100, 50], None),
    ("Meyer", 16, [0.006, 0, 0], [2, 3e5, 3e4], None),
    ("Box 3-D", 10, [0, 5, 0], [2, 9.5, 20], None),
    ("Powell singular", 4, [0.1, -20, -1, -1], [100, 20, 1, 50], None),
    ("Kowalik-Osborne", 11, [0, -1, 0.13, 0.12], [10, 12, 13, 12], None),
    ("Osborne 1", 33, [0, 0, -50, 0, 0], [50, 1.9, -0.1, 10, 10], None),
    ("Osborne 2", 65, [1, 0.5, 0, 0.6] + 7 * [0], OSBORNE_2_UPPER, None),
    ("Watson", 31, [-0.015] + 5 * [-10], [10, 100, 100, 100, 100, 0.99], None),
    ("Watson", 31, [-1e-5, 0, 0, 0, 0, -3, 0, -3, 0], [1e-5, 0.9, 0.1, 1, 1, 0, 4, 0, 2], None),
    ("Brown almost-linear", 10, [0, 1] + 8 * [0], [100, 100, 0.9] + 7 * [100], None),
    ("Brown almost-linear", 30, 3 * ([0, 1] + 8 * [0]), 3 * ([100, 100, 0.9] + 7 * [100]), None),
    ("linear full rank", 50, [-0.5] + 29 * [-2], 30 * [100], 20.25),
    ("linear rank 1", 50, [-0.9] + 29 * [-2], 30 * [100], None),
    ("linear rank 1 zero cols/rows", 50, [0, -0.4, 0.3] + 27 * [0], 30 * [100], None),
    ("Chebyquad", 8, [0, 0, 0.1] + 5 * [0], [0.04, 0.2, 0.3] + 5 * [1], None),
]


def famous_problems():
    """All of the above, each started from where its bounds let it."""
    for function, (start, lower, upper, least) in OTHERS.items():
        limits = np.array(lower, float), np.array(upper, float)
        jacobian = partial(off_the_axis, function)
        name = function.__name__.replace("_", " ")
        yield Problem(name, function, jacobian, np.array(start, float), *limits, least)
    for name, m, lower, upper, least in BOUNDED:
        limits = np.array(lower, float), np.array(upper, float)
        standard_start, function = mgh.PROBLEMS[name]
        functions = partial(mgh.residuals, function, m), partial(mgh.jacobian, function, m)
        start = np.clip(standard_start(len(lower)), *limits)
        yield Problem(f"{name} {m}x{len(lower)}", *functions, start, *limits, least)


FAMOUS = list(famous_problems())

# What a row of a random problem makes of z, a linear function of the parameters; and the slope.
SHAPES = {
    "linear": (lambda z: z, np.ones_like),
    "bent": (lambda z: z + 0.5 * np.sin(z), lambda z: 1 + 0.5 * np.cos(z)),
    "exponential": (lambda z: np.exp(0.5 * z) - 1, lambda z: 0.5 * np.exp(0.5 * z)),
}
# How far below and above what is best without bounds the bounds lie, in widths.
ROOMS = {
    "inactive": (9, 9),
    "half open": (np.inf, 1),
    "touching": (0, 1),
    "active below": (-1, 2),
    "active above": (2, -1),
    "fixed": (-0.5, 0.5),
}


def random_problem(seed):
    """A problem of 1 to 30 parameters of sizes from 1e-6 to 1e6, in bounds of every kind."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 31))
    m = n + int(rng.integers(0, 2 * n + 1))
    shape = list(SHAPES)[seed % len(SHAPES)]
    value, slope = SHAPES[shape]
    sizes = 10 ** rng.uniform(-6, 6, n)
    matrix = rng.standard_normal((m, n)) / np.sqrt(n) / sizes
    best = sizes * rng.standard_normal(n)
    noise = rng.choice([0, 0.01, 1]) * rng.standard_normal(m)
    in_a_corner = rng.random() < 0.2
    kinds = ["active below", "active above"] if in_a_corner else list(ROOMS)
    below, above = np.transpose([ROOMS[kind] for kind in rng.choice(kinds, n)])
    width = sizes * rng.uniform(0.1, 1, n)
    lower, upper = best - below * width, best + above * width
    is_fixed = (below == -0.5) & (above == 0.5)
    upper[is_fixed] = lower[is_fixed]
    upper[0] += width[0] * is_fixed.all()
    return Problem(
        f"{shape} {m}x{n}, seed {seed}",
        lambda x: value(matrix @ (x - best)) + noise,
        lambda x: slope(matrix @ (x - best))[:, None] * matrix,
        start_within(rng, lower, upper, width),
        lower,
        upper,
    )


def start_within(rng, lower, upper, width):
    """A random feasible point, here and there on a bound."""
    low = np.where(np.isfinite(lower), lower, upper - 5 * width)
    share = np.clip(rng.uniform(-0.2, 1.2, lower.size), 0, 1)
    return np.clip(low + share * (upper - low), lower, upper)
