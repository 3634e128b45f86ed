"""Warnings about solutions that do not describe the data, and none about others."""

import contextlib
import warnings

import numba
import numpy as np
import pytest

from leastsq import FitError, OptimizeWarning, curve_fit, curve_fit_many

MISFIT = "does not describe the data"
x = np.linspace(0, 10, 50)


def peak(x, height, centre, width, level):
    return height * np.exp(-(((x - centre) / width) ** 2) / 2) + level


def wave(x, amplitude, rate, phase):
    return amplitude * np.sin(rate * x + phase)


PEAK, WAVE = (4, 6.5, 0.6, 1), (2, 3.1, 0.4)
BESIDE_THE_PEAK, OTHER_RATE = (1, 1, 0.3, 1), (2, 5.5, 0)
CASES = [(peak, PEAK, BESIDE_THE_PEAK), (wave, WAVE, OTHER_RATE)]


def measured(model, true, seed=0, noise=0.1):
    return model(x, *true) + noise * np.random.default_rng(seed).standard_normal(x.size)


@pytest.mark.parametrize(("model", "true", "start"), CASES)
@pytest.mark.parametrize("sigma", [None, np.full(x.size, 0.1), 0.1 * (1 + x / 20)])
def test_a_fit_that_ends_far_from_the_data_warns(model, true, start, sigma):
    y = measured(model, true)
    with pytest.warns(OptimizeWarning, match=MISFIT):
        far, _ = curve_fit(model, x, y, start, sigma)
    best, _ = curve_fit(model, x, y, true, sigma)
    assert np.sum((model(x, *far) - y) ** 2) > 10 * np.sum((model(x, *best) - y) ** 2)


def test_the_warning_tells_how_much_is_explained():
    y = measured(wave, WAVE)
    with pytest.warns(OptimizeWarning, match=MISFIT) as told:
        popt, _ = curve_fit(wave, x, y, OTHER_RATE)
    explained = 1 - np.sum((wave(x, *popt) - y) ** 2) / np.sum((y - y.mean()) ** 2)
    assert f"wave {MISFIT} at the solution: it explains only {explained:.0%} of" in str(
        told[0].message
    )


@pytest.mark.parametrize("seed", range(40))
def test_noise_is_no_misfit(seed):
    """No model explains the variance of noise."""
    points = (10, 12, 16, 25, 40)[seed % 5]
    x = np.linspace(0, 10, points)
    y = 3 + np.random.default_rng(seed).standard_normal(points)
    for model, p0 in ((peak, (1, 5, 1, 3)), (lambda x, a, k: a * np.exp(-k * x), (3, 0.1))):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            with contextlib.suppress(FitError):
                curve_fit(model, x, y, p0)
        assert not any(MISFIT in str(each.message) for each in told)


def test_a_model_that_is_not_perfect_but_explains_most_is_no_misfit():
    y = np.exp(-0.3 * x) + 0.1 * np.sin(x)
    curve_fit(lambda x, a, k: a * np.exp(-k * x), x, y, [1, 1])


def test_a_constant_or_a_line_through_a_curve_has_one_minimum_only():
    y = np.cos(x)
    curve_fit(lambda x, a: a + 0 * x, x, y)
    curve_fit(lambda x, a, b: a + b * x, x, y)


def test_exact_data_are_no_misfit():
    y = np.full(x.size, 5.0)
    curve_fit(lambda x, a, b: np.exp(a) + b * x * 1e-3, x, y, [1, 1])


@pytest.mark.parametrize("vectorized", [None, False])
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(("model", "true", "start"), CASES)
def test_a_batch_doubts_the_fits_of_which_curve_fit_warns(model, true, start, compiled, vectorized):
    stack = np.array([measured(model, true, seed) for seed in range(12)])
    starts = np.where(np.arange(12)[:, None] % 3, start, true)
    f = numba.njit(model) if compiled else model
    with pytest.warns(OptimizeWarning, match=r"the rest is no noise \(. fits, the first at ."):
        fits = curve_fit_many(f, x, stack, starts, vectorized=vectorized)
    for y, p0, popt, is_doubtful in zip(stack, starts, fits.popt, fits.doubtful, strict=True):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            alone, _ = curve_fit(f, x, y, p0)
        np.testing.assert_allclose(popt, alone, rtol=1e-3)
        assert is_doubtful == (len(told) > 0)
    assert 4 <= np.count_nonzero(fits.doubtful) <= 8


def test_a_batch_looks_at_the_points_that_are_left():
    stack = np.array([measured(wave, WAVE, seed) for seed in range(6)])
    stack[::2, 40:] = np.nan
    sigma = np.full(x.size, 0.1)
    with pytest.warns(OptimizeWarning, match="the rest is no noise"):
        fits = curve_fit_many(wave, x, stack, OTHER_RATE, sigma)
    assert fits.doubtful.all()


def test_robust_fits_may_leave_the_outliers_unexplained():
    y = measured(wave, WAVE)
    y[20:] += 50
    curve_fit(wave, x, y, WAVE, loss="cauchy", f_scale=0.1)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("vectorized", [None, False])
def test_a_fit_that_misses_a_peak_finds_it_from_its_neighbours(vectorized):
    """The peak drifts from where it is found to where it is not."""
    true = np.array([(4, centre, 0.5, 1) for centre in np.linspace(1, 8, 20)])
    stack = np.array([measured(peak, each, seed) for seed, each in enumerate(true)])
    with pytest.warns(OptimizeWarning, match="the rest is no noise"):
        alone = curve_fit_many(peak, x, stack, vectorized=vectorized)
    fits = curve_fit_many(peak, x, stack, "neighbours", vectorized=vectorized)
    assert not fits.doubtful.any()
    np.testing.assert_allclose(fits.popt[:, 1], true[:, 1], atol=0.1)
    assert alone.doubtful.any()
    np.testing.assert_array_equal(fits.attempts[~alone.doubtful], 1)
    assert (fits.attempts[alone.doubtful] > 1).all()
