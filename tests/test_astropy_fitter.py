"""leastsq.astropy.LevMarFitter beside astropy's own fitters."""

import numpy as np
import pytest
from astropy.modeling import models
from astropy.modeling.fitting import TRFLSQFitter
from astropy.utils.exceptions import AstropyUserWarning

from leastsq.astropy import LevMarFitter

RNG = np.random.default_rng(2)
X = np.linspace(-3, 3, 81)
Y = models.Gaussian1D(3, 0.4, 0.8)(X) + 0.5 + 0.05 * RNG.standard_normal(X.size)
START = models.Gaussian1D(2, 0, 1) + models.Const1D(0)
LINEAR = pytest.mark.filterwarnings("ignore:Model is linear in parameters")


def fits(model, *data, **options):
    ours, theirs = LevMarFitter(True), TRFLSQFitter(True)
    return ours(model, *data, **options), theirs(model, *data, **options), ours


@LINEAR
@pytest.mark.parametrize("weights", [None, np.linspace(1, 30, 81)])
@pytest.mark.parametrize("estimate_jacobian", [False, True])
def test_parameters_and_errors_are_astropys(weights, estimate_jacobian):
    options = {"weights": weights, "estimate_jacobian": estimate_jacobian}
    for model in (START, models.Gaussian1D(2, 0, 1), models.Polynomial1D(2)):
        ours, theirs, fitter = fits(model, X, Y, **options)
        np.testing.assert_allclose(ours.parameters, theirs.parameters, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(
            ours.cov_matrix.cov_matrix, theirs.cov_matrix.cov_matrix, rtol=1e-2, atol=1e-8
        )
        assert fitter.fit_info.success
        assert model.parameters is not ours.parameters


def test_constraints_hold():
    model = START.copy()
    model.amplitude_0.bounds = (0, 2.5)
    model.mean_0.fixed = True
    model.amplitude_1.tied = lambda m: m.stddev_0 / 2
    ours, theirs, fitter = fits(model, X, Y, estimate_jacobian=True)
    np.testing.assert_allclose(ours.parameters, theirs.parameters, rtol=1e-3)
    assert LevMarFitter()(model, X, Y).parameters.tolist() == ours.parameters.tolist()
    assert ours.amplitude_0 == 2.5
    assert ours.mean_0 == 0
    assert ours.amplitude_1 == ours.stddev_0 / 2
    assert fitter.fit_info.active_mask.tolist() == [1, 0]
    assert fitter.fit_info["param_cov"][0].tolist() == [0, 0]
    assert fitter.fit_info["param_cov"][1, 1] > 0


def test_images_are_fitted():
    y, x = np.mgrid[:20, :24]
    model = models.Gaussian2D(5, 11, 9, 3, 2, theta=0.3)
    data = model(x, y) + 0.1 * RNG.standard_normal(x.shape)
    start = models.Gaussian2D(4, 10, 10, 2, 2, theta=0.1)
    ours, theirs, _ = fits(start, x, y, data)
    np.testing.assert_allclose(ours.parameters, theirs.parameters, rtol=1e-3)


def test_losses_ignore_outliers():
    y = Y.copy()
    y[::9] += 4
    robust = LevMarFitter(loss="cauchy", f_scale=0.05)(START, X, y)
    plain = LevMarFitter()(START, X, Y)
    np.testing.assert_allclose(robust.parameters, plain.parameters, atol=0.1)


@LINEAR
def test_what_is_not_determined_has_no_covariance():
    twice = models.Const1D(1) + models.Const1D(2)
    fitter = LevMarFitter()
    fitter(twice, X, Y)
    assert fitter.fit_info["param_cov"] is None


def test_a_fit_that_ends_early_warns():
    with pytest.warns(AstropyUserWarning, match="maximum number of function evaluations"):
        LevMarFitter()(START, X, Y, maxiter=2)
    with pytest.warns(AstropyUserWarning, match="max_time"):
        LevMarFitter(max_time=0)(START, X, Y)
    seen = []
    LevMarFitter(callback=seen.append)(START, X, Y)
    assert len(seen) > 1
