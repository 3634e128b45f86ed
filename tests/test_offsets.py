"""A parameter with a large offset: the fit is that of the same data without the offset."""

import warnings

import numpy as np
import pytest
from numba import njit

from leastsq import OptimizeWarning, curve_fit, curve_fit_many

PULSES = np.arange(0.0, 2000, 20)
TIMES = np.linspace(0, 100, 200)


def clock(n, t0, period, drift):
    """When pulses arrive."""
    return t0 + period * n + drift * n * n


def warming(t, f0, drift, change, tau):
    """The frequency of an oscillator that warms up."""
    return f0 + drift * t + change * np.exp(-t / tau)


def warming_jac(t, f0, drift, change, tau):
    decay = np.exp(-t / tau)
    columns = np.ones((4, t.size))
    columns[1], columns[2], columns[3] = t, decay, change * t / tau**2 * decay
    return columns.T


def peak(t, height, centre, width, base):
    return height * np.exp(-0.5 * ((t - centre) / width) ** 2) + base


def assert_same(found, expected, offset):
    (popt, pcov), (x, cov) = found, expected
    errors = np.sqrt(np.diag(cov))
    assert np.max(np.abs(popt - offset - x) / errors) < 0.05
    np.testing.assert_allclose(np.sqrt(np.diag(pcov)), errors, rtol=0.05)


@pytest.mark.parametrize("far", [0.01, 0.1, 1, 10])
def test_the_fit_of_a_line_goes_on_after_its_first_long_step(far):
    """The step reduces the sum of squares so much that a millionth of it is the noise."""
    offset = np.array([1.6e9, 0, 0])
    for seed in range(20):
        rng = np.random.default_rng(seed)
        true = [rng.uniform(), rng.uniform(0.5, 2), 1e-6 * rng.uniform(-1, 1)]
        start = true + far * np.array([1, 1e-3, 1e-6]) * rng.uniform(-1, 1, 3)
        times = clock(PULSES, *(true + offset)) + 1e-3 * rng.standard_normal(100)
        expected = curve_fit(clock, PULSES, times - 1.6e9, start)
        assert_same(curve_fit(clock, PULSES, times, start + offset), expected, offset)


@pytest.mark.parametrize("wrap", [njit, lambda model: model], ids=["njit", "Python"])
@pytest.mark.parametrize("jac", [warming_jac, None])
@pytest.mark.parametrize("noise", [0.02, 1e-4])
def test_the_covariance_is_that_at_the_solution(jac, wrap, noise):
    offset = np.array([1e9, 0, 0, 0])
    stack, starts, single = [], [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        true = np.array([rng.uniform(0, 10), 1e-3, 0.5, 15])
        starts.append(true + 0.3 * np.array([3, 5e-4, 0.2, 5]) * rng.uniform(-1, 1, 4))
        stack.append(warming(TIMES, *true) + noise * rng.standard_normal(TIMES.size))
        single.append(curve_fit(warming, TIMES, stack[-1], starts[-1], jac=warming_jac))
    options = {"jac": jac and wrap(jac)}
    fits = curve_fit_many(wrap(warming), TIMES, np.array(stack) + 1e9, np.array(starts) + offset)
    for k, expected in enumerate(single):
        found = curve_fit(wrap(warming), TIMES, stack[k] + 1e9, starts[k] + offset, **options)
        assert_same(found, expected, offset)
        assert_same((fits.popt[k], fits.pcov[k]), expected, offset)


def wave(t, level, amplitude, period, phase):
    return level + amplitude * np.sin(2 * np.pi * t / period + phase)


@pytest.mark.parametrize("far", [0, 0.001, 0.01])
@pytest.mark.parametrize(
    ("origin", "span", "period"),
    [(2455000, 60, 5.37), (55000, 30, 0.3), (2459000, 700, 33.0), (1.7e9, 3e5, 8.6e3)],
)
@pytest.mark.parametrize("wrap", [njit, lambda model: model], ids=["njit", "Python"])
def test_the_period_of_a_wave_and_its_error_do_not_depend_on_the_origin(
    wrap, origin, span, period, far
):
    """The phase is that at the origin, so a period has almost the same effect as a phase."""
    model = wrap(wave)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        t = np.sort(rng.uniform(0, span, 90))
        y = wave(t, 12, 0.3, period, 0.7) + 0.04 * rng.standard_normal(90)
        x, cov = curve_fit(model, t, y, [12, 0.3, period, 0.7])
        errors = np.sqrt(np.diag(cov))
        start = np.array([12, 0.3, x[2] + far * errors[2], 0])
        start[3] = (x[3] - 2 * np.pi * origin / start[2]) % (2 * np.pi)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The data hardly determine", OptimizeWarning)
            popt, pcov = curve_fit(model, t + origin, y, start)
            many = curve_fit_many(model, t + origin, y[None], start)
            parts, cov_of_parts = curve_fit(model, t + origin, y, start, chunks=40)
        for found, its in ((popt, pcov), (many.popt[0], many.pcov[0]), (parts, cov_of_parts)):
            assert np.max(np.abs(found - x)[:3] / errors[:3]) < 0.05
            np.testing.assert_allclose(np.sqrt(its[2, 2]), errors[2], rtol=0.05)


@pytest.mark.parametrize(
    ("origin", "span", "period"),
    [
        (2455000, 60, 4.23),
        (2455000, 1000, 150),
        (2455000, 1000, 300),
        (2455000, 5000, 750),
        (58000, 1000, 30),
        (1.7e9, 3e7, 9e6),
    ],
)
def test_errors_of_amplitudes_do_not_depend_on_the_origin(origin, span, period):
    """Curvature in the period, or in the phase, looks like the amplitude."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        t = np.sort(rng.uniform(0, span, 100))
        y = wave(t, 50, 10, period, 0.3) + rng.standard_normal(100)
        x, cov = curve_fit(wave, t, y, [49, 9, period, 0.3])
        start = [49, 9, x[2], (x[3] - 2 * np.pi * origin / x[2]) % (2 * np.pi)]
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The data hardly determine", OptimizeWarning)
            popt, pcov = curve_fit(wave, t + origin, y, start)
            many = curve_fit_many(wave, t + origin, y[None], start)
        for found, its in ((popt, pcov), (many.popt[0], many.pcov[0])):
            np.testing.assert_allclose(found[:3], x[:3], rtol=1e-4)
            errors = np.sqrt(np.diag(its))
            np.testing.assert_allclose(errors[:3], np.sqrt(np.diag(cov))[:3], rtol=0.05)


EPOCHS = np.arange(0.0, 300, 7)


def late(n, period, drift):
    return 2453100.1234 + period * n + drift * n * n


def late_by(n, t0, period, drift):
    return t0 + period * n + drift * n * n


FIXED = [2453100.1234, -np.inf, -np.inf], [2453100.1234, np.inf, np.inf]
SPREAD = 0.005 * (1 + 0.1 * np.cos(EPOCHS))


@pytest.mark.parametrize(
    ("model", "start", "options"),
    [
        (late, [2.3, 1e-8], {}),
        (late, [2.3, 0], {"sigma": np.full(43, 1e-3)}),
        (late, [2.3, 0], {"sigma": np.diag(np.full(43, 1e-6))}),
        (late, [2.3, 1e-8], {"loss": "soft_l1", "f_scale": 1e3}),
        (late, [2.3, 1e-8], {"chunks": 10}),
        (late_by, [2453100.1234, 2.3, 1e-8], {"bounds": FIXED}),
        (njit(late), [2.3, 1e-8], {}),
        (njit(late), [2.3, 1e-8], {"chunks": 20}),
    ],
    ids=["alone", "errors", "covariance", "loss", "parts", "fixed", "njit", "njit parts"],
)
def test_an_offset_in_the_model_is_no_matter_of_its_parameters(model, start, options):
    """The offset of the data rounds the residuals; no parameter has an effect of that size."""
    columns = np.stack([EPOCHS, EPOCHS**2])
    inverse = np.linalg.inv(columns @ columns.T / np.outer(*2 * [columns[:, -1]]))
    for seed in range(20):
        noise = SPREAD * np.random.default_rng(seed).standard_normal(43)
        times = late(EPOCHS, 2.3456789, 1e-8) + noise
        popt, pcov = curve_fit(model, EPOCHS, times, start, **options)
        x, left = np.linalg.lstsq(columns.T, times - 2453100.1234)[:2]
        errors = np.sqrt(np.diag(inverse) * left / 41) / columns[:, -1]
        assert np.max(np.abs(popt[-2:] - x) / errors) < 0.05
        np.testing.assert_allclose(np.sqrt(np.diag(pcov))[-2:], errors, rtol=0.05)


@pytest.mark.parametrize("sigma", [None, 1e-3, np.full(43, 1e-3)], ids=["none", "one", "each"])
@pytest.mark.parametrize("wrap", [njit, lambda model: model], ids=["njit", "lockstep"])
def test_many_fits_know_the_offsets_of_their_data(wrap, sigma):
    rng = np.random.default_rng(1)
    times = late(EPOCHS, 2.3456789, 1e-8) + 0.005 * rng.standard_normal((20, 43))
    times[5, 7:9] = np.nan
    model = wrap(late)
    many = curve_fit_many(model, EPOCHS, times, [2.3, 0], sigma)
    for i, y in enumerate(times):
        options = {"sigma": None if sigma is None else np.full(43, 1e-3), "nan_policy": "omit"}
        popt, pcov = curve_fit(model, EPOCHS, y, [2.3, 0], **options)
        assert np.array_equal(many.popt[i], popt)
        assert np.array_equal(many.pcov[i], pcov)


@pytest.mark.parametrize("noise", [1e-2, 1e-3, 1e-4])
@pytest.mark.parametrize("width", [2, 10, 100])
def test_small_residuals_are_not_taken_for_rounding_errors(width, noise):
    offset = np.array([0, 1.5e9, 0, 0])
    t = np.linspace(-5 * width, 5 * width, 200)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        true = np.array([1, width * rng.uniform(-1, 1), width * rng.uniform(0.7, 1.4), 0.2])
        start = true + 0.3 * np.array([0.5, width / 2, width * 0.4, 0.2]) * rng.uniform(-1, 1, 4)
        late = t + 1.5e9
        y = peak(late, *(true + offset)) + noise * rng.standard_normal(200)
        expected = curve_fit(peak, late - 1.5e9, y, start)
        assert_same(curve_fit(peak, late, y, start + offset), expected, offset)


@pytest.mark.parametrize(
    ("epoch", "width"), [(1.5e9, 1), (1.5e9, 0.05), (2.455e6, 1e-3), (4.29e14, 1e5)]
)
def test_a_step_is_shortened_until_it_resolves_a_narrow_feature(epoch, width):
    offset = np.array([0, epoch, 0, 0])
    x = epoch + np.linspace(-6 * width, 6 * width, 200)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        true = np.array([1, width * rng.uniform(-1, 1), width * rng.uniform(0.7, 1.4), 0.2])
        start = true + 0.3 * np.array([0.5, width, width / 2, 0.2]) * rng.uniform(-1, 1, 4)
        y = peak(x, *(true + offset)) + 0.02 * rng.standard_normal(200)
        expected = curve_fit(peak, x - epoch, y, start)
        assert_same(curve_fit(peak, x, y, start + offset), expected, offset)


@pytest.mark.parametrize("offset", [0, 1e5, 1e7])
def test_central_differences_with_an_offset(offset):
    """A step relative to the centre is longer than the peak."""
    x = np.linspace(0, 10, 60)
    for seed in range(5):
        y = peak(x, 3, 4.2, 0.7, 1) + 0.05 * np.random.default_rng(seed).standard_normal(x.size)
        start = [2, 3.8, 1, 0.5]
        best, cov = curve_fit(peak, x, y, start, jac="cs")
        found, found_cov = curve_fit(
            peak, x + offset, y, start + np.array([0, offset, 0, 0]), jac="3-point"
        )
        errors = np.sqrt(np.diag(cov))
        assert np.max(np.abs(found - [0, offset, 0, 0] - best) / errors) < 0.01
        np.testing.assert_allclose(np.sqrt(np.diag(found_cov)), errors, rtol=1e-3)


def arrival(stations, x, y, depth, time):
    distances = np.sqrt((stations[0] - x) ** 2 + (stations[1] - y) ** 2 + depth**2)
    return time + distances / 6


def test_central_differences_beside_a_date():
    """An earthquake: a time in Unix seconds rounds the arrivals to 2e-7 s."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        stations = rng.uniform(-50, 50, (2, 14))
        times = arrival(stations, 3, -7, 12, 33) + 0.02 * rng.standard_normal(14)
        best, cov = curve_fit(arrival, stations, times, [0, 0, 5, 0], jac="3-point")
        found, found_cov = curve_fit(
            arrival, stations, times + 1.6e9, [0, 0, 5, 1.6e9], jac="3-point"
        )
        found[2], best[2] = np.abs([found[2], best[2]])  # its sign makes no difference
        errors = np.sqrt(np.diag(cov))
        assert np.max(np.abs(found - [0, 0, 0, 1.6e9] - best) / errors) < 0.01
        np.testing.assert_allclose(np.sqrt(np.diag(found_cov)), errors, rtol=0.02)


@pytest.mark.parametrize("unit", [1, 1e-9])
@pytest.mark.parametrize("depth", [1e-4, 1e-6])
def test_central_differences_of_a_weak_line_in_any_unit(depth, unit):
    """The changes of the values are lost in rounding errors of the level, if steps are short."""
    x = np.linspace(600, 710, 80)

    def line(x, level, depth, center, width):
        return level - depth * np.exp(-(((x - center) / width) ** 2) / 2)

    y = line(x, 1, depth, 656.3, 10) + depth / 20 * np.random.default_rng(0).standard_normal(80)
    best, cov = curve_fit(line, x, y, [1, depth, 656, 10], jac="cs")
    units = np.array([1, 1, unit, unit])
    found, found_cov = curve_fit(
        line, x * unit, y, units * [1, 0.8 * depth, 653, 15], jac="3-point"
    )
    errors = np.sqrt(np.diag(cov))
    assert np.max(np.abs(found / units - best) / errors) < 0.01
    np.testing.assert_allclose(np.sqrt(np.diag(found_cov)) / units, errors, rtol=1e-3)


@pytest.mark.parametrize("fill", [-9999, 1e12, 1e20, 9.969209968386869e36])
@pytest.mark.parametrize("jac", [None, "3-point"])
def test_fill_values_that_the_model_has_too_do_no_harm(fill, jac):
    """They are no residuals, and their size tells nothing of the rounding errors of the others."""
    x = np.linspace(0, 5, 60)
    bad = np.arange(60) % 11 == 4

    def filled(x, a, b, c):
        return np.where(bad, fill, a * np.exp(-b * x) + c)

    def decay(x, a, b, c):
        return a * np.exp(-b * x) + c

    for seed in range(10):
        y = decay(x, 2, 1, 0.5) + 0.02 * np.random.default_rng(seed).standard_normal(60)
        best, cov = curve_fit(decay, x[~bad], y[~bad], [1, 1, 1])
        popt, pcov = curve_fit(filled, x, np.where(bad, fill, y), [1, 1, 1], jac=jac)
        many = curve_fit_many(filled, x, np.where(bad, fill, y)[None], [1, 1, 1])
        errors = np.sqrt(np.diag(cov)) * np.sqrt((np.sum(~bad) - 3) / 57)
        for found, its in ((popt, pcov), (many.popt[0], many.pcov[0])):
            assert np.max(np.abs(found - best) / errors) < 0.05
            np.testing.assert_allclose(np.sqrt(np.diag(its)), errors, rtol=0.05)
