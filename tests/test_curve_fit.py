"""curve_fit: what SciPy's does, what it cannot do, and what is said where it fails."""

import pickle
import re
import warnings

import numpy as np
import pytest
from scipy import optimize

from leastsq import FitError, NativeFunction, OptimizeWarning, curve_fit, leastsq


def exponential(x, a, b, c):
    return a * np.exp(-b * x) + c


def derivatives(x, a, b, c):
    e = np.exp(-b * x)
    return np.stack([e, -a * x * e, np.ones_like(x)], axis=-1)


def line(x, a, b):
    return a * x + b


def correlated(m):
    """The covariance of errors that are related to those of their neighbours."""
    apart = np.abs(np.subtract.outer(np.arange(m), np.arange(m)))
    return 0.02**2 * (-0.6) ** apart


SIGMAS = {
    "none": None,
    "scalar": 0.02,
    "array of one": np.array([0.02]),
    "each": np.linspace(0.01, 0.03, 50),
    "list": list(np.linspace(0.01, 0.03, 50)),
    "covariance": correlated(50),
}


@pytest.fixture(params=SIGMAS)
def sigma(request):
    return SIGMAS[request.param]


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


@pytest.mark.parametrize("model", [lambda x: x, lambda x, *p: x, lambda *p: p, max])
def test_parameters_that_cannot_be_counted_are_asked_for(model):
    with pytest.raises(ValueError, match="Unable to determine number of fit parameters"):
        curve_fit(model, [0, 1], [1, 2])


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
        ({"max_nfev": 2}, 8),
        ({"maxfev": 2, "method": "trf"}, 8),
        ({"maxfev": 2, "bounds": (-99, 99)}, 8),
        ({"maxfev": 2, "bounds": (-99, 99), "jac": derivatives}, 2),
        ({"maxfev": 9, "bounds": (-99, 99), "method": "lm"}, 9),
    ],
)
def test_limits_of_calls_mean_what_they_mean_to_scipy(fit, options, calls):
    message = (
        f"Optimal parameters not found: Number of calls to function has reached maxfev = {calls}."
    )
    with pytest.raises(FitError, match=re.escape(message)):
        curve_fit(exponential, fit.x, fit.y, **options)


def test_failure_carries_what_was_reached(fit):
    with pytest.raises(RuntimeError, match="Optimal parameters not found") as caught:
        curve_fit(exponential, fit.x, fit.y, maxfev=10)
    error = pickle.loads(pickle.dumps(caught.value))
    for failure in (caught.value, error):
        assert failure.ier == 5
        assert failure.infodict["nfev"] >= 10
        residuals = exponential(fit.x, *failure.popt) - fit.y
        np.testing.assert_array_equal(failure.infodict["fvec"], residuals)
    assert str(error) == str(caught.value)


def test_model_that_is_not_finite_at_the_start_is_a_failure():
    with pytest.raises(FitError, match="not finite") as caught:
        curve_fit(lambda x, a: a * x * np.nan, [1, 2, 3], [1, 2, 3])
    assert caught.value.ier == 9


@pytest.mark.parametrize(
    ("model", "points", "options"),
    [
        (lambda x, a, b: a * x, 6, {}),
        (line, 2, {}),
        (line, 1, {"method": "trf"}),
        (line, 1, {"bounds": (-9, 9), "absolute_sigma": True}),
    ],
)
def test_covariance_that_cannot_be_estimated_is_infinite(model, points, options):
    x = np.arange(1.0, points + 1)
    with pytest.warns(OptimizeWarning, match="could not be estimated") as caught:
        _, pcov = curve_fit(model, x, x**2, **options)
    assert caught[0].filename == __file__
    assert pcov.shape == (2, 2)
    assert np.all(np.isinf(pcov))


@pytest.mark.parametrize("options", [{"method": "trf"}, {"bounds": (-9, 9)}])
@pytest.mark.parametrize("jac", [None, lambda x, a, b, c: np.stack([x**2, x, x**0], -1)])
@pytest.mark.parametrize("sigma", [None, [1, 2], [[2, 1], [1, 3]]])
def test_fewer_points_than_parameters_are_met_exactly(options, jac, sigma):
    with pytest.warns(OptimizeWarning):
        popt, _, info, _, _ = curve_fit(
            lambda x, a, b, c: a * x**2 + b * x + c,
            [1, 2],
            [3, 5],
            jac=jac,
            sigma=sigma,
            full_output=True,
            **options,
        )
    np.testing.assert_allclose(np.polyval(popt, [1, 2]), [3, 5], rtol=1e-6)
    assert info["fvec"].shape == (2,)
    assert info["fjac"].shape == (3, 2)


def test_fewer_points_than_parameters_are_refused_without_such_a_method():
    message = "The number of func parameters=3 must not exceed the number of data points=2"
    with pytest.raises(TypeError, match=message):
        curve_fit(exponential, [1, 2], [1, 2], method="lm")
    with pytest.raises(TypeError, match="N=2 must not exceed func output vector length M=1"):
        curve_fit(line, [1], [1])


@pytest.mark.parametrize(
    ("sigma", "message"),
    [
        ([1, 0, 1, 1], "must not contain zeros"),
        (0, "must not contain zeros"),
        ([1, np.nan, 1, 1], "must not contain NaN"),
        (np.full((4, 4), np.nan), "must not contain NaN"),
        (np.diag([1, 1, np.inf, 1]), "positive definite and finite"),
        (np.diag([1, 1, 0, 1]), "must be positive definite"),
        (np.diag([1, 1, -1, 1]), "must be positive definite"),
        ([1, 1, 1], r"incorrect shape.* got \(3,\) for ydata of shape \(4,\)"),
        (np.ones((4, 1)), "incorrect shape"),
    ],
)
def test_what_is_wrong_with_sigma_is_told(sigma, message):
    with pytest.raises(ValueError, match=message):
        curve_fit(line, [1, 2, 3, 4], [1, 2, 3, 4], sigma=sigma)


def test_point_with_an_infinite_error_does_not_count():
    popt, _ = curve_fit(line, [1, 2, 3, 4], [1, 2, 9, 4.1], sigma=[1, 1, np.inf, 1])
    expected, _ = curve_fit(line, [1, 2, 4], [1, 2, 4.1])
    np.testing.assert_allclose(popt, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"f": 3}, TypeError, "f must be callable, got 3"),
        ({"method": "newton"}, ValueError, "`method` must be 'trf', 'dogbox' or 'lm'"),
        ({"jac": "4-point"}, ValueError, "jac must be callable, None, '2-point'"),
        ({"args": (1,)}, ValueError, "'args' is not a supported keyword argument"),
        ({"tr_solver": "lsmr"}, TypeError, "no option tr_solver='lsmr'"),
        ({"loss": "huber"}, TypeError, "no option loss='huber'"),
        ({"x_scale": "auto"}, ValueError, "x_scale must be 'jac' or positive numbers"),
        ({"maxfev": 2.5}, TypeError, "maxfev must be an integer"),
        ({"p0": []}, TypeError, "p0 is empty"),
        ({"p0": ["a", 1]}, TypeError, "p0 must be real numbers"),
        ({"p0": [5, 1], "bounds": (0, 2)}, ValueError, r"p0\[0\] = 5.0 is above its upper bound"),
        ({"bounds": (2, 0)}, ValueError, r"the lower bound of p0\[0\]"),
        ({"bounds": ([0, 0, 0], 1)}, ValueError, "one lower bound for each of the 2 parameters"),
        ({"xdata": [1, 2, np.inf]}, ValueError, "must not contain infs or NaNs: xdata"),
        ({"ydata": [1, 2, np.nan]}, ValueError, "must not contain infs or NaNs: ydata"),
        ({"ydata": []}, ValueError, "`ydata` must not be empty"),
        ({"ydata": [1j, 2, 3]}, TypeError, "ydata must be real"),
        ({"ydata": [1, 2]}, ValueError, "broadcast"),
        ({"nan_policy": "ignore"}, ValueError, "nan_policy must be one of"),
        ({"ydata": [1, np.nan, 3], "nan_policy": "raise"}, ValueError, "contains nan"),
        ({"f": lambda x, a, b: (a * x)[:, None]}, ValueError, "9 residuals for 3 points"),
        (
            {"f": lambda x, a, b, c, d: (a * x)[:, None] + b + c + d, "method": "trf"},
            ValueError,
            "9 residuals for 3 points",
        ),
        ({"f": lambda x, a, b: None}, TypeError, "None"),
        ({"jac": lambda x, a, b: x}, TypeError, r"Shape should be \(3, 2\) but it is \(3,\)"),
    ],
)
def test_what_is_wrong_is_told(arguments, error, message):
    given = {"f": line, "xdata": [1, 2, 3], "ydata": [1, 2, 3.5], **arguments}
    with pytest.raises(error, match=message):
        curve_fit(**given)


def test_improper_option_is_a_failure_as_in_scipy():
    with pytest.raises(FitError, match=r"Improper input parameters\. ftol must not be negative"):
        curve_fit(line, [1, 2, 3], [1, 2, 3], ftol=-1)


@pytest.mark.parametrize("sigma", [None, 0.1, np.linspace(1, 2, 8), np.diag(np.arange(1.0, 9))])
def test_missing_points_are_left_out(sigma):
    x = np.arange(8.0)
    y = 2 * x + 1 + np.sin(x)
    kept = [0, 2, 3, 5, 6, 7]
    with_nans = x.copy(), y.copy()
    with_nans[0][1] = with_nans[1][4] = np.nan
    found = curve_fit(line, *with_nans, sigma=sigma, nan_policy="omit")
    if np.ndim(sigma) == 1:
        sigma = sigma[kept]
    elif np.ndim(sigma) == 2:
        sigma = sigma[np.ix_(kept, kept)]
    expected = curve_fit(line, x[kept], y[kept], sigma=sigma)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs)


def test_missing_points_of_another_object_cannot_be_left_out():
    with pytest.raises(ValueError, match="nan_policy='omit' needs an array"):
        curve_fit(lambda x, a: a + np.zeros(3), object(), [1, np.nan, 3], nan_policy="omit")


def test_data_whose_squares_overflow_are_finite():
    popt, _ = curve_fit(
        lambda x, a, b: a * (x / 1e200) + b, [1e200, 2e200, 4e200], [1, 2, 4.5], [1, 0]
    )
    np.testing.assert_allclose(popt, np.polyfit([1, 2, 4], [1, 2, 4.5], 1), rtol=1e-6)


def test_xdata_may_be_anything(fit):
    class Times:
        values = fit.x

    def model(times, a, b, c):
        return exponential(times.values, a, b, c)

    popt, _ = curve_fit(model, Times(), fit.y)
    expected, _ = curve_fit(exponential, fit.x, fit.y)
    np.testing.assert_array_equal(popt, expected)


def test_data_of_two_dimensions_are_fitted():
    x = np.stack(np.meshgrid(np.linspace(0, 1, 4), np.linspace(0, 1, 5)))
    y = 2 * x[0] - 3 * x[1] + np.sin(9 * x[0])
    popt, pcov = curve_fit(lambda x, a, b: a * x[0] + b * x[1], x, y, sigma=0.5)
    expected, _ = curve_fit(
        lambda x, a, b: a * x[0] + b * x[1], x.reshape(2, -1), y.reshape(-1), sigma=0.5
    )
    np.testing.assert_allclose(popt, expected)
    assert np.all(np.isfinite(pcov))
    with pytest.raises(ValueError, match="1-D ydata"):
        curve_fit(lambda x, a, b: a * x[0] + b * x[1], x, y, sigma=np.ones(y.shape))


def test_constant_model_and_float32_and_integers_are_taken():
    popt, pcov = curve_fit(lambda x, a: a, np.arange(4), np.array([1, 2, 3, 4], np.float32))
    np.testing.assert_allclose(popt, [2.5], rtol=1e-6)
    np.testing.assert_allclose(pcov, [[5 / 3 / 4]], rtol=1e-6)


def test_what_the_model_raises_comes_out(fit):
    class MineError(Exception):
        pass

    def model(x, a, b, c):
        if a != 1:
            raise MineError
        return exponential(x, a, b, c)

    with pytest.raises(MineError):
        curve_fit(model, fit.x, fit.y)


def test_arguments_are_not_written(fit):
    p0 = np.ones(3)
    arrays = [p0, fit.x, fit.y, SIGMAS["each"], SIGMAS["covariance"]]
    before = [array.copy() for array in arrays]
    for sigma in arrays[3:]:
        popt, _ = curve_fit(exponential, fit.x, fit.y, p0, sigma=sigma, bounds=(0, 10))
        assert popt is not p0
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_is_leastsq_of_the_residuals(fit):
    popt, pcov, info, mesg, ier = curve_fit(exponential, fit.x, fit.y, full_output=True)
    x, cov_x, infodict, *rest = leastsq(fit.residuals, fit.start, full_output=True)
    np.testing.assert_array_equal(popt, x)
    np.testing.assert_allclose(pcov, cov_x * np.sum(info["fvec"] ** 2) / 47, rtol=1e-12)
    assert info.keys() == infodict.keys()
    assert info["nfev"] == infodict["nfev"]
    assert [mesg, ier] == rest


def test_native_function_is_no_model(residual):
    assert isinstance(residual, NativeFunction)
    with pytest.raises(TypeError, match="NativeFunction"):
        curve_fit(residual, [1, 2, 3], [1, 2, 3], p0=[1, 1])
