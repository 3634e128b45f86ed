"""Compiled functions: every kind of pointer, fits as in Python, stops, threads, lifetimes."""

import copy
import ctypes
import gc
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor

import cffi
import numpy as np
import pytest
from scipy import LowLevelCallable

from leastsq import NativeFunction, StoppedError, leastsq

RESIDUAL = "int (void *, int, int, double const *, double *, int)"
JACOBIAN = "int (void *, int, int, double const *, double *, double *, int, int)"

numbers = ctypes.POINTER(ctypes.c_double)
RESIDUAL_TYPE = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_int, numbers, numbers, ctypes.c_int
)
new_capsule = ctypes.pythonapi.PyCapsule_New
new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
new_capsule.restype = ctypes.py_object


class Curve(ctypes.Structure):
    """The data of the C functions; see functions.c."""

    _fields_ = (
        ("x", numbers),
        ("y", numbers),
        *((name, ctypes.c_int) for name in ("calls", "stop_at", "flag", "differencing", "nan_at")),
    )


@pytest.fixture
def curve(fit):
    pointers = [array.ctypes.data_as(numbers) for array in (fit.x, fit.y)]
    return Curve(*pointers, flag=-1)


@pytest.fixture
def residual(library, curve):
    return NativeFunction(library.residual, 50, data=curve)


@pytest.fixture
def jacobian(library, curve):
    return NativeFunction(library.jacobian, 50, data=curve)


def address(function):
    return ctypes.cast(function, ctypes.c_void_p).value


def as_ctypes(function, curve):
    return NativeFunction(function, 50, data=curve)


def as_declared_ctypes(function, curve):
    return NativeFunction(RESIDUAL_TYPE(address(function)), 50, data=ctypes.pointer(curve))


def as_capsule(function, curve):
    # The capsule does not copy its name.
    name = ctypes.create_string_buffer(RESIDUAL.encode())
    native = NativeFunction(
        new_capsule(address(function), name, None),
        50,
        data=new_capsule(ctypes.addressof(curve), None, None),
    )
    assert native.role == "residual"
    return native


def as_cffi(function, curve):
    ffi = cffi.FFI()
    pointer = ffi.cast(
        "int (*)(void *, int, int, const double *, double *, int)", address(function)
    )
    native = NativeFunction(pointer, 50, data=ffi.cast("void *", ctypes.addressof(curve)))
    assert native.role == "residual"
    return native


def as_low_level_callable(function, curve):
    pointer = RESIDUAL_TYPE(address(function))
    native = NativeFunction(LowLevelCallable(pointer, ctypes.c_void_p(ctypes.addressof(curve))), 50)
    assert native.role == "residual"
    return native


def as_integer(function, curve):
    return NativeFunction(address(function), 50, data=ctypes.addressof(curve))


KINDS = [
    as_ctypes,
    as_declared_ctypes,
    as_capsule,
    as_cffi,
    as_low_level_callable,
    as_integer,
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_pointer_is_called(kind, library, curve, fit):
    native = kind(library.residual, curve)
    x, _, info, _, ier = leastsq(native, fit.start, full_output=True)
    expected = leastsq(fit.residuals, fit.start, full_output=True)
    np.testing.assert_allclose(x, expected[0], rtol=1e-9)
    assert ier == expected[-1]
    assert info["nfev"] == expected[2]["nfev"] == curve.calls
    assert 0 < curve.differencing < curve.calls
    assert curve.differencing % 3 == 0


def test_numpy_array_and_cffi_array_serve_as_data(library, fit):
    memory = np.frombuffer(
        bytes(Curve(*(a.ctypes.data_as(numbers) for a in (fit.x, fit.y)))), np.uint8
    ).copy()
    x, _ = leastsq(NativeFunction(library.residual, 50, data=memory), fit.start)
    held = cffi.FFI().new("char[]", memory.tobytes())
    y, _ = leastsq(NativeFunction(library.residual, 50, data=held), fit.start)
    np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("native_func", [True, False])
@pytest.mark.parametrize("native_Dfun", [True, False, None])
@pytest.mark.parametrize(
    "options", [{}, {"diag": [1, 2, 3], "factor": 1}, {"maxfev": 4}, {"epsfcn": 1e-10}]
)
def test_native_and_python_functions_mix(
    native_func, native_Dfun, options, fit, residual, jacobian
):
    Dfun = {True: jacobian, False: lambda p: fit.jacobian(p), None: None}[native_Dfun]
    python_Dfun = None if native_Dfun is None else fit.jacobian
    ours = leastsq(
        residual if native_func else fit.residuals,
        fit.start,
        Dfun=Dfun,
        full_output=True,
        **options,
    )
    theirs = leastsq(fit.residuals, fit.start, Dfun=python_Dfun, full_output=True, **options)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-9)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-6) if ours[1] is not None else None
    assert list(ours[2]) == list(theirs[2])
    for key in ("fvec", "fjac", "qtf"):
        np.testing.assert_allclose(ours[2][key], theirs[2][key], rtol=1e-5, atol=1e-7)
    assert ours[2]["nfev"] == theirs[2]["nfev"]
    assert ours[3:] == theirs[3:]


def test_args_go_to_the_python_function_of_a_mixed_pair(fit, residual):
    def Dfun(p, scale):
        return fit.jacobian(p) * scale

    x, _ = leastsq(residual, fit.start, args=(1.0,), Dfun=Dfun)
    np.testing.assert_allclose(x, leastsq(fit.residuals, fit.start)[0], rtol=1e-6)


def test_args_that_nothing_gets_are_refused(fit, residual, jacobian):
    with pytest.raises(TypeError, match="takes no args"):
        leastsq(residual, fit.start, args=(fit.x,))
    with pytest.raises(TypeError, match="takes no args"):
        leastsq(residual, fit.start, args=(fit.x,), Dfun=jacobian)


def test_native_function_evaluates(fit, residual):
    np.testing.assert_allclose(residual(fit.start), fit.residuals(fit.start), atol=1e-12)


@pytest.mark.parametrize("stop_at", [1, 2, 5, 9])
def test_negative_flag_ends_the_fit_and_says_what_was_reached(stop_at, fit, residual, curve):
    curve.stop_at, curve.flag = stop_at, -2
    with pytest.raises(RuntimeError, match="returned -2") as caught:
        leastsq(residual, fit.start)
    stopped = caught.value
    assert isinstance(stopped, StoppedError)
    assert stopped.flag == -2
    assert stopped.nfev == curve.calls == stop_at
    assert stopped.x.shape == (3,)
    if stop_at < 6:
        np.testing.assert_array_equal(stopped.x, fit.start)
    else:
        assert np.sum(fit.residuals(stopped.x) ** 2) < np.sum(fit.residuals(fit.start) ** 2)
    again = pickle.loads(pickle.dumps(stopped))
    assert (again.flag, again.nfev, str(again)) == (-2, stop_at, str(stopped))
    np.testing.assert_array_equal(again.x, stopped.x)


def test_negative_flag_of_the_jacobian_ends_the_fit(fit, residual, jacobian, curve):
    curve.stop_at, curve.flag = 2, -(2**31)
    with pytest.raises(StoppedError) as caught:
        leastsq(residual, fit.start, Dfun=jacobian)
    assert (caught.value.flag, caught.value.nfev, curve.calls) == (-(2**31), 1, 2)


def test_exception_in_the_python_half_comes_out(fit, residual):
    def Dfun(p):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        leastsq(residual, fit.start, Dfun=Dfun)


def test_not_finite_residuals_have_their_exit_code(fit, residual, curve):
    curve.nan_at = 1
    assert leastsq(residual, fit.start, full_output=True)[-1] == 9
    # A trial point that is not finite is rejected.
    curve.calls, curve.nan_at = 0, 5
    x, ier = leastsq(residual, fit.start)
    assert ier in (1, 2, 3, 4)
    np.testing.assert_allclose(x, leastsq(fit.residuals, fit.start)[0], rtol=1e-6)


def test_residual_without_data_gets_a_null_pointer(library):
    x, _ = leastsq(NativeFunction(library.to_count, 4), np.zeros(4))
    np.testing.assert_allclose(x, [1, 2, 3, 4])


def test_fewer_residuals_than_parameters_are_refused(library):
    with pytest.raises(TypeError, match="must not exceed"):
        leastsq(NativeFunction(library.to_count, 2), np.zeros(3))


class Meeting(ctypes.Structure):
    """Where two threads meet inside native code; see functions.c."""

    _fields_ = (("inside", ctypes.c_int), ("iflag", ctypes.c_int))


def evaluate(native, jacobian):
    return native(2 * np.array([1.0, 2, 3]))


def fit_by_differences(native, jacobian):
    return leastsq(native, np.zeros(3))[0]


def fit_with_jacobian(native, jacobian):
    return leastsq(native, np.zeros(3), Dfun=jacobian)[0]


@pytest.mark.parametrize(
    ("run", "iflag"), [(evaluate, 1), (fit_by_differences, 2), (fit_with_jacobian, 2)]
)
def test_two_threads_are_inside_at_the_same_time(run, iflag, library):
    meeting = Meeting(0, iflag)
    native = NativeFunction(library.meeting_residual, 3, data=meeting)
    jacobian = NativeFunction(library.meeting_jacobian, 3, data=meeting)
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(run, native, jacobian) for _ in range(2)]
        for done in runs:
            np.testing.assert_allclose(done.result(), [1, 2, 3], rtol=1e-6)


@pytest.mark.parametrize("pointer", [ctypes.c_void_p(1), print, "residual", None, 1.5, object()])
def test_what_is_no_function_pointer_is_refused(pointer):
    with pytest.raises(TypeError, match="native function must be a PyCapsule"):
        NativeFunction(pointer, 3)


def test_cffi_pointer_to_data_is_no_function():
    with pytest.raises(TypeError, match="not a function"):
        NativeFunction(cffi.FFI().new("double *"), 3)


@pytest.mark.parametrize("pointer", [0, RESIDUAL_TYPE(0)])
def test_null_pointer_is_refused(pointer):
    with pytest.raises(ValueError, match="null"):
        NativeFunction(pointer, 3)


@pytest.mark.parametrize("data", ["text", 1.5, [1.0], object()])
def test_data_without_an_address_is_refused(data, library):
    with pytest.raises(TypeError, match="data must be"):
        NativeFunction(library.residual, 3, data=data)


@pytest.mark.parametrize(
    ("m", "error"), [(0, ValueError), (-1, ValueError), (2**31, ValueError), (1.5, TypeError)]
)
def test_number_of_residuals_is_checked(m, error, library):
    with pytest.raises(error, match="number of residuals"):
        NativeFunction(library.residual, m)


@pytest.mark.parametrize(
    "signature",
    [
        "int (void *, long, int, double const *, double *, int)",
        "double (void *, int, int, double const *, double *, int)",
        "int (void *, int, int, float *, double *, int)",
        "int (int, double *)",
        "int ()",
    ],
)
def test_other_signatures_are_refused(signature, library):
    name = ctypes.create_string_buffer(signature.encode())
    with pytest.raises(ValueError, match="a native function must be"):
        NativeFunction(new_capsule(address(library.residual), name, None), 3)
    pointer = cffi.FFI().cast(signature.replace("(", "(*)(", 1), address(library.residual))
    with pytest.raises(ValueError, match="a native function must be"):
        NativeFunction(pointer, 3)


def test_ctypes_function_of_other_types_is_refused(library):
    wide = ctypes.CFUNCTYPE(
        ctypes.c_int, ctypes.c_void_p, ctypes.c_long, ctypes.c_int, numbers, numbers, ctypes.c_int
    )
    with pytest.raises(ValueError, match=r"c_long|long"):
        NativeFunction(wide(address(library.residual)), 3)


def test_capsule_of_any_other_name_is_trusted(library, curve, fit):
    name = ctypes.create_string_buffer(b"my residual")
    native = NativeFunction(new_capsule(address(library.residual), name, None), 50, data=curve)
    assert native.role is None
    assert leastsq(native, fit.start)[1] in (1, 2, 3, 4)


def test_swapped_functions_are_refused(library, curve, fit, residual):
    named = ctypes.create_string_buffer(JACOBIAN.encode())
    jacobian = NativeFunction(new_capsule(address(library.jacobian), named, None), 50, data=curve)
    assert jacobian.role == "Jacobian"
    with pytest.raises(TypeError, match="func must be a residual function"):
        leastsq(jacobian, fit.start)
    with pytest.raises(TypeError, match="Dfun must be a Jacobian function"):
        leastsq(residual, fit.start, Dfun=as_cffi(library.residual, curve))


def test_jacobian_for_other_residuals_is_refused(library, curve, fit, residual):
    with pytest.raises(ValueError, match="for 49 residuals"):
        leastsq(residual, fit.start, Dfun=NativeFunction(library.jacobian, 49, data=curve))


def test_what_a_native_function_points_to_lives_with_it(library, curve, fit):
    class Holder(Curve):
        pass

    data = Holder.from_buffer_copy(curve)
    alive = weakref.ref(data)
    native = NativeFunction(RESIDUAL_TYPE(address(library.residual)), 50, data=data)
    del data
    gc.collect()
    assert alive() is not None
    assert leastsq(native, fit.start)[1] in (1, 2, 3, 4)
    del native
    gc.collect()
    assert alive() is None


def test_function_made_in_python_is_kept(fit):
    def residuals(data, m, n, p, fvec, iflag):
        p = np.ctypeslib.as_array(p, (n,))
        np.ctypeslib.as_array(fvec, (m,))[:] = fit.residuals(p)
        return 0

    native = NativeFunction(RESIDUAL_TYPE(residuals), 50)
    gc.collect()
    np.testing.assert_allclose(
        leastsq(native, fit.start)[0], leastsq(fit.residuals, fit.start)[0], rtol=1e-9
    )


def test_native_function_shows_what_it_is(library):
    assert repr(NativeFunction(library.residual, 50)) == f"NativeFunction({library.residual}, m=50)"


def test_eight_threads_of_200_fits_give_the_serial_answers(fit, residual):
    starts = np.random.default_rng(1).uniform(0.5, 2, (8, 200, 3))

    def solve_all(rows):
        return [leastsq(residual, start)[0] for start in rows]

    with ThreadPoolExecutor(8) as pool:
        threaded = list(pool.map(solve_all, starts))
    np.testing.assert_array_equal(threaded, [solve_all(rows) for rows in starts])


@pytest.mark.parametrize("analytic", [False, True])
@pytest.mark.parametrize("stop_at", [0, 6])
def test_ten_thousand_fits_take_no_memory(analytic, stop_at, library, fit):
    resource = pytest.importorskip("resource")
    m = 2000
    x = np.linspace(0, 5, m)
    y = 2.5 * np.exp(-1.3 * x) + 0.5
    curve = Curve(x.ctypes.data_as(numbers), y.ctypes.data_as(numbers), flag=-1)

    def fits(count):
        for _ in range(count):
            curve.calls, curve.stop_at = 0, stop_at
            func = NativeFunction(library.residual, m, data=curve)
            Dfun = NativeFunction(library.jacobian, m, data=curve) if analytic else None
            try:
                leastsq(func, fit.start, Dfun=Dfun, maxfev=8, full_output=True)
            except StoppedError:
                assert stop_at

    fits(500)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    fits(10_000)
    growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert growth < 8_000


def test_copies_of_a_native_function_are_as_good(residual, fit):
    np.testing.assert_array_equal(copy.copy(residual)(fit.start), residual(fit.start))
