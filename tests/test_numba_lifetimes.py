"""Arguments, code and refusals of njit functions live as long as they are needed, and no longer."""

import gc
import sys
import types
import warnings
import weakref

import numba.core.compiler
import numpy as np
import pytest
from numba import njit, objmode

from leastsq import curve_fit, leastsq
from leastsq._functions import functions

KEPT = []
FACTOR = 2.0


def keep(array):
    KEPT.append(array)


def test_arrays_that_a_function_hands_to_python_are_its_own():
    @njit
    def keeps(p, y, more):
        with objmode():
            keep(p)
            keep(y)
            keep(more[0])
        return p - y

    KEPT.clear()
    y = np.array([3.0, 4.0])
    x, _ = leastsq(keeps, np.ones(2), args=(y, (y * 1.0, 2)))
    np.testing.assert_allclose(x, y)
    points = KEPT[::3]
    assert len({id(p) for p in points}) == len(points)
    assert np.array_equal(points[0], [1, 1])
    first = [p.copy() for p in points]
    gc.collect()
    np.empty(1000).fill(7)
    assert all(map(np.array_equal, points, first))
    assert all(np.array_equal(kept, y) for kept in KEPT[1::3] + KEPT[2::3])
    KEPT.clear()


def test_arguments_are_let_go_of():
    @njit
    def residuals(p, y, name, pair):
        return p - y + 0 * (len(name) + pair[0].size)

    class Array(np.ndarray):
        pass

    y = np.array([3.0, 4.0])
    leastsq(residuals, np.ones(2), args=(y, "text", (y, 2.0)))
    gone = []
    for end in ("solved", "raised"):
        arrays = [np.array([3.0, 4.0]) for _ in range(2)]
        gone += map(weakref.ref, arrays)
        arguments = (arrays[0], "text" * 9, (arrays[1], 2.0))
        if end == "raised":
            with pytest.raises(ZeroDivisionError):
                leastsq(residuals, np.ones(2), args=arguments, Dfun=lambda *_: 1 / 0)
        else:
            leastsq(residuals, np.ones(2), args=arguments)
        del arrays, arguments
    gc.collect()
    assert [reference() for reference in gone] == [None] * 4


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["residuals", "defaults", "star", "model", "jacobian"])
def test_functions_go_with_their_code(kind):
    def make():
        number = 1.0

        def residuals(p):
            return p - number

        def defaults(p, y=3.0):
            return p - y - number

        def star(p, *args):
            return p - number

        def model(x, a, b=2.0):
            return a * x + b + number

        def jacobian(p, *args):
            return np.eye(2)

        plain = {f.__name__: f for f in (residuals, defaults, star, model, jacobian)}
        function = njit(plain[kind])
        if kind == "model":
            curve_fit(function, np.arange(5.0), np.arange(5.0) ** 2)
        elif kind == "jacobian":
            leastsq(lambda p: p - 1, np.ones(2), Dfun=function)
        else:
            leastsq(function, np.ones(2))
        code = next(iter(function.overloads.values()))
        return weakref.ref(function), weakref.ref(code.library)

    references = make()
    gc.collect()
    assert [reference() for reference in references] == [None, None]


@njit
def residuals_of_a_global(p):
    return p - FACTOR


@njit
def model_of_a_global(x, a):
    return a * x * FACTOR


@njit
def folded_global(p, *more):
    return p - FACTOR


@pytest.mark.slow
def test_recompiled_functions_are_what_they_are_now(monkeypatch):
    x = np.arange(1.0, 5)
    functions = residuals_of_a_global, model_of_a_global, folded_global
    for value in (2.0, 5.0, 7.0):
        monkeypatch.setitem(globals(), "FACTOR", value)
        for function in functions:
            function.recompile()
        assert leastsq(residuals_of_a_global, [1.0])[0] == pytest.approx(value)
        assert leastsq(folded_global, [1.0])[0] == pytest.approx(value)
        assert leastsq(folded_global, [1.0], args=(1, 2))[0] == pytest.approx(value)
        assert curve_fit(model_of_a_global, x, 10 * x, p0=[1.0])[0] == pytest.approx(10 / value)


def said(function, *args):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        leastsq(function, np.ones(3), args=args)
    return [str(w.message) for w in caught]


def test_refusal_is_for_the_arguments_that_it_was_made_of():
    @njit("float64[:](float64[:], float64[::1])")
    def contiguous(p, y):
        return p - y

    @njit
    def first(p, t):
        return p - t[0]

    y = np.arange(6.0)
    assert said(contiguous, y[::2])
    assert said(first, ([1.0, 2.0, 3.0],))
    assert not said(contiguous, y[:3])
    assert not said(first, (y[:3],))


def test_memory_error_is_no_refusal(monkeypatch, native_only):
    @njit
    def residuals(p):
        return p - 1

    def full(*_, **__):
        raise MemoryError

    with monkeypatch.context() as full_memory:
        full_memory.setattr(numba.core.compiler, "compile_extra", full)
        with pytest.raises(MemoryError):
            leastsq(residuals, np.ones(2))
    np.testing.assert_allclose(leastsq(residuals, np.full(2, 3.0))[0], 1)


def rows(p, t):
    return (t * p[0] + p[1] * t**2) - 3 * t


T = np.linspace(1, 2, 4)


@pytest.mark.slow
@pytest.mark.parametrize("transposed", [True, False])
@pytest.mark.parametrize("form", ["array", "tuple of arrays", "list of arrays", "tuple of tuples"])
def test_jacobians_are_taken_in_every_form_in_which_python_takes_them(
    form, transposed, native_only, monkeypatch
):
    if transposed:
        forms = {
            "array": lambda p, t: np.stack((t, t**2)),
            "tuple of arrays": lambda p, t: (t, t**2),
            "list of arrays": lambda p, t: [t, t**2],
            "tuple of tuples": lambda p, t: (
                (t[0], t[1], t[2], t[3]),
                (t[0] ** 2, t[1] ** 2, t[2] ** 2, t[3] ** 2),
            ),
        }
    else:
        forms = {
            "array": lambda p, t: np.stack((t, t**2)).T,
            "tuple of arrays": lambda p, t: (
                np.array([t[0], t[0] ** 2]),
                np.array([t[1], t[1] ** 2]),
                np.array([t[2], t[2] ** 2]),
                np.array([t[3], t[3] ** 2]),
            ),
            "list of arrays": lambda p, t: [np.array([s, s**2]) for s in t],
            "tuple of tuples": lambda p, t: (
                (t[0], t[0] ** 2),
                (t[1], t[1] ** 2),
                (t[2], t[2] ** 2),
                (t[3], t[3] ** 2),
            ),
        }
    x, _ = leastsq(njit(rows), np.ones(2), (T,), Dfun=njit(forms[form]), col_deriv=transposed)
    np.testing.assert_allclose(x, [3, 0], atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("transposed", [True, False])
@pytest.mark.parametrize("shape", [(4,), (1, 4), (4, 1)])
def test_jacobian_of_one_parameter_is_taken_in_any_shape(shape, transposed, native_only):
    column = njit(lambda p, t: t.copy().reshape(shape))
    func = njit(lambda p, t: p[0] * t - 2 * t)
    x, _ = leastsq(func, [1.0], (T,), Dfun=column, col_deriv=transposed)
    assert x == pytest.approx(2)


@pytest.mark.slow
@pytest.mark.parametrize("sigma", [None, 0.1 + T, np.diag(T) + 0.1])
def test_transposed_jacobian_of_a_model_goes_with_every_sigma(sigma):
    model = njit(lambda t, a, b: a * t + b * t**2)
    jac = njit(lambda t, a, b: np.stack((t, t**2)))
    y = 3 * T + 0.1 * np.cos(9 * T)
    found = curve_fit(model, T, y, sigma=sigma, jac=jac, col_deriv=True)
    expected = curve_fit(model.py_func, T, y, sigma=sigma, jac=jac.py_func, col_deriv=True)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-7)


def test_functions_of_any_arguments_need_none(native_only):
    star = njit(lambda p, *args: p - 3)
    identity = njit(lambda p, *args: np.eye(2))
    for Dfun in (None, identity):
        np.testing.assert_allclose(leastsq(star, np.ones(2), Dfun=Dfun)[0], 3)
        np.testing.assert_allclose(leastsq(star, np.ones(2), (1.0, T), Dfun=Dfun)[0], 3)


def test_a_numba_that_is_being_imported_elsewhere_does_no_harm(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba.core.registry", types.ModuleType("half"))
    assert leastsq(lambda p: p - 3, [1.0])[1] in (1, 2, 3, 4)


NUMBER = 1j


@njit
def complex_at_first(p):
    return (p - 3) * NUMBER


def test_recompiled_functions_are_not_refused_for_what_they_were(monkeypatch):
    with pytest.raises(TypeError), pytest.warns(RuntimeWarning, match="complex"):
        leastsq(complex_at_first, [1.0])
    monkeypatch.setitem(globals(), "NUMBER", 1.0)
    complex_at_first.recompile()
    assert not said(complex_at_first)


def test_function_compiled_anew_before_its_first_call_is_fitted_as_it_is_then(monkeypatch):
    evaluate = functions.first_residuals

    def evaluate_after_all(*given):
        monkeypatch.setitem(globals(), "FACTOR", 5.0)
        residuals_of_a_global.recompile()
        monkeypatch.setattr(functions, "first_residuals", evaluate)
        return evaluate(*given)

    monkeypatch.setitem(globals(), "FACTOR", 2.0)
    residuals_of_a_global.recompile()
    monkeypatch.setattr(functions, "first_residuals", evaluate_after_all)
    assert leastsq(residuals_of_a_global, [1.0])[0] == pytest.approx(5)


@pytest.mark.parametrize("col_deriv", [True, False])
def test_empty_jacobian_is_refused(col_deriv):
    empty = njit(lambda p, t: [t for _ in range(0)])
    with pytest.raises(TypeError, match=r"should be \(.*\), but it is \(0,\)"):
        leastsq(njit(rows), np.ones(2), (T,), Dfun=empty, col_deriv=col_deriv)
