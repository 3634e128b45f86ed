"""The 18 least-squares problems of MINPACK's test set, in the 53 cases of its test driver.

Formulas and data: J. J. Moré, B. S. Garbow, K. E. Hillstrom, "Testing unconstrained optimization
software", ACM Transactions on Mathematical Software 7 (1981), pp. 17-41. What MINPACK's own
drivers reached in each case is in mgh.csv.
"""

import csv
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np


class Reference(NamedTuple):
    """How a driver of MINPACK ended; nfev leaves out the calls that a Jacobian took."""

    nfev: int
    njev: int
    info: int
    fnorm: float


class Case(NamedTuple):
    """A problem of one size from one start, with the references by driver: lmder, lmdif."""

    name: str
    n: int
    m: int
    factor: int
    start: np.ndarray
    residuals: Callable
    jacobian: Callable
    reference: dict


def count(m):
    """1, 2, ..., m as floats."""
    return np.arange(1.0, m + 1)


# A problem is a function of x and m: the residuals, and the Jacobian for whoever calls for it.


def linear_full_rank(x, m):
    matrix = np.eye(m, x.size) - 2 / m
    return matrix @ x - 1, lambda: matrix


def linear_rank_1(x, m):
    i, j = count(m), count(x.size)
    return i * (j @ x) - 1, lambda: np.outer(i, j)


def linear_zeros(x, m):
    i, j = count(m) - 1, count(x.size)
    i[-1] = j[0] = j[-1] = 0
    return i * (j @ x) - 1, lambda: np.outer(i, j)


def rosenbrock(x, m):
    f = np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])
    return f, lambda: np.array([[-20 * x[0], 10], [-1, 0]])


def helical_valley(x, m):
    a, b, c = x
    r = np.hypot(a, b)
    turns = np.arctan(b / a) / (2 * np.pi) + 0.5 * (a < 0) if a else np.copysign(0.25, b)
    f = np.array([10 * (c - 10 * turns), 10 * (r - 1), c])
    s, t = 50 / (np.pi * r**2), 10 / r
    return f, lambda: np.array([[s * b, -s * a, 10], [t * a, t * b, 0], [0, 0, 1]])


def powell_singular(x, m):
    a, b, c, d = x
    p, q = np.sqrt([5, 10])
    f = np.array([a + 10 * b, p * (c - d), (b - 2 * c) ** 2, q * (a - d) ** 2])
    s, t = 2 * (b - 2 * c), 2 * q * (a - d)
    return f, lambda: np.array([[1, 10, 0, 0], [0, 0, p, -p], [0, s, -2 * s, 0], [t, 0, 0, -t]])


def freudenstein_roth(x, m):
    a, b = x
    f = np.array([-13 + a + ((5 - b) * b - 2) * b, -29 + a + ((b + 1) * b - 14) * b])
    return f, lambda: np.array([[1, (10 - 3 * b) * b - 2], [1, (3 * b + 2) * b - 14]])


BARD_Y = np.array(
    [0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39]
)


def bard(x, m):
    u = count(m)
    v = 16 - u
    w = np.minimum(u, v)
    below = x[1] * v + x[2] * w
    slope = u / below**2
    f = BARD_Y - (x[0] + u / below)
    return f, lambda: np.column_stack([-np.ones(m), slope * v, slope * w])


KOWALIK_Y = np.array(
    [0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246]
)
KOWALIK_U = np.array([4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625])


def kowalik_osborne(x, m):
    u = KOWALIK_U
    below = u * (u + x[2]) + x[3]
    ratio = u * (u + x[1]) / below
    slope = x[0] / below
    return KOWALIK_Y - x[0] * ratio, lambda: np.column_stack(
        [-ratio, -slope * u, slope * ratio * u, slope * ratio]
    )


MEYER_Y = np.ravel(
    [
        [34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744],
        [8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872],
    ]
)


def meyer(x, m):
    t = 45 + 5 * count(m) + x[2]
    e = np.exp(x[1] / t)
    slope = x[0] * e / t
    return x[0] * e - MEYER_Y, lambda: np.column_stack([e, slope, -slope * x[1] / t])


def watson(x, m):
    powers = np.vander(count(29) / 29, x.size, increasing=True)
    slopes = np.zeros_like(powers)
    slopes[:, 1:] = count(x.size - 1) * powers[:, :-1]
    value = powers @ x
    f = np.append(slopes @ x - value**2 - 1, [x[0], x[1] - x[0] ** 2 - 1])
    last = np.eye(2, x.size)
    last[1, 0] = -2 * x[0]
    return f, lambda: np.vstack([slopes - 2 * value[:, None] * powers, last])


def box(x, m):
    t = count(m) / 10
    a, b, c = np.exp(-t * x[0]), np.exp(-t * x[1]), np.exp(-10 * t) - np.exp(-t)
    return a - b + x[2] * c, lambda: np.column_stack([-t * a, t * b, c])


def jennrich_sampson(x, m):
    i = count(m)[:, None]
    e = np.exp(i * x)
    return 2 + 2 * count(m) - e.sum(axis=1), lambda: -i * e


def brown_dennis(x, m):
    t = count(m) / 5
    a, b = x[0] + t * x[1] - np.exp(t), x[2] + x[3] * np.sin(t) - np.cos(t)
    return a**2 + b**2, lambda: 2 * np.column_stack([a, a * t, b, b * np.sin(t)])


def chebyquad(x, m):
    z = 2 * x - 1
    f = np.polynomial.chebyshev.chebvander(z, m)[:, 1:].mean(axis=0)
    f[1::2] += 1 / (count(m)[1::2] ** 2 - 1)

    def jacobian():
        second_kind = [np.ones_like(z), 2 * z]
        for _ in range(m - 2):
            second_kind.append(2 * z * second_kind[-1] - second_kind[-2])
        return 2 / x.size * count(m)[:, None] * np.array(second_kind)

    return f, jacobian


def brown_almost_linear(x, m):
    f = np.append(x[:-1] + np.sum(x) - (m + 1), np.prod(x) - 1)
    others = [np.prod(np.delete(x, j)) for j in range(m)]
    return f, lambda: np.vstack([np.eye(m - 1, m) + 1, others])


OSBORNE_1_Y = np.ravel(
    [
        [0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751],
        [0.718, 0.685, 0.658, 0.628, 0.603, 0.580, 0.558, 0.538, 0.522, 0.506, 0.490],
        [0.478, 0.467, 0.457, 0.448, 0.438, 0.431, 0.424, 0.420, 0.414, 0.411, 0.406],
    ]
)


def osborne_1(x, m):
    t = 10 * np.arange(m)
    a, b = np.exp(-t * x[3]), np.exp(-t * x[4])
    f = OSBORNE_1_Y - (x[0] + x[1] * a + x[2] * b)
    return f, lambda: np.column_stack([-np.ones(m), -a, -b, x[1] * t * a, x[2] * t * b])


OSBORNE_2_Y = np.ravel(
    [
        [1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608],
        [0.655, 0.616, 0.606, 0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661],
        [0.612, 0.558, 0.533, 0.495, 0.500, 0.423, 0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428],
        [0.429, 0.523, 0.562, 0.607, 0.653, 0.672, 0.708, 0.633, 0.668, 0.645, 0.632, 0.591, 0.559],
        [0.597, 0.625, 0.739, 0.710, 0.729, 0.720, 0.636, 0.581, 0.428, 0.292, 0.162, 0.098, 0.054],
    ]
)


def osborne_2(x, m):
    t = np.arange(m)[:, None] / 10
    away = t - x[8:]
    decay, peaks = np.exp(-t * x[4]), np.exp(-x[5:8] * away**2)
    tall = x[1:4] * peaks
    f = OSBORNE_2_Y - x[0] * decay[:, 0] - tall.sum(axis=1)
    return f, lambda: np.hstack(
        [-decay, -peaks, x[0] * t * decay, tall * away**2, -2 * tall * x[5:8] * away]
    )


def at(*values):
    """A start that does not depend on n."""
    return lambda n: np.array(values)


# The standard starting point for n parameters, and the problem.
PROBLEMS = {
    "linear full rank": (np.ones, linear_full_rank),
    "linear rank 1": (np.ones, linear_rank_1),
    "linear rank 1 zero cols/rows": (np.ones, linear_zeros),
    "Rosenbrock": (at(-1.2, 1.0), rosenbrock),
    "helical valley": (at(-1.0, 0.0, 0.0), helical_valley),
    "Powell singular": (at(3.0, -1.0, 0.0, 1.0), powell_singular),
    "Freudenstein-Roth": (at(0.5, -2.0), freudenstein_roth),
    "Bard": (at(1.0, 1.0, 1.0), bard),
    "Kowalik-Osborne": (at(0.25, 0.39, 0.415, 0.39), kowalik_osborne),
    "Meyer": (at(0.02, 4000.0, 250.0), meyer),
    "Watson": (np.zeros, watson),
    "Box 3-D": (at(0.0, 10.0, 20.0), box),
    "Jennrich-Sampson": (at(0.3, 0.4), jennrich_sampson),
    "Brown-Dennis": (at(25.0, 5.0, -5.0, -1.0), brown_dennis),
    "Chebyquad": (lambda n: count(n) / (n + 1), chebyquad),
    "Brown almost-linear": (lambda n: np.full(n, 0.5), brown_almost_linear),
    "Osborne 1": (at(0.5, 1.5, -1.0, 0.01, 0.02), osborne_1),
    "Osborne 2": (at(1.3, 0.65, 0.65, 0.7, 0.6, 3.0, 5.0, 7.0, 2.0, 4.5, 5.5), osborne_2),
}


def residuals(problem, m, x):
    return problem(np.asarray(x), m)[0]


def jacobian(problem, m, x):
    return problem(np.asarray(x), m)[1]()


def cases():
    """Read mgh.csv: a line there for every case and driver."""
    found = {}
    with (Path(__file__).parent / "mgh.csv").open(newline="") as lines:
        for row in csv.DictReader(lines):
            name, n, m, factor = row["name"], int(row["n"]), int(row["m"]), int(row["factor"])
            if row["case"] not in found:
                standard_start, problem = PROBLEMS[name]
                start = factor * standard_start(n)
                if factor > 1 and not start.any():
                    start += factor
                functions = partial(residuals, problem, m), partial(jacobian, problem, m)
                found[row["case"]] = Case(name, n, m, factor, start, *functions, {})
            counts = (int(row[key]) for key in ("nfev", "njev", "info"))
            found[row["case"]].reference[row["driver"]] = Reference(*counts, float(row["fnorm"]))
    return list(found.values())


CASES = cases()
