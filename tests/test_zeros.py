"""Zeros: data that are zero, equations whose solution is zero, and starts at zero."""

import warnings

import numpy as np
import pytest
from numba import njit
from scipy import optimize

from leastsq import OptimizeWarning, curve_fit, curve_fit_many, least_squares, leastsq

T = np.arange(10.0)
TEMPERATURES = np.arange(0.0, 361, 20)
PRESSURES = np.array(
    [
        *(0.0002, 0.0012, 0.006, 0.03, 0.09, 0.27, 0.75, 1.85, 4.2, 8.8),
        *(17.3, 32.1, 57, 96, 157, 247, 376, 558, 806),
    ]
)  # of mercury, in mm; R's data set pressure


def line(t, a, b):
    return a * t + b


def growth(t, a, b):
    return a * np.exp(b * t)


MODELS = {
    "line": (line, [1, 1]),
    "slope": (lambda t, a: a * t, [1]),
    "parabola": (lambda t, a, b, c: a * t * t + b * t + c, [1, 1, 1]),
    "tiny start": (line, [1e-3, 5]),
    "far start": (line, [1e30, 1]),
}


def calls_of(solve, f):
    calls = []

    def counted(*args):
        calls.append(args)
        return f(*args)

    return solve(counted), len(calls)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("bounds", [(-np.inf, np.inf), (-2, 1e31)])
@pytest.mark.parametrize("unit", [1, 1e-140])
def test_data_that_are_zero_are_fitted(name, bounds, unit):
    f, p0 = MODELS[name]
    start = unit * np.array(p0)

    def solve(f):
        return curve_fit(f, T, np.zeros(10), start, bounds=bounds)

    (popt, pcov), calls = calls_of(solve, f)
    np.testing.assert_allclose(popt, 0, atol=1e-10 * unit)
    np.testing.assert_allclose(pcov, 0, atol=1e-60)
    assert calls < 120


def test_an_empty_pixel_is_fitted_in_a_batch():
    y = np.zeros((4, 10))
    y[1] = 2 * T + 1
    for model in (line, njit(line)):
        fits = curve_fit_many(model, T, y, [1, 1])
        assert fits.success.all()
        np.testing.assert_allclose(fits.popt, [[0, 0], [2, 1], [0, 0], [0, 0]], atol=1e-9)
        np.testing.assert_array_equal(fits.popt[0], curve_fit(model, T, y[0], [1, 1])[0])


@pytest.mark.parametrize("method", ["trf", "lm", "dogbox"])
def test_equations_with_the_solution_zero_are_solved(method):
    for residuals in (
        lambda p: np.array([p[1], p[0] + p[1]]),
        lambda p: np.array([p[0] - 0.3 * p[1], 0.7 * p[1] + p[0] ** 3]),
    ):
        fit = least_squares(residuals, [1.0, 2.0], method=method)
        assert fit.success
        np.testing.assert_allclose(fit.x, 0, atol=1e-10)
        x, ier = leastsq(residuals, [1.0, 2.0])
        assert ier in (1, 2, 3, 4)
        np.testing.assert_allclose(x, 0, atol=1e-10)


@pytest.mark.parametrize("longest", [10, 270, 360, 1000, 1e4])
@pytest.mark.parametrize("p0", [[0, 0], [1, 0], [0, 1e-3]])
def test_a_rate_of_zero_at_the_start_is_no_trap(longest, p0):
    """The rate has no effect while the amplitude is zero, and a step of 1 in it overflows later."""
    t = TEMPERATURES / 360 * longest
    with np.errstate(all="ignore"):
        popt = curve_fit(growth, t, PRESSURES, p0)[0]
    best = optimize.curve_fit(growth, TEMPERATURES, PRESSURES, [0.5, 0.02])[0]
    np.testing.assert_allclose(popt, best * [1, 360 / longest], rtol=1e-4)


@pytest.mark.parametrize("wrap", [lambda f: f, njit])
def test_a_dead_pixel_does_not_determine_its_rate(wrap):
    def decay(t, a, rate):
        return a * np.exp(-rate * t)

    model = wrap(decay)
    y = np.stack([2 * np.exp(-0.3 * T), 0 * T, 3 * np.exp(-0.5 * T)])
    y[::2] += 0.01 * np.random.default_rng(0).standard_normal((2, T.size))
    with pytest.warns(OptimizeWarning, match="do not determine rate: at the solution a is zero"):
        curve_fit(model, T, y[1], [1, 1])
    with pytest.warns(OptimizeWarning, match=r"covariance is doubtful \(the fit at 1\)"):
        fits = curve_fit_many(model, T, y, [1, 1])
    assert fits.success.all()
    assert fits.doubtful.tolist() == [False, True, False]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        curve_fit(line, T, 0 * T, [1, 1])
        curve_fit_many(model, T, y, [1, 1], mask=np.array([[False], [True], [False]]))


@pytest.mark.parametrize("bounds", [(0, 10), (0, np.inf), ([0, 0.01], [np.inf, 50])])
@pytest.mark.parametrize("wrap", [lambda f: f, njit])
def test_a_dead_pixel_does_not_press_its_rate_against_a_bound(wrap, bounds):
    """Where the amplitude is zero, the rate may end on a bound, but nothing holds it there."""
    model = wrap(growth)
    y = np.stack([2 * np.exp(0.3 * T) + 0.01 * np.sin(T), 0 * T])
    with pytest.warns(OptimizeWarning, match="does not depend on b"):
        popt, pcov = curve_fit(model, T, y[1], [1, 1], bounds=bounds)
    assert popt[0] == 0
    assert np.isinf(pcov).all()
    with pytest.warns(OptimizeWarning, match=r"no covariance \(the fit at 1\)"):
        fits = curve_fit_many(model, T, y, [1, 1], bounds=bounds)
    assert np.isinf(fits.perr[1]).all()
    assert fits.doubtful.tolist() == [False, True]


def test_a_parameter_that_is_fixed_needs_no_effect():
    fixed = [-np.inf, 0.5], [np.inf, 0.5]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        popt, pcov = curve_fit(growth, T, 0 * T, [0, 0.5], bounds=fixed)
        fits = curve_fit_many(growth, T, 0 * T[None], [0, 0.5], bounds=fixed)
    assert popt.tolist() == [0, 0.5]
    assert not pcov.any()
    assert not fits.doubtful.any()


@pytest.mark.parametrize("wrap", [lambda f: f, njit])
def test_a_dead_pixel_does_not_determine_a_rate_that_starts_on_its_bound(wrap):
    model = wrap(growth)
    y = np.zeros((20, T.size))
    starts = np.stack([np.linspace(0.3, 2, 20), np.full(20, 0.7)], -1)
    bounds = [-2, -0.6], [2.4, 0.7]
    with pytest.warns(OptimizeWarning):
        fits = curve_fit_many(model, T, y, starts, bounds=bounds)
    assert fits.doubtful.all()
    for start in starts:
        with pytest.warns(OptimizeWarning, match=r"(does not depend on|do not determine) b"):
            curve_fit(model, T, y[0], start, bounds=bounds)


@pytest.mark.parametrize("bounds", [(0.01, 50), (0.001, 100)])
def test_data_that_are_zero_are_fitted_by_amplitudes_that_cannot_be(bounds):
    def logistic(t, top, rate, middle):
        return top / (1 + np.exp(-rate * (t - middle)))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OptimizeWarning)
        popt = curve_fit(logistic, T, 0 * T, [1, 1, 5], bounds=bounds)[0]
    assert np.sum(logistic(T, *popt) ** 2) < 1e-20


@pytest.mark.parametrize("distance", [0, 1e-17, 1e-15, 1e-12, 1e-10, 1e-8, 1e-4, 1])
def test_exact_data_are_solved_from_a_start_at_the_solution(distance):
    """One of the parameters is zero. There is nothing to improve, and nothing to warn of."""
    x = np.linspace(-1, 1, 41)
    calls = np.zeros(2, int)
    for seed in range(20):
        start = [0, 2] + distance * np.random.default_rng(seed).standard_normal(2)
        for i, solver in enumerate((leastsq, optimize.leastsq)):
            p, _, info, mesg, ier = solver(
                lambda p: p[0] + p[1] * x - 2 * x, start, full_output=True
            )
            assert ier in (1, 2, 3, 4)
            calls[i] += info["nfev"]
        assert "But" not in mesg
        np.testing.assert_allclose(p, [0, 2], atol=1e-7)
    assert calls[0] <= 3 * calls[1]


@pytest.mark.filterwarnings("ignore:overflow")
def test_residuals_of_large_values_are_rounding_errors_at_the_start():
    """The start is the solution to 1e-16, and the values are about 1000."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        slopes = rng.standard_normal((54, 3))
        slopes *= -1000 / np.linalg.norm(slopes, axis=1)[:, None]
        matrix = np.column_stack([slopes, -np.ones(54)])
        truth = np.array([5e-4, 0, 3e-4, -np.log(1000)])
        values = np.exp(matrix @ truth)
        start = np.linalg.lstsq(matrix, np.log(values))[0]
        _, _, info, mesg, ier = leastsq(
            lambda p, matrix=matrix, values=values: np.exp(matrix @ p) - values,
            start,
            full_output=True,
        )
        assert ier in (1, 2, 3, 4)
        assert "But" not in mesg
        assert info["nfev"] <= 30


@pytest.mark.parametrize("columns", [2, 3, 5])
def test_linear_models_of_noise_are_not_tried_again(columns):
    """The data say that coefficients are zero; that is no reason to try again."""
    x = np.linspace(-1, 1, 30)
    matrix = x[:, None] ** np.arange(columns)
    calls = np.zeros(2, int)
    for seed in range(40):
        noise = np.random.default_rng(seed).standard_normal(30)
        ours, theirs = (
            solver(lambda p, y=noise: matrix @ p - y, np.ones(columns), full_output=True)
            for solver in (leastsq, optimize.leastsq)
        )
        np.testing.assert_allclose(ours[0], theirs[0], atol=1e-6)
        calls += ours[2]["nfev"], theirs[2]["nfev"]
    assert calls[0] <= 1.1 * calls[1]
