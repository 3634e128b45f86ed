"""Many residuals, many parameters: where linear algebra and memory count."""

import subprocess
import sys
from pathlib import Path

import numpy as np

from . import fits


def factorisations(shape, order, solver, watched):
    """Three Jacobians that are there already, and a step from each: a solver's own work alone.

    Whatever step is tried, the residuals come out smaller by a fiftieth, so that it is taken; a
    short first radius keeps every step damped.
    """
    m, n = (int(float(number)) for number in shape.split(" x "))
    rng = np.random.default_rng(m + n)
    J = np.asarray(rng.standard_normal((m, n)), order=order)
    f = rng.standard_normal(m)
    start = np.ones(n)

    def call():
        size = 1.0

        def residuals(p):
            nonlocal size
            size *= 0.98
            return size * f

        return solver.leastsq(
            watched(residuals), start, Dfun=lambda p: J, factor=0.01, maxfev=4, full_output=True
        )

    return call


class Tall(fits.Fits):
    """Ready-made Jacobians with many rows, lmder."""

    params = (
        ("1e3 x 10", "1e4 x 20", "1e5 x 20", "1e5 x 20, Fortran order", "1e5 x 50", "1e6 x 20"),
        ("leastsq", "scipy"),
    )

    def prepare(self, fit, solver, watched):
        """Choose the order in which the Jacobian lies."""
        shape, *order = fit.split(", ")
        return factorisations(shape, order[0][0] if order else "C", solver, watched)

    successes = None  # maxfev ends them


class Wide(fits.Fits):
    """Ready-made Jacobians with many columns, lmder."""

    params = (("2e4 x 200", "2e3 x 500", "500 x 500", "1e3 x 1e3"), ("leastsq", "scipy"))

    def prepare(self, fit, solver, watched):
        """Make the Jacobian."""
        return factorisations(fit, "C", solver, watched)

    successes = None


class Differenced(fits.Fits):
    """Many points, Jacobian by differences, lmdif."""

    params = (("exponential, 1e4 points", "exponential, 1e5 points"), ("leastsq", "scipy"))

    def prepare(self, fit, solver, watched):
        """Make the points."""
        residuals, data = watched(fits.exponential), fits.decaying(int(float(fit.split()[1])))
        return lambda: solver.leastsq(residuals, fits.START, args=data)


class PeakMemory:
    """Peak memory of a fit of 1e6 x 20 above the user's arrays, in Jacobians (J)."""

    params = (("lmder", "lmdif"), ("leastsq", "scipy"))
    param_names = ("driver", "solver")
    timeout = 300

    def setup(self, driver, solver):
        """Skip it where the kernel keeps no such figure."""
        if not Path("/proc/self/status").exists():
            raise NotImplementedError("only Linux tells the peak of one process")

    def track_peak(self, driver, solver):
        """Measure it in a process of its own."""
        script = Path(__file__).with_name("memory.py")
        run = subprocess.run(
            [sys.executable, script, driver, solver], capture_output=True, text=True, check=True
        )
        return float(run.stdout)

    track_peak.unit = "J"
