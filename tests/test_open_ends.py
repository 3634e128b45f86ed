"""Fits that would end where a parameter has no effect, because it ran away on the first steps."""

import warnings

import numpy as np
import pytest
from numba import njit
from problems import nist
from scipy import optimize

from leastsq import (
    FitError,
    OptimizeWarning,
    curve_fit,
    curve_fit_many,
    least_squares,
    leastsq,
)

pytestmark = pytest.mark.usefixtures("overflowing")

Q = np.linspace(0, 60, 25)
AGES = np.arange(1.0, 21)
KELVIN = np.linspace(350, 600, 15)
TRIALS = np.arange(1.0, 41)
SPECTRUM = np.stack([np.repeat(np.geomspace(10, 1e9, 60), 2), np.tile([0, 1], 60)])


def pump(q, h, a, b):
    return h - q**b / a


def growth(t, size, rate, t0):
    return size * (1 - np.exp(-rate * (t - t0)))


def viscosity(t, a, b, t0):
    return a + b / (t - t0)


def learning(n, floor, gain, rate, delay):
    return floor + gain * (n + delay) ** -rate


CASES = [
    (pump, Q, [42, 9000, 1.9], 0.2),
    (growth, AGES, [120, 0.18, -0.6], 1.0),
    (viscosity, KELVIN, [-2.5, 4000, 300], 0.05),
    (learning, TRIALS, [500, 1500, 0.6, 3], 10.0),
]


def data(model, x, truth, noise, seed):
    rng = np.random.default_rng(seed)
    truth = np.array(truth) * np.exp(rng.uniform(-0.05, 0.05, len(truth)))
    y = model(x, *truth) + noise * rng.standard_normal(x.size)
    best = optimize.curve_fit(model, x, y, truth)[0]
    return y, np.sum((model(x, *best) - y) ** 2)


@pytest.mark.parametrize("case", CASES, ids=[case[0].__name__ for case in CASES])
def test_defaults_find_what_scipys_scale_finds(case):
    model, x, *_ = case
    found = {"ours": 0, "scipys": 0}
    for seed in range(10):
        y, least = data(*case, seed)
        ones = np.ones(len(case[2]))
        for name, solver in (("ours", least_squares), ("scipys", optimize.least_squares)):
            fit = solver(lambda p, y=y: model(x, *p) - y, ones)
            found[name] += 2 * fit.cost <= least * 1.001
    assert found["ours"] >= max(8, found["scipys"] - 2)


def test_a_user_s_scale_is_kept():
    y, least = data(*CASES[1], 1)
    scale = np.array([1.0, 1.0, 1.0])

    def residuals(p):
        return growth(AGES, *p) - y

    fit = least_squares(residuals, [1, 1, 1], x_scale=scale)
    assert 2 * fit.cost <= least * 1.001
    assert fit.nfev < least_squares(residuals, [1, 1, 1]).nfev


@pytest.mark.parametrize("wrap", [njit, lambda model: model])
def test_a_batch_tries_as_curve_fit_does(wrap):
    for case in CASES[1:3]:
        model, x, truth, _ = case
        stack = np.array([data(*case, seed)[0] for seed in range(12)])
        ones = np.ones(len(truth))
        many = curve_fit_many(wrap(model), x, stack, ones, on_failure="last", covariance=False)
        for k, y in enumerate(stack):
            popt, _, info, _, ier = curve_fit(wrap(model), x, y, ones, full_output=True)
            np.testing.assert_allclose(many.popt[k], popt, rtol=1e-6)
            assert (many.nfev[k], many.status[k]) == (info["nfev"], ier)


@pytest.mark.parametrize("start", [[10, 1, 1, 1, 1], [5, 1, 1, 0.5, 0.5], [20, 5, 10, 1, 1]])
def test_a_first_step_that_is_too_long_is_followed_by_a_small_one(start):
    """Only the lowest frequencies show more than one of the parameters at these starts."""
    true = [12, 3, 1e-5, 0.8, 0.6]
    noise = 0.03 * np.random.default_rng(1).standard_normal((5, 120))
    stack = havriliak_negami(SPECTRUM, *true) + noise
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OptimizeWarning)
        many = curve_fit_many(havriliak_negami, SPECTRUM, stack, start)
    assert np.count_nonzero(many.success) >= 4
    for k in np.flatnonzero(many.success):
        popt, _, info, _, ier = curve_fit(
            havriliak_negami, SPECTRUM, stack[k], start, full_output=True
        )
        assert np.sum(info["fvec"] ** 2) < 1.05 * np.sum(noise[k] ** 2)
        np.testing.assert_allclose(many.popt[k], popt, rtol=1e-6)
        assert many.status[k] == ier
        # Some releases of NumPy round powers of arrays in another way than powers of numbers.
        np.testing.assert_allclose(many.nfev[k], info["nfev"], rtol=0.05)


def havriliak_negami(x, static, high, tau, a, b):
    """A dielectric spectrum: the real part of the permittivity, or the losses."""
    spectrum = high + (static - high) / (1 + (1j * x[0] * tau) ** a) ** b
    return np.where(x[1], -spectrum.imag, spectrum.real)


@pytest.mark.parametrize("loss", ["soft_l1", "cauchy"])
def test_a_robust_fit_that_ran_away_is_tried_again(loss):
    x = np.linspace(0.02, 0.5, 20)
    found = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        y = isotherm(x, 25, 90) + 0.3 * rng.standard_normal(20)
        y[rng.choice(20, 2, replace=False)] += rng.uniform(8, 30, 2) * 0.3
        options = {"loss": loss, "f_scale": 0.3}
        fits = [
            solver(lambda p, y=y: isotherm(x, *p) - y, start, **options)
            for solver, start in ((least_squares, [25, 500]), (optimize.least_squares, [25, 90]))
        ]
        found += fits[0].cost <= fits[1].cost * 1.001
    assert found >= 19


def isotherm(x, capacity, c):
    return capacity * c * x / ((1 - x) * (1 + (c - 1) * x))


def test_a_start_that_nothing_moves_is_tried_once():
    calls = []
    result = least_squares(lambda p: calls.append(p) or np.ones(4), [1.0, 2.0])
    assert result.status == 1
    assert len(calls) <= 10


def antoine(t, a, b, c):
    return a - b / (c + t)


def vapour_pressures(seed, m=30):
    rng = np.random.default_rng(seed)
    t = np.linspace(10, 100, m)
    y = antoine(t, 8.07, 1730, 233) + 0.002 * rng.standard_normal(m)
    y[rng.choice(m, m // 12, replace=False)] += rng.choice([-0.04, 0.04], m // 12)
    return t, y


@pytest.mark.parametrize("chunks", [None, 7, 1])
def test_a_robust_fit_does_not_end_where_the_curve_passes_by_the_data(chunks):
    for seed in range(10):
        t, y = vapour_pressures(seed)
        options = {"loss": "soft_l1", "f_scale": 0.002}
        popt = curve_fit(antoine, t, y, chunks=chunks, **options)[0]
        there = optimize.curve_fit(antoine, t, y, (8, 1700, 230), method="trf", **options)[0]
        np.testing.assert_allclose(antoine(t, *popt), antoine(t, *there), rtol=0, atol=1e-4)


@pytest.mark.parametrize("wrap", [njit, lambda model: model])
def test_robust_fits_that_pass_by_the_data_are_tried_again_in_a_batch(wrap):
    model = wrap(antoine)
    y = np.array([vapour_pressures(seed)[1] for seed in range(6)])
    options = {"loss": "soft_l1", "f_scale": 0.002}
    t = vapour_pressures(0)[0]
    fits = curve_fit_many(model, t, y, np.ones(3), **options)
    for popt, nfev, row in zip(fits.popt, fits.nfev, y, strict=True):
        one = curve_fit(model, t, row, np.ones(3), full_output=True, **options)
        np.testing.assert_allclose(popt, one[0], rtol=1e-6)
        assert nfev == one[2]["nfev"]


def test_a_small_scale_of_a_loss_does_not_mean_that_the_curve_passes_by_the_data():
    t = np.linspace(0, 5, 60)
    calls = {"ours": 0, "scipys": 0}
    for seed in range(5):
        rng = np.random.default_rng(seed)
        y = 1e3 * (2.5 * np.exp(-1.3 * t) + 0.5 + 0.1 * rng.standard_normal(60))
        for name, solver in (("ours", least_squares), ("scipys", optimize.least_squares)):

            def residuals(p, name=name, y=y):
                calls[name] += 1
                return p[0] * np.exp(-p[1] * t) + p[2] - y

            solver(residuals, [1000, 1, 200], loss="soft_l1")
    assert calls["ours"] < 0.25 * calls["scipys"]


def logistic(t, k, r, t0):
    return k / (1 + np.exp(-r * (t - t0)))


def test_a_try_that_ends_higher_is_not_better():
    """The data grow exponentially: the capacity runs away until maxfev."""
    t = np.arange(97.0)
    y = 1e5 * np.exp(0.06 * t) * (1 + 0.02 * np.random.default_rng(0).standard_normal(97))
    costs = []

    def seen(t, *p):
        values = logistic(t, *p)
        costs.append(np.sum((values - y) ** 2))
        return values

    with pytest.raises(FitError, match="maxfev") as error:
        curve_fit(seen, t, y, [1.2e6, 0, 48])
    assert np.sum((logistic(t, *error.value.popt) - y) ** 2) <= 1.001 * np.nanmin(costs)
    with pytest.warns(OptimizeWarning, match="1 of 1 fits failed"):
        fits = curve_fit_many(logistic, t, y[None], [1.2e6, 0, 48], on_failure="last")
    assert fits.status[0] == 5
    np.testing.assert_allclose(fits.popt[0], error.value.popt, rtol=1e-6)


CELSIUS = np.arange(0.0, 101, 10)
KILOPASCALS = [0.611, 1.228, 2.338, 4.246, 7.384, 12.349, 19.94, 31.19, 47.39, 70.14, 101.33]


@pytest.mark.parametrize("wrap", [njit, lambda model: model])
def test_a_try_that_uses_up_its_calls_at_a_lower_point_goes_on(wrap):
    def water(t, a, b, c):
        return 10 ** (a - b / (c + t))

    y = np.array(KILOPASCALS)
    for p0 in ([7.0, 0, 230], [7.0, 1, 230]):
        popt = curve_fit(wrap(water), CELSIUS, y, p0)[0]
        np.testing.assert_allclose(popt, [7.10875, 1679.81, 229.182], rtol=1e-4)
        fits = curve_fit_many(wrap(water), CELSIUS, y[None], p0)
        np.testing.assert_allclose(fits.popt[0], popt, rtol=1e-6)


@pytest.mark.parametrize("wrap", [njit, lambda model: model])
def test_a_try_goes_on_at_a_point_that_is_a_bit_lower(wrap):
    """From NIST's first start, all tries use up their calls."""

    def kowalik_osborne(x, b1, b2, b3, b4):
        return b1 * (x**2 + x * b2) / (x**2 + x * b3 + b4)

    problem = nist.PROBLEMS["MGH09"]
    start = np.array(problem.starts[0])
    popt = curve_fit(wrap(kowalik_osborne), problem.x, problem.y, start)[0]
    np.testing.assert_allclose(popt, problem.certified, rtol=1e-3)
    fits = curve_fit_many(wrap(kowalik_osborne), problem.x, problem.y[None], start)
    np.testing.assert_allclose(fits.popt[0], popt, rtol=1e-6)


@pytest.mark.parametrize("seed", [3, 5])
def test_an_end_without_effect_is_no_solution_if_a_try_came_well_below(seed):
    """From zeros, two parameters have no effect, and the fit ends at the mean of the data."""

    def gompertz(x, a, b, c):
        return a * np.exp(-b * np.exp(c * x))

    x = np.linspace(0, 6, 40)
    y = gompertz(x, 9, 3, -0.9) + 0.2 * np.random.default_rng(seed).standard_normal(40)
    with pytest.raises(FitError, match="maxfev") as error:
        curve_fit(gompertz, x, y, np.zeros(3))
    popt = error.value.popt
    assert np.sum((gompertz(x, *popt) - y) ** 2) < 0.5 * np.sum((y - y.mean()) ** 2)
    with pytest.warns(OptimizeWarning, match="1 of 1 fits failed"):
        fits = curve_fit_many(gompertz, x, y[None], np.zeros(3), on_failure="last")
    np.testing.assert_allclose(fits.popt[0], popt, rtol=1e-6)


def test_the_calls_of_further_tries_do_not_grow_with_maxfev():
    calls = []

    def f(t, a, b, c):
        calls.append(1)
        return viscosity(t, a, b, c)

    y = data(*CASES[2], 0)[0]
    for maxfev in (0, 20000):
        calls.append(0)
        curve_fit(f, KELVIN, y, [1.0, 1, 1], maxfev=maxfev)
    first = calls.index(0, 1)
    assert len(calls) - first <= 1.01 * first + 1


def power(x, a, b, c):
    return a * x**b + c


@pytest.mark.parametrize("wrap", [njit, lambda model: model])
@pytest.mark.parametrize("limit", [{"maxfev": 3000}, {"max_nfev": 2000}])
def test_a_limit_above_the_default_does_not_rule_out_further_tries(wrap, limit):
    """The first try crawls, with c close to -a, and b close to zero."""
    x, start = np.arange(1.0, 41), np.ones(3)
    rng = np.random.default_rng(0)
    stack = power(x, 30, -0.7, 1) + 0.3 * rng.standard_normal((6, 40))
    many = curve_fit_many(wrap(power), x, stack, start, **limit)
    for k, y in enumerate(stack):
        popt, _, info, _, _ = curve_fit(wrap(power), x, y, start, full_output=True, **limit)
        there = optimize.curve_fit(power, x, y, [30, -0.7, 1])[0]
        np.testing.assert_allclose(power(x, *popt), power(x, *there), rtol=0, atol=1e-3)
        assert info["nfev"] < 1500
        np.testing.assert_allclose(many.popt[k], popt, rtol=1e-6)
        assert many.nfev[k] == info["nfev"]


def test_the_calls_that_are_left_after_all_tries_are_used_from_the_best_point():
    def banana(p):
        return np.array([1e4 * (p[1] - p[0] ** 2), 1 - p[0]])

    costs = []
    for limit in (None, 400, 1000, 20000):
        fit = least_squares(banana, [-1.2, 1], max_nfev=limit, method="lm")
        assert fit.nfev <= (limit or 370)
        costs.append(fit.cost)
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] < 1e-20


def test_an_exception_in_a_further_try_leaves_the_user_s_calls():
    """The fit goes on from the best point, although the tries from the start raise."""
    start = np.array([-1.2, 1])
    furthest = [0.0]

    def banana(p):
        furthest[0] = max(furthest[0], *np.abs(p - start))
        if furthest[0] > 0.1 and np.array_equal(p, start):
            raise ValueError("at the start again")
        return np.array([1e4 * (p[1] - p[0] ** 2), 1 - p[0]])

    x, ier = leastsq(banana, start, maxfev=20000)
    assert ier in (1, 2, 3, 4)
    np.testing.assert_allclose(x, 1, rtol=1e-6)
    furthest[0] = 0
    with pytest.raises(ValueError, match="at the start again"):
        leastsq(banana, start)


def test_an_exception_in_a_further_try_does_not_discard_the_solution():
    """The first try solves the fit where a parameter has no effect, the next leaves the domain."""
    x, start = KELVIN, np.ones(3)
    y = data(*CASES[2], 1)[0]
    points = []

    def seen(t, *p):
        points.append(p)
        return viscosity(t, *p)

    curve_fit(seen, x, y, start)
    again = max(k for k, p in enumerate(points) if p == (1, 1, 1))
    earlier = points[:again]
    outside = next(
        q for q in points[again:] if not any(np.allclose(q, p, rtol=1e-3) for p in earlier)
    )

    def in_domain(t, *p):
        if any(
            np.allclose(outside, np.ravel(q), rtol=1e-6)
            for q in zip(*map(np.ravel, p), strict=False)
        ):
            raise ValueError("outside of the domain")
        return viscosity(t, *p)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OptimizeWarning)
        popt, *_, ier = curve_fit(in_domain, x, y, start, full_output=True)
        many = curve_fit_many(in_domain, x, np.array([y, y]), start, vectorized=True)
        assert ier in (1, 2, 3, 4)
        np.testing.assert_array_equal(many.status, ier)
        np.testing.assert_allclose(many.popt, [popt, popt], rtol=1e-6)


@pytest.mark.parametrize("penalty", [10, np.nan])
@pytest.mark.parametrize("seed", [31, 40, 49, 53])
def test_a_fit_that_ends_at_a_wall_is_tried_again(seed, penalty):
    """The first steps run into the wall at 1.6, and stay there; the best rate is 1.3."""
    t = np.linspace(0, 5, 40)
    rng = np.random.default_rng(seed)
    y = 2 * np.exp(-1.3 * t) + 0.5 + 0.02 * rng.standard_normal(t.size)
    start = np.exp(0.4 * rng.standard_normal(3))

    def residuals(p):
        return np.full(t.size, penalty) if p[1] > 1.6 else p[0] * np.exp(-p[1] * t) + p[2] - y

    free = optimize.least_squares(lambda p: p[0] * np.exp(-p[1] * t) + p[2] - y, [2, 1.3, 0.5])
    assert least_squares(residuals, start).cost == pytest.approx(free.cost, rel=1e-6)
