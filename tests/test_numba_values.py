"""njit functions: what is passed to them, what they may return, and what is called from Python."""

from collections import namedtuple

import numba
import numpy as np
import pytest
from measures import compilations
from numba import njit
from problems.curve import curve, curve_jacobian, njit_curve

from leastsq import least_squares, leastsq

Setting = namedtuple("Setting", ["scale", "shift"])


@njit
def plus(a, b):
    return a + b


@njit
def general(p, data, setting=Setting(1.0, 0.0), *more):  # noqa: B008
    return p[: data.size] * setting.scale + setting.shift - data.ravel()


@njit
def with_default(p, y, scale=1.0):
    return p * scale - y


@njit
def with_tuple(p, arrays):
    return p * arrays[0] - arrays[1][0]


@njit
def with_text(p, y, kind):
    return p - y if kind == "linear" else p**3 - y


@njit
def with_none(p, y, weights):
    return p - y if weights is None else (p - y) * weights


@njit
def with_function(p, y, function):
    return function(p, -y)


@njit
def with_numbers(p, flag, count, number, turned):
    return p - (count + number if flag else 0.0) - turned.imag


@njit
def with_matrix(p, a):
    return a @ p - 1


@njit
def ends_in_args(p, *more):
    return p - more[0] - more[1]


Y = np.array([1.0, 2.0, 3.0])
ARGUMENTS = {
    "float32 array": (with_default, (Y.astype(np.float32),)),
    "integer array": (with_default, (Y.astype(np.int64),)),
    "strided array": (with_default, (np.repeat(Y, 2)[::2],)),
    "reversed array": (with_default, (Y[::-1],)),
    "default": (with_default, (Y,)),
    "default given": (with_default, (Y, 2)),
    "tuple of tuples": (with_tuple, ((Y, (Y,)),)),
    "string": (with_text, (Y, "cubic")),
    "None": (with_none, (Y, None)),
    "array where None may be": (with_none, (Y, Y)),
    "njit function": (with_function, (Y, plus)),
    "scalars": (with_numbers, (True, 3, 0.5, 2j)),
    "NumPy scalars": (
        with_numbers,
        (np.bool_(True), np.int8(3), np.float32(0.5), np.complex64(2j)),
    ),
    "Fortran order": (with_matrix, (np.asfortranarray(np.vander(Y)),)),
    "strided matrix": (with_matrix, (np.vander(np.repeat(Y, 2))[::2, ::2],)),
    "named tuple": (general, (Y, Setting(2.0, 0.5))),
    "stars": (ends_in_args, (Y, 1)),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:'@' is faster on contiguous")
@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_of_every_kind_are_passed(name, native_only, monkeypatch):
    func, args = ARGUMENTS[name]
    ours, ier = leastsq(func, np.ones(3), args=args)
    monkeypatch.undo()
    theirs, _ = leastsq(func.py_func, np.ones(3), args=args)
    assert ier in (1, 2, 3, 4)
    np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-12)


def test_read_only_arguments_are_passed(native_only):
    y = Y.copy()
    y.flags.writeable = False
    np.testing.assert_allclose(leastsq(with_default, np.ones(3), args=(y,))[0], Y)


@njit
def returns_matrix(p):
    return np.ones((2, 3)) * (p[0] - 2)


@njit
def returns_strided(p):
    return (np.ones((2, 3)) * (p[0] - 2)).T[::2]


@njit
def returns_float32(p):
    return (np.ones(3) * (p[0] - 2)).astype(np.float32)


@njit
def returns_integers(p):
    return np.array([int(p[0] * 1000) - 2000])


@njit
def returns_tuple(p):
    return p[0] - 2, 0.5 * (p[0] - 2)


@njit
def returns_list(p):
    return [p[0] - 2, 0.5 * (p[0] - 2)]


@njit
def returns_number(p):
    return p[0] - 2


@njit
def returns_nothing_dimensional(p):
    return np.array(p[0] - 2)


@njit
def returns_its_point(p):
    p -= 2
    return p


@pytest.mark.slow
@pytest.mark.usefixtures("native_only")
@pytest.mark.parametrize(
    ("func", "options"),
    [
        (returns_matrix, {}),
        (returns_strided, {}),
        (returns_float32, {"xtol": 1e-4}),
        (returns_integers, {"epsfcn": 1e-4}),
        (returns_tuple, {}),
        (returns_list, {}),
        (returns_number, {}),
        (returns_nothing_dimensional, {}),
        (returns_its_point, {}),
    ],
)
def test_residuals_of_every_kind_are_taken(func, options):
    x, ier = leastsq(func, [1.0], **options)
    assert ier in (1, 2, 3, 4)
    np.testing.assert_allclose(x, 2, rtol=1e-3)


@pytest.mark.usefixtures("native_only")
def test_jacobian_of_one_parameter_may_be_a_vector():
    @njit
    def ones(p):
        return np.ones(6)

    for col_deriv in (False, True):
        assert leastsq(returns_matrix, [1.0], Dfun=ones, col_deriv=col_deriv)[0] == 2


@pytest.mark.usefixtures("native_only")
def test_argument_itself_may_be_returned():
    @njit
    def constant(p, y):
        return y

    assert leastsq(constant, [1.0, 2.0], args=(Y,), full_output=True)[-1] == 4
    np.testing.assert_array_equal(Y, [1, 2, 3])


@pytest.mark.usefixtures("native_only")
def test_nan_has_its_exit_codes(fit):
    y = fit.y.copy()
    y[3] = np.nan
    assert leastsq(njit_curve, fit.start, args=(fit.x, y), full_output=True)[-1] == 9

    @njit
    def nan(p, x, y):
        return np.full((x.size, 3), np.nan)

    options = {"args": (fit.x, fit.y), "full_output": True}
    assert leastsq(njit_curve, fit.start, Dfun=nan, **options)[-1] == 10


def object_mode(p, y):
    return p - np.asarray(list(filter(np.isfinite, y)))


def beyond_numba(p, y):
    return p - np.loadtxt([" ".join(map(str, y))])


FALLBACKS = {
    "object mode": (numba.jit(forceobj=True)(object_mode), (Y,), "object mode"),
    "no nopython mode": (njit(beyond_numba), (Y,), "loadtxt"),
    "what Numba has no type for": (with_none, (Y, object()), "type of"),
    "a typed dictionary": (
        njit(lambda p, d: p - d[0]),
        (numba.typed.Dict.empty(numba.int64, numba.float64[::1]),),
        "cannot be passed",
    ),
    "complex tuple": (njit(lambda p, y: (p[0] - y[0], (p[1], p[2]))), (Y,), "not supported"),
}
FALLBACKS["a typed dictionary"][1][0][0] = Y


@pytest.mark.parametrize("name", ["object mode", "no nopython mode", "a typed dictionary"])
def test_what_cannot_run_natively_is_called_from_python_with_one_warning(name):
    func, args, reason = FALLBACKS[name]
    for _ in range(2):
        with pytest.warns(RuntimeWarning, match="called from Python") as caught:
            x, _ = leastsq(func, np.ones(3), args=args)
        np.testing.assert_allclose(x, Y)
        assert len(caught) == 1
        assert reason in str(caught[0].message)
        assert caught[0].filename == __file__


def test_reason_is_found_once(fit):
    func = njit(lambda p, d: p - d[0])
    args = FALLBACKS["a typed dictionary"][1]

    def solve():
        with pytest.warns(RuntimeWarning, match="cannot be passed"):
            leastsq(func, np.ones(3), args=args)

    solve()
    assert compilations(solve) == 0


@pytest.mark.parametrize("dispatcher", [njit, numba.jit(forceobj=True)])
def test_jacobian_that_cannot_run_natively_is_called_from_python(dispatcher, fit):
    def beyond(p, x, y):
        return np.loadtxt(list(map(" ".join, curve_jacobian(p, x, y).astype(str))))

    with pytest.warns(RuntimeWarning, match="beyond is called from Python") as caught:
        x, _ = leastsq(njit_curve, fit.start, args=(fit.x, fit.y), Dfun=dispatcher(beyond))
    assert len(caught) == 1
    assert caught[0].filename == __file__
    np.testing.assert_allclose(x, leastsq(curve, fit.start, args=(fit.x, fit.y))[0], rtol=1e-6)


def test_function_of_two_precisions_is_differenced_with_that_of_each_fit():
    @numba.njit
    def residuals(p, t, y):
        return np.exp(-t * t.dtype.type(p[1])) * t.dtype.type(p[0]) - y

    t = np.linspace(0, 2, 30)
    y = 2 * np.exp(-0.5 * t)
    single = t.astype(np.float32), y.astype(np.float32)
    for _ in range(2):
        for args, error in (((t, y), 1e-7), (single, 1e-3)):
            p, *_ = leastsq(residuals, [1, 1], args, full_output=True)
            np.testing.assert_allclose(p, [2, 0.5], rtol=error)


def test_function_is_evaluated_once_at_x0_however_often_it_is_fitted():
    @numba.njit
    def residuals(p, t, calls):
        calls[0] += 1
        return p[0] * t - 2 * t

    for count in (4, 4, 9, 5):
        calls = np.zeros(1)
        _, _, info, _, _ = leastsq(residuals, [1], (np.arange(1.0, count), calls), full_output=True)
        assert calls[0] == info["nfev"]


def test_function_may_have_other_arguments_in_the_next_fit():
    @numba.njit
    def residuals(p, *data):
        return p[0] * data[0] - 2 * data[len(data) - 1]

    t = np.arange(1.0, 6)
    for args in ((t, t), (t,), (t[:3], t[:3], t[:3]), (t, t[:1]), (t[:1], t), (t,)):
        (x,), ier = leastsq(residuals, [1], args)
        assert ier in (1, 2, 3, 4)
        left, right = np.broadcast_arrays(args[0], args[-1])
        np.testing.assert_allclose(x, 2 * left @ right / (left @ left), rtol=1e-6)


@njit
def of_integers(p, t, counts):
    return p[0] * np.exp(-p[1] * t) + p[2] - counts / 1000


@pytest.mark.filterwarnings("ignore:.*is called from Python")
def test_arrays_of_a_foreign_byte_order_are_not_read_as_native():
    t = np.linspace(0, 5, 60)
    counts = np.round(2000 * np.exp(-1.5 * t) + 500 + 50 * np.cos(40 * t)).astype(np.int32)
    native = leastsq(of_integers, [1, 1, 1], args=(t, counts))
    foreign = leastsq(of_integers, [1, 1, 1], args=(t, counts.astype(counts.dtype.newbyteorder())))
    np.testing.assert_allclose(foreign[0], native[0], rtol=1e-8)


@njit
def beyond_numba(p, t, y):
    return np.array([float(str(value)) for value in p[0] * t - y])


@pytest.mark.filterwarnings("ignore:.*is called from Python")
def test_least_squares_calls_python_where_numba_cannot_compile():
    t = np.arange(1.0, 9)
    assert least_squares(beyond_numba, [1.0], args=(t, 2 * t)).x == pytest.approx([2.0])
