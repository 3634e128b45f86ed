"""curve_fit: what is said where it fails."""

import inspect
import math
import operator
import pickle

import numpy as np
import pytest
from problems.models import exponential, line

from leastsq import (
    FitError,
    NativeFunction,
    OptimizeWarning,
    curve_fit,
    curve_fit_many,
    leastsq,
)
from leastsq._arguments.curve_fit_options import Options, SolverOptions, fit_settings
from leastsq._curve_fit import PLAIN


@pytest.mark.parametrize("model", [lambda x: x, lambda x, *p: x, lambda *p: p, max])
def test_parameters_that_cannot_be_counted_are_asked_for(model):
    with pytest.raises(ValueError, match="Unable to determine number of fit parameters"):
        curve_fit(model, [0, 1], [1, 2])


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
        ([1, 1e-310, 1, 1], "must not contain zeros"),
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


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"f": 3}, TypeError, "f must be callable, got 3"),
        ({"method": "newton"}, ValueError, "`method` must be 'lm', 'trf', 'dogbox' or None"),
        ({"jac": "4-point"}, ValueError, "jac must be callable, None, '2-point'"),
        ({"args": (1,)}, ValueError, "'args' is not a supported keyword argument"),
        ({"tr_solver": "lsmr"}, TypeError, "no option tr_solver='lsmr'"),
        ({"loss": "hubert"}, ValueError, "`loss` must be one of"),
        ({"x_scale": "auto"}, ValueError, "x_scale must be 'jac' or positive numbers"),
        ({"maxfev": 2.5}, TypeError, "maxfev must be a whole number"),
        ({"p0": []}, TypeError, "p0 is empty"),
        ({"p0": ["a", 1]}, TypeError, "p0 must be real numbers"),
        ({"p0": [5, 1], "bounds": (0, 2)}, ValueError, r"p0\[0\] = 5.0 is above its upper bound"),
        ({"bounds": (2, 0)}, ValueError, r"the lower bound of p0\[0\]"),
        ({"bounds": ([0, 0, 0], 1)}, ValueError, "one lower bound for each of the 2 parameters"),
        ({"xdata": [1, 2, np.inf]}, ValueError, "must not contain infs or NaNs: xdata"),
        ({"ydata": [1, 2, np.nan]}, ValueError, "must not contain infs or NaNs: ydata"),
        ({"ydata": []}, ValueError, "`ydata` must not be empty"),
        ({"ydata": [1j, 2, 3]}, TypeError, "ydata must be real"),
        ({"ydata": [1, 2]}, ValueError, r"shape \(3,\), but ydata has shape \(2,\)"),
        ({"nan_policy": "ignore"}, ValueError, "nan_policy must be one of"),
        ({"ydata": [1, np.nan, 3], "nan_policy": "raise"}, ValueError, "contains nan"),
        ({"ydata": [np.nan], "nan_policy": "omit"}, ValueError, "every point .* NaN"),
        (
            {"xdata": [2.0], "ydata": [1, np.nan, 3], "nan_policy": "omit"},
            ValueError,
            r"do not match: \(1,\) and \(3,\)",
        ),
        (
            {"xdata": np.array(2.0), "ydata": [1, np.nan, 3], "nan_policy": "omit"},
            ValueError,
            r"do not match: \(\) and \(3,\)",
        ),
        (
            {"ydata": [1, np.nan, 3], "nan_policy": "omit", "sigma": [1, 2]},
            ValueError,
            "`sigma` has incorrect shape",
        ),
        ({"ydata": [1, 2, 10**400]}, ValueError, "ydata must be numbers of float64"),
        ({"p0": [1, 10**400]}, TypeError, "p0 must be real numbers: int too large"),
        ({"ftol": 10**400}, TypeError, "ftol must be a real number"),
        ({"bounds": (0, 10**400)}, TypeError, "the upper bound must be a real number"),
        ({"f": lambda x, a, b: (a * x)[:, None]}, ValueError, r"shape \(3, 1\), but"),
        (
            {"f": lambda x, a, b, c, d: (a * x)[:, None] + b + c + d, "method": "trf"},
            ValueError,
            r"shape \(3, 1\), but",
        ),
        ({"f": lambda x, a, b: None}, TypeError, "None"),
        ({"jac": lambda x, a, b: x}, TypeError, r"should be \(3, 2\), but it is \(3,\)"),
    ],
)
def test_what_is_wrong_is_told(arguments, error, message):
    given = {"f": line, "xdata": [1, 2, 3], "ydata": [1, 2, 3.5], **arguments}
    with pytest.raises(error, match=message):
        curve_fit(**given)


def test_improper_option_is_a_failure_as_in_scipy():
    with pytest.raises(FitError, match=r"Improper input parameters\. ftol must not be negative"):
        curve_fit(line, [1, 2, 3], [1, 2, 3], ftol=-1)


def test_what_the_model_raises_comes_out(fit):
    class MineError(Exception):
        pass

    def model(x, a, b, c):
        if a != 1:
            raise MineError
        return exponential(x, a, b, c)

    with pytest.raises(MineError):
        curve_fit(model, fit.x, fit.y)


def test_native_function_is_no_model(residual):
    assert isinstance(residual, NativeFunction)
    with pytest.raises(TypeError, match="NativeFunction"):
        curve_fit(residual, [1, 2, 3], [1, 2, 3], p0=[1, 1])


def decay(t, a, b, c):
    return a * np.exp(-b * t) + c


T = np.linspace(0, 5, 50)
Y = decay(T, 2.5, 1.3, 0.5)


@pytest.mark.parametrize(
    "options",
    [{}, {"bounds": (0, 9)}, {"chunks": 10}, {"vectorized": True}, {"jac": "cs"}],
    ids=str,
)
@pytest.mark.parametrize("is_compiled", [False, True])
@pytest.mark.parametrize("n", [2, 4])
def test_a_wrong_number_of_parameters_is_told_with_their_names(options, is_compiled, n):
    f = pytest.importorskip("numba").njit(decay) if is_compiled else decay
    if is_compiled:
        options = {name: options[name] for name in options if name in ("bounds", "chunks")}
    with pytest.raises(TypeError, match=rf"^decay takes 3 parameters after x \(a, b, c\), .* {n}$"):
        curve_fit(f, T, Y, [1] * n, **options)


def test_other_signatures_are_told_too():
    def optional(t, a, b=1.0):
        return a * t + b

    def any_number(t, a, *more):
        return a * t + sum(more)

    def keyword(t, a, *, kind):
        return a * t

    def jac(t, a):
        return t[:, None]

    for f, n, text in (
        (optional, 3, "takes 1 to 2 parameters after x .a, b., but p0 has 3"),
        (keyword, 1, "cannot be called with x and parameters alone .*kind"),
        (any_number, 0, "p0 is empty"),
    ):
        with pytest.raises(TypeError, match=text):
            curve_fit(f, T, Y, [1] * n)
    assert curve_fit(any_number, T, Y, [1, 1])[0].size == 2
    with pytest.raises(TypeError, match=r"jac takes 1 parameter after x \(a\), but p0 has 2"):
        curve_fit(optional, T, Y, [1, 1], jac=jac)


def test_an_error_inside_the_model_stays_as_it_is():
    with pytest.raises(TypeError, match="missing 1 required"):
        curve_fit(lambda t, a, b: decay(t, a, b), T, Y, [1, 1])


@pytest.mark.parametrize("options", [{}, {"sigma": np.ones(49)}, {"bounds": (0, 9)}], ids=str)
def test_both_lengths_are_told_if_x_and_y_differ(options):
    with pytest.raises(ValueError, match="xdata has 50 points, but ydata has 49"):
        curve_fit(decay, T, Y[1:], **options)
    with pytest.raises(ValueError, match=r"shape \(20,\), but ydata has shape \(50,\)"):
        curve_fit(lambda t, a: a * t[:20], T, Y)


def test_a_stack_of_curves_is_sent_to_curve_fit_many():
    stack = np.array([Y, Y, Y])
    with pytest.raises(ValueError, match="curve_fit_many fits each"):
        curve_fit(decay, T, stack)
    with pytest.raises(ValueError, match="axis=0"):
        curve_fit(decay, T, stack.T)
    assert curve_fit_many(decay, T, stack.T, axis=0).success.all()


@pytest.mark.parametrize(
    ("given", "meant"),
    [("max_fev", "maxfev"), ("absolutesigma", "absolute_sigma"), ("bound", "bounds")],
)
@pytest.mark.parametrize("fit", [curve_fit, curve_fit_many])
def test_a_misspelled_option_is_guessed(fit, given, meant):
    with pytest.raises(TypeError, match=rf"{fit.__name__} .* no option {given}=1. .* {meant}"):
        fit(decay, T, Y, **{given: 1})
    with pytest.raises(TypeError, match=r"no option tolerance_of_mine=1$"):
        fit(decay, T, Y, tolerance_of_mine=1)


def test_the_options_are_in_the_signature():
    parameters = inspect.signature(curve_fit).parameters
    assert set(Options.__annotations__) <= set(parameters)
    assert set(SolverOptions.__annotations__) <= set(Options.__annotations__)
    defaults = [
        parameters[name].default
        for name in inspect.signature(fit_settings).parameters
        if name in parameters
    ]
    assert all(map(operator.is_, defaults, PLAIN))
    assert len(defaults) == len(PLAIN)


def test_a_callbacks_error_is_not_taken_for_the_models():
    with pytest.raises(TypeError, match="positional argument"):
        curve_fit(decay, T, Y, callback=lambda: None)


def test_a_model_for_one_number_is_explained():
    def one(t, a):
        return math.exp(-a * t)

    def branches(t, a):
        return a if t > 2 else 0

    for f in (one, branches):
        with pytest.raises((TypeError, ValueError)) as caught:
            curve_fit(f, T, Y)
        assert "np.where in place of if" in caught.value.__notes__[0]


@pytest.mark.parametrize("container", ["Series", "DatetimeIndex"])
def test_dates_are_explained(container):
    pandas = pytest.importorskip("pandas")
    dates = np.datetime64("2026-03-01", "ns") + (T * 86400e9).astype("timedelta64[ns]")
    with pytest.raises(TypeError) as caught:
        curve_fit(line, getattr(pandas, container)(dates), Y)
    assert "are days since the first" in caught.value.__notes__[0]


def test_parameters_in_one_array_are_explained():
    with pytest.raises(TypeError, match=r"f\(x, \*p\)"):
        curve_fit(lambda t, p: p[0] * t + p[1], T, Y, [1, 1])


def test_rows_that_are_points_are_not_counted_as_points():
    with pytest.raises(ValueError, match=r"shape \(3,\), but ydata has shape \(50,\). It must"):
        curve_fit(lambda X, a: a * X.sum(0), np.ones((50, 3)), Y)


@pytest.mark.parametrize(
    ("options", "meant"),
    [
        ({"weights": np.ones(500)}, r"weights=array\(.{,60}sigma=1/np.sqrt"),
        ({"yerr": 1}, "sigma"),
        ({"max_iter": 1}, "maxfev"),
        ({"fixed": ["b"]}, "bounds"),
    ],
)
def test_options_of_other_programs_are_translated(options, meant):
    with pytest.raises(TypeError, match=f"{meant}"):
        curve_fit(decay, T, Y, **options)


def test_catch_alls_are_not_suggested():
    for name in ("other", "option"):
        for fit in (curve_fit, curve_fit_many):
            with pytest.raises(TypeError, match=f"no option {name}=3$"):
                fit(decay, T, Y, **{name: 3})


def test_other_mistakes():
    with pytest.raises(TypeError, match="ydata must be numbers, got None"):
        curve_fit(decay, T, None)
    with pytest.raises(TypeError, match=r"view\(float\)"):
        curve_fit(decay, T, Y * 1j)
    with pytest.raises(TypeError, match="absolute_sigma must be True or False"):
        curve_fit(decay, T, Y, sigma=1, absolute_sigma="True")
    with pytest.raises(TypeError, match="not the sum of their squares"):
        leastsq(lambda p: np.sum((decay(T, *p) - Y) ** 2), [1, 1, 1])
    with pytest.raises(TypeError, match="curve_fit_many of leastsq has no option verbose"):
        curve_fit_many(decay, T, Y[None], verbose=1)
