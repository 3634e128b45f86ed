"""How curve_fit calls a model and subtracts the data: compiled code must do what Python does."""

import gc
import sys
import tracemalloc

import numpy as np
import pytest

from leastsq import curve_fit, leastsq

X = np.linspace(0, 4, 40)
Y = 2.5 * np.exp(-1.3 * X) + 0.5 + 0.05 * np.cos(9 * X)
START = [1.0, 1.0, 1.0]


def decay(x, a, b, c):
    return a * np.exp(-b * x) + c


def spaced(x, *p):
    return np.repeat(decay(x, *p), 2)[::2]


def in_single(x, *p):
    return decay(x, *p).astype(np.float32)


def as_list(x, *p):
    return decay(x, *p).tolist()


def as_row(x, *p):
    return decay(x, *p)[np.newaxis]


def swapped(x, *p):
    return decay(x, *p).astype(decay(x, *p).dtype.newbyteorder())


class Curve(np.ndarray):
    pass


def as_subclass(x, *p):
    return decay(x, *p).view(Curve)


MODELS = decay, spaced, in_single, as_list, as_row, swapped, as_subclass


@pytest.mark.parametrize("sigma", [None, 0.1, np.linspace(1, 2, X.size)], ids=str)
@pytest.mark.parametrize("model", MODELS)
def test_a_fit_has_the_bits_of_its_residuals(model, sigma):
    weights = 1 if sigma is None else 1 / np.asarray(sigma)
    options = {"epsfcn": np.finfo(np.float32).eps} if model is in_single else {}

    def residuals(p):
        return (weights * (np.asarray(model(X, *p)) - Y)).reshape(-1)

    found = curve_fit(model, X, Y, START, sigma=sigma, full_output=True, **options)
    expected = leastsq(residuals, START, full_output=True, **options)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[2]["fvec"], expected[2]["fvec"])
    assert found[2]["nfev"] == expected[2]["nfev"]


@pytest.mark.parametrize("n", [1, 3, 16, 17, 40])
def test_parameters_are_numpys_numbers_in_their_order(n):
    seen = []

    def line(x, *p):
        seen.append(p)
        return x @ np.array(p)

    x = np.random.default_rng(3).standard_normal((60, n))
    truth = np.arange(1.0, n + 1)
    popt, _ = curve_fit(line, x, x @ truth + 1e-3 * np.sin(np.arange(60)), np.ones(n))
    np.testing.assert_allclose(popt, truth, atol=1e-2)
    assert {type(number) for p in seen for number in p} == {np.float64}
    assert {len(p) for p in seen} == {n}
    assert seen[0] == (1.0,) * n


def test_parameters_and_values_are_let_go():
    def fit():
        curve_fit(decay, X, Y, START, sigma=np.full(X.size, 0.1))

    fit()
    gc.collect()
    tracemalloc.start()
    fit()
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(50):
        fit()
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert after - before < 2000


def test_references_are_balanced_if_the_model_raises():
    calls = []

    def fragile(x, a, b, c):
        calls.append(a)
        if len(calls) > 5:
            raise KeyError("six")
        return decay(x, a, b, c)

    x = X.copy()
    before = sys.getrefcount(x)
    for _ in range(20):
        calls.clear()
        with pytest.raises(KeyError, match="six"):
            curve_fit(fragile, x, Y, START)
    assert sys.getrefcount(x) == before


def test_a_model_may_return_the_same_array_again():
    values = np.empty_like(X)

    def reused(x, *p):
        np.copyto(values, decay(x, *p))
        return values

    popt, _ = curve_fit(reused, X, Y, START)
    expected, _ = curve_fit(decay, X, Y, START)
    np.testing.assert_array_equal(popt, expected)


def test_a_parameter_that_the_model_keeps_does_not_change():
    seen = []

    def keeping(x, a, b, c):
        seen.append((a, float(a)))
        return decay(x, a, b, c)

    curve_fit(keeping, X, Y, START)
    assert all(kept == then for kept, then in seen)
    assert len({then for _, then in seen}) > 5


def test_division_by_zero_is_numpys():
    def pole(x, a, b):
        with np.errstate(divide="ignore"):
            return a * x + 1 / b  # Python's float would raise ZeroDivisionError

    with pytest.raises(RuntimeError, match="not finite"):
        curve_fit(pole, X, Y, [1.0, 0.0])


@pytest.mark.parametrize("jac", ["2-point", "3-point", "cs"])
def test_a_model_without_parameters_of_its_own_names_takes_any_jac(jac):
    def cosine(x, *p):
        return sum(value * np.cos(k * x) for k, value in enumerate(p))

    y = cosine(X, 1, 2, 3)
    popt, _ = curve_fit(cosine, X, y, START, jac=jac)
    np.testing.assert_allclose(popt, [1, 2, 3], rtol=1e-7)


def test_data_of_two_dimensions_are_compared_by_place():
    def plane(x, a, b):
        return a * x + b * x.T

    x = np.arange(12.0).reshape(3, 4)[:3, :3]
    popt, _ = curve_fit(plane, x, plane(x, 2, 3), [1, 1])
    np.testing.assert_allclose(popt, [2, 3])


@pytest.mark.parametrize("call", [1, 3])
@pytest.mark.parametrize(
    ("value", "y", "sigma", "what"),
    [
        (1.7e308, -1e308, None, "overflow encountered in subtract"),
        (1e10, 0, 1e-300, "overflow encountered in multiply"),
        (np.inf, 1, np.inf, "invalid value encountered in multiply"),
    ],
)
def test_numpy_sees_what_is_not_finite(call, value, y, sigma, what):
    calls = []

    def model(x, a, b):
        calls.append(a)
        return np.full(x.size, value) if len(calls) == call else a + b * x

    data = Y.copy()
    data[0] += y
    options = {"sigma": None if sigma is None else np.full(X.size, sigma)}
    with np.errstate(all="raise", under="ignore"), pytest.raises(FloatingPointError, match=what):
        curve_fit(model, X, data, [1.0, 1.0], **options)
    assert len(calls) == call
