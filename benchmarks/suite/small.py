"""Small fits, where a solver's own overhead counts."""

import numpy as np
from problems import mgh, nist

from . import fits


def parabola(p, x, y):
    """Compute the residuals of a parabola."""
    return p[0] * x**2 + p[1] * x + p[2] - y


def sine(p, x, y):
    """Compute the residuals of a sine."""
    return p[0] * np.sin(p[1] * x + p[2]) - y


CENTRES = np.linspace(-4, 4, 10)


def peaks(p, x, y):
    """Compute the residuals of ten Gaussians of unknown heights, side by side."""
    return np.exp(-((x - CENTRES[:, np.newaxis]) ** 2)).T @ p - y


def noisy(residuals, truth, x):
    """Make data around a curve."""
    noise = 0.2 * np.random.default_rng(3).standard_normal(x.size)
    return x, residuals(np.asarray(truth, float), x, noise)


class Small(fits.Fits):
    """Small fits, residuals in NumPy."""

    params = (
        (
            "exponential, 50 points",
            "parabola, 100 points",
            "sine, 100 points",
            "ten Gaussians, 100 points",
            "a residual that costs nothing",
            "a residual that costs nothing, with all outputs",
        ),
        ("leastsq", "scipy"),
    )

    def prepare(self, fit, solver, watched):
        """Choose residuals, start and data."""
        options = {}
        if fit.startswith("exponential"):
            residuals, start, data = fits.exponential, fits.START, fits.decaying(50)
        elif fit.startswith("parabola"):
            residuals, start = parabola, (1.0, -1.0, 1.0)
            data = noisy(residuals, (2, -3, 5), np.linspace(-3, 3, 100))
        elif fit.startswith("sine"):
            residuals, start, options = sine, (1.0, 1.0, 0.0), {"factor": 0.1}
            data = noisy(residuals, (2, 1.5, 0.5), np.linspace(0, 2 * np.pi, 100))
        elif fit.startswith("ten"):
            residuals, start = peaks, np.ones(10)
            data = noisy(residuals, np.arange(10), np.linspace(-5, 5, 100))
        else:
            buffer = np.ones(50)
            residuals, start, data = lambda p: buffer, fits.START, ()
            options = {"full_output": fit.endswith("outputs")}
        residuals = watched(residuals)
        return lambda: solver.leastsq(residuals, start, args=data, **options)


class Collections(fits.Fits):
    """Collections of test problems."""

    params = (
        ("NIST, 27 fits", "53 MINPACK cases, lmder", "53 MINPACK cases, lmdif"),
        ("leastsq", "scipy"),
    )

    def prepare(self, fit, solver, watched):
        """Collect residuals, starts and Jacobians."""
        if fit.startswith("NIST"):
            problems = [(watched(p.residuals), p.starts[1], None) for p in nist.PROBLEMS.values()]
        else:
            problems = [
                (watched(c.residuals), c.start, c.jacobian if fit.endswith("lmder") else None)
                for c in mgh.CASES
            ]

        def call():
            with np.errstate(all="ignore"):
                return [
                    solver.leastsq(residuals, start, Dfun=jacobian, full_output=True)
                    for residuals, start, jacobian in problems
                ]

        return call

    def successes(self, fit, solver):
        """Count the problems that were solved."""
        return sum(map(fits.succeeded, self.call()))
