"""Libraries that call SciPy's leastsq get the same from this one in its place."""

import lmfit
import numpy as np
import pytest
from astropy.modeling import fitting, models
from scipy import optimize

from leastsq import leastsq


@pytest.fixture
def peak():
    x = np.linspace(-4, 6, 80)
    noise = 0.05 * np.random.default_rng(5).standard_normal(x.size)
    return x, 3 * np.exp(-0.5 * ((x - 0.8) / 1.2) ** 2) + noise


@pytest.fixture
def calls(monkeypatch):
    """Put this leastsq in SciPy's place once asked to, and count the calls that come."""
    made = []

    def counted(*args, **kwargs):
        made.append(args)
        return leastsq(*args, **kwargs)

    def install(module, name):
        monkeypatch.setattr(module, name, counted)
        return made

    return install


def test_lmfit_fits_the_same_gaussian(peak, calls):
    x, y = peak
    model = lmfit.models.GaussianModel()
    start = model.make_params(amplitude=1, center=0, sigma=1)
    start["sigma"].min = 0.1
    theirs = model.fit(y, start, x=x)
    made = calls(lmfit.minimizer, "scipy_leastsq")
    ours = model.fit(y, start, x=x)
    assert len(made) == 1
    assert ours.success
    for name, parameter in theirs.params.items():
        assert ours.params[name].value == pytest.approx(parameter.value, rel=1e-6)
        assert ours.params[name].stderr == pytest.approx(parameter.stderr, rel=1e-3)
    assert "chi-square" in ours.fit_report()


def test_lmfit_stops_at_its_own_limit_of_evaluations(peak, calls):
    x, y = peak
    model = lmfit.models.GaussianModel()
    start = model.make_params(amplitude=1, center=0, sigma=1)
    made = calls(lmfit.minimizer, "scipy_leastsq")
    result = model.fit(y, start, x=x, max_nfev=5)
    assert len(made) == 1
    assert not result.success
    assert result.aborted


def test_astropy_fits_the_same_gaussian(peak, calls):
    x, y = peak
    start = models.Gaussian1D(amplitude=1, mean=0, stddev=1)
    theirs = fitting.LevMarLSQFitter(calc_uncertainties=True)(start, x, y)
    made = calls(optimize, "leastsq")
    ours = fitting.LevMarLSQFitter(calc_uncertainties=True)(start, x, y)
    assert len(made) == 1
    np.testing.assert_allclose(ours.parameters, theirs.parameters, rtol=1e-6)
    np.testing.assert_allclose(ours.stds.stds, theirs.stds.stds, rtol=1e-3)
