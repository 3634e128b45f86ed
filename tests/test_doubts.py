"""Parameters that the data do not determine: no covariance, and a warning that names them."""

import inspect
import re
import warnings

import numpy as np
import pytest
from numba import njit
from problems import nist

from leastsq import OptimizeWarning, curve_fit, curve_fit_many, leastsq

T = np.linspace(0, 5, 40)
Y = 2 * np.exp(-0.7 * T) + 0.02 * np.random.default_rng(5).standard_normal(40)
NOT_ESTIMATED = "Covariance of the parameters could not be estimated"


def said(f, x, y, *args, **options):
    """The result of a fit, and what it warns of."""
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore"):
        warnings.simplefilter("always")
        result = curve_fit(f, x, y, *args, **options)
    return *result, " ".join(str(w.message) for w in caught if w.category is OptimizeWarning)


REDUNDANT = {
    "a and b": (lambda t, a, b, k: (a + b) * np.exp(-k * t), [1, 1.5, 1]),
    "a and b ": (lambda t, a, b, k: a * b * np.exp(-k * t), [1, 1.5, 1]),
    "a and c": (lambda t, a, k, c: a * np.exp(-k * t + c), [1, 1, 1]),
    "p and q": (lambda t, a, p, q: a * np.exp(-t * p * q), [1, 0.5, 1.2]),
    "v and e": (lambda t, v, k, e: v * e * np.exp(-k * t), [1, 1, 2]),
}


@pytest.mark.parametrize("names", REDUNDANT)
@pytest.mark.parametrize("jac", [None, "3-point", "cs"])
def test_parameters_that_act_together_are_named(names, jac):
    f, p0 = REDUNDANT[names]
    popt, pcov, words = said(f, T, Y, p0, jac=jac)
    assert np.sum((f(T, *popt) - Y) ** 2) < 0.02
    assert f"determine {names.strip()}: " in words
    if jac is not None:  # forward differences can leave it in doubt
        assert np.isinf(pcov).all()
        assert NOT_ESTIMATED in words


@pytest.mark.parametrize("unit", [1e-12, 1, 1e9])
def test_units_do_not_matter(unit):
    def f(t, a, b, k):
        return (a * unit + b) * np.exp(-k * t)

    _, _, words = said(f, T, Y, [1 / unit, 1.5, 1], jac="cs")
    assert "determine a and b: " in words


def test_parameters_in_distant_units_are_regular():
    def f(t, a, k):
        return 1e-12 * a * np.exp(-1e9 * k * t)

    _, pcov, words = said(f, T, Y, [1e12, 1e-9])
    _, expected, _ = said(lambda t, a, k: a * np.exp(-k * t), T, Y, [1, 1])
    assert words == ""
    np.testing.assert_allclose(pcov * np.outer([1e-12, 1e9], [1e-12, 1e9]), expected, rtol=1e-4)


@pytest.mark.parametrize("name", nist.PROBLEMS)
def test_no_false_alarm_on_measurements(name):
    problem = nist.PROBLEMS[name]

    def f(x, *b):
        return problem.model(problem.x, *b)

    def jac(x, *b):
        return problem.jacobian(np.array(b))

    for derivatives in (None, jac):
        _, pcov, words = said(f, problem.x, problem.y, problem.starts[1], jac=derivatives)
        assert words == ""
        assert np.isfinite(pcov).all()


def test_parameter_without_effect_at_the_start_is_named():
    _, pcov, words = said(lambda t, a, k: a + 0 * k * t, T, np.ones(40), [1, 3])
    assert "at p0 <lambda> does not depend on k" in words
    assert np.isinf(pcov).all()


def test_parameter_without_effect_at_the_solution_is_named_with_the_bound():
    def f(t, a, k):
        return a * np.exp(-k * t)

    popt, pcov, words = said(f, T, -Y, [1, 1], bounds=(0, 10))
    assert popt[0] == 0
    assert "at the solution f does not depend on k" in words
    assert "a is on a bound" in words
    assert np.isinf(pcov).all()


def test_parameters_of_a_model_with_stars_are_numbered():
    _, _, words = said(lambda t, *p: (p[0] + p[1]) * np.exp(-p[2] * t), T, Y, [1, 1.5, 1], jac="cs")
    assert "determine p[0] and p[1]: " in words


def test_too_few_points_are_told():
    _, _, words = said(lambda x, a, b: a * x + b, [1.0, 2], [3.0, 4])
    assert "no more points (2) than parameters (2)" in words
    assert "absolute_sigma=True" in words


def test_exact_duplicates_have_no_covariance():
    rng = np.random.default_rng(2)
    for m, n in [(5, 2), (50, 5), (1000, 3), (20000, 20)]:
        J = rng.standard_normal((m, n)) * 10 ** rng.uniform(-3, 3, n)
        J[:, -1] = J[:, : n // 2] @ rng.standard_normal(n // 2)
        b = rng.standard_normal(m)
        fit = leastsq(lambda x: J @ x - b, np.zeros(n), Dfun=lambda x: J, full_output=True)  # noqa: B023
        assert fit[1] is None


def test_message_tells_of_residuals_that_depend_on_nothing():
    fit = leastsq(lambda p: np.ones(3), [1.0], full_output=True)
    assert "the Jacobian is zero" in fit[3]
    assert fit[4] == 4
    perfect = leastsq(lambda p: np.zeros(3), [1.0], full_output=True)
    is_fixed = leastsq(
        lambda p: p - np.arange(2), [1.0, 1.0], bounds=([1, 1], [1, 2]), full_output=True
    )
    for fit in (perfect, is_fixed):
        assert fit[4] == 4
        assert "zero" not in fit[3]


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e-5, 1e160, 1e300])
@pytest.mark.parametrize("form", ["each", "scalar", "covariance"])
def test_ratios_of_sigma_alone_matter(size, form):
    def f(t, a, k):
        return a * np.exp(-k * t)

    sigma = {"each": np.full(40, size), "scalar": size, "covariance": np.eye(40) * size}[form]
    popt, pcov = curve_fit(f, T, Y, sigma=sigma)
    expected = curve_fit(f, T, Y, sigma=np.ones(40))
    np.testing.assert_allclose(popt, expected[0], rtol=1e-7)
    np.testing.assert_allclose(pcov, expected[1], rtol=1e-5)


@pytest.mark.parametrize(
    "diag", [[np.inf, 1, 1], [1e-160, 1, 1e160], [1e-320, 1, 1], [1, np.nan, 1], [1, 0, 1]]
)
def test_scale_that_is_none_is_refused(fit, diag):
    with pytest.raises(TypeError, match="diag must"):
        leastsq(fit.residuals, fit.start, diag=diag)
    assert leastsq(fit.residuals, fit.start, diag=diag, full_output=True)[4] == 0


@pytest.mark.parametrize("x_scale", [0, -1, np.inf, np.nan, [1, 0, 1], [1, 1], 1e-310])
def test_unit_that_is_none_is_refused(fit, x_scale):
    with pytest.raises(ValueError, match="x_scale must be 'jac', a positive number or 3"):
        curve_fit(lambda x, *p: fit.residuals(p) + fit.y, fit.x, fit.y, fit.start, x_scale=x_scale)


@pytest.mark.parametrize("epsfcn", [np.nan, np.inf])
def test_error_of_func_that_is_none_is_refused(fit, epsfcn):
    with pytest.raises(TypeError, match="epsfcn must be finite"):
        leastsq(fit.residuals, fit.start, epsfcn=epsfcn)


@pytest.mark.parametrize("sigma", [np.ones(40), np.eye(40)])
def test_jacobian_of_one_row_is_not_spread_by_sigma(sigma):
    with pytest.raises(ValueError, match="jac one row, for each error"):
        curve_fit(
            lambda t, a, k: a * np.exp(-k * t),
            T,
            Y,
            sigma=sigma,
            jac=lambda t, a, k: np.ones((1, 2)),
        )


@pytest.mark.parametrize("jac", ["2-point", "3-point", "cs"])
def test_every_scheme_takes_every_model_and_box(jac):
    def line(x, a, b):
        return a * x + b

    narrow = ([2, 1], [2 + 1e-5, 1 + 2e-16])
    popt, _, _ = said(line, T, 3 * T + 1, [2, 1], bounds=narrow, jac=jac)
    assert popt[0] == 2 + 1e-5
    popt, _, _ = said(line, T, 3 * T + 1, [1, 1], bounds=(-1e308, 1e308), jac=jac)
    np.testing.assert_allclose(popt, [3, 1], rtol=1e-6)
    popt, _, words = said(lambda x, a: 2.0, T, Y, [1], jac=jac)
    assert popt == [1]
    assert NOT_ESTIMATED in words
    popt, _, _ = said(lambda x, a: a * 1.0, T, Y, [1], jac=jac)
    assert popt[0] == pytest.approx(Y.mean(), rel=1e-6)
    popt, _, _ = said(lambda x, a: a * x, 2.0, 4.0, [1], jac=jac)
    assert popt[0] == pytest.approx(2, rel=1e-6)
    image = T.reshape(5, 8)
    popt, _, _ = said(line, image, 3 * image + 1, [1, 1], jac=jac)
    np.testing.assert_allclose(popt, [3, 1], rtol=1e-6)


@pytest.mark.parametrize("options", [{}, {"jac": "3-point"}, {"bounds": (0, np.inf)}])
@pytest.mark.parametrize(
    ("model", "truth"),
    [
        (lambda x, a, b, c, d: a * np.exp(-(b + c) * x) + d, [2, 0.5, 0.4, 1]),
        (lambda x, a, b, k: (a + b) * np.exp(-k * x), [2, 1, 0.7]),
        (lambda x, a, k, d, c: a * np.exp(-k * (x - d)) + c, [2, 0.7, 0.5, 1]),
    ],
)
def test_parameters_that_slide_along_a_valley_are_named(model, truth, options):
    x = np.linspace(0.1, 5, 50)
    for seed in range(15):
        rng = np.random.default_rng(seed)
        y = model(x, *truth) + 0.02 * rng.standard_normal(50)
        p0 = np.array(truth) * np.exp(0.2 * rng.standard_normal(len(truth)))
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            popt, pcov = curve_fit(model, x, y, p0, **options)
        # Rounding errors may leave an error that is large, but not infinite.
        is_large = (np.sqrt(np.diag(pcov)) > 5 * np.abs(popt)).any()
        assert is_large if not told else re.search("determine|predicts", str(told[0].message))


def test_parameter_on_a_bound_that_others_can_stand_for_is_named():
    """Rounding errors decide whether b ends on its bound."""
    t = np.linspace(0, 5, 60)
    on_bound = 0
    for seed in range(30):
        noise = 0.03 * np.random.default_rng(seed).standard_normal(60)
        with pytest.warns(OptimizeWarning, match="a and b.*: .*they act only together") as told:
            popt, _ = curve_fit(
                lambda t, a, b: (a + b) * np.exp(-0.7 * t),
                t,
                3 * np.exp(-0.7 * t) + noise,
                [5, 0],
                jac="3-point",
                bounds=(0, 10),
            )
        assert ("b is on a bound" in str(told[0].message)) == (popt[1] == 0)
        on_bound += popt[1] == 0
    assert 0 < on_bound < 30


@pytest.mark.parametrize(
    ("model", "truth"),
    [
        (lambda t, a, b: (a + b) * t, lambda t: t),
        (lambda t, a, b, c: a * t + b * t + c, lambda t: t),
        (lambda t, a, b, c: a + b + c * t, lambda t: 1 + t),
        (lambda t, a, b, k: (a + b) * np.exp(-k * t), lambda t: np.exp(-t)),
        (lambda t, a, k, q: a * np.exp(-(k + q) * t), lambda t: np.exp(-t)),
    ],
)
@pytest.mark.parametrize("noise", [1e-1, 1e-2, 1e-3, 1e-5])
def test_redundant_parameters_are_named_although_one_is_almost_zero(model, truth, noise):
    """From p0 = 1 and for data of the size 1, the other takes the whole effect. The step of a
    parameter close to zero is so short that rounding errors hide that the columns are parallel."""
    t = np.linspace(0, 3, 30)
    curves = truth(t) + noise * np.random.default_rng(41).standard_normal((40, 30))
    for y in curves:
        with pytest.warns(OptimizeWarning, match="act only together|almost compensated"):
            curve_fit(model, t, y)
    n = len(inspect.signature(model).parameters) - 1
    with pytest.warns(OptimizeWarning):
        assert curve_fit_many(model, t, curves, np.ones(n)).doubtful.all()


def gaussian(t, a, m, s):
    return a * np.exp(-0.5 * ((t - m) / s) ** 2)


def gaussian_jacobian(t, a, m, s):
    column = gaussian(t, 1, m, s)
    return np.stack([column, a * column * (t - m) / s**2, a * column * (t - m) ** 2 / s**3], 1)


@pytest.mark.filterwarnings("ignore:.*does not describe the data")
@pytest.mark.parametrize("jac", [None, gaussian_jacobian])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_peak_that_the_default_start_does_not_see_is_not_reported_as_known(jac, weighted):
    t = np.arange(0, 601, 2.0)
    rng = np.random.default_rng(42)
    for _ in range(10):
        y = rng.poisson(gaussian(t, 700, 180, 20)).astype(float)
        sigma = np.sqrt(np.maximum(y, 1)) if weighted else None
        with pytest.warns(OptimizeWarning, match="determine|depend"):
            curve_fit(gaussian, t, y, sigma=sigma, jac=jac)
        with pytest.warns(OptimizeWarning):
            assert curve_fit_many(gaussian, t, [y], [1, 1, 1], sigma=sigma).doubtful[0]


@pytest.mark.parametrize("size", [1, 100])
@pytest.mark.parametrize("offset", [0, 1])
def test_an_offset_of_zero_is_not_doubted(size, offset):
    t = np.linspace(0, 5, 50)
    rng = np.random.default_rng(43)
    for _ in range(100):
        y = size * (3 * np.exp(-t) + 0.1 * rng.standard_normal(50))
        _, pcov = curve_fit(lambda t, a, k, c: a * np.exp(-k * t) + c, t, y, [size, 1, offset])
        assert pcov[2, 2] < (0.1 * size) ** 2


@pytest.mark.parametrize(
    ("model", "truth"),
    [
        (lambda t, a, b: a * t + b, [0.7, 0]),
        (lambda t, a, k, c: a * np.exp(-k * t) + c, [4, 0.6, 0]),
        (lambda t, a, m, s: a * np.exp(-0.5 * ((t - 5 - m) / s) ** 2), [3, 0, 1]),
    ],
)
def test_a_zero_of_exact_data_is_not_doubted_for_known_errors(model, truth):
    """The solution is zero within rounding errors, and its standard error is sigma's."""
    t = np.linspace(0, 10, 21)
    start = [1.3 * each for each in truth]
    y = model(t, *truth)
    popt, pcov = curve_fit(model, t, y, start, sigma=np.full(21, 0.1), absolute_sigma=True)
    np.testing.assert_allclose(popt, truth, atol=1e-9)
    assert (np.sqrt(np.diag(pcov)) < 0.2).all()


def test_a_poor_start_does_not_make_a_cubic_doubtful():
    """From large coefficients, the residuals at the start are 1e5 to 1e7 times the data."""
    t = np.linspace(0, 10, 40)
    A = np.vander(t, 4)[:, ::-1]
    for seed in range(60):
        rng = np.random.default_rng(seed)
        y = A @ [1, 2, -0.1, 0.01] + rng.standard_normal(40)
        start = 10 ** rng.uniform(3, 7) / 10.0 ** np.arange(4)
        cov = leastsq(lambda p, y=y: A @ p - y, start, full_output=True)[1]
        np.testing.assert_allclose(cov, np.linalg.inv(A.T @ A), rtol=1e-3, atol=1e-6)


def test_a_small_parameter_that_the_data_determine_is_not_doubted():
    t = np.linspace(0, 3, 30)
    for size in 1e-3, 1e-5, 1e-7:
        for seed in range(20):
            noise = 0.02 * size * np.random.default_rng(seed).standard_normal(30)
            y = np.exp(-t) + size * t**2 + noise
            popt, pcov = curve_fit(lambda t, a, k, c: a * np.exp(-k * t) + c * t**2, t, y)
            assert abs(popt[2] - size) < 5 * np.sqrt(pcov[2, 2])


def test_parameter_that_robust_residuals_press_on_its_bound_is_determined():
    """Most points are outliers, and those that are not determine b alone."""
    x = np.linspace(0.5, 20, 40)
    options = {"bounds": ([0, -3], [1.5, 3]), "sigma": 0.1, "absolute_sigma": True}
    for loss in ("huber", "cauchy"):
        for seed in range(30):
            y = 2 * x**0.7 + 0.1 * np.random.default_rng(seed).standard_normal(40)
            popt, pcov = curve_fit(
                lambda x, a, b: a * x**b, x, y, [1, 1], loss=loss, f_scale=0.1, **options
            )
            assert popt[0] == 1.5
            assert pcov[0, 0] == 0 < pcov[1, 1]
            many = curve_fit_many(
                lambda x, a, b: a * x**b, x, [y], [1, 1], loss=loss, f_scale=0.1, **options
            )
            assert many.active_mask[0, 0] == 1
            assert not many.doubtful[0]


def fading(t, a, b):
    return a / (1 + t / b)


def test_a_parameter_that_ran_away_is_named():
    noise = 0.1 * np.random.default_rng(0).standard_normal(40)
    steady, falling = 5 + noise, fading(T, 5, 2) + noise
    popt, pcov, words = said(fading, T, steady, [1, 1])
    assert popt[1] > 1e6
    assert np.isfinite(pcov).all()
    assert "hardly determine b: the fit moved b from 1 to " in words
    popt, _, words = said(fading, T, falling, [1, 1])
    assert words == ""
    assert popt[1] == pytest.approx(2, rel=0.1)
    with pytest.warns(OptimizeWarning, match="hardly determine the parameters.*the fit at 1"):
        curve_fit_many(fading, T, np.array([falling, steady]), [1, 1])


def test_a_parameter_that_is_zero_within_its_error_has_not_run_away():
    rng = np.random.default_rng(0)
    popt, _, words = said(lambda t, a, b: a + b * t, T, 2 + 0.1 * rng.standard_normal(40), [1, 1])
    assert abs(popt[1]) < 0.1
    assert words == ""


HOBBS = [5.308, 7.24, 9.638, 12.866, 17.069, 23.192, 31.443, 38.558, 50.156, 62.948, 75.995, 91.972]
COOLING = [455.2, 428.6, 124.1, 67.3, 43.2, 28.1, 13.1, -0.4, -1.3, -1.5]
TIMES = [0.9, 1.5, 13.8, 19.8, 24.1, 28.2, 35.2, 60.3, 74.6, 81.3]


def logistic(t, a, b, c):
    return a / (1 + b * np.exp(-c * t))


def growth(t, a, b):
    return a * np.exp(b * t)


@pytest.mark.parametrize(
    ("f", "x", "y", "start", "least"),
    [
        (logistic, np.arange(1, 13.0), HOBBS, [0.0, 0.0, 0.0], 2.587),
        (growth, TIMES, COOLING, None, 9.505),
    ],
)
def test_a_valley_of_two_parameters_is_told_from_the_minimum(f, x, y, start, least):
    """Weeds (Hobbs), and the first example of MATLAB's lsqcurvefit."""
    x, y = np.array(x), np.array(y)
    with warnings.catch_warnings(record=True) as told, np.errstate(all="ignore"):
        warnings.simplefilter("always")
        popt, _ = curve_fit(f, x, y, start)
        many = curve_fit_many(f, x, y[None], start)
    is_minimum = np.sum((f(x, *popt) - y) ** 2) < 1.001 * least
    np.testing.assert_array_equal(many.popt[0], popt)
    messages = [str(each.message) for each in told if each.category is OptimizeWarning]
    assert is_minimum or len(messages) == 2
    assert all("hardly determine" in message for message in messages)


def test_a_parameter_that_runs_away_from_zero_is_named():
    """An isotherm of data that are saturated everywhere."""
    x = np.linspace(0.1, 5, 30)
    y = 2 + 0.05 * np.random.default_rng(1).standard_normal(30)

    def isotherm(x, most, affinity):
        return most * affinity * x / (1 + affinity * x)

    *_, text = said(isotherm, x, y, [1, 0])
    assert "the fit moved affinity from 0 to" in text
    with pytest.warns(OptimizeWarning, match="hardly determine"):
        curve_fit_many(isotherm, x, y[None], [1.0, 0.0])


def test_a_start_in_a_corner_without_effect_is_no_solution():
    """Rates of an Arrhenius equation, which is zero there; no step leads out of the corner."""
    temperature = np.array([700, 730, 760, 790, 810, 840, 910, 1000.0])
    rates = np.array([0.011, 0.035, 0.105, 0.343, 0.789, 2.17, 20, 145])

    def arrhenius(t, a, b):
        return a * np.exp(-b / t)

    bounds = [1e9, 2e3], [8e11, 2e5]
    _, pcov, text = said(arrhenius, temperature, rates, bounds[1], bounds=bounds)
    assert NOT_ESTIMATED in text
    assert "at p0 arrhenius does not depend on a and b; a and b are on a bound" in text
    assert np.isinf(pcov).all()
    with pytest.warns(OptimizeWarning, match="do not determine all parameters"):
        curve_fit_many(arrhenius, temperature, rates[None], bounds[1], bounds=bounds)


@pytest.mark.parametrize("jac", [True, "cs", "3-point", None], ids=str)
def test_a_parameter_on_a_bound_may_have_an_effect_of_second_order(jac):
    """The noise floor n of a magnitude: its derivative is zero at n = 0, but it has an effect."""
    t = np.linspace(0, 2, 40)

    def magnitude(t, a, rate, n):
        return np.sqrt((a * np.exp(-rate * t)) ** 2 + n**2)

    def slopes(t, a, rate, n):
        e, f = np.exp(-rate * t), magnitude(t, a, rate, n)
        return np.stack([a * e * e / f, -(a**2) * t * e * e / f, n / f], -1)

    y = magnitude(t, 3, 1, 0) - 0.01 * t + 0.001 * np.sin(40 * t)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        popt, pcov = curve_fit(
            magnitude, t, y, [2, 0.5, 0.3], bounds=(0, 9), jac=slopes if jac is True else jac
        )
    assert popt[2] == 0
    assert np.isfinite(pcov).all()
    assert pcov[0, 0] > 0


@pytest.mark.parametrize("wrap", [lambda f: f, njit])
def test_a_batch_doubts_parameters_that_act_together_with_one_on_a_bound(wrap):
    def line(x, a, b, c):
        return (a + b) * x + c

    x = np.linspace(0, 1, 30)
    y = 2.5 * x + 1 + 0.01 * np.cos(9 * x)
    bounds = [0, 0, 0], [9, 1, 9]
    with pytest.warns(OptimizeWarning, match="b is on a bound"):
        popt, pcov = curve_fit(wrap(line), x, y, [1, 1, 1], bounds=bounds)
    assert popt[1] == 1
    with pytest.warns(OptimizeWarning, match="covariance is doubtful"):
        fits = curve_fit_many(wrap(line), x, np.stack([y, y]), [1, 1, 1], bounds=bounds)
    assert fits.doubtful.all()
    assert np.array_equal(fits.pcov[0], pcov)
