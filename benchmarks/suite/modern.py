"""least_squares, and differences of many points, beside SciPy."""

import lmfit
import numpy as np

from . import fits


def three_peaks(p, x, y):
    """Compute the residuals of three Gaussians on a background; 10 parameters."""
    total = p[9] - y
    for k in range(0, 9, 3):
        total = total + p[k] * np.exp(-(((x - p[k + 1]) / p[k + 2]) ** 2))
    return total


def crowded():
    """Make 100 noisy points of three Gaussians, and a start."""
    x = np.linspace(0, 10, 100)
    truth = np.array([1, 2, 0.7, 2, 5, 0.8, 1.5, 8, 0.6, 0.3])
    noise = 0.05 * np.random.default_rng(0).standard_normal(x.size)
    return x, three_peaks(truth, x, 0) + noise, 1.1 * truth


class LeastSquares(fits.Fits):
    """least_squares with its defaults; SciPy's has no vectorized residuals."""

    params = (
        (
            "least_squares, lm",
            "least_squares, trf",
            "least_squares, trf in (0, 10)",
            "least_squares, soft_l1",
            "lmfit, least_squares",
            "exponential, vectorized",
            "curve_fit, vectorized",
            "three Gaussians, vectorized",
        ),
        ("leastsq", "scipy"),
    )

    def prepare(self, fit, solver, watched):
        """Choose what is fitted."""
        ours = solver is fits.SOLVERS["leastsq"]
        data = fits.decaying(50)
        if fit.startswith("lmfit"):
            return lmfits(solver)
        if fit == "curve_fit, vectorized":
            options = {"vectorized": True} if ours else {}
            return lambda: solver.curve_fit(fits.decay, *data, **options)
        if fit.endswith("vectorized"):
            return jointly(fit, solver, watched, ours)
        options = {"method": "lm"} if fit.endswith("lm") else {}
        if fit.endswith("(0, 10)"):
            options["bounds"] = (0, 10)
        if fit.endswith("soft_l1"):
            options.update(loss="soft_l1", f_scale=0.1)
        residuals = watched(fits.exponential)
        return lambda: solver.least_squares(residuals, fits.START, args=data, **options)


def jointly(fit, solver, watched, ours):
    """leastsq, whose residuals take many points at once if it is ours."""
    if fit.startswith("three"):
        *data, start = crowded()
        residuals = watched(three_peaks)
    else:
        data, start = fits.decaying(50), fits.START
        residuals = watched(fits.exponential)
    if not ours:
        return lambda: solver.leastsq(residuals, start, args=tuple(data))
    columns = tuple(array[:, np.newaxis] for array in data)
    return lambda: solver.leastsq(residuals, start, args=columns, vectorized=True)


def lmfits(solver):
    """Fit a peak of 101 points by lmfit's method least_squares."""
    x, y = fits.peak()
    model = lmfit.models.GaussianModel()
    start = model.make_params(amplitude=5, center=0.5, sigma=1.5)

    def call():
        theirs = lmfit.minimizer.least_squares
        lmfit.minimizer.least_squares = solver.least_squares
        try:
            return model.fit(y, start, x=x, method="least_squares")
        finally:
            lmfit.minimizer.least_squares = theirs

    return call
