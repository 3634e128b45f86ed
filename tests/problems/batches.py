"""Batches of random fits of ten models, and what curve_fit finds for each fit alone."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from leastsq import FitError, curve_fit

T = np.linspace(0.1, 6, 30)
GRID = np.array(np.meshgrid(np.arange(5.0), np.arange(5.0))).reshape(2, -1)


def decay(t, a, b, c):
    return a * np.exp(-b * t) + c


def relaxation(t, a, tau):
    return a * np.exp(-t / tau)


def peak(t, a, center, width, level):
    return a * np.exp(-0.5 * ((t - center) / width) ** 2) + level


def lorentzian(t, a, center, width):
    return a / (1 + ((t - center) / width) ** 2)


def wave(t, a, omega, phase):
    return a * np.sin(omega * t + phase)


def saturation(t, top, half):
    return top * t / (half + t)


def logistic(t, top, rate, middle):
    return top / (1 + np.exp(-rate * (t - middle)))


def power(t, a, k):
    return a * t**k


def line(t, slope, level):
    return slope * t + level


def spot(x, a, x0, y0, width, level):
    return a * np.exp(-((x[0] - x0) ** 2 + (x[1] - y0) ** 2) / (2 * width**2)) + level


TRUTHS: dict[Any, tuple[list[float], list[float]]] = {
    decay: ([2, 0.5, 0.2], [3, 2, 0.8]),
    relaxation: ([1, 0.5], [9, 4]),
    peak: ([2, 2, 0.3, 0], [5, 4, 1, 1]),
    lorentzian: ([2, 2, 0.3], [5, 4, 1]),
    wave: ([1, 0.8, 0], [2, 1.6, 1]),
    saturation: ([1, 0.5], [5, 3]),
    logistic: ([1, 1, 2], [3, 3, 4]),
    power: ([1, -1], [2, 2]),
    line: ([-1, -1], [1, 1]),
    spot: ([8, 1.8, 1.8, 0.9, 0.8], [12, 2.2, 2.2, 1.1, 1.2]),
}
MODELS = list(TRUTHS)


@dataclass
class Batch:
    """Data of many fits, with starts from good to wild, and NaN in some of the data."""

    f: Any
    x: Any
    y: Any
    p0: Any
    sigma: Any
    bounds: Any

    def options(self, weighted, bounded):
        found = {}
        if weighted:
            found["sigma"] = self.sigma
        if bounded:
            found["bounds"] = self.bounds
        return found


def batch(f, fits, seed=1, gaps=True):
    rng = np.random.default_rng([seed, MODELS.index(f)])
    low, high = np.array(TRUTHS[f], float)
    x = GRID if f is spot else T
    truth = rng.uniform(low, high, (fits, low.size))
    clean = np.array([f(x, *p) for p in truth])
    y = clean + 0.02 * np.abs(clean).max() * rng.standard_normal(clean.shape)
    spread = rng.choice([0.05, 0.3, 2.0], (fits, 1))
    p0 = truth + spread * (high - low) * rng.uniform(-1, 1, truth.shape)
    if gaps:
        y[rng.random(y.shape) < 0.02] = np.nan
        y[rng.random(fits) < 0.02] = np.nan
        y[rng.random(fits) < 0.02, 2:] = np.nan
    lower, upper = low - 0.2 * (high - low), high + 0.2 * (high - low)
    sigma = 0.05 * rng.uniform(0.5, 1.5, y.shape)
    if fits > 10:
        upper = np.tile(upper, (fits, 1))
        upper[::3] = truth[::3] - 0.1 * (high - low)  # some end on a bound
        lower = np.broadcast_to(np.minimum(lower, upper - 0.1), upper.shape).copy()
    return Batch(f, x, y, p0, sigma, (lower, upper))


def alone(f, x, y, p0, sigma=None, bounds=None, jac=None, **options):
    """Status, parameters and covariance of one fit, as curve_fit finds them."""
    nothing = np.full(len(p0), np.nan), np.full((len(p0), len(p0)), np.nan)
    points = np.count_nonzero(~np.isnan(y))
    if points < len(p0):
        return -1 if points == 0 else -2, *nothing
    if bounds is not None:
        if not (np.less_equal(bounds[0], p0) & np.less_equal(p0, bounds[1])).all():
            return -4, *nothing
        options["bounds"] = bounds
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            popt, pcov, _, _, ier = curve_fit(
                f, x, y, p0, sigma, jac=jac, nan_policy="omit", full_output=True, **options
            )
        except FitError as error:
            return error.ier, *nothing
        except Exception:
            return -3, *nothing
    return ier, popt, pcov
