"""Libraries that call SciPy get the same from this one in its place."""

import lmfit
import numpy as np
import pytest
from astropy.modeling import fitting, models
from scipy import optimize

import leastsq


@pytest.fixture
def peak():
    x = np.linspace(-4, 6, 80)
    noise = 0.05 * np.random.default_rng(5).standard_normal(x.size)
    return x, 3 * np.exp(-0.5 * ((x - 0.8) / 1.2) ** 2) + noise


@pytest.fixture
def calls(monkeypatch):
    """Count the calls of this library's solver."""
    made = []
    solve = leastsq._leastsq.solve

    def counted(*args):
        made.append(args)
        return solve(*args)

    monkeypatch.setattr(leastsq._leastsq, "solve", counted)
    return made


def gaussian(**options):
    model = lmfit.models.GaussianModel()
    start = model.make_params(amplitude=1, center=0, sigma=1)
    start["sigma"].set(min=0.1, max=5)
    start["center"].set(max=2)
    return lambda peak: model.fit(peak[1], start, x=peak[0], **options)


def test_lmfit_fits_the_same_gaussian(peak, calls):
    theirs = gaussian()(peak)
    assert not calls
    with leastsq.patch_scipy():
        ours = gaussian()(peak)
    assert len(calls) == 1
    assert ours.success
    for name, parameter in theirs.params.items():
        assert ours.params[name].value == pytest.approx(parameter.value, rel=1e-6)
        assert ours.params[name].stderr == pytest.approx(parameter.stderr, rel=1e-3)
    assert numbers_of(ours.fit_report()) == pytest.approx(numbers_of(theirs.fit_report()), rel=1e-3)


def numbers_of(report):
    """All numbers of lmfit's report but the count of calls, which SciPy makes two more of."""
    words = report.replace("(", " ").replace("%)", " ").split()
    found = []
    for before, word in zip(["", "", *words], words, strict=False):
        try:
            number = float(word)
        except ValueError:
            continue
        if before != "evals":
            found.append(number)
    return found


def test_lmfit_stops_at_its_own_limit_of_evaluations(peak, calls):
    with leastsq.patch_scipy():
        result = gaussian(max_nfev=5)(peak)
    assert len(calls) == 1
    assert not result.success
    assert result.aborted


@pytest.mark.parametrize("bounds", [{}, {"stddev": (0.5, 1.1)}])
def test_astropy_fits_the_same_gaussian(peak, calls, bounds):
    start = models.Gaussian1D(amplitude=1, mean=0, stddev=1, bounds=bounds)

    def fit():
        fitter = fitting.LevMarLSQFitter(calc_uncertainties=True)
        return fitter(start, *peak)

    theirs = fit()
    assert not calls
    with leastsq.patch_scipy():
        ours = fit()
    assert len(calls) == 1
    np.testing.assert_allclose(ours.parameters, theirs.parameters, rtol=1e-6)
    np.testing.assert_allclose(ours.stds.stds, theirs.stds.stds, rtol=1e-3)


def test_everything_is_scipys_again(peak, calls):
    with leastsq.patch_scipy():
        pass
    gaussian()(peak)
    fitting.LevMarLSQFitter()(models.Gaussian1D(), *peak)
    optimize.leastsq(lambda p: [p[0] - 1], [3])
    assert not calls


def test_lmfit_finds_the_same_confidence_region():
    x = np.linspace(0.3, 10, 100)
    y = 1 / (0.1 * x) + 2 + 0.1 * np.random.default_rng(0).standard_normal(100)

    def region():
        parameters = lmfit.create_params(a=0.1, b=1)
        minimizer = lmfit.Minimizer(lambda p: 1 / (p["a"] * x) + p["b"] - y, parameters)
        return lmfit.conf_interval2d(minimizer, minimizer.minimize(), "a", "b", 8, 8)

    theirs = region()
    with leastsq.patch_scipy():
        ours = region()
    for found, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_impedances_are_fitted_with_the_options_of_their_packages():
    f = np.linspace(1, 5, 20)

    def impedance(f, resistance, reactance, capacity):
        return np.hstack([resistance + reactance * f, capacity * f])

    with leastsq.patch_scipy():
        popt, _ = optimize.curve_fit(
            impedance,
            f,
            impedance(f, 1, 2, 3),
            p0=[0.5, 1, 1],
            bounds=(0, np.inf),
            maxfev=1e5,
            ftol=1e-13,
        )
    np.testing.assert_allclose(popt, [1, 2, 3])
