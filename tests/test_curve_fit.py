"""curve_fit: what SciPy's finds, and what it cannot do."""

import re
import warnings

import numpy as np
import pytest
from problems.models import derivatives, exponential
from scipy import optimize

from leastsq import FitError, OptimizeWarning, curve_fit, leastsq


@pytest.mark.parametrize("absolute_sigma", [False, True])
def test_agrees_with_scipys(fit, sigma, absolute_sigma):
    options = {"sigma": sigma, "absolute_sigma": absolute_sigma, "full_output": True}
    ours = curve_fit(exponential, fit.x, fit.y, **options)
    theirs = optimize.curve_fit(exponential, fit.x, fit.y, **options)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-5)
    np.testing.assert_allclose(ours[2]["fvec"], theirs[2]["fvec"], atol=1e-5)
    assert ours[4] == theirs[4]
    assert [type(part) for part in ours] == [type(part) for part in theirs]


@pytest.mark.parametrize("method", ["lm", "trf", "dogbox", None])
def test_jac_is_weighed_like_the_residuals(fit, sigma, method):
    with_jac = curve_fit(
        exponential, fit.x, fit.y, sigma=sigma, jac=derivatives, method=method, full_output=True
    )
    without = curve_fit(exponential, fit.x, fit.y, sigma=sigma)
    np.testing.assert_allclose(with_jac[0], without[0], rtol=1e-6)
    np.testing.assert_allclose(with_jac[1], without[1], rtol=1e-5)
    assert with_jac[2]["njev"] < with_jac[2]["nfev"] < 20


def test_jac_may_come_by_columns_or_as_a_list(fit, sigma):
    expected, _ = curve_fit(exponential, fit.x, fit.y, sigma=sigma, jac=derivatives)
    by_columns, _ = curve_fit(
        exponential,
        fit.x,
        fit.y,
        sigma=sigma,
        jac=lambda x, *p: derivatives(x, *p).T.tolist(),
        col_deriv=True,
    )
    np.testing.assert_allclose(by_columns, expected, rtol=1e-12)


@pytest.mark.parametrize("bounds", [(-np.inf, np.inf), (0, 10), ([0, 0, 0.4], [2.4, 9, 0.4])])
@pytest.mark.parametrize("scheme", ["2-point", "3-point", "cs"])
def test_schemes_find_the_same(fit, scheme, bounds):
    options = {"p0": [1, 1, 0.4], "bounds": bounds, "ftol": 1e-14, "xtol": 1e-12}
    found, _ = curve_fit(exponential, fit.x, fit.y, jac=scheme, **options)
    exact, _ = curve_fit(exponential, fit.x, fit.y, jac=derivatives, **options)
    np.testing.assert_allclose(found, exact, rtol=1e-6 if scheme == "2-point" else 1e-8)


@pytest.mark.parametrize("scheme", ["3-point", "cs"])
@pytest.mark.parametrize("p", [[1.5, 0.7, 0.2], [1, 0.5, 0], [2, 1, 1e-7], [2, 1, 1 - 1e-7]])
def test_schemes_differentiate_within_bounds(scheme, p):
    seen = []
    x = np.linspace(0, 3, 20)

    def model(x, *params):
        seen.append(np.real(params))
        return exponential(x, *params)

    lower, upper = np.array([1, 0.5, 0]), np.array([2, 1, 1])
    with pytest.raises(FitError) as caught:
        curve_fit(model, x, 5 * x, p, bounds=(lower, upper), jac=scheme, maxfev=1)
    assert len(seen) > 3
    assert np.all(np.array(seen) >= lower)
    assert np.all(np.array(seen) <= upper)
    info = caught.value.infodict
    J = derivatives(x, *p)[:, info["ipvt"]]
    R = info["fjac"].T[:3]
    np.testing.assert_allclose(R.T @ R, J.T @ J, rtol=1e-8)


def test_start_comes_from_the_signature_and_the_bounds():
    starts = []

    def model(x, a, b, c, d=4):
        starts.append((a, b, c, d))
        return a * x + b + c + d

    x = np.arange(8.0)
    bounds = ([2, -np.inf, -np.inf, 5], [6, np.inf, -3, np.inf])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OptimizeWarning)
        curve_fit(model, x, x)
        assert starts[0] == (1, 1, 1, 1)
        starts.clear()
        curve_fit(model, x, x, bounds=bounds)
    assert starts[0] == (4, 1, -4, 6)


@pytest.mark.parametrize(
    "model",
    [
        lambda x, a, /, b: a * x + b,
        type("Line", (), {"__call__": lambda self, x, a, b: a * x + b})(),
        type("Line", (), {"value": lambda self, x, a, /, b: a * x + b})().value,
    ],
    ids=["positional only", "callable object", "method"],
)
def test_parameters_are_counted_in_every_kind_of_function(model):
    popt, _ = curve_fit(model, [0, 1, 2, 3], [1, 3, 5, 7.1])
    assert popt.shape == (2,)


def test_model_is_called_once_for_each_point_with_numpy_scalars(fit):
    seen = []

    def model(x, a, b, c):
        seen.append((a, b, c))
        assert type(a) is np.float64
        return exponential(x, a, b, c)

    info = curve_fit(model, fit.x, fit.y, full_output=True)[2]
    assert len(seen) == len(set(seen)) == info["nfev"]


def test_bounds_are_kept_with_every_method(fit):
    for method in (None, "lm", "trf", "dogbox"):
        for bounds in (([0, 0, 0], [2, 10, 10]), optimize.Bounds([0, 0, 0], [2, 10, 10])):
            popt, _, info, _, _ = curve_fit(
                exponential, fit.x, fit.y, bounds=bounds, method=method, full_output=True
            )
            assert popt[0] == 2
            assert info["active_mask"].tolist() == [1, 0, 0]
    theirs, _ = optimize.curve_fit(exponential, fit.x, fit.y, bounds=([0, 0, 0], [2, 10, 10]))
    np.testing.assert_allclose(popt, theirs, rtol=1e-4)


def test_bounds_out_of_reach_leave_the_covariance_alone(fit):
    expected = curve_fit(exponential, fit.x, fit.y)
    found = curve_fit(exponential, fit.x, fit.y, bounds=(0, 10))
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-5)


def test_what_is_on_a_bound_counts_as_known(fit):
    _, pcov = curve_fit(exponential, fit.x, fit.y, [1, 1, 0.5], bounds=([0, 0, 0.5], [10, 10, 0.5]))
    _, reduced = curve_fit(lambda x, a, b: exponential(x, a, b, 0.5), fit.x, fit.y)
    np.testing.assert_allclose(pcov[:2, :2], reduced, rtol=1e-4)
    assert not pcov[2].any()
    assert not pcov[:, 2].any()


def test_options_reach_the_solver(fit):
    def nfev(**options):
        options = {"p0": fit.start, **options}
        return curve_fit(exponential, fit.x, fit.y, full_output=True, **options)[2]["nfev"]

    for name, value in {
        "ftol": 0.9, "xtol": 0.1, "gtol": 0.1, "atol": 0.9, "factor": 0.1, "x_scale": [1e-3, 1, 1],
        "diag": [1e3, 1, 1], "epsfcn": 1e-3,
    }.items():  # fmt: skip
        assert nfev(**{name: value}) != nfev(), name
    assert nfev(x_scale=[1 / 2, 1, 1]) == nfev(diag=[2, 1, 1])
    assert nfev(x_scale=2) == nfev(diag=[0.5, 0.5, 0.5])
    assert nfev(x_scale="jac", loss="linear") == nfev()
    assert nfev(bounds=(-100, 100), factor=100) == nfev()
    far = {"p0": [9, 0.3, -4]}
    assert nfev(bounds=(-100, 100), **far) == nfev(factor=1, **far) != nfev(**far)


@pytest.mark.parametrize(
    ("options", "calls"),
    [
        ({"maxfev": 7}, 7),
        ({"maxfev": 7.0}, 7),
        ({"max_nfev": 2}, 5),
        ({"max_nfev": np.float64(2)}, 5),
        ({"maxfev": 2, "method": "trf"}, 5),
        ({"maxfev": 2, "bounds": (-99, 99)}, 5),
        ({"maxfev": 2, "bounds": (-99, 99), "jac": derivatives}, 2),
        ({"maxfev": 9, "bounds": (-99, 99), "method": "lm"}, 9),
    ],
)
def test_limits_of_calls_mean_what_they_mean_to_scipy(fit, options, calls):
    name = "max_nfev" if "max_nfev" in options else "maxfev"
    message = (
        "Optimal parameters not found: Number of calls to function has reached "
        f"{name} = {options[name]:g}"
    )
    with pytest.raises(FitError, match=re.escape(message)) as caught:
        curve_fit(exponential, fit.x, fit.y, **options)
    assert caught.value.infodict["nfev"] in range(calls, calls + 5)


def test_is_leastsq_of_the_residuals(fit):
    popt, pcov, info, mesg, ier = curve_fit(exponential, fit.x, fit.y, full_output=True)
    x, cov_x, infodict, *rest = leastsq(fit.residuals, fit.start, full_output=True)
    np.testing.assert_array_equal(popt, x)
    np.testing.assert_allclose(pcov, cov_x * np.sum(info["fvec"] ** 2) / 47, rtol=1e-12)
    assert info.keys() == infodict.keys()
    assert info["nfev"] == infodict["nfev"]
    assert [mesg, ier] == rest


def test_a_covariance_that_is_symmetric_but_for_rounding_errors_is_taken():
    n = 60
    t = np.linspace(0, 4, n)
    y = 2 * t + 1 + 0.1 * np.cos(9 * t)
    fourier = np.fft.fft(np.eye(n)) / np.sqrt(n)
    spectrum = 1 + 0.5 * np.cos(2 * np.pi * np.arange(n) / n)
    sigma = ((fourier * spectrum) @ fourier.conj().T).real
    assert (sigma != sigma.T).any()
    popt, pcov = curve_fit(lambda x, a, b: a * x + b, t, y, sigma=sigma, absolute_sigma=True)
    expected, cov = optimize.curve_fit(
        lambda x, a, b: a * x + b, t, y, sigma=sigma, absolute_sigma=True
    )
    np.testing.assert_allclose(popt, expected, rtol=1e-6)
    np.testing.assert_allclose(pcov, cov, rtol=1e-5)


def test_covariances_are_in_c_order():
    """Then ravel and reshape give views, as with SciPy's."""
    t = np.linspace(0, 4, 40)
    y = 2.5 * np.exp(-1.3 * t) + 0.5 + 0.02 * np.cos(9 * t)

    def f(t, a, b, c):
        return a * np.exp(-b * t) + c

    for options in ({}, {"absolute_sigma": True}, {"bounds": (0, 9)}, {"chunks": 7}):
        pcov = curve_fit(f, t, y, **options)[1]
        pcov.ravel()[::4] = 0
        assert (np.diag(pcov) == 0).all()
    cov_x = leastsq(lambda p: f(t, *p) - y, [1, 1, 1], full_output=True)[1]
    memoryview(cov_x).cast("B")
    assert np.reshape(cov_x, 9, copy=False).base is not None
