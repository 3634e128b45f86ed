"""Compiled residuals, beside SciPy's solver with NumPy's and beside cminpack-numba."""

import numba
import numpy as np

from leastsq import NativeFunction

from . import fits

try:
    import cminpack_numba
except ImportError:
    cminpack_numba = None

TOLERANCES = (1.49012e-8, 1.49012e-8, 0.0)
njit_exponential = numba.njit(fits.exponential)


@numba.cfunc("int32(CPointer(float64), int32, int32, CPointer(float64), CPointer(float64), int32)")
def residual(data, m, n, p, fvec, iflag):
    """Compute the residuals of the decay as a C function."""
    for i in range(m):
        fvec[i] = p[0] * np.exp(-p[1] * data[i]) + p[2] - data[m + i]
    return 0


class Native(fits.Fits):
    """Compiled residuals of the exponential; SciPy's are in NumPy unless it says otherwise."""

    params = (
        (
            "njit, 50 points",
            "njit, 1000 points",
            "njit for both, 50 points",
            "njit for both, 1000 points",
            "numba.cfunc, 50 points",
            "numba.cfunc, 1000 points",
        ),
        ("leastsq", "scipy", "cminpack-numba"),
    )

    def prepare(self, fit, solver, watched):
        """Give each solver the fastest that it takes; SciPy's takes Python functions alone."""
        kind, points = fit.split(", ")
        x, y = fits.decaying(int(points.split()[0]))
        data = np.concatenate([x, y])
        if solver is None:
            if cminpack_numba is None or kind.startswith("njit"):
                raise NotImplementedError("it is not installed, or takes no njit function")
            return lambda: cminpack_numba.lmdif(
                residual.address, x.size, np.array(fits.START, float), *TOLERANCES, udata=data
            )
        if solver is fits.SOLVERS["leastsq"] and kind == "numba.cfunc":
            native = NativeFunction(residual, x.size, data=data)
            return lambda: solver.leastsq(native, fits.START)
        in_numpy = solver is not fits.SOLVERS["leastsq"] and kind != "njit for both"
        residuals = watched(fits.exponential) if in_numpy else njit_exponential
        return lambda: solver.leastsq(residuals, fits.START, args=(x, y))
