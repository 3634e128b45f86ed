"""curve_fit: kinds of data, and points that are missing, few or uncertain."""

import numpy as np
import pytest
from problems.models import SIGMAS, exponential, line

from leastsq import OptimizeWarning, curve_fit


@pytest.mark.parametrize("sigma", [None, 0.1, np.linspace(1, 2, 8), np.diag(np.arange(1.0, 9))])
def test_missing_points_are_left_out(sigma):
    x = np.arange(8.0)
    y = 2 * x + 1 + np.sin(x)
    kept = [0, 2, 3, 5, 6, 7]
    with_nans = x.copy(), y.copy()
    with_nans[0][1] = with_nans[1][4] = np.nan
    found = curve_fit(line, *with_nans, sigma=sigma, nan_policy="omit")
    if np.ndim(sigma) == 1:
        sigma = sigma[kept]
    elif np.ndim(sigma) == 2:
        sigma = sigma[np.ix_(kept, kept)]
    expected = curve_fit(line, x[kept], y[kept], sigma=sigma)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs)


def test_missing_points_of_another_object_cannot_be_left_out():
    with pytest.raises(ValueError, match="xdata must be an array"):
        curve_fit(lambda x, a: a + np.zeros(3), object(), [1, np.nan, 3], nan_policy="omit")


def test_point_with_an_infinite_error_does_not_count():
    popt, _ = curve_fit(line, [1, 2, 3, 4], [1, 2, 9, 4.1], sigma=[1, 1, np.inf, 1])
    expected, _ = curve_fit(line, [1, 2, 4], [1, 2, 4.1])
    np.testing.assert_allclose(popt, expected, rtol=1e-6)


def test_data_whose_squares_overflow_are_finite():
    popt, _ = curve_fit(
        lambda x, a, b: a * (x / 1e200) + b, [1e200, 2e200, 4e200], [1, 2, 4.5], [1, 0]
    )
    np.testing.assert_allclose(popt, np.polyfit([1, 2, 4], [1, 2, 4.5], 1), rtol=1e-6)


def test_xdata_may_be_anything(fit):
    class Times:
        values = fit.x

    def model(times, a, b, c):
        return exponential(times.values, a, b, c)

    popt, _ = curve_fit(model, Times(), fit.y)
    expected, _ = curve_fit(exponential, fit.x, fit.y)
    np.testing.assert_array_equal(popt, expected)


def test_data_of_two_dimensions_are_fitted():
    x = np.stack(np.meshgrid(np.linspace(0, 1, 4), np.linspace(0, 1, 5)))
    y = 2 * x[0] - 3 * x[1] + np.sin(9 * x[0])
    popt, pcov = curve_fit(lambda x, a, b: a * x[0] + b * x[1], x, y, sigma=0.5)
    expected, _ = curve_fit(
        lambda x, a, b: a * x[0] + b * x[1], x.reshape(2, -1), y.reshape(-1), sigma=0.5
    )
    np.testing.assert_allclose(popt, expected)
    assert np.all(np.isfinite(pcov))
    with pytest.raises(ValueError, match="1-D ydata"):
        curve_fit(lambda x, a, b: a * x[0] + b * x[1], x, y, sigma=np.ones(y.shape))


def test_constant_model_and_float32_and_integers_are_taken():
    popt, pcov = curve_fit(lambda x, a: a, np.arange(4), np.array([1, 2, 3, 4], np.float32))
    np.testing.assert_allclose(popt, [2.5], rtol=1e-6)
    np.testing.assert_allclose(pcov, [[5 / 3 / 4]], rtol=1e-6)


def test_arguments_are_not_written(fit):
    p0 = np.ones(3)
    arrays = [p0, fit.x, fit.y, SIGMAS["each"], SIGMAS["covariance"]]
    before = [array.copy() for array in arrays]
    for sigma in arrays[3:]:
        popt, _ = curve_fit(exponential, fit.x, fit.y, p0, sigma=sigma, bounds=(0, 10))
        assert popt is not p0
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("options", [{"method": "trf"}, {"bounds": (-9, 9)}])
@pytest.mark.parametrize("jac", [None, lambda x, a, b, c: np.stack([x**2, x, x**0], -1)])
@pytest.mark.parametrize("sigma", [None, [1, 2], [[2, 1], [1, 3]]])
def test_fewer_points_than_parameters_are_met_exactly(options, jac, sigma):
    with pytest.warns(OptimizeWarning):
        popt, _, info, _, _ = curve_fit(
            lambda x, a, b, c: a * x**2 + b * x + c,
            [1, 2],
            [3, 5],
            jac=jac,
            sigma=sigma,
            full_output=True,
            **options,
        )
    np.testing.assert_allclose(np.polyval(popt, [1, 2]), [3, 5], rtol=1e-6)
    assert info["fvec"].shape == (2,)
    assert info["fjac"].shape == (3, 2)


def test_a_scale_for_each_point_is_left_out_with_its_point():
    t = np.linspace(0, 5, 40)
    y = 2.5 * np.exp(-1.3 * t) + 0.5 + 0.05 * np.cos(40 * t)
    scale = 0.05 + t
    options = {"loss": "soft_l1", "nan_policy": "omit"}
    kept = np.ones(40, bool)
    kept[[3, 20, 21]] = False
    expected = curve_fit(exponential, t[kept], y[kept], loss="soft_l1", f_scale=scale[kept])[0]
    gaps = np.where(kept, y, np.nan)
    assert curve_fit(exponential, t, gaps, f_scale=scale, **options)[0] == pytest.approx(expected)
    masked = np.ma.array(y, mask=~kept)
    found = curve_fit(exponential, t, masked, f_scale=scale, loss="soft_l1")[0]
    assert found == pytest.approx(expected)
