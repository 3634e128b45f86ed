"""confidence_band: the limits of fitted curves."""

import functools
import warnings

import numpy as np
import pytest
from scipy import stats

from leastsq import confidence_band, curve_fit
from leastsq._student import two_sided_quantile


def decay(t, a, b, c):
    return a * np.exp(-b * t) + c


def derivatives(t, a, b, c):
    e = np.exp(-b * t)
    return np.stack([e, -a * t * e, np.ones_like(t)], axis=-1)


T = np.linspace(0, 5, 30)
TRUTH = 2.5, 1.3, 0.5


def fitted(seed=0, noise=0.1, t=T, truth=TRUTH):
    y = decay(t, *truth) + noise * np.random.default_rng(seed).standard_normal(t.size)
    return curve_fit(decay, t, y, truth)


@pytest.mark.parametrize("dof", [0.3, 1, 2, 3, 7, 27, 1e3, 1e6, 3e9, 1e12, None])
@pytest.mark.parametrize("level", [1e-6, 0.1, 0.6827, 0.95, 0.9999, 1 - 1e-9])
def test_quantiles_are_those_of_scipy(dof, level):
    expected = (stats.norm if dof is None else stats.t(dof)).isf((1 - level) / 2)
    assert two_sided_quantile(level, dof) == pytest.approx(expected, rel=1e-8, abs=1e-15)


def test_quantiles_are_those_of_the_tables():
    assert two_sided_quantile(0.95, 1) == pytest.approx(12.7062047, rel=1e-8)
    assert two_sided_quantile(0.99, 5) == pytest.approx(4.0321430, rel=1e-7)
    assert two_sided_quantile(0.95, None) == pytest.approx(1.9599640, rel=1e-7)


def test_a_straight_line_has_the_band_of_the_textbooks():
    rng = np.random.default_rng(1)
    x = np.linspace(-1, 4, 12)
    y = 1 + 2 * x + rng.standard_normal(x.size)
    popt, pcov = curve_fit(lambda x, a, b: a + b * x, x, y)
    lower, upper = confidence_band(lambda x, a, b: a + b * x, x, popt, pcov, 0.9, dof=10)
    s = np.sqrt(np.sum((y - popt[0] - popt[1] * x) ** 2) / 10)
    leverage = 1 / x.size + (x - x.mean()) ** 2 / np.sum((x - x.mean()) ** 2)
    half = stats.t(10).ppf(0.95) * s * np.sqrt(leverage)
    np.testing.assert_allclose((upper - lower) / 2, half, rtol=1e-7)
    np.testing.assert_allclose((upper + lower) / 2, popt[0] + popt[1] * x, rtol=1e-12)


@pytest.mark.parametrize("level", [0.6827, 0.95])
def test_the_band_contains_the_truth_as_often_as_it_says(level):
    fits = [fitted(seed, t=T[::3]) for seed in range(1000)]
    x = np.array([0.2, 1.0, 3.0])
    inside = []
    for popt, pcov in fits:
        lower, upper = confidence_band(decay, x, popt, pcov, level, dof=7)
        inside.append((lower < decay(x, *TRUTH)) & (decay(x, *TRUTH) < upper))
    np.testing.assert_allclose(np.mean(inside, axis=0), level, atol=0.035)


@pytest.mark.parametrize("noise", [1e-10, 1e-3, 0.1])
def test_differences_agree_with_derivatives(noise):
    popt, pcov = fitted(noise=noise)
    for found, expected in zip(
        confidence_band(decay, T, popt, pcov),
        confidence_band(decay, T, popt, pcov, jac=derivatives),
        strict=True,
    ):
        half = np.abs(expected - decay(T, *popt))
        assert np.all(np.abs(found - expected) <= 1e-3 * half)


def test_a_date_is_differenced_within_its_error():
    def dip(t, center, depth):
        return 1 - depth * np.exp(-0.5 * ((t - center) / 0.05) ** 2)

    t = 2460000 + np.linspace(-0.3, 0.3, 200)
    y = dip(t, 2460000.02, 0.3) + 1e-3 * np.random.default_rng(2).standard_normal(t.size)
    popt, pcov = curve_fit(dip, t, y, [2460000.0, 0.2])
    lower, upper = confidence_band(dip, t, popt, pcov)
    z = (t - popt[0]) / 0.05
    bell = np.exp(-0.5 * z**2)
    J = np.stack([-popt[1] * bell * z / 0.05, -bell], axis=1)
    half = 1.959964 * np.sqrt(np.einsum("ij,jk,ik->i", J, pcov, J))
    np.testing.assert_allclose((upper - lower) / 2, half, atol=2e-3 * half.max())


def test_the_edge_of_the_domain_is_not_crossed():
    def root(t, a, b):
        return a * np.sqrt(t + b)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lower, upper = confidence_band(root, np.array([0.0, 1.0]), [1, 0.01], [[1, 0], [0, 1]])
    assert np.isfinite(lower).all()
    assert np.isfinite(upper).all()


def test_parameters_on_a_bound_and_unknown_covariances():
    popt, pcov = [1.0, 0.0, 2.0], np.diag([0.01, 0, 0])
    lower, upper = confidence_band(decay, T, popt, pcov)
    np.testing.assert_allclose(upper - lower, 2 * 1.959964 * 0.1, rtol=1e-6)
    lower, upper = confidence_band(decay, T, popt, np.full((3, 3), np.inf))
    assert np.isneginf(lower).all()
    assert np.isposinf(upper).all()


def test_shapes():
    x = np.ones((2, 4, 5))
    plane = confidence_band(lambda x, a, b: a * x[0] + b * x[1], x, [1, 2], np.eye(2))
    assert plane[0].shape == plane[1].shape == (4, 5)
    assert confidence_band(decay, 1.0, TRUTH, np.eye(3))[0].shape == ()
    assert confidence_band(decay, 1.0, TRUTH, np.eye(3), jac=derivatives)[0].shape == ()
    assert confidence_band(lambda t, a: a * t, [1, 2, 3], 2.0, 0.1)[0].shape == (3,)
    constant = confidence_band(lambda t, a: a, [1, 2, 3], 2.0, 0.01)
    np.testing.assert_allclose(constant, (2 - 0.1959964, 2 + 0.1959964), rtol=1e-6)


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"popt": [1, 2]}, ValueError, "got"),
        ({"popt": [1, 2], "pcov": np.eye(2)}, TypeError, "takes 3 parameters .* popt has 2"),
        ({"pcov": np.eye(2)}, ValueError, r"\(3,\) and \(2, 2\)"),
        ({"level": 1.0}, ValueError, "level must be between 0 and 1"),
        ({"level": 95}, ValueError, "level must be between 0 and 1"),
        ({"level": "95 %"}, TypeError, "level"),
        ({"dof": 0}, ValueError, "dof must be positive"),
        ({"dof": np.nan}, ValueError, "dof must be positive"),
        ({"jac": lambda t, *p: np.ones((3, 30))}, ValueError, r"shape \(30, 3\), got \(3, 30\)"),
    ],
)
def test_what_is_wrong_is_told(changes, error, text):
    arguments = {"f": decay, "x": T, "popt": TRUTH, "pcov": np.eye(3)} | changes
    with pytest.raises(error, match=text):
        confidence_band(**arguments)


@pytest.mark.parametrize("noise", [0.02, 0.1, 0.3])
def test_correlated_parameters_are_differenced_within_the_errors_that_they_have_alone(noise):
    def growth(t, a, r):
        return a * np.exp(r * t)

    def jac(t, a, r):
        return np.stack([np.exp(r * t), a * t * np.exp(r * t)], axis=-1)

    t = np.linspace(1990, 2020, 31)
    y = np.exp(0.05 * (t - 1990)) * (1 + noise * np.random.default_rng(3).standard_normal(31))
    popt, pcov = curve_fit(growth, t, y, [np.exp(-0.05 * 1990), 0.05], jac=jac, maxfev=5000)
    found = np.ptp(confidence_band(growth, t, popt, pcov), axis=0)
    np.testing.assert_allclose(
        found, np.ptp(confidence_band(growth, t, popt, pcov, jac=jac), axis=0), rtol=1e-2
    )


@pytest.mark.parametrize("noise", [0.01, 0.1, 0.3])
@pytest.mark.parametrize("offset", [0, 6e4])
def test_a_wave_far_from_the_origin_has_the_same_band(noise, offset):
    def wave(t, a, w, phase):
        return a * np.sin(w * t + phase)

    def jac(t, a, w, phase):
        c = a * np.cos(w * t + phase)
        return np.stack([np.sin(w * t + phase), t * c, c], axis=-1)

    t = offset + np.linspace(0, 100, 200)
    truth = 1, 0.5, 1 - 0.5 * offset
    y = wave(t, *truth) + noise * np.random.default_rng(1).standard_normal(200)
    popt, pcov = curve_fit(wave, t, y, truth, jac=jac)
    found = np.ptp(confidence_band(wave, t, popt, pcov), axis=0)
    np.testing.assert_allclose(
        found, np.ptp(confidence_band(wave, t, popt, pcov, jac=jac), axis=0), rtol=1e-2
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, np.float16, np.float32])
def test_x_is_converted_as_by_curve_fit(dtype):
    def model(x, a, b):
        return a * (x - 3) ** 2 + b / (x + 1)

    x = np.arange(20)
    expected = confidence_band(model, x.astype(float), [1, 2], np.eye(2) * 0.01)
    np.testing.assert_array_equal(
        confidence_band(model, x.astype(dtype), [1, 2], np.eye(2) * 0.01), expected
    )


def test_a_point_where_the_model_is_not_finite_spoils_no_other_point():
    def model(x, a, b):
        with np.errstate(all="ignore"):
            return a * x * np.log(x) + b

    lower, upper = confidence_band(model, np.linspace(0, 5, 6), [1, 2], np.eye(2) * 0.01)
    assert np.isnan([lower[0], upper[0]]).all()
    assert np.isfinite([lower[1:], upper[1:]]).all()


def test_wrapped_models_are_called_as_they_are():
    def raised(f):
        @functools.wraps(f)
        def wrapper(x, *p):
            return f(x, *p[:-1]) + p[-1]

        return wrapper

    @raised
    def line(x, a):
        return a * x

    assert confidence_band(line, [1, 2], [1, 1], np.eye(2))[0].shape == (2,)
    assert curve_fit(line, [1, 2, 3], [1, 2, 3.5], [1, 1])[0].size == 2


def test_complex_models_are_refused():
    with pytest.raises(TypeError, match="must be real"):
        confidence_band(lambda x, a: a * x * 1j, [1, 2], [1], [[1]])
