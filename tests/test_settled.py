"""What is called solved is solved: fits that used to come to rest before their minimum."""

import numpy as np
import pytest
from problems import nist
from scipy import optimize

from leastsq import FitError, OptimizeWarning, curve_fit, curve_fit_many, least_squares, leastsq

SOLVED = (1, 2, 3, 4)


def parabola(x, a, b, c):
    return a * x**2 + b * x + c


def test_parabola_with_one_exact_point_finds_its_only_minimum():
    x, y = np.array([-1, -1 / 3, 1 / 3, 1]), np.array([6.1, 3.0, 2.8, 4.3])
    sigma = np.array([0.1, 0.1, 0.1, 1e-5])
    lower, upper = [2.1, -np.inf, 3.1], [2.4, -1.1, 3.3]
    design = np.stack([x**2, x, np.ones(4)], 1) / sigma[:, None]
    best = 2 * optimize.lsq_linear(design, y / sigma, (lower, upper)).cost
    for a in (2.15, 2.25, 2.39):
        for c in (3.1, 3.15, 3.29):
            popt, _ = curve_fit(parabola, x, y, [a, -1.2, c], sigma, bounds=(lower, upper))
            chi2 = np.sum(((parabola(x, *popt) - y) / sigma) ** 2)
            assert chi2 <= best * (1 + 1e-6)


def random_linear_fit(seed):
    """A Jacobian of condition 1e3 to 1e10 or of rows and columns of any size, data and bounds."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 9))
    m = n + int(rng.integers(0, 12))
    if seed % 3 == 0:
        J = rng.standard_normal((m, n)) * 10 ** rng.uniform(-3, 3, n)
    elif seed % 3 == 1:
        J = rng.standard_normal((m, n)) * 10 ** rng.uniform(-4, 4, (m, 1))
    else:
        u, _ = np.linalg.qr(rng.standard_normal((m, n)))
        v, _ = np.linalg.qr(rng.standard_normal((n, n)))
        J = u * np.logspace(0, -rng.uniform(3, 10), n) @ v.T
    true = rng.standard_normal(n) * 10 ** rng.uniform(-1, 2, n)
    noise = rng.choice([1e-3, 0.1, 1]) * np.linalg.norm(J @ true) / np.sqrt(m)
    b = J @ true + noise * rng.standard_normal(m)
    width = np.abs(true) + 0.1
    lower = true - width * rng.uniform(-0.5, 2, n)
    upper = lower + width * rng.uniform(0.1, 3, n)
    lower[rng.random(n) < 0.2] = -np.inf
    upper[rng.random(n) < 0.2] = np.inf
    return J, b, lower, upper, np.clip(true + width * rng.standard_normal(n), lower, upper)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", np.array_split(np.arange(600), 6), ids=lambda s: f"{s[0]}")
def test_linear_fit_within_bounds_ends_at_its_only_minimum(seeds):
    for seed in seeds:
        J, b, lower, upper, start = random_linear_fit(seed)
        x, ier = leastsq(lambda p: J @ p - b, start, Dfun=lambda p: J, bounds=(lower, upper))  # noqa: B023
        assert ier in SOLVED
        best = min(
            2 * optimize.lsq_linear(J, b, (lower, upper), method, 1e-15, max_iter=500).cost
            for method in ("bvls", "trf")
        )
        assert np.sum((J @ x - b) ** 2) <= best * (1 + 1e-6), seed


def test_linear_fit_with_a_nearly_free_direction_goes_all_the_way():
    rng = np.random.default_rng(3)
    J = rng.standard_normal((13, 1)) * [1, 1.1] + 1e-9 * rng.standard_normal((13, 2))
    b = J @ [1e8, -0.9e8] + 0.05 * rng.standard_normal(13)
    x, ier = leastsq(lambda p: J @ p - b, [0, 0], Dfun=lambda p: J)
    best = np.sum((J @ np.linalg.lstsq(J, b, rcond=1e-15)[0] - b) ** 2)
    assert ier in SOLVED
    assert np.sum((J @ x - b) ** 2) <= best * (1 + 1e-6)


@pytest.mark.parametrize("scale", [1e3, 1e7, 1e9, 1e12])
def test_start_on_a_bound_of_any_size_is_left(scale):
    x = np.linspace(1, 10, 50)
    popt, _ = curve_fit(lambda x, a: a * x, x, 1.5 * scale * x, [scale], bounds=(scale, np.inf))
    assert popt[0] == pytest.approx(1.5 * scale, rel=1e-6)
    near = 1.003 * scale
    (a,), ier = leastsq(lambda p: p[0] * x - near * x, [scale], bounds=(scale, np.inf))
    assert ier in SOLVED
    assert a == pytest.approx(near, rel=1e-6)


def test_first_short_step_is_not_taken_for_convergence():
    # SciPy's leastsq returns with ier 2 after 11 calls, at a sum of squares of 9e4.
    problem = nist.PROBLEMS["MGH17"]
    with np.errstate(all="ignore"):
        x, ier = leastsq(problem.residuals, problem.starts[0], Dfun=problem.jacobian)
    assert ier in SOLVED
    np.testing.assert_allclose(x, problem.certified, rtol=1e-4)


def test_fit_that_cannot_do_what_its_jacobian_promises_says_so():
    t = np.linspace(0, 1, 30)
    y = np.exp(-3 * t)

    def residuals(p):
        return np.exp(-p[0] * t) - y

    def wrong_sign(p):
        return (t * np.exp(-p[0] * t))[:, None]

    with pytest.warns(OptimizeWarning, match="no step reduced the sum of squares"):
        leastsq(residuals, [1], Dfun=wrong_sign)
    assert "the Jacobian predicts" in leastsq(residuals, [1], Dfun=wrong_sign, full_output=True)[3]


def test_wrong_derivatives_at_zero_end_a_fit_before_the_radius_vanishes():
    # |D x| is zero, so that no trust radius is small beside it.
    A = np.random.default_rng(0).normal(size=(5, 3))
    points = []

    def residuals(x):
        points.append(x.copy())
        return A @ x - 1

    _, _, _, mesg, _ = leastsq(
        residuals, np.zeros(3), Dfun=lambda x: -A, maxfev=5000, full_output=True
    )
    assert "the Jacobian predicts" in mesg
    assert np.isfinite(points).all()
    assert len(points) < 500


@pytest.mark.parametrize("method", ["trf", "dogbox"])
@pytest.mark.parametrize("unit", [1e-6, 1e-9, 1e-12])
def test_small_data_within_bounds_do_not_end_a_fit_at_its_start(unit, method):
    t = np.linspace(0, 5, 50)
    noise = 0.02 * np.random.default_rng(3).standard_normal(50)
    y = unit * (2.5 * np.exp(-1.3 * t) + 0.5 + noise)
    found = least_squares(
        lambda p: p[0] * np.exp(-p[1] * t) + p[2] - y,
        [unit, 1, unit],
        bounds=(0, np.inf),
        method=method,
    )
    expected, _ = curve_fit(lambda t, a, b, c: a * np.exp(-b * t) + c, t, y / unit)
    np.testing.assert_allclose(found.x / [unit, 1, unit], expected, rtol=1e-4)


def growth(t, a, k):
    return a * np.exp(k * t)


@pytest.mark.parametrize(
    ("t", "true"),
    [
        (np.arange(0.0, 50, 2), [16, 0.073]),
        (np.arange(41.0), [3, 0.1]),
        (np.arange(0.0, 61, 3), [40, 0.05]),
        (np.arange(0.0, 31), [7, 0.2]),
    ],
)
def test_growth_is_found_although_the_default_start_overshoots(t, true):
    y = growth(t, *true) * (1 + 0.01 * np.random.default_rng(2).standard_normal(t.size))
    popt, _ = curve_fit(growth, t, y)
    best, _ = optimize.curve_fit(growth, t, y, true)
    np.testing.assert_allclose(popt, best, rtol=1e-5)
    # One of them takes about 200 calls, which is the default of max_nfev.
    found = least_squares(lambda p: growth(t, *p) - y, [1, 1], max_nfev=300)
    np.testing.assert_allclose(found.x, best, rtol=1e-5)


def test_data_that_are_zero_take_few_calls():
    t = np.linspace(0.2, 6, 30)
    with pytest.warns(OptimizeWarning, match="covariance is doubtful"):
        fits = curve_fit_many(lambda t, a, b, c: a * np.exp(-b * t) + c, t, np.zeros((5, 30)))
    assert fits.success.all()
    assert (fits.nfev <= 80).all()
    np.testing.assert_allclose(fits.popt[:, [0, 2]], 0, atol=1e-20)


def diode(v, current, ideality):
    return current * (np.exp(v / (0.0259 * ideality)) - 1)


@pytest.mark.parametrize("solver", [curve_fit, least_squares])
def test_a_fit_does_not_end_because_its_columns_were_huge_at_the_start(solver):
    """The start predicts 1e60 amperes, beside which a residual of 1e20 seems a rounding error."""
    v = np.linspace(0.3, 0.7, 40)
    for ideality in (1.2, 1.5, 1.7):
        y = diode(v, 1e-9, ideality)
        y += 0.01 * np.ptp(y) * np.random.default_rng(0).standard_normal(40)
        start = [1e-10, ideality / 10]
        if solver is curve_fit:
            with pytest.raises(FitError, match="maxfev") as error:
                curve_fit(diode, v, y, start)
            popt = error.value.popt
        else:
            found = least_squares(lambda p, y=y: diode(v, *p) - y, start)
            assert not found.success
            popt = found.x
        assert np.sum((diode(v, *popt) - y) ** 2) < np.sum(y**2)


@pytest.mark.parametrize("level", [0, 1e6])
def test_data_without_noise_beside_a_large_constant_give_no_warning(level):
    """The constant is no parameter. Its rounding errors, 1e-10, are all that the data contain."""
    x = np.linspace(0, 5, 40)
    models = [
        (lambda x, a, k, b: level + a * np.exp(-k * x) + b, [2.5, 1.3, 0.5]),
        (lambda x, a, m, w: level + a / (1 + ((x - m) / w) ** 2), [2, 2.4, 0.7]),
        (lambda x, a, w, p: level + a * np.cos(w * x + p) ** 2, [3, 0.6, 0.4]),
        (lambda x, k, r, m: level + k / (1 + np.exp(-r * (x - m))), [5, 2, 2.5]),
    ]
    for model, truth in models:
        for seed in range(10):
            start = np.array(truth) * np.exp(0.1 * np.random.default_rng(seed).standard_normal(3))
            popt, _ = curve_fit(model, x, model(x, *truth), start)
            np.testing.assert_allclose(model(x, *popt), model(x, *truth), rtol=1e-13, atol=1e-9)


def test_last_step_to_a_bound_is_looked_at():
    """At the end, the amplitude was zero, and the position of the peak had a finite error."""

    def peak(x, height, center, width, level):
        return height * width**2 / ((x - center) ** 2 + width**2) + level

    x = np.linspace(-5, 5, 60)
    y = peak(x, 5.74, -2.74, 0.469, -0.279)
    bounds = [0, -5, 1e-3, -np.inf], [np.inf, 5, 10, np.inf]
    popt, _ = curve_fit(peak, x, y, [2.17, -4.41, 0.11, -1.09], bounds=bounds)
    np.testing.assert_allclose(popt, [5.74, -2.74, 0.469, -0.279], rtol=1e-6)


def test_vanishing_steps_of_trf_are_no_success_without_a_warning():
    x = np.linspace(0, 10, 50)

    def step(p):
        return p[0] * np.tanh((x - p[1]) / p[2]) + p[3] * x + p[4]

    y = step([4.8, 6.2, 1.1, 0.28, 0.08])
    with pytest.warns(OptimizeWarning, match="as the Jacobian predicts"):
        found = least_squares(lambda p: step(p) - y, [1.9, 16.5, 0.44, 0.11, 0.07], max_nfev=20)
    assert found.optimality > 1000


def test_gtol_does_not_end_a_linear_fit_before_its_minimum():
    """Two columns are almost equal. Much is left to gain in the direction of their difference."""
    missed = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        A = rng.standard_normal((30, 4))
        A[:, 3] = A[:, 0] + 10 ** rng.uniform(-6, -2) * A[:, 3]
        y = A @ rng.standard_normal(4)
        y = 10 ** rng.uniform(-6, 0) * (y + 1e-4 * rng.standard_normal(30))
        best = np.linalg.lstsq(A, y, rcond=None)[0]
        least = np.sum((A @ best - y) ** 2) / 2
        fit = least_squares(lambda p, A=A, y=y: A @ p - y, np.zeros(4), lambda p, A=A: A)
        missed += fit.cost > least * 1.01
    assert missed == 0


def ellipse(seed):
    """An algebraic fit of an ellipse: its columns shrink a hundredfold on the way from x0."""
    rng = np.random.default_rng(seed)
    t = rng.uniform(0, 2 * np.pi, 40)
    a, b, angle = rng.uniform((2, 0.5, -1.5), (10, 5, 1.5))
    points = np.exp(1j * angle) * (a * np.cos(t) + 1j * b * np.sin(t))
    points += 0.05 * (rng.standard_normal(40) + 1j * rng.standard_normal(40)) + rng.uniform(-5, 5)

    def residuals(p):
        z = (points - p[0] - 1j * p[1]) * np.exp(-1j * p[4])
        return (z.real / p[2]) ** 2 + (z.imag / p[3]) ** 2 - 1

    return residuals, [points.real.mean(), points.imag.mean(), 1, 1, 0]


@pytest.mark.parametrize("method", ["trf", "lm"])
def test_a_fit_does_not_crawl_because_its_columns_were_large_at_the_start(method):
    """SciPy's trf finds all 40 with 909 calls, its lm 30 with 6,026."""
    fits = [least_squares(*ellipse(seed), method=method) for seed in range(40)]
    assert all(fit.cost < 0.5 for fit in fits)
    calls = sorted(fit.nfev for fit in fits)
    assert sum(calls[:-2]) <= 38 * 35


@pytest.mark.parametrize("unit", [1.0, 1e9, 1e11, 1e13])
def test_a_scale_of_the_users_does_not_end_a_fit(unit):
    """D = 1 is far from the scale of an amplitude in another unit."""
    t = np.linspace(0, 8, 30)
    for seed in range(5):
        y = 3 * np.exp(0.5 * t) + 2 * np.random.default_rng(seed).standard_normal(t.size)

        def residuals(p, y=y):
            return p[0] / unit * np.exp(p[1] * t) - y

        best = leastsq(residuals, [3 * unit, 0.5])[0]
        found = leastsq(residuals, [unit, 0.2], diag=[1, 1])[0]
        np.testing.assert_allclose(found, best, rtol=1e-4)


@pytest.mark.parametrize("rate", [1, 1e6, 1e12])
def test_gtol_does_not_end_a_fit_without_scale_far_from_its_minimum(rate):
    t = np.linspace(0, 5, 50)
    y = 1e-9 * (2.5 * np.exp(-1.3 * t) + 0.5)
    y += 5e-11 * np.random.default_rng(0).standard_normal(t.size)

    def residuals(p):
        return p[0] * np.exp(-p[1] / rate * t) + p[2] - y

    found = least_squares(residuals, [1e-9, rate, 1e-9], x_scale=1.0)
    best = leastsq(residuals, [2.5e-9, 1.3 * rate, 5e-10])[0]
    np.testing.assert_allclose(found.x, best, rtol=1e-3)


@pytest.mark.parametrize("unit", [1, 1e-15, 1e-16, 1e-24])
def test_an_amplitude_in_a_small_unit_that_starts_at_zero(unit):
    """The first attempt runs away, and the second has D = 1."""
    t = np.logspace(-11, -7, 50)
    y = 1e4 * np.exp(-((t / 2e-9) ** 0.6)) + 150 * np.random.default_rng(1).standard_normal(50)

    def model(t, a, tau, b):
        with np.errstate(all="ignore"):
            return a / unit * np.exp(-((t / tau) ** b))

    popt, _ = curve_fit(model, t, y, [0, 1e-9, 0.8])
    best, _ = curve_fit(model, t, y, [1e4 * unit, 2e-9, 0.6])
    np.testing.assert_allclose(popt, best, rtol=1e-3)


@pytest.mark.parametrize("true", [0, 1e-12, 1e-6, 0.3])
@pytest.mark.parametrize("start", [0, 1e-9])
def test_data_without_noise_end_a_fit_next_to_zero(true, start):
    """What is left are rounding errors of the data, and those of the parameter are smaller."""
    x = np.linspace(-3, 3, 16)
    for seed in range(10):
        slope = np.random.default_rng(seed).uniform(0.5, 2)
        calls = []

        def titration(x, middle, slope=slope, calls=calls):
            calls.append(middle)
            return 1 - 1 / (1 + 10 ** (-slope * (x - middle)))

        y = 1 / (1 + 10 ** (slope * (x - true)))
        p0 = [true + start]
        found = least_squares(lambda p, y=y, f=titration: f(x, p[0]) - y, p0, bounds=(-9, 9))
        assert found.success
        np.testing.assert_allclose([found.x, curve_fit(titration, x, y, p0)[0]], true, atol=1e-15)
        assert len(calls) < 120
