"""Fits in bounds, beside SciPy's least_squares, which is what its curve_fit calls for them."""

import numba
import numpy as np
from problems import bounded

from . import fits

TOLERANCES = {"ftol": 1.49012e-8, "xtol": 1.49012e-8}
njit_exponential = numba.njit(fits.exponential)


class Bounded(fits.Fits):
    """Fits in bounds; SciPy's residuals are always in NumPy."""

    params = (
        (
            "exponential in (0, 10)",
            "exponential in (0, 10), njit",
            "Moré-Garbow-Hillstrom in bounds",
        ),
        ("leastsq", "scipy"),
    )

    def prepare(self, fit, solver, watched):
        """Choose what is fitted."""
        if fit.startswith("exponential"):
            compiled = fit.endswith("njit") and solver is fits.SOLVERS["leastsq"]
            residuals = njit_exponential if compiled else watched(fits.exponential)
            data = fits.decaying(50)
            return lambda: solver.within_bounds(residuals, fits.START, args=data, bounds=(0, 10))
        # SciPy's least_squares takes no parameter that is fixed.
        problems = [
            (watched(p.residuals), p.jacobian, p.start, (p.lower, p.upper))
            for p in bounded.FAMOUS
            if np.all(p.lower < p.upper)
        ]

        def call():
            with np.errstate(all="ignore"):
                return [
                    solver.within_bounds(
                        residuals, start, bounds=bounds, **derivatives, **TOLERANCES
                    )
                    for residuals, jacobian, start, bounds in problems
                    for derivatives in [derivatives_by(solver, jacobian)]
                ]

        return call


def derivatives_by(solver, jacobian):
    """Name a Jacobian as the solver does."""
    return {"Dfun" if solver.within_bounds is solver.leastsq else "jac": jacobian}
