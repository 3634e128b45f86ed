"""The fits that tutorials show, side by side with SciPy."""

import warnings

import numpy as np
import pytest
from scipy import optimize

from leastsq import OptimizeWarning, curve_fit, leastsq


def parabola(x, a, b, c):
    return a * x**2 + b * x + c


def decay(x, a, b, c):
    return a * np.exp(-b * x) + c


def sine(x, a, b, c):
    return a * np.sin(b * x + c)


FITS = {
    "polynomial": (parabola, np.linspace(-5, 5, 100), (2, -3, 5), [1, -1, 1]),
    "exponential": (decay, np.linspace(0, 5, 50), (2, 1.5, 0.5), [1, 1, 1]),
    "sine": (sine, np.linspace(0, 2 * np.pi, 100), (2, 1.5, 0.5), [1, 1, 0]),
}


@pytest.mark.parametrize("factor", [0.1, 100])
@pytest.mark.parametrize("noise", [0, 0.05, 0.2])
@pytest.mark.parametrize("name", FITS)
def test_tutorial_fit_is_scipys(name, noise, factor):
    model, x, truth, start = FITS[name]
    y = model(x, *truth) + noise * np.random.default_rng(12).standard_normal(x.size)

    def residuals(p, x, y):
        return model(x, *p) - y

    ours, theirs = (
        solver(residuals, start, args=(x, y), full_output=True, factor=factor)
        for solver in (leastsq, optimize.leastsq)
    )
    norm, scipys = (np.linalg.norm(result[2]["fvec"]) for result in (ours, theirs))
    assert norm <= scipys * (1 + 1e-6) + 1e-6
    if scipys < 5:  # elsewhere SciPy's sine has fled to a flat far corner
        assert norm == pytest.approx(scipys, rel=1e-6, abs=1e-6)
        np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-5)
        errors = np.sqrt(np.diag(theirs[1]))
        assert np.all(np.abs(ours[1] - theirs[1]) <= 1e-4 * np.outer(errors, errors))


def two_lines(x, x0, y0, k1, k2):
    return np.piecewise(x, [x < x0], [lambda x: k1 * (x - x0) + y0, lambda x: k2 * (x - x0) + y0])


def test_two_lines_are_found_from_ones_where_two_parameters_act_only_together():
    """All points are on one side of x0 = 1, so x0 and y0 have the same effect."""
    x = np.linspace(0, 15, 60)
    found = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        truth = [rng.uniform(low, high) for low, high in ((4, 12), (5, 30), (-3, 5), (5, 15))]
        y = two_lines(x, *truth) + 0.1 * rng.standard_normal(60)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OptimizeWarning)  # the sum of squares has kinks
            popt, _ = curve_fit(two_lines, x, y, [1, 1, 1, 1])
        best = np.sum((two_lines(x, *truth) - y) ** 2)
        found += np.sum((two_lines(x, *popt) - y) ** 2) <= best
    assert found >= 19  # SciPy finds 13; the sum of squares has local minima
