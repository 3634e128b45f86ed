"""What the groups of fits have in common: their benchmarks, and the data that several fit."""

from abc import ABC, abstractmethod

import numpy as np

from .solvers import SOLVERS


class Fits(ABC):
    """A group of fits, each by every solver: asv times them; bench.py also counts evaluations."""

    param_names = ("fit", "solver")
    timeout = 300

    @abstractmethod
    def prepare(self, fit, solver, watched):
        """Make all that a fit needs, and return it as a call without arguments.

        Each Python function that a solver gets goes through ``watched`` first.
        """

    def setup(self, fit, solver):
        """Prepare what is timed."""
        self.call = self.prepare(fit, SOLVERS.get(solver), lambda function: function)

    def time_fit(self, fit, solver):
        """Time the whole call."""
        self.call()

    def evaluations(self, fit, solver):
        """Count the calls of the residual function; zero if it is not called from Python."""
        count = 0

        def watched(function):
            def counted(*args):
                nonlocal count
                count += 1
                return function(*args)

            return counted

        self.prepare(fit, SOLVERS.get(solver), watched)()
        return count

    def successes(self, fit, solver):
        """Tell whether a solution was found: 1 or 0."""
        return int(succeeded(self.call()))


def succeeded(result):
    """Tell by what a solver returns whether it found a solution."""
    if isinstance(result, list):
        return all(map(succeeded, result))
    if hasattr(result, "success"):
        return bool(result.success)
    *_, last = result
    return not isinstance(last, int) or last in (1, 2, 3, 4)  # curve_fit would have raised


def decay(x, a, b, c):
    """An exponential decay to a constant."""
    return a * np.exp(-b * x) + c


def exponential(p, x, y):
    """Compute the residuals of the decay."""
    return p[0] * np.exp(-p[1] * x) + p[2] - y


START = [1, 1, 1]  # as the tutorial writes it


def decaying(m):
    """Make m noisy points of a decay."""
    x = np.linspace(0, 5, m)
    return x, decay(x, 2, 1.5, 0.5) + 0.2 * np.random.default_rng(0).standard_normal(m)


def peak():
    """Make 101 noisy points of a Gaussian."""
    x = np.linspace(-5, 5, 101)
    return x, 3 * np.exp(-(x**2) / 2) + 0.1 * np.random.default_rng(0).standard_normal(101)
