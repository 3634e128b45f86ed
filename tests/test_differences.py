"""Differenced Jacobians: steps that the residuals feel, but not their curvature."""

import warnings

import numpy as np
import pytest
from numba import njit
from problems import mgh, nist
from scipy import optimize

from leastsq import OptimizeWarning, curve_fit, curve_fit_many, least_squares, leastsq

SOLVED = (1, 2, 3, 4)
WAYS = pytest.mark.parametrize("options", [{}, {"bounds": (-10, 10)}, {"method": "trf"}], ids=str)


def line(x, a, b):
    return a * x + b


def standard_errors(design, y):
    """Of linear least squares."""
    r = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    variance = r @ r / (y.size - design.shape[1])
    return np.sqrt(np.diag(np.linalg.inv(design.T @ design)) * variance)


@WAYS
def test_line_through_zero_has_an_error_of_its_intercept(options):
    x = np.linspace(-1, 1, 21)
    y = 2 * x + 0.01 * np.sign(x) * np.abs(np.sin(9 * x))
    _, pcov = curve_fit(line, x, y, [1, 1], **options)
    expected = standard_errors(np.stack([x, np.ones(21)], 1), y)
    np.testing.assert_allclose(np.sqrt(np.diag(pcov)), expected, rtol=0.01)


@WAYS
@pytest.mark.parametrize("true", [(1, 0), (0, 1)])
@pytest.mark.parametrize("size", [0.01, 0.001])
def test_coefficient_that_is_zero_has_an_error(options, true, size):
    x = np.linspace(-1, 1, 20)
    y = true[0] + true[1] * x**2 + size * x**3
    _, pcov = curve_fit(lambda x, a, b: a + b * x**2, x, y, [1, 1], **options)
    expected = standard_errors(np.stack([np.ones(20), x**2], 1), y)
    np.testing.assert_allclose(np.sqrt(np.diag(pcov)), expected, rtol=0.01)


@pytest.mark.parametrize("options", [{}, {"bounds": ([0, -1], [2e7, 1])}, {"method": "trf"}])
@pytest.mark.parametrize("drift", [1e-3, 1e-5, 1e-7, 3e-8, 1e-12, 0])
def test_drift_of_a_clock_is_found_beside_its_frequency(options, drift):
    t = np.arange(100.0)
    y = 1e7 + 0.05 * t + 1e-3 * np.random.default_rng(2).standard_normal(100)
    popt, _ = curve_fit(lambda t, f, d: f + d * t, t, y, [1e7, drift], **options)
    best = np.polyfit(t, y - 1e7, 1)[0]
    assert popt[1] == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize(
    ("distance", "start"), [(3e7, 0.1), (1e9, 0), (-1e9, 1e-3), (1e12, 0), (1e5, 1e-12)]
)
def test_residual_far_from_zero_is_felt(distance, start):
    (x,), ier = leastsq(lambda p: p - distance, [start])
    assert ier in SOLVED
    assert x == pytest.approx(distance, rel=1e-7)


@pytest.mark.parametrize("factor", [0.1, 0.5, 1, 100])
def test_steep_residual_is_followed_to_its_zero(factor):
    (x,), ier = leastsq(lambda p: 1e10 * (p - 1), [0], factor=factor)
    assert ier in SOLVED
    assert x == pytest.approx(1, rel=1e-7)


def dip(t, level, depth, t0, width):
    return level - depth * np.exp(-0.5 * ((t - t0) / width) ** 2)


def dip_derivatives(t, level, depth, t0, width):
    u = (t - t0) / width
    e = depth * np.exp(-0.5 * u**2)
    return np.stack([np.ones_like(t), -e / depth, -e * u / width, -e * u**2 / width], 1)


@pytest.mark.parametrize(
    ("epoch", "width"), [(2455000.0, 0.04), (2455000.0, 0.01), (1.7e9, 10.0), (59000.5, 0.002)]
)
@pytest.mark.parametrize("jac", [None, dip_derivatives])
def test_dip_is_found_at_its_date(epoch, width, jac):
    dt = np.linspace(-7.5 * width, 7.5 * width, 400)
    y = dip(dt, 1, 0.01, 0.3 * width, width)
    y += 0.001 * np.random.default_rng(1).standard_normal(400)
    best, pcov = optimize.curve_fit(dip, dt, y, (1, 0.02, 0, 1.2 * width))
    errors = np.sqrt(np.diag(pcov))
    popt, found = curve_fit(dip, epoch + dt, y, (1, 0.02, epoch, 1.2 * width), jac=jac)
    assert np.all(np.abs(popt - [0, 0, epoch, 0] - best) < 0.02 * errors)
    np.testing.assert_allclose(np.sqrt(np.diag(found)), errors, rtol=0.02)


def test_model_that_computes_in_single_precision_is_fitted():
    x = np.linspace(-1, 1, 20)

    def peak(x, a, m, s):
        return a / s * np.exp(-((x - m) ** 2) / (2 * s**2))

    def single(x, *params):
        return peak(x.astype(np.float32), *map(np.float32, params)).astype(np.float32)

    y = peak(x, 0.6, 0.2, 0.2) + np.random.default_rng(0).normal(0, 0.05, 20)
    best, _ = optimize.curve_fit(peak, x, y, [1, 0, 0.1])
    popt, _ = curve_fit(single, x, y, [1, 0, 0.1])
    np.testing.assert_allclose(popt, best, rtol=1e-3)


@pytest.mark.parametrize("name", ["Misra1a", "Chwirut2", "Gauss1", "DanWood", "Kirby2", "Thurber"])
@pytest.mark.parametrize("start", [0, 1])
def test_regular_fit_takes_no_call_more_than_scipys(name, start):
    problem = nist.PROBLEMS[name]
    ours, theirs = (
        solver(problem.residuals, problem.starts[start], full_output=True)[2]["nfev"]
        for solver in (leastsq, optimize.leastsq)
    )
    assert ours <= theirs


@pytest.mark.parametrize("diff_step", [1e-6, [1e-6, 1e-5, 1e-4]])
@pytest.mark.parametrize("solver", ["leastsq", "curve_fit"])
def test_steps_of_the_user_are_taken_as_they_are(fit, diff_step, solver):
    seen = []

    def model(x, *p):
        seen.append(np.array(p))
        return fit.residuals(p) + fit.y

    start = np.array([2.0, 0.5, 0])
    if solver == "leastsq":
        leastsq(lambda p: model(fit.x, *p) - fit.y, start, diff_step=diff_step)
    else:
        curve_fit(model, fit.x, fit.y, start, diff_step=diff_step)
    steps = np.diag(np.array(seen)[1:4] - start)
    np.testing.assert_allclose(steps, np.array([2, 0.5, 1]) * diff_step, rtol=1e-9)


@pytest.mark.parametrize(
    ("diff_step", "message"),
    [
        ([1e-6, 1e-6], "diff_step must be one number, or one for each of the 3 parameters, got 2"),
        (0, "diff_step must be finite and not zero"),
        ([1e-6, np.nan, 1e-6], "diff_step must be finite and not zero"),
    ],
)
def test_steps_that_are_none_are_refused(fit, diff_step, message):
    with pytest.raises(ValueError, match=message):
        leastsq(fit.residuals, fit.start, diff_step=diff_step)


def test_mghs_standard_starts_take_hardly_more_calls_for_the_same_norm():
    """Some end where the linear model promises more, and are differenced anew there."""
    ours = theirs = 0
    for case in mgh.CASES:
        if "rank 1" in case.name:  # tried from the other side, too
            continue
        with np.errstate(all="ignore"):
            fits = [s(case.residuals, case.start, full_output=True) for s in (leastsq, scipys)]
        norms = [np.linalg.norm(fit[2]["fvec"]) for fit in fits]
        counts = [fit[2]["nfev"] for fit in fits]
        is_same = norms[0] == pytest.approx(norms[1], rel=1e-5, abs=1e-10)
        if case.factor == 1 and is_same and counts[1] < 1000:
            ours += counts[0]
            theirs += counts[1]
    assert theirs > 1500
    assert ours <= 1.07 * theirs


def scipys(*args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return optimize.leastsq(*args, **options)


@njit
def in_an_array(p):
    return np.array([p[0] ** 2 - 4, p[0] - 2], np.float32)


@njit
def in_a_tuple(p):
    x = np.float32(p[0])
    return x * x - np.float32(4), x - np.float32(2)


@njit
def in_a_list(p):
    x = np.float32(p[0])
    return [x * x - np.float32(4), x - np.float32(2)]


@njit
def alone(p):
    x = np.float32(p[0])
    return x * x - np.float32(4)


@pytest.mark.parametrize("residuals", [in_an_array, in_a_tuple, in_a_list, alone])
def test_compiled_function_of_single_precision_is_solved(residuals):
    (x,), ier = leastsq(residuals, [1.0])
    assert ier in SOLVED
    assert x == pytest.approx(2, rel=1e-4)


def test_compiled_model_of_single_precision_is_fitted():
    @njit
    def single(x, a, b):
        return (np.float32(a) * np.exp(-np.float32(b) * x.astype(np.float32))).astype(np.float32)

    x = np.linspace(0, 3, 40)
    y = 2 * np.exp(-x) + 0.01 * np.cos(40 * x)
    best, _ = optimize.curve_fit(lambda x, a, b: a * np.exp(-b * x), x, y)
    popt, _ = curve_fit(single, x, y)
    np.testing.assert_allclose(popt, best, rtol=1e-3)


@pytest.mark.parametrize("intercept", [0, 1e-300, 1e-30, 1e-17, 1e-12, 1e-8])
def test_prior_that_alone_feels_a_parameter_next_to_zero_does_not_hide_the_data(intercept):
    t = np.linspace(1, 2, 50)
    y = 0.3 + 3 * t + 0.1 * np.random.default_rng(1).standard_normal(50)
    rows = np.concatenate([np.stack([np.ones(50), t], 1) / 0.1, [[2, 0]]])
    best = np.linalg.lstsq(rows, np.append(y / 0.1, 0))[0]
    x, _ = leastsq(lambda p: np.append((p[0] + p[1] * t - y) / 0.1, p[0] / 0.5), [intercept, 1.0])
    np.testing.assert_allclose(x, best, rtol=1e-5)


@pytest.mark.parametrize("size", [0, 1e-15, 1e-12, 1e-10, 1e-3])
def test_decay_is_found_from_next_to_zero(size):
    x = np.linspace(0, 5, 40)

    def decay(x, a, k, c):
        return a * np.exp(-k * x) + c

    for seed in range(10):
        y = decay(x, 2, 1.2, 0.3) + 0.02 * np.random.default_rng(seed).standard_normal(40)
        best = curve_fit(decay, x, y, [2, 1.2, 0.3])[0]
        with np.errstate(all="ignore"):
            popt = curve_fit(decay, x, y, [size] * 3, bounds=(0, np.inf))[0]
        np.testing.assert_allclose(popt, best, rtol=1e-4)


def rotated_spot(place, height, x, y, width, other_width, angle, level):
    """A spot that need not be round; a round one does not depend on its angle."""
    dx, dy = place[0] - x, place[1] - y
    c, s = np.cos(angle), np.sin(angle)
    along, across = dx * c + dy * s, dy * c - dx * s
    return height * np.exp(-0.5 * ((along / width) ** 2 + (across / other_width) ** 2)) + level


@pytest.mark.parametrize("options", [{}, {"chunks": 200}, {"many": True}], ids=str)
def test_an_angle_without_effect_at_the_start_finds_its_way(options):
    rng = np.random.default_rng(5)
    place = np.stack([axis.ravel() for axis in np.mgrid[:32.0, :24.0]])
    for _ in range(8):
        truth = [*rng.uniform([20, 10, 8, 2, 2, 0], [80, 22, 16, 5, 5, 3]), 8]
        image = rotated_spot(place, *truth) + 2 * rng.standard_normal(place.shape[1])
        top = image.argmax()
        start = [image[top], *place[:, top], 3, 3, 0, 0]
        best = curve_fit(rotated_spot, place, image, truth)[0]
        least = np.sum((rotated_spot(place, *best) - image) ** 2)
        if "many" in options:
            found = curve_fit_many(rotated_spot, place, image[None], start).popt[0]
        else:
            found = curve_fit(rotated_spot, place, image, start, **options)[0]
        assert np.sum((rotated_spot(place, *found) - image) ** 2) < 1.0001 * least


X = np.linspace(0, 5, 50)
SHAPE = np.exp(-X) + np.sin(3 * X)


@pytest.mark.parametrize(
    ("model", "y", "start"),
    [
        (lambda x, a, n: a * x ** int(n), 0.2 * X**2 + 0.05, [1, 2]),
        (lambda x, a, n: a * x + 0.1 * x ** int(n), 2 * X + 0.1 * X**3 + SHAPE, [1, 3]),
        (lambda x, a, n: a * np.roll(SHAPE, int(n)), 2 * np.roll(SHAPE, 3), [1, 2]),
        (lambda x, a, n: a * np.sin(np.round(n) * x), 2 * np.sin(2 * X) + SHAPE, [1, 2]),
    ],
    ids=["power", "power of the right number", "shift", "round"],
)
def test_a_rounded_parameter_stays_and_its_error_is_not_known(model, y, start):
    with pytest.warns(OptimizeWarning, match="does not depend on n"):
        popt, pcov = curve_fit(model, X, y, start)
    with pytest.warns(optimize.OptimizeWarning, match="could not be estimated"):
        expected, _ = optimize.curve_fit(model, X, y, start)
    np.testing.assert_allclose(popt, expected, rtol=1e-6)
    assert np.isinf(pcov).all()


@pytest.mark.parametrize("start", [[1, 0, 0], [1, 0, 1], [0, 1, 0]])
def test_decay_is_found_from_starts_where_parameters_act_only_together(start):
    for seed in range(5):
        y = 2 * np.exp(-1.5 * X) + 0.5 + 0.05 * np.random.default_rng(seed).standard_normal(50)
        popt, _ = curve_fit(lambda x, a, k, b: a * np.exp(-k * x) + b, X, y, start)
        np.testing.assert_allclose(popt, [2, 1.5, 0.5], atol=0.3)


@pytest.mark.parametrize("options", [{}, {"chunks": 2}, {"bounds": (-9, 9)}], ids=str)
@pytest.mark.parametrize("start", [[1, 2], [1 + 1e-15, 2], [1, 1]])
def test_exact_data_determine_the_parameters(options, start):
    x = np.arange(5.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        popt, pcov = curve_fit(lambda x, a, b: a + b * x, x, 1 + 2 * x, start, **options)
    np.testing.assert_allclose(popt, [1, 2], rtol=1e-12)
    assert (np.diag(pcov) < 1e-20).all()


@pytest.mark.parametrize("options", [{}, {"method": "lm"}, {"chunks": 67}], ids=str)
@pytest.mark.parametrize("what", ["spectrum", "autocorrelation"])
def test_parameter_that_changes_rounding_errors_alone_does_not_stop_the_others(what, options):
    t = np.linspace(-5, 15, 400)
    points = np.arange(201.0)

    def model(i, amplitude, width, centre):
        signal = amplitude * np.exp(-(((t - centre) / width) ** 2))
        if what == "spectrum":
            return np.abs(np.fft.rfft(signal))[i.astype(int)]
        return np.correlate(signal, signal, "full")[399:600][i.astype(int)]

    for seed in range(5):
        y = model(points, 2, 1.5, 3) + 0.3 * np.random.default_rng(seed).standard_normal(201)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OptimizeWarning)  # the centre is not determined
            popt, _ = curve_fit(model, points, y, [1, 1, 2], **options)
        np.testing.assert_allclose(np.abs(popt[:2]), [2, 1.5], rtol=0.02)


OFFSETS = np.array([[4.5e5], [4.1e6]])
STATIONS = OFFSETS + np.random.default_rng(5).uniform(-3e4, 3e4, (2, 14))


def arrivals(stations, x, y, depth, time, speed):
    """When the waves of an earthquake arrive."""
    distance = np.sqrt((stations[0] - x) ** 2 + (stations[1] - y) ** 2 + depth**2)
    return time + distance / speed


@pytest.mark.parametrize("way", ["alone", "in bounds", "chunks", "njit", "many"])
def test_coordinates_of_an_earthquake_do_not_drown_in_its_unix_time(way):
    """The rounding errors of the time are as large as what the usual steps of x and y change."""
    epoch = np.array([0, 0, 0, 1.5e9, 0])
    start = np.array([4.5e5, 4.1e6, 1e4, -3, 6000])
    lower, upper = np.array([[4e5, 4e6, 0, -1e8, 1e3], [5e5, 4.2e6, 5e4, 1e8, 1e4]])
    for seed in range(10):
        rng = np.random.default_rng(seed)
        true = [4.53e5, 4.095e6, 8e3, 0, 5800] + rng.uniform(-1, 1, 5) * [2e3, 2e3, 500, 3, 100]
        times = arrivals(STATIONS, *true) + 0.05 * rng.standard_normal(14)
        popt, pcov = curve_fit(arrivals, STATIONS, times, start)
        data = STATIONS, times + 1.5e9, start + epoch
        if way == "many":
            fits = curve_fit_many(arrivals, data[0], data[1][np.newaxis], data[2])
            found, cov = fits.popt[0], fits.pcov[0]
        elif way == "in bounds":
            found, cov = curve_fit(arrivals, *data, bounds=(lower + epoch, upper + epoch))
        elif way == "chunks":
            found, cov = curve_fit(arrivals, *data, chunks=7)
        else:
            found, cov = curve_fit(njit(arrivals) if way == "njit" else arrivals, *data)
        errors = np.sqrt(np.diag(pcov))
        assert np.max(np.abs(found - epoch - popt) / errors) < 0.05
        np.testing.assert_allclose(np.sqrt(np.diag(cov)), errors, rtol=0.05)


@pytest.mark.parametrize("penalty", [1e6, 10, np.nan])
def test_a_difference_does_not_step_across_the_wall_of_a_penalty(penalty):
    """The best rate is beyond the wall at 1.2: the fit ends close to the wall."""
    t = np.linspace(0, 5, 40)
    found = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        y = 2 * np.exp(-1.3 * t) + 0.5 + 0.02 * rng.standard_normal(40)

        def residuals(p, y=y):
            if p[1] > 1.2:
                return np.full(40, penalty)
            return p[0] * np.exp(-p[1] * t) + p[2] - y

        start = np.exp(0.4 * rng.standard_normal(3))
        start[1] = min(start[1], 1.15)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OptimizeWarning)
            fit = least_squares(residuals, start)
        held = least_squares(
            lambda p, y=y: p[0] * np.exp(-p[1] * t) + p[2] - y,
            [2, 1.1, 0.5], bounds=([-9, -9, -9], [9, 1.2, 9]),
        )  # fmt: skip
        found += fit.cost < 10 * held.cost
    assert found >= 18


def printed(digits, values):
    """Values as a simulator writes them into a file."""
    return np.vectorize(lambda value: float(f"{value:.{digits - 1}e}"))(values)


@pytest.mark.parametrize("options", [{}, {"bounds": (0, 10)}], ids=str)
@pytest.mark.parametrize("digits", range(4, 11))
def test_a_model_that_is_printed_with_few_digits_is_fitted(digits, options):
    """MINPACK's steps change no digit, or noise alone. Much longer ones would change the model."""
    x = np.linspace(0, 5, 60)

    def exact(x, a, b, c):
        return a * np.exp(-b * x) + c

    def model(x, *p):
        return printed(digits, exact(x, *p))

    noise = 0.02 * np.random.default_rng(0).standard_normal((10, 60))
    stack = exact(x, 2.5, 1.3, 0.5) + noise
    is_coarse = digits < 6
    with warnings.catch_warnings():
        if is_coarse:
            warnings.simplefilter("ignore", OptimizeWarning)
        fits = curve_fit_many(model, x, stack, [1, 1, 1], **options)
        wrong = 0
        for y, *many in zip(stack, fits.popt, fits.pcov, strict=True):
            expected, cov = curve_fit(exact, x, y, [1, 1, 1])
            popt, pcov = curve_fit(model, x, y, [1, 1, 1], **options)
            errors = np.sqrt(np.diag(cov))
            assert np.max(np.abs(popt - expected) / errors) < 0.5
            wrong += not np.allclose(np.sqrt(np.diag(pcov)), errors, rtol=0.1)
            np.testing.assert_array_equal(many[0], popt)
            np.testing.assert_array_equal(many[1], pcov)
    assert wrong <= (digits < 7)  # a digit that changes by chance may look like a derivative


@pytest.mark.parametrize("loss", ["soft_l1", "huber", "cauchy"])
@pytest.mark.parametrize("digits", [6, 7, 8, 9, "single"])
def test_a_model_with_few_digits_is_fitted_by_a_robust_loss(digits, loss):
    t = np.linspace(0, 5, 60)
    rounded = np.float32 if digits == "single" else lambda values: printed(digits, values)
    wrong = 0
    for seed in range(8):
        y = 2.5 * np.exp(-1.3 * t) + 0.5 + 0.05 * np.random.default_rng(seed).standard_normal(60)
        y[::9] += 1

        def exact(p, y=y):
            return p[0] * np.exp(-p[1] * t) + p[2] - y

        def residuals(p, y=y):
            return (rounded(p[0] * np.exp(-p[1] * t) + p[2]).astype(float) - y) / 0.05

        best = least_squares(lambda p: exact(p) / 0.05, [2.5, 1.3, 0.5], "3-point", loss=loss)
        for start in [1, 1, 1], [2, 1, 0]:
            wrong += least_squares(residuals, start, loss=loss).cost > 1.01 * best.cost
    assert wrong <= 1


@pytest.mark.parametrize("digits", range(6, 10))
def test_the_jacobian_in_the_result_is_that_of_the_steps_that_found_it(digits):
    t = np.linspace(0, 5, 60)
    wrong = 0
    for seed in range(10):
        y = 2.5 * np.exp(-1.3 * t) + 0.5 + 0.05 * np.random.default_rng(seed).standard_normal(60)

        def residuals(p, y=y):
            return printed(digits, p[0] * np.exp(-p[1] * t) + p[2]) - y

        result = least_squares(residuals, [1, 1, 1])
        a, b, _ = result.x
        exact = np.stack([np.exp(-b * t), -a * t * np.exp(-b * t), np.ones(60)], 1)
        cov, expected = (np.linalg.inv(J.T @ J) for J in (result.jac, exact))
        wrong += not np.allclose(np.diag(cov), np.diag(expected), rtol=0.1)
    assert wrong <= (digits < 7)  # a digit that changes by chance may look like a derivative


def test_a_fit_that_a_wall_holds_up_is_not_silent():
    """The best point is beyond the wall. Differences across it are so large that the effect of the
    other parameters looks like rounding errors."""
    t = np.linspace(0, 5, 60)
    silent = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        y = 2.5 * np.exp(-1.3 * t) + 0.5 + 0.05 * rng.standard_normal(60)
        j, side = seed % 3, 1 if seed % 2 else -1
        truth = np.array([2.5, 1.3, 0.5])
        wall = truth[j] * (1 - 0.08 * side)
        start = truth * (1 + 0.2 * rng.uniform(-1, 1, 3))
        start[j] = wall * (1 - 0.2 * side)

        def residuals(p, y=y, j=j, side=side, wall=wall):
            inside = p[0] * np.exp(-p[1] * t) + p[2]
            return np.where(side * (p[j] - wall) > 0, 1e6, inside) - y

        limits = np.full(3, -np.inf), np.full(3, np.inf)
        limits[side > 0][j] = wall
        best = least_squares(
            lambda p, y=y: p[0] * np.exp(-p[1] * t) + p[2] - y, start, bounds=limits
        )
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            result = least_squares(residuals, start)
        silent += not told and result.cost > 1.001 * best.cost
    assert silent <= 3


@pytest.mark.filterwarnings("ignore::leastsq.OptimizeWarning")
@pytest.mark.parametrize("jac", ["2-point", "3-point"])
def test_a_parameter_of_zero_is_differenced_beside_a_large_number(jac):
    """An earthquake is located in metres and UNIX seconds, of which 1e-7 s are rounding errors."""
    stations = np.random.default_rng(0).uniform(-6e4, 6e4, (2, 14))

    def residuals(p, t):
        x, y, z, t0 = p
        arrival = t0 + np.hypot(np.hypot(stations[0] - x, stations[1] - y), z) / 5800
        return (arrival - t) / 0.05

    for seed in range(20):
        noise = 0.05 * np.random.default_rng(seed).standard_normal(14)
        t = 0.05 * residuals([12e3, -20e3, 9e3, 1.7e9 + 1.7], 0) + noise
        result = least_squares(residuals, [0, 0, 1e4, 1.7e9], jac, args=(t,))
        assert 2 * result.cost < 40


def test_central_differences_do_not_lengthen_a_step_again_and_again():
    """The change of the values stays just below what is wanted, however often this is seen."""
    x = np.linspace(0, 10, 100)
    most = 0
    for seed in range(150):
        y = 1.5 * np.sin(2.3 * x + 0.4) + 0.2
        y = y + 0.15 * np.random.default_rng(seed).standard_normal(100)
        calls = []

        def residuals(p, y=y, calls=calls):
            calls.append(p)
            return p[0] * np.sin(p[1] * x + p[2]) + p[3] - y

        least_squares(residuals, [1, 2.2, 0.1, 0.1], jac="3-point")
        most = max(most, len(calls))
    assert most < 120


@pytest.mark.parametrize("points", [100, 1000, 10_000])
@pytest.mark.parametrize("door", ["curve_fit", "leastsq", "least_squares", "curve_fit_many"])
def test_values_in_float32_do_not_end_a_fit_far_from_its_minimum(door, points):
    """The differences are mostly rounding errors, so the last Jacobian may promise nothing."""
    seeds = range(12)
    for seed in seeds:
        rng = np.random.default_rng(seed)
        x = np.sort(rng.uniform(0.05, 5, points))
        y = x + 0.5 + 0.1 * rng.standard_normal(points)
        start = np.array([1, 0.5]) * (1 + 0.3 * rng.uniform(-1, 1, 2))

        def f(x, a, b):
            return (a * x + b).astype(np.float32).astype(float)

        def residuals(p, x=x, y=y):
            return (p[0] * x + p[1]).astype(np.float32).astype(float) - y

        if door == "curve_fit":
            p, _ = curve_fit(f, x, y, start)
        elif door == "leastsq":
            p, _ = leastsq(residuals, start)
        elif door == "least_squares":
            p = least_squares(residuals, start).x
        else:
            p = curve_fit_many(f, x, y[None], start).popt[0]
        best, cov = np.polyfit(x, y, 1, cov=True)
        assert (np.abs(p - best) < 0.1 * np.sqrt(np.diag(cov))).all()


@pytest.mark.parametrize("bounds", [(-np.inf, np.inf), ([-np.inf, 0], np.inf)])
def test_central_differences_find_the_size_of_a_parameter_of_zero(bounds):
    """The first step changes the values by any factor; it says nothing about their rounding."""
    t = np.linspace(0, 1e7, 60)

    def growth(t, a, k):
        return a * np.exp(k * t)

    for seed in range(20):
        rng = np.random.default_rng(seed)
        truth = rng.uniform(1, 3), 1e-7 * rng.uniform(0.2, 1)
        y = growth(t, *truth) + 0.01 * rng.standard_normal(60)
        with np.errstate(over="ignore"):
            popt, _ = curve_fit(growth, t, y, [1, 0], bounds=bounds, jac="3-point")
        best, cov = curve_fit(growth, t, y, truth)
        assert (np.abs(popt - best) < 0.01 * np.sqrt(np.diag(cov))).all()


def test_central_differences_beside_a_large_constant():
    x = np.linspace(0, 5, 80)

    def decay(x, a, b, c):
        return a * np.exp(-b * x) + c

    for seed in range(20):
        rng = np.random.default_rng(seed)
        truth = np.array([rng.uniform(1, 5), rng.uniform(0.3, 2), 1e11])
        y = decay(x, *truth) + 0.1 * rng.standard_normal(80)
        start = truth * (1 + 0.1 * rng.standard_normal(3))
        popt, pcov = curve_fit(decay, x, y, start, jac="3-point")
        best, cov = curve_fit(decay, x, y - 1e11, [*truth[:2], 0])
        errors = np.sqrt(np.diag(cov))[:2]
        assert (np.abs(popt - best)[:2] < 0.1 * errors).all()
        np.testing.assert_allclose(np.sqrt(np.diag(pcov))[:2], errors, rtol=0.1)
