"""curve_fit, and other libraries with each solver under them."""

import lmfit
import numba
from astropy.modeling import fitting, models
from scipy import optimize

from . import fits

njit_decay = numba.njit(fits.decay)


class Curves(fits.Fits):
    """curve_fit of the exponential; SciPy's model is in NumPy unless it says otherwise."""

    params = (
        (
            "curve_fit",
            "curve_fit from p0",
            "curve_fit in bounds",
            "curve_fit in bounds from p0",
            "curve_fit, njit",
            "curve_fit from p0, njit",
            "curve_fit in bounds, njit",
            "curve_fit in bounds from p0, njit",
            "curve_fit, njit for both",
            "curve_fit, njit for both, 1000 points",
        ),
        ("leastsq", "scipy"),
    )

    def prepare(self, fit, solver, watched):
        """Choose the model and options."""
        options = {}
        if "p0" in fit:
            options["p0"] = fits.START
        if "bounds" in fit:
            options["bounds"] = (0, 10)
        # A function that is wrapped does not show curve_fit its parameters.
        compiled = "for both" in fit or ("njit" in fit and solver is fits.SOLVERS["leastsq"])
        model = njit_decay if compiled else fits.decay
        x, y = fits.decaying(1000 if "1000" in fit else 50)
        return lambda: solver.curve_fit(model, x, y, **options)


class OtherLibraries(fits.Fits):
    """Gaussian of 101 points by other libraries."""

    params = (("lmfit, Model.fit", "astropy, LevMarLSQFitter"), ("leastsq", "scipy"))

    def prepare(self, fit, solver, watched):
        """Put the solver under the other library."""
        x, y = fits.peak()
        if fit.startswith("lmfit"):
            model = lmfit.models.GaussianModel()
            start = model.make_params(amplitude=5, center=0.5, sigma=1.5)
            solve = lambda: model.fit(y, start, x=x)  # noqa: E731
        else:
            model, fitter = models.Gaussian1D(2, 0.5, 1.5), fitting.LevMarLSQFitter()
            solve = lambda: (fitter(model, x, y), fitter.fit_info["ierr"])  # noqa: E731

        def call():
            # leastsq's own patch_scipy looks through all modules, once and for all.
            theirs = optimize.leastsq
            lmfit.minimizer.scipy_leastsq = optimize.leastsq = solver.leastsq
            try:
                return solve()
            finally:
                lmfit.minimizer.scipy_leastsq = optimize.leastsq = theirs

        return call
