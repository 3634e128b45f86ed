"""NativeFunction: every kind of pointer and of data, what is refused, what is kept alive."""

import copy
import ctypes
import gc
import pickle
import weakref

import cffi
import numpy as np
import pytest
from native.functions import RESIDUAL_TYPE, Curve, address, numbers
from scipy import LowLevelCallable

from leastsq import NativeFunction, leastsq

RESIDUAL = "int (void *, int, int, double const *, double *, int)"
JACOBIAN = "int (void *, int, int, double const *, double *, double *, int, int)"
new_capsule = ctypes.pythonapi.PyCapsule_New
new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
new_capsule.restype = ctypes.py_object


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
        "int (double *, int, int, double *, double *, int)",
        "int (void *, int, int, void *, void *, int)",
    ],
)
def test_data_and_untyped_pointers_are_of_any_type(signature, library):
    name = ctypes.create_string_buffer(signature.encode())
    native = NativeFunction(new_capsule(address(library.residual), name, None), 3)
    assert native.role == "residual"


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


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_copies_of_a_native_function_are_as_good(copied, residual, fit):
    np.testing.assert_array_equal(copied(residual)(fit.start), residual(fit.start))


def test_native_function_does_not_go_to_other_processes(library):
    native = NativeFunction(address(library.to_count), 2)
    with pytest.raises(TypeError, match="valid in this process only"):
        pickle.dumps(native)


@pytest.mark.parametrize("number", [-1, 2**63, 10**400])
def test_numbers_that_are_no_address_are_refused(number, library):
    for arguments in ((number, 2), (library.to_count, 2, number)):
        with pytest.raises(ValueError, match="not an address"):
            NativeFunction(*arguments)
