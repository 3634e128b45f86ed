"""Fits within bounds find the minimum from afar, and land on a bound only if it is there."""

import math
import warnings

import numpy as np
import pytest
import scipy.linalg
from numba import njit
from problems.traps import TRAPS, decay
from scipy import optimize

from leastsq import curve_fit, leastsq
from leastsq._arguments.bounds import Box
from leastsq._fit.traps import all_act, other_tries, without_effect

pytestmark = pytest.mark.filterwarnings("ignore")
TIMES = np.linspace(0, 10, 60)
STARTS = 40
GRACE = 2  # starts from which a fit ends in another minimum by chance


def outcome(solver, trap, start):
    """The sum of squares that is reached, and the calls of the model."""
    calls = 0

    def counted(x, *params):
        nonlocal calls
        calls += 1
        return trap.model(x, *params)

    with np.errstate(all="ignore"):
        try:
            popt = solver(counted, trap.x, trap.y, start, bounds=(trap.lower, trap.upper))[0]
            reached = np.sum((trap.model(trap.x, *popt) - trap.y) ** 2)
        except RuntimeError:
            reached = np.inf
    return reached, calls


def weibull(s, s0, m):
    return 1 - np.exp(-((s / s0) ** m))


def weibull_jacobian(s, s0, m):
    u = (s / s0) ** m
    slope = np.where(u > 700, 0, np.exp(-u) * u)
    return np.stack([-slope * m / s0, slope * np.log(s / s0)], 1)


def test_a_fit_goes_on_from_where_the_model_begins_to_react():
    """At p0 the derivatives are 1e-50 of their size at the solution, but exact. The first step has
    nothing to do with them, and the trust region after it must not either."""
    s = np.linspace(2e8, 5e8, 25)
    y = weibull(s, 3.8e8, 9) + 0.03 * np.random.default_rng(1).standard_normal(25)
    options = {"bounds": ([1e7, 0.5], [1e10, 100]), "jac": weibull_jacobian}
    best = curve_fit(weibull, s, y, [3.8e8, 9], **options)[0]
    found = 0
    for start in [(s0, m) for s0 in np.geomspace(5e7, 3e9, 13) for m in np.geomspace(1, 60, 10)]:
        with warnings.catch_warnings(record=True) as told, np.errstate(all="ignore"):
            warnings.simplefilter("always")
            popt, _ = curve_fit(weibull, s, y, start, **options)
        is_best = np.allclose(popt, best, rtol=1e-3)
        found += is_best
        assert is_best or told
    assert found > 100


@pytest.fixture(scope="module")
def outcomes():
    """The sums of squares and the calls of both solvers; shape (starts, 2)."""
    return {
        name: [
            np.array([outcome(solver, trap, start) for start in trap.starts(STARTS)])
            for solver in (curve_fit, optimize.curve_fit)
        ]
        for name, trap in TRAPS.items()
    }


def found(ones, others):
    """How often the ones come within 1 % of the least sum of squares that anybody found."""
    return np.sum(ones[:, 0] <= 1.01 * min(ones[:, 0].min(), others[:, 0].min()))


@pytest.mark.parametrize("name", TRAPS)
def test_least_sum_is_found_as_often_as_by_trf(outcomes, name):
    ours, theirs = outcomes[name]
    assert found(ours, theirs) >= found(theirs, ours) - GRACE


def test_it_is_found_as_often_in_all_and_in_fewer_calls(outcomes):
    ours, theirs = (sum(found(*p) for p in pairs) for pairs in both_ways(outcomes))
    assert ours >= theirs - GRACE
    ours, theirs = (sum(p[0][:, 1].sum() for p in pairs) for pairs in both_ways(outcomes))
    assert ours <= theirs


def both_ways(outcomes):
    """All pairs of ours and theirs, and all of theirs and ours."""
    return list(outcomes.values()), [(b, a) for a, b in outcomes.values()]


def random_decays(count):
    """Decays with noise, from 60 points in time."""
    for seed in range(count):
        rng = np.random.default_rng(seed)
        true = rng.uniform(0.5, 20), 10 ** rng.uniform(-0.7, 1), rng.uniform(0, 3)
        noise = 0.05 * rng.standard_normal(TIMES.size)
        yield decay(TIMES, *true) + noise, 1.05 * np.sum(noise**2)


@pytest.mark.parametrize("least", [1e-12, 1e-6, 1e-3])
def test_bound_next_to_zero_is_no_trap_for_a_time_constant(least):
    for y, enough in random_decays(60):
        popt = curve_fit(decay, TIMES, y, bounds=([0, least, 0], np.inf))[0]
        assert np.sum((decay(TIMES, *popt) - y) ** 2) <= enough


def test_compiled_decay_never_divides_by_a_bound_of_zero():
    @njit
    def compiled(t, amplitude, tau, level):
        values = np.empty_like(t)
        for i in range(t.size):
            values[i] = amplitude * math.exp(-t[i] / tau) + level
        return values

    for y, enough in random_decays(60):
        popt = curve_fit(compiled, TIMES, y, bounds=(0, np.inf))[0]
        assert np.sum((decay(TIMES, *popt) - y) ** 2) <= enough


@pytest.mark.parametrize("true", [1e-6, 0.02, 5.0])
@pytest.mark.parametrize("start", [1e-3, 1.0, 1e3])
def test_logarithm_is_not_called_on_its_bound(true, start):
    x = np.linspace(1, 9, 20)
    y = np.log(true * x) + 0.01 * np.cos(9 * x)

    def model(x, b):
        return [math.log(b * value) for value in x]

    popt, _ = curve_fit(model, x, y, [start], bounds=(0, np.inf))
    assert popt[0] == pytest.approx(np.exp(np.mean(y - np.log(x))), rel=1e-6)


def test_model_is_called_on_a_bound_only_where_the_minimum_is():
    seen = []

    def residuals(p):
        seen.append(p.copy())
        return np.array([p[0] - 2, p[1] + 1, p[0] * p[1], p[2] - 5])

    p, ier = leastsq(residuals, [9, 9, 9], bounds=(0, 10))
    assert ier in (1, 2, 3, 4)
    np.testing.assert_allclose(p, [2, 0, 5], atol=1e-7)
    assert p[1] == 0
    assert np.all(np.array(seen)[:, [0, 2]] > 0)
    assert np.all(np.array(seen)[:3, 1] > 0)


def gaussian(x, a, m, s, c):
    return a * np.exp(-0.5 * ((x - m) / s) ** 2) + c


def lowest(x, y, p0, bounds):
    """The sums of squares that both solvers reach."""
    sums = []
    with np.errstate(all="ignore"):
        for solver in (curve_fit, optimize.curve_fit):
            popt = solver(gaussian, x, y, p0, bounds=bounds)[0]
            sums.append(np.sum((gaussian(x, *popt) - y) ** 2))
    return sums


def test_peak_is_found_although_its_amplitude_came_to_zero():
    x = np.linspace(0, 10, 60)
    bounds = ([0, 0, 0.05, -1], [10, 10, 5, 3])
    both = []
    for seed in range(40):
        y = gaussian(x, 3, 4, 0.7, 0.5) + 0.1 * np.random.default_rng(seed).standard_normal(60)
        both.append(lowest(x, y, [1, 1, 1, 1], bounds))
    ours, theirs = np.array(both).T
    assert np.sum(ours < 2) >= np.sum(theirs < 2) - GRACE


def test_start_in_a_corner_is_left():
    x = np.linspace(0.1, 10, 40)
    y = 2 * x**1.5 + 1 + np.random.default_rng(1).standard_normal(40)
    lower = [0, -3, -5]
    popt, _ = curve_fit(lambda x, a, b, c: a * x**b + c, x, y, lower, bounds=(lower, [10, 5, 5]))
    np.testing.assert_allclose(popt, [2, 1.5, 1], atol=0.5)


@pytest.mark.parametrize("most", [20, 60, 100, 1000])
def test_calls_of_a_second_fit_are_counted_and_limited(most):
    x = np.linspace(0, 10, 60)
    y = gaussian(x, 3, 4, 0.7, 0.5) + 0.1 * np.random.default_rng(1).standard_normal(60)
    calls = 0

    def residuals(p):
        nonlocal calls
        calls += 1
        return gaussian(x, *p) - y

    bounds = ([0, 0, 0.05, -1], [10, 10, 5, 3])
    p, _, info, _, ier = leastsq(
        residuals, [1, 1, 1, 1], bounds=bounds, factor=1, maxfev=most, full_output=True
    )
    assert info["nfev"] == calls <= most + 4
    np.testing.assert_array_equal(info["fvec"], residuals(p))
    assert ier == 5 if most == 20 else ier in (1, 2, 3, 4, 5)


def test_small_amplitude_at_the_start_does_not_fling_the_other_parameters():
    x = np.linspace(0, 10, 40)

    def logistic(x, height, rate, middle, level):
        return height / (1 + np.exp(-rate * (x - middle))) + level

    bounds = [0, 0, -20, -10], [100, 20, 30, 10]
    for seed in range(10):
        y = logistic(x, 5, 1.3, 4, 0.5) + 0.15 * np.random.default_rng(seed).standard_normal(40)
        best = curve_fit(logistic, x, y, [5, 1.3, 4, 0.5], bounds=bounds)[0]
        for p0 in ([0.1, 1, 3, 0.5], [0.01, 1.3, 4, 0.5], [0.01, 0.01, 4, 0.5], [0.01, 1, 3, 2]):
            with np.errstate(all="ignore"):
                popt = curve_fit(logistic, x, y, p0, bounds=bounds)[0]
            np.testing.assert_allclose(popt, best, rtol=1e-3)


def test_a_glance_at_the_triangle_never_misses_a_parameter_without_effect():
    rng = np.random.default_rng(1)
    glances = 0
    while glances < 20:
        n = int(rng.integers(1, 6))
        jacobian = rng.standard_normal((9, n)) * 10.0 ** rng.integers(-9, 2, n)
        triangle, order = scipy.linalg.qr(jacobian, mode="r", pivoting=True)[-2:]
        x, fnorm = rng.standard_normal(n), float(10.0 ** rng.integers(-3, 3))
        effect = np.empty(n)
        effect[order] = np.abs(triangle[:n]).max(axis=0)
        box = Box(np.full(n, -9.0), np.full(n, 9.0))
        if all_act(x, abs(triangle[n - 1, n - 1]), fnorm):
            glances += 1
            assert other_tries(x, x, effect, fnorm, box) == []
            assert not without_effect(effect, x, x, box, fnorm).any()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_bound_where_the_model_is_not_finite_takes_few_calls():
    """The minimum is on the bound, where w*log(w) is NaN."""
    x = np.linspace(0.25, 50, 80)

    def f(x, v, w):
        return v * (1 - np.exp(-x / 5)) + w * (np.exp(-x / 10) - 0.1 * np.log(w) * np.exp(-x / 20))

    calls = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        y = 3 * (1 - np.exp(-x / 5)) - rng.uniform(0, 0.3) * np.exp(-x / 10)
        y += 0.1 * rng.standard_normal(80)
        popt, _, info, *_ = curve_fit(f, x, y, [1, 1], bounds=(0, np.inf), full_output=True)
        assert 0 < popt[1] < 1e-6
        calls += info["nfev"]
    assert calls < 20 * 200
