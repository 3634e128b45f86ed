"""What is not to be accepted in silence is refused in words that name it, or is done right."""

import datetime
import re
import warnings

import numba
import numpy as np
import pytest
from scipy import optimize

from leastsq import FitError, NativeFunction, curve_fit, leastsq

T = np.linspace(0, 5, 40)
RNG = np.random.default_rng(28)
Y = 2 * np.exp(-0.7 * T) + 0.1 + 0.02 * RNG.standard_normal(40)
BAD = [3, 5, 17]


def model(t, a, k, c):
    return a * np.exp(-k * t) + c


njit_model = numba.njit(model)
MODELS = pytest.mark.parametrize("f", [model, njit_model], ids=["Python", "njit"])


def spoiled(values, places=BAD):
    values = np.array(values)
    values[places] = 1000
    return values


def masked(values, places=BAD):
    return np.ma.array(spoiled(values, places), mask=np.isin(np.arange(40), places))


def without(values):
    return np.delete(values, BAD)


def assert_same_fit(found, expected):
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


WHOLE = curve_fit(model, without(T), without(Y), sigma=0.1 + without(T))


@MODELS
@pytest.mark.parametrize("what", ["t", "y", "sigma", "t, y and sigma"])
def test_masked_points_are_left_out(f, what):
    t = masked(T) if "t" in what else T
    y = masked(Y) if "y" in what else spoiled(Y)
    sigma = masked(0.1 + T) if "sigma" in what else 0.1 + T
    assert_same_fit(curve_fit(f, t, y, sigma=sigma), WHOLE)


def test_each_point_is_left_out_whose_mask_is_anywhere():
    t, y = masked(T, BAD[:1]), masked(spoiled(Y), BAD[1:])
    assert_same_fit(curve_fit(model, t, y, sigma=0.1 + T), WHOLE)
    plane = np.ma.array([T, spoiled(T)])
    plane[1, BAD] = np.ma.masked
    found = curve_fit(lambda t, *p: model(t[0], *p), plane, Y, [1, 1, 1], sigma=0.1 + T)
    assert_same_fit(found, WHOLE)


def test_nan_under_a_mask_and_masked_covariances_are_no_matter():
    y = masked(Y)
    y.data[BAD] = np.nan
    assert_same_fit(curve_fit(model, T, y, sigma=0.1 + T), WHOLE)
    covariance = np.ma.array(np.diag((0.1 + T) ** 2))
    covariance[BAD, :] = covariance[:, BAD] = np.ma.masked
    found = curve_fit(model, T, Y, sigma=covariance)
    for ours, theirs in zip(found, WHOLE, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_images_with_masked_pixels_are_fitted():
    x = np.stack(np.meshgrid(np.arange(6.0), np.arange(5.0)))
    z = np.ma.array(3 + x[0] - 2 * x[1])
    z[2, 3] = 1e6
    z[2, 3] = np.ma.masked
    popt, _ = curve_fit(lambda x, a, b, c: a + b * x[0] + c * x[1], x, z)
    np.testing.assert_allclose(popt, [3, 1, -2])


def test_what_cannot_be_left_out_is_refused():
    with pytest.raises(ValueError, match="every point of the data is masked"):
        curve_fit(model, T, np.ma.masked_all(40))
    with pytest.raises(ValueError, match="the mask has shape"):
        curve_fit(model, T, Y, sigma=masked(T)[:30])
    with pytest.raises(ValueError, match="xdata must be an array"):
        curve_fit(lambda _, a: a * np.ones(40), None, masked(Y))
    for refused in (
        lambda: leastsq(lambda p: masked(model(T, *p) - Y), [1, 1, 1]),
        lambda: leastsq(lambda p: p - 1, masked(T)),
        lambda: leastsq(
            lambda p: p - 1, np.ones(40), Dfun=lambda p: np.ma.masked_equal(np.eye(40), 0)
        ),
        lambda: leastsq(lambda p: p - 1, np.ones(40), diag=masked(T)),
    ):
        with pytest.raises(TypeError, match="masked"):
            refused()


def test_mask_that_hides_nothing_is_no_matter():
    y = np.ma.array(Y)
    assert_same_fit(curve_fit(model, np.ma.array(T), y), curve_fit(model, T, Y))
    x, _ = leastsq(lambda p: np.ma.array(model(T, *p) - Y), [1, 1, 1])
    np.testing.assert_allclose(x, curve_fit(model, T, Y)[0])


@pytest.mark.parametrize("which", ["Series", "DataFrame", "nullable"])
def test_missing_values_of_pandas_are_left_out(which):
    pandas = pytest.importorskip("pandas")
    t, y = T.copy(), Y.copy()
    y[BAD[0]] = np.nan
    t[BAD[1:]] = np.nan
    sigma = pandas.Series(0.1 + T)
    if which == "DataFrame":
        found = curve_fit(
            lambda table, a, k, c: model(table["t"], a, k, c),
            pandas.DataFrame({"t": t, "other": 1.0}),
            pandas.Series(y),
            sigma=sigma,
            nan_policy="omit",
        )
    else:
        kind = "Float64" if which == "nullable" else "float64"
        series = [pandas.Series(values, dtype=kind) for values in (t, y)]
        if which == "nullable":
            series[0] = series[0].to_numpy(float, na_value=np.nan)
        found = curve_fit(model, *series, sigma=sigma, nan_policy="omit")
    assert_same_fit(found, WHOLE)
    with pytest.raises(ValueError, match="infs or NaNs: ydata"):
        curve_fit(model, T, pandas.Series(y))


async def coroutine(t, a):
    return a


@pytest.mark.parametrize("returned", ["None", "generator", "coroutine"])
@pytest.mark.parametrize("sigma", [None, 0.1 + T, np.eye(40)])
def test_model_that_returns_nothing_is_named(returned, sigma):
    def nothing(t, a, b=1):
        if returned == "None":
            return None
        return (a for _ in t) if returned == "generator" else coroutine(t, a)

    with pytest.raises(TypeError, match=f"nothing returns .*{returned}.*it must return the val"):
        curve_fit(nothing, T, Y, sigma=sigma)
    with pytest.raises(TypeError, match=f"nothing returns .*{returned}.*it must return the val"):
        curve_fit(nothing, T[:1], Y[:1], [1, 2], method="trf")


def test_model_that_later_returns_nothing_is_named():
    with pytest.raises(TypeError, match="returns None"):
        curve_fit(lambda t, a: t * a if a == 1 else None, T, Y)


@pytest.mark.parametrize(
    "dates", [[datetime.date(2023, 1, d) for d in (1, 2, 3)], [datetime.timedelta(1)] * 3]
)
def test_dates_are_refused_by_the_name_of_the_data(dates):
    with pytest.raises(TypeError, match=r"xdata must be numbers.*total_seconds"):
        curve_fit(lambda t, a: a * t, dates, [1, 2, 3])
    with pytest.raises(TypeError, match="ydata must be numbers"):
        curve_fit(lambda t, a: a * t, [1, 2, 3], dates)


@pytest.mark.parametrize("text", [["1", "two", "3"], [[1], [1, 2]], [{}, 1, 2]])
def test_what_is_no_number_is_refused_by_name(text):
    with pytest.raises((TypeError, ValueError), match="xdata must be numbers"):
        curve_fit(lambda t, a: a * t, text, [1, 2, 3])


def test_a_time_that_is_none_is_missing():
    times = np.array(["2023-01-01", "NaT", "2023-01-03", "2023-01-04"], "M8[D]")
    with pytest.raises(ValueError, match="infs or NaNs: xdata"):
        curve_fit(lambda t, a, b: a + b * t, times, [1, 2, 3, 4.0])
    found = curve_fit(lambda t, a, b: a + b * t, times, [1, 9, 3, 4.0], nan_policy="omit")[0]
    expected = curve_fit(lambda t, a, b: a + b * t, times[[0, 2, 3]], [1, 3, 4.0])[0]
    np.testing.assert_allclose(found, expected)


@MODELS
@pytest.mark.parametrize("sigma", [None, 0.3])
@pytest.mark.parametrize("shape", [(4, 40), (1, 4, 40), (40, 1)])
def test_stack_of_curves_is_not_fitted_as_one(f, sigma, shape):
    y = np.resize(Y, shape)
    message = f"shape (40,), but ydata has shape {shape}"
    with pytest.raises(ValueError, match=re.escape(message)):
        curve_fit(f, T, y, sigma=sigma)


def test_values_of_another_shape_are_refused_at_any_call():
    with pytest.raises(ValueError, match=r"\(1, 40\).*\(40, 1\)"):
        curve_fit(lambda t, a: a * t[np.newaxis], T, Y[:, np.newaxis])
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        curve_fit(lambda t, a: a * t if a == 1 else np.ones(3), T, Y)


@MODELS
def test_shapes_that_cannot_be_mistaken_are_taken(f):
    expected = curve_fit(f, T, Y)[0]
    stacked = curve_fit(f, T.reshape(4, 10), Y.reshape(4, 10))[0]
    np.testing.assert_allclose(stacked, expected, rtol=1e-6)
    for level in (lambda t, a: a, lambda t, a: np.array([a]), lambda t, a: [a]):
        np.testing.assert_allclose(curve_fit(level, T, Y)[0], Y.mean(), rtol=1e-6)
    row = curve_fit(lambda t, *p: model(t, *p)[np.newaxis], T, Y, [1, 1, 1])[0]
    np.testing.assert_allclose(row, expected, rtol=1e-6)


@pytest.mark.parametrize("jac", ["2-point", "3-point", "cs"])
@pytest.mark.parametrize("bounds", [(-np.inf, np.inf), (0, 10)])
def test_images_are_differenced_by_every_scheme(jac, bounds):
    x = T.reshape(5, 8)
    y = Y.reshape(5, 8)
    popt, pcov = curve_fit(model, x, y, jac=jac, bounds=bounds)
    expected = curve_fit(model, T, Y)
    np.testing.assert_allclose(popt, expected[0], rtol=1e-5)
    np.testing.assert_allclose(pcov, expected[1], rtol=1e-4)


@pytest.mark.parametrize(
    "options",
    [
        {"maxfev": 1e5, "ftol": 1e-13},
        {"max_nfev": 1e4},
        {"max_nfev": np.inf},
        {"max_nfev": np.float32(100)},
        {"ftol": None},
        {"xtol": None},
        {"gtol": None},
        {"ftol": 1e-20, "xtol": None},
        {"verbose": 0},
    ],
)
@pytest.mark.parametrize("way", [{"bounds": (0, np.inf)}, {"method": "trf"}, {"method": "dogbox"}])
def test_options_of_least_squares_are_taken(options, way):
    found = curve_fit(model, T, Y, [1, 1, 1], **options, **way, full_output=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = optimize.curve_fit(model, T, Y, [1, 1, 1], **options, **way)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-5)
    assert found[-1] in (1, 2, 3, 4)


@pytest.mark.parametrize("verbose", [1, 2])
def test_verbose_says_how_the_fit_ended(verbose, capfd):
    curve_fit(model, T, Y, bounds=(0, 9), verbose=verbose)
    said = capfd.readouterr().out
    assert "relative" in said
    assert "calls of f, cost" in said


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"max_nfev": 0}, ValueError, "max_nfev must be None or a positive number, got 0"),
        ({"max_nfev": -3.0}, ValueError, "max_nfev must be None or a positive number"),
        ({"max_nfev": np.nan}, ValueError, "max_nfev must be None or a positive number"),
        ({"max_nfev": "7"}, TypeError, "max_nfev must be a real number"),
        ({"max_nfev": 2}, FitError, "has reached max_nfev = 2, without"),
        ({"verbose": 3}, ValueError, "verbose must be 0, 1 or 2"),
        ({"ftol": "1e-8"}, TypeError, "ftol must be a real number"),
        ({"bounds": [(0, 1), (2, 0), (3, 4)]}, ValueError, "not a pair for each"),
    ],
)
def test_wrong_options_of_least_squares_are_named(options, error, message):
    with pytest.raises(error, match=message):
        curve_fit(model, T, Y, [1, 1, 1], **{"bounds": (0, 9), **options})


@pytest.mark.parametrize("method", ["trf", "dogbox"])
def test_one_point_may_be_a_plain_number(method):
    popt, _ = curve_fit(lambda t, a: a * t, 2.0, 6.0, sigma=1, absolute_sigma=True, method=method)
    np.testing.assert_allclose(popt, [3])
    with pytest.warns(match="could not be estimated"):
        popt, _ = curve_fit(lambda t, a, b: a * t + b, 2.0, 6.0, method=method)
    assert popt[0] * 2 + popt[1] == pytest.approx(6)


def test_images_with_fewer_points_than_parameters_are_met():
    x = np.arange(4.0).reshape(2, 2)

    def polynomial(x, *p):
        return np.polyval(p, x)

    with pytest.warns(match="could not be estimated"):
        popt, _ = curve_fit(polynomial, x, x**2, np.ones(6), method="trf")
    np.testing.assert_allclose(polynomial(x, *popt), x**2, atol=1e-6)


@pytest.mark.parametrize("Dfun", [None, lambda p: np.ones((3, 0))])
def test_empty_start_is_improper_input_as_in_scipy(Dfun):
    arguments = {"func": lambda p: np.ones(3), "x0": [], "Dfun": Dfun}
    ours, scipys = (f(**arguments, full_output=True) for f in (leastsq, optimize.leastsq))
    assert ours[1] is None
    assert ours[4] == scipys[4] == 0
    assert ours[0].shape == (0,)
    assert ours[2].keys() == scipys[2].keys()
    for name, value in scipys[2].items():
        np.testing.assert_array_equal(ours[2][name], value)
    with pytest.raises(TypeError, match="x0 is empty"):
        leastsq(**arguments)


def test_more_than_can_be_counted_is_refused():
    many = np.broadcast_to(np.int8(1), 2**31)
    with pytest.raises(ValueError, match="2147483648 residuals"):
        leastsq(lambda p: many, [1.0])
    with pytest.raises(ValueError, match="2147483648 residuals"):
        leastsq(lambda p: np.broadcast_to(1.0, 2**31), [1.0])
    with pytest.raises(ValueError, match="46341 parameters"):
        leastsq(lambda p: p, np.ones(46341))


@pytest.mark.parametrize(
    "arguments", [{"function": True}, {"data": True}, {"data": np.array([None])}]
)
def test_what_is_no_address_is_refused(arguments, library):
    given = {"function": library.residual, "m": 50, **arguments}
    with pytest.raises(TypeError):
        NativeFunction(**given)


@pytest.mark.parametrize("together", [tuple, list, np.ma.array])
def test_masks_within_sequences_count(together):
    x = together([masked(T), np.ma.array(np.ones(40))])
    found = curve_fit(lambda x, a, k, c: model(x[0], a, k, c * x[1]), x, Y, [1, 1, 1], 0.1 + T)
    assert_same_fit(found, WHOLE)
    with pytest.raises(TypeError, match="masked"):
        leastsq(lambda p: [masked(T), masked(Y)], [1.0])


@pytest.mark.parametrize("sigma", [None, 0.1 + T, np.eye(40)])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y: np.ma.masked_where(T < 1, y), "level returns masked values"),
        (lambda y: y + 1j, "must be real numbers"),
        (lambda y: y.astype(str).tolist(), "must be numbers"),
        (lambda y: {"y": y}, "must be numbers"),
        (lambda y: (y, 1), "must be numbers"),
    ],
)
def test_models_of_no_numbers_are_refused_with_every_sigma(change, message, sigma):
    def level(t, a):
        return change(a + 0 * t)

    with pytest.raises(TypeError, match=message):
        curve_fit(level, T, Y, sigma=sigma)


@pytest.mark.parametrize("sigma", [None, 0.1 + T, np.eye(40)])
@pytest.mark.parametrize("returned", [None, 1j, np.ma.masked_all((40, 3))])
def test_jacobians_of_no_numbers_are_refused_with_every_sigma(returned, sigma):
    with pytest.raises(TypeError, match="The return value of jac must be real numbers"):
        curve_fit(model, T, Y, sigma=sigma, jac=lambda *_: returned)


def test_each_missing_pixel_is_left_out_alone():
    x = np.mgrid[:30, :30].astype(float)
    y = 2 * x[0] + 3 * x[1]
    x[0, range(30), range(30)] = np.nan
    sizes = set()

    def plane(x, a, b):
        sizes.add(x[0].size)
        return a * x[0] + b * x[1]

    popt, _ = curve_fit(plane, x, y, nan_policy="omit")
    np.testing.assert_allclose(popt, [2, 3])
    assert sizes == {870}


def test_bounds_in_tables_are_read_by_rows():
    pandas = pytest.importorskip("pandas")
    expected = curve_fit(model, T, Y, bounds=([0, 0, 0], [9, 9, 9]))[0]
    table = pandas.DataFrame([[0, 0, 0], [9, 9, 9]])
    np.testing.assert_array_equal(curve_fit(model, T, Y, bounds=table)[0], expected)
    with pytest.raises(ValueError, match="bounds must not be a dict"):
        curve_fit(model, T, Y, bounds={0: [0, 9], 1: [0, 9], 2: [0, 9]})


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"sigma": "0.1"}, TypeError, "sigma must be numbers"),
        ({"sigma": np.triu(np.full((40, 40), 0.1)) + np.eye(40)}, ValueError, "symmetric"),
        ({"jac": np.ones((40, 3))}, TypeError, "jac must be a function"),
        ({"p0": [1, np.nan, 1]}, ValueError, "p0 must be numbers"),
        ({"f_scale": 0, "loss": "huber"}, ValueError, "f_scale must be positive"),
    ],
)
def test_what_cannot_be_meant_is_named(arguments, error, message):
    given = {"f": model, "xdata": T, "ydata": Y, "p0": [1, 1, 1], **arguments}
    with pytest.raises(error, match=message):
        curve_fit(**given)


def test_options_that_ask_for_nothing_are_taken():
    nothing = dict.fromkeys(["tr_solver", "jac_sparsity", "callback", "workers", "x_scale"])
    found = curve_fit(
        model, T, Y, method="trf", **nothing, f_scale=1.0, tr_options={}, kwargs={}, loss="linear"
    )
    assert_same_fit(found, curve_fit(model, T, Y))


def test_series_of_other_libraries_go_with_every_sigma():
    class Series:
        """What has no transpose, as polars' Series has not."""

        def __init__(self, values):
            self.values = values

        def __array__(self, dtype=None, copy=None):
            return np.asarray(self.values, dtype)

        def __sub__(self, other):
            return Series(self.values - other)

    for sigma in (None, 0.1 + T, np.eye(40)):
        found = curve_fit(lambda t, *p: Series(model(t, *p)), T, Y, [1, 1, 1], sigma=sigma)
        assert_same_fit(found, curve_fit(model, T, Y, sigma=sigma))


def test_row_of_values_goes_with_a_sigma():
    found = curve_fit(lambda t, a, k, c: model(t, a, k, c)[np.newaxis], T, Y, sigma=0.1 + T)
    assert_same_fit(found, curve_fit(model, T, Y, sigma=0.1 + T))


def test_native_function_is_not_taken_for_a_model(library):
    native = NativeFunction(library.residual, 40)
    for arguments in ({"f": native}, {"f": model, "jac": native}):
        with pytest.raises(TypeError, match="must not be a NativeFunction"):
            curve_fit(xdata=T, ydata=Y, p0=[1, 1, 1], **arguments)
