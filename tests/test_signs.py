"""Fits whose first steps change the sign of a parameter, and lead to another minimum."""

import warnings

import numba
import numpy as np
import pytest
from scipy import optimize

from leastsq import OptimizeWarning, curve_fit, curve_fit_many, least_squares, leastsq

pytestmark = pytest.mark.usefixtures("overflowing")

SUBSTRATE = np.linspace(0.02, 1.1, 12)
PRESSURE = np.linspace(0.1, 30, 20)
PLACES = np.linspace(0, 10, 40)
ONES = np.ones(2)


def rate(s, v, k):
    """Michaelis and Menten's law; a negative k is a pole between the data."""
    return v * s / (k + s)


def coverage(p, q, k):
    """Langmuir's isotherm."""
    return q * k * p / (1 + k * p)


def peak(x, a, m, s, c):
    return a * np.exp(-((x - m) ** 2) / (2 * s**2)) + c


POLES = [(rate, SUBSTRATE, (212, 0.064)), (coverage, PRESSURE, (6.5, 0.35))]


def data(model, x, truth, seed):
    rng = np.random.default_rng(seed)
    truth = np.array(truth) * np.exp(0.1 * rng.standard_normal(len(truth)))
    y = model(x, *truth)
    y += 0.02 * np.ptp(y) * rng.standard_normal(x.size)
    return y, optimize.curve_fit(model, x, y, truth)[0]


@pytest.mark.parametrize("case", POLES, ids=[case[0].__name__ for case in POLES])
def test_a_constant_does_not_step_across_a_pole(case):
    """SciPy's curve_fit finds 7 of these 40."""
    model, x, _ = case
    for seed in range(20):
        y, best = data(*case, seed)
        np.testing.assert_allclose(curve_fit(model, x, y)[0], best, rtol=1e-3)
        np.testing.assert_allclose(
            leastsq(lambda p, y=y: model(x, *p) - y, ONES)[0], best, rtol=1e-3
        )
        fit = least_squares(lambda p, y=y: model(x, *p) - y, ONES)
        np.testing.assert_allclose(fit.x, best, rtol=1e-3)


@pytest.mark.parametrize("loss", ["linear", "soft_l1"])
@pytest.mark.parametrize("wrap", [numba.njit, lambda model: model])
def test_a_batch_keeps_signs_as_curve_fit_does(wrap, loss):
    model, x, truth = POLES[1]
    stack, best = map(np.array, zip(*(data(*POLES[1], seed) for seed in range(10)), strict=True))
    options = {"loss": loss, "f_scale": 0.02 * np.ptp(model(x, *truth))}
    many = curve_fit_many(wrap(model), x, stack, ONES, **options)
    if loss == "linear":
        np.testing.assert_allclose(many.popt, best, rtol=1e-3)
    for k, y in enumerate(stack):
        popt, pcov, info, _, ier = curve_fit(wrap(model), x, y, full_output=True, **options)
        np.testing.assert_allclose(many.popt[k], popt, rtol=1e-6)
        np.testing.assert_allclose(many.pcov[k], pcov, rtol=1e-4)
        assert (many.nfev[k], many.status[k]) == (info["nfev"], ier)


@pytest.mark.parametrize("wrap", [numba.njit, lambda model: model])
def test_data_in_parts_keep_signs(wrap):
    model, x, truth = POLES[1]
    x = np.repeat(x, 150)
    for seed in range(5):
        y, best = data(model, x, truth, seed)
        popt, pcov = curve_fit(wrap(model), x, y, chunks=700)
        np.testing.assert_allclose(popt, best, rtol=1e-3)
        np.testing.assert_allclose(pcov, curve_fit(wrap(model), x, y)[1], rtol=1e-3)


@pytest.mark.filterwarnings("ignore:.*does not describe the data")
def test_a_bound_of_another_parameter_is_kept():
    model, x, _ = POLES[0]
    for seed in range(10):
        y, _ = data(*POLES[0], seed)
        bounds = ([-np.inf, -np.inf], [150, np.inf])
        popt, _, info, *_ = curve_fit(model, x, y, bounds=bounds, full_output=True)
        there = optimize.curve_fit(model, x, y, [140, 0.03], bounds=bounds)[0]
        np.testing.assert_allclose(popt, there, rtol=1e-3, atol=1e-6)
        np.testing.assert_array_equal(info["active_mask"], [popt[0] == 150, 0])


def test_a_parameter_may_change_its_sign():
    """The amplitude is negative, and the model describes the data: there is nothing to try."""
    t = np.linspace(0, 5, 60)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        y = 3 - 2 * np.exp(-1.3 * t) + 0.05 * rng.standard_normal(60)

        def model(t, a, k, c):
            return a * np.exp(-k * t) + c

        ours, theirs = (
            solver(model, t, y, full_output=True) for solver in (curve_fit, optimize.curve_fit)
        )
        np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-4)
        assert ours[2]["nfev"] <= theirs[2]["nfev"] + 4


def test_a_sign_that_must_change_changes_although_the_model_misses_the_data():
    """A kink that the model has not leaves long runs of residuals."""
    t = np.linspace(0, 5, 60)
    y = 3 - 2 * np.exp(-1.3 * t) + 0.1 * np.abs(t - 2.5)

    def model(t, a, k, c):
        return a * np.exp(-k * t) + c

    best = optimize.curve_fit(model, t, y, [-2, 1, 4])[0]
    np.testing.assert_allclose(curve_fit(model, t, y)[0], best, rtol=1e-4)


def test_a_straight_line_through_a_curve_is_fitted_once():
    x = np.linspace(0, 5, 60)
    calls = []

    def line(x, a, b):
        calls.append(1)
        return a * x + b

    curve_fit(line, x, -(x**2))
    assert len(calls) <= 12


def hill(x, v, k, h):
    return v * np.abs(x / k) ** h / (1 + np.abs(x / k) ** h)


@pytest.mark.parametrize(
    ("model", "truth", "start", "noise"),
    [
        (peak, [2.87, 4.22, 1.3, 0.44], [2.4, -5.9, 1.3, 0.4], 0.06),
        (hill, [3.6, 3, 1.85], [-1] * 3, 0.07),
    ],
)
def test_signs_of_p0_that_are_wrong_do_no_harm(model, truth, start, noise):
    """The first attempt ends where parameters have no effect; SciPy finds none of these."""
    x = np.linspace(0.1, 10, 40)
    found = 0
    for seed in range(10):
        y = model(x, *truth) + noise * np.random.default_rng(seed).standard_normal(40)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OptimizeWarning)
            popt = curve_fit(model, x, y, start)[0]
        found += np.sum((model(x, *popt) - y) ** 2) < 2 * 40 * noise**2
    assert found >= 8


def test_a_sign_that_makes_no_difference_is_tried_once():
    """A slow wave beside the data makes all neighbours alike; s and -s are the same."""
    x = np.linspace(0, 5, 60)
    calls = []

    def bell(x, a, s):
        calls.append(1)
        return a * np.exp(-(s**2) * x)

    y = bell(x, 2, 0.8) + 0.1 * np.sin(x)
    for start in ([1, 1], [1, -1], [0.1, -0.1]):
        calls.clear()
        popt = curve_fit(bell, x, y, start)[0]
        np.testing.assert_allclose(
            np.abs(popt), np.abs(curve_fit(bell, x, y, [2, 0.8])[0]), rtol=1e-4
        )
        assert len(calls) < 120


@pytest.mark.parametrize("solver", ["curve_fit", "least_squares"])
def test_a_peak_stays_a_peak(solver):
    """The first step turns the peak into a dip beside it; SciPy finds 7 and 2 of 20."""
    found = 0
    for seed in range(20):
        y, best = data(peak, PLACES, (5, 4.2, 0.7, 1), seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OptimizeWarning)
            if solver == "curve_fit":
                popt = curve_fit(peak, PLACES, y)[0]
            else:
                popt = least_squares(lambda p, y=y: peak(PLACES, *p) - y, np.ones(4)).x
        values, least = peak(PLACES, *popt), peak(PLACES, *best)
        found += np.sum((values - y) ** 2) <= 1.001 * np.sum((least - y) ** 2)
    assert found >= 15
