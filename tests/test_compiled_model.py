"""curve_fit of models that Numba compiled: the same fits, without Python."""

import numba
import numpy as np
import pytest
from problems.models import derivatives, exponential

from leastsq import FitError, curve_fit

njit_exponential = numba.njit(exponential)


@numba.njit
def njit_derivatives(x, a, b, c):
    J = np.empty((x.size, 3))
    J[:, 0] = np.exp(-b * x)
    J[:, 1] = -a * x * J[:, 0]
    J[:, 2] = 1
    return J


@numba.njit
def njit_transpose(x, a, b, c):
    return njit_derivatives(x, a, b, c).T


JACS = {
    "differenced": {},
    "analytic": {"jac": njit_derivatives},
    "by columns": {"jac": njit_transpose, "col_deriv": True},
}


@pytest.fixture(params=JACS)
def options(request):
    return JACS[request.param]


@pytest.mark.slow
@pytest.mark.parametrize("bounds", [(-np.inf, np.inf), (0, 10)])
def test_compiled_fit_agrees_and_needs_no_python(fit, sigma, options, bounds, native_only):
    found = curve_fit(njit_exponential, fit.x, fit.y, sigma=sigma, bounds=bounds, **options)
    native_only.undo()
    in_python = {"jac": derivatives} if options else {}
    expected = curve_fit(exponential, fit.x, fit.y, sigma=sigma, bounds=bounds, **in_python)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-7)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-5)


@pytest.mark.parametrize("scheme", ["3-point", "cs"])
def test_compiled_model_is_differenced_by_every_scheme(fit, scheme):
    found, _ = curve_fit(njit_exponential, fit.x, fit.y, jac=scheme)
    expected, _ = curve_fit(exponential, fit.x, fit.y, jac=derivatives)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.slow
def test_compiled_model_goes_with_a_jacobian_in_python_and_the_other_way(fit, sigma):
    expected, _ = curve_fit(exponential, fit.x, fit.y, sigma=sigma, jac=derivatives)
    for f, jac in ((njit_exponential, derivatives), (exponential, njit_derivatives)):
        found, _ = curve_fit(f, fit.x, fit.y, sigma=sigma, jac=jac)
        np.testing.assert_allclose(found, expected, rtol=1e-7)


def test_kinds_of_data_and_models_are_compiled(native_only):
    @numba.njit
    def plane(x, a, b=2.0):
        return a * x[0] + b * x[1]

    @numba.njit
    def level(x, a):
        return a

    @numba.njit
    def without_x(x, a):
        return a * np.arange(4.0)

    x = np.array([[1.0, 2, 3, 4], [4, 2, 5, 1]])
    y = plane(x, 3.0, -1.0)
    np.testing.assert_allclose(curve_fit(plane, x, y, absolute_sigma=True)[0], [3, -1])
    np.testing.assert_allclose(curve_fit(level, x[0], y)[0], [y.mean()], rtol=1e-6)
    np.testing.assert_allclose(curve_fit(without_x, None, [0, 2, 4, 6])[0], [2])
    np.testing.assert_allclose(curve_fit(without_x, 5, 0, bounds=(-1, 1))[0], [0], atol=1e-8)


def test_what_a_compiled_model_raises_comes_out(fit):
    @numba.njit
    def model(x, a, b, c):
        if a < 1:
            raise ValueError("a is too small")
        return a * np.exp(-b * x) + c

    with pytest.raises(ValueError, match="a is too small"):
        curve_fit(model, fit.x, fit.y, bounds=([0, 0, 0], [1, 9, 9]), p0=[1, 1, 1])


def test_compiled_model_of_another_number_of_points_is_refused(fit):
    @numba.njit
    def model(x, a, b):
        return np.ones((x.size, 1)) * a + b

    with pytest.raises(ValueError, match=r"shape \(50, 1\), but ydata has shape \(50,\)"):
        curve_fit(model, fit.x, fit.y)


def test_model_that_numba_cannot_compile_is_called_from_python(fit):
    @numba.njit
    def model(x, a, b, c):
        return __import__("numpy").exp(-b * x) * a + c

    with pytest.warns(RuntimeWarning, match="model is called from Python") as caught:
        popt, _ = curve_fit(model, fit.x, fit.y)
    assert caught[0].filename == __file__
    expected, _ = curve_fit(exponential, fit.x, fit.y)
    np.testing.assert_allclose(popt, expected, rtol=1e-7)


def test_failure_and_few_points_are_as_in_python(fit):
    with pytest.raises(FitError):
        curve_fit(njit_exponential, fit.x, fit.y, maxfev=5)
    with pytest.warns(UserWarning, match="Covariance"):
        popt, _ = curve_fit(njit_exponential, fit.x[:2], fit.y[:2], method="trf")
    np.testing.assert_allclose(exponential(fit.x[:2], *popt), fit.y[:2], rtol=1e-6)


def test_compiled_forms_are_kept(fit, monkeypatch):
    curve_fit(njit_exponential, fit.x, fit.y)
    monkeypatch.setattr(numba.core.compiler, "compile_extra", None)
    curve_fit(njit_exponential, fit.x, fit.y, [2, 2, 2])


def test_each_fit_of_a_compiled_model_is_of_its_own_number_of_points(native_only):
    @numba.njit
    def level(x, a):
        return a

    @numba.njit
    def line(x, a, b):
        return a + b * x

    for count in (5, 9, 3, 3, 7):
        x = np.arange(float(count))
        y = 2 + 3 * x
        np.testing.assert_allclose(curve_fit(line, x, y)[0], [2, 3])
        np.testing.assert_allclose(curve_fit(level, x, y)[0], [y.mean()], rtol=1e-6)


def test_values_in_a_row_or_a_table_are_compiled(native_only):
    @numba.njit
    def in_a_row(x, a, b):
        return (a + b * x).reshape(1, x.size)

    @numba.njit
    def table(x, a, b):
        return a + b * x

    x = np.arange(6.0)
    np.testing.assert_allclose(curve_fit(in_a_row, x, 2 + 3 * x)[0], [2, 3])
    grid = x.reshape(2, 3)
    for y in (2 + 3 * grid, np.asfortranarray(2 + 3 * grid), np.repeat(2 + 3 * grid, 2, 1)[:, ::2]):
        np.testing.assert_allclose(curve_fit(table, grid, y)[0], [2, 3])
    with pytest.raises(ValueError, match=r"shape \(2, 3\), but ydata has shape \(6,\)"):
        curve_fit(table, grid, 2 + 3 * x)


def test_model_whose_values_change_their_number_is_refused_when_it_does():
    @numba.njit
    def model(x, a):
        return a * x[: 5 if a < 1.5 else 4]

    x = np.arange(1.0, 6)
    for _ in range(2):
        with pytest.raises(ValueError, match="5 residuals at x0, but 4 later"):
            curve_fit(model, x, 2 * x)


def test_model_of_float32_is_differenced_with_its_precision_each_time(fit):
    @numba.njit
    def single(x, a, b, c):
        return (a * np.exp(-b * x) + c).astype(np.float32)

    @numba.njit
    def either(x, a, b, c):  # float32 for data of float32 only
        return x.dtype.type(a) * np.exp(-x.dtype.type(b) * x) + x.dtype.type(c)

    expected, _ = curve_fit(exponential, fit.x, fit.y)
    for _ in range(2):
        np.testing.assert_allclose(curve_fit(single, fit.x, fit.y)[0], expected, rtol=1e-3)
    np.testing.assert_allclose(curve_fit(either, fit.x, fit.y)[0], expected, rtol=1e-6)


def test_wrong_shape_of_a_transposed_jacobian_is_told_as_the_user_made_it(fit):
    @numba.njit
    def jac(x, a, b, c):
        return np.ones((3, x.size - 1))

    with pytest.raises(TypeError, match=r"should be \(3, 50\), but it is \(3, 49\)"):
        curve_fit(njit_exponential, fit.x, fit.y, jac=jac, col_deriv=True)


@pytest.mark.parametrize("form", [float, np.atleast_1d, np.atleast_2d])
def test_one_value_is_one_residual_whatever_was_fitted_before(form):
    def total(x, a):
        return a * np.sum(x)

    @numba.njit
    def number(x, a):
        return a * np.sum(x)

    @numba.njit
    def array(x, a):
        return np.full((1,), a * np.sum(x))

    for model in (number, array):
        for x in (np.array([2.0]), np.arange(50.0), np.arange(1.0, 4)):
            y = form(7.0)
            found = curve_fit(model, x, y, absolute_sigma=True, full_output=True)
            expected = curve_fit(total, x, y, absolute_sigma=True)
            assert found[2]["fvec"].shape == (1,)
            np.testing.assert_allclose(found[0], expected[0])
            np.testing.assert_allclose(found[1], expected[1], rtol=1e-6)


def test_fewer_points_than_parameters_are_refused_whatever_was_fitted_before():
    @numba.njit
    def line(x, a, b):
        return a + b * x

    x = np.linspace(1, 2, 12)
    curve_fit(line, x, 3 * x)
    with pytest.raises(TypeError, match="must not exceed"):
        curve_fit(line, 2.0, [6.0])


def test_values_that_become_one_are_refused_for_one_datum():
    @numba.njit
    def model(x, a, b):
        if a > 1.5:
            return np.ones(1)
        return a + b * x

    for _ in range(2):
        with pytest.raises(ValueError, match="12 residuals at x0, but 1 later"):
            curve_fit(model, np.arange(12.0), 6.0)


def test_first_fit_with_a_covariance_is_that_of_later_fits():
    rng = np.random.default_rng(0)
    A = rng.standard_normal((12, 12))
    x = np.linspace(0.1, 2, 12)
    y = 2.5 * np.exp(-1.3 * x) + 0.01 * rng.standard_normal(12)

    @numba.njit
    def model(x, a, b, c):
        return a * np.exp(-b * x) + 0 * c

    for _ in range(2):
        with pytest.warns(UserWarning, match="does not depend on c"):
            popt, _ = curve_fit(model, x, y, sigma=A @ A.T + 12 * np.eye(12))
        assert popt[2] == 1
