"""Models that forget their parameters on a bound, with data and random starts within the bounds."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

INF = np.inf


class Trap(NamedTuple):
    """A model, its data, its bounds, and where fits start: uniform, or log-uniform if far apart."""

    model: Callable
    x: np.ndarray
    y: np.ndarray
    lower: list
    upper: list
    low: list
    high: list

    def starts(self, count):
        """Random starting points."""
        rng = np.random.default_rng(11)
        low, high = np.array(self.low, float), np.array(self.high, float)
        is_wide = (low > 0) & (high > 50 * low)
        with np.errstate(invalid="ignore", divide="ignore"):
            for share in rng.random((count, low.size)):
                yield np.where(is_wide, low * (high / low) ** share, low + (high - low) * share)


def noisy(model, x, *true, noise=0.05, seed=5):
    return model(x, *true) + noise * np.random.default_rng(seed).standard_normal(x.size)


def morse(r, depth, width, r0, base):
    return depth * (np.exp(-2 * width * (r - r0)) - 2 * np.exp(-width * (r - r0))) + base


def damped(t, a, frequency, phase, rate, level):
    return a * np.exp(-rate * t) * np.cos(2 * np.pi * frequency * t + phase) + level


def decay(t, amplitude, tau, level):
    return amplitude * np.exp(-t / tau) + level


def langmuir(p, capacity, affinity):
    return capacity * affinity * p / (1 + affinity * p)


def logistic(t, top, ratio, rate):
    return top / (1 + ratio * np.exp(-rate * t))


def peaks(x, a, m, s, b, n, r, level):
    return a * np.exp(-(((x - m) / s) ** 2) / 2) + b * np.exp(-(((x - n) / r) ** 2) / 2) + level


R = np.linspace(1, 6, 50)
T = np.linspace(0, 10, 120)
X = np.linspace(-5, 5, 80)
PRESSURES = np.array([10.0, 30, 50, 70, 100, 125])
YEARS = np.arange(1.0, 13)
# Weeds, from J. C. Nash, Compact Numerical Methods for Computers, 2nd ed., 1990, problem 12.1.
WEEDS = [5.308, 7.24, 9.638, 12.866, 17.069, 23.192, 31.443, 38.558, 50.156, 62.948, 75.995, 91.972]

TRAPS = {
    "morse": Trap(
        morse,
        R,
        noisy(morse, R, 5, 1.1, 2.2, -1379),
        [0, 0, 0, -INF],
        [INF] * 4,
        [0.5, 0.5, 0.5, -1390],
        [20, 3, 4, -1370],
    ),
    "damped oscillation": Trap(
        damped,
        T,
        noisy(damped, T, 2, 0.8, 0.5, 0.3, 1),
        [0, 0, -np.pi, 0, -10],
        [10, 5, np.pi, 10, 10],
        [0.5, 0.5, -2, 0.01, 0],
        [5, 1.1, 2, 2, 2],
    ),
    "decay": Trap(
        decay,
        T,
        noisy(decay, T, 12, 2.5, 1.5),
        [0, 1e-6, 0],
        [INF] * 3,
        [0.1, 0.1, 0.1],
        [100, 50, 10],
    ),
    "langmuir": Trap(
        langmuir,
        PRESSURES,
        np.array([155.0, 250, 270, 330, 320, 323]),
        [0, 0],
        [INF] * 2,
        [1, 0.001],
        [1000, 5],
    ),
    "weeds": Trap(
        logistic,
        YEARS,
        np.array(WEEDS),
        [0, 0, 0],
        [500, 500, 5],
        [1, 1, 0.01],
        [400, 100, 2],
    ),
    "two peaks": Trap(
        peaks,
        X,
        noisy(peaks, X, 2, -1, 0.6, 1.2, 1.3, 0.9, 0.2),
        [0, -5, 0.01, 0, -5, 0.01, 0],
        [10, 5, 5, 10, 5, 5, 5],
        [0.2, -3, 0.2, 0.2, -1, 0.2, 0.05],
        [5, 1, 3, 5, 4, 3, 1],
    ),
}
