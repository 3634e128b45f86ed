"""The addresses and C types of objects that represent C functions or pointers to data."""

from __future__ import annotations

import ctypes
import re
import sys
from typing import Any, NamedTuple

import numpy as np

from leastsq._arguments.arrays import is_masked

UNKNOWN = "?"

CTYPES_NAMES = {
    None: "void",
    ctypes.c_void_p: "void*",
    ctypes.c_int: "int",
    ctypes.c_double: "double",
}

get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
get_pointer.argtypes, get_pointer.restype = [ctypes.py_object, ctypes.c_char_p], ctypes.c_void_p
get_name = ctypes.pythonapi.PyCapsule_GetName
get_name.argtypes, get_name.restype = [ctypes.py_object], ctypes.c_char_p
get_context = ctypes.pythonapi.PyCapsule_GetContext
get_context.argtypes, get_context.restype = [ctypes.py_object], ctypes.c_void_p


class Pointer(NamedTuple):
    """The address of a function, its signature, and the data that belongs to it."""

    address: int
    signature: list[str] | None
    data: int


def function_pointer(function: Any) -> Pointer:
    """Get the address of a C function from any object that represents one."""
    kind = type(function).__name__
    if isinstance(function, int) and not isinstance(function, bool):
        return Pointer(given_address(function), None, 0)
    if isinstance(function, tuple) and hasattr(function, "user_data"):  # scipy.LowLevelCallable
        return capsule_pointer(tuple.__getitem__(function, 0))
    if kind == "PyCapsule":
        return capsule_pointer(function)
    if is_cffi(function):
        backend = sys.modules["_cffi_backend"]
        signature = c_signature(backend.typeof(function).cname)
        if signature is None:
            raise TypeError(f"not a function: a cffi pointer of type {backend.typeof(function)}")
        return Pointer(cffi_address(function), signature, 0)
    if kind == "CFunc" and hasattr(function, "ctypes"):  # numba.cfunc
        function = function.ctypes
    if isinstance(function, ctypes._CFuncPtr):  # type: ignore[attr-defined]
        address = ctypes.cast(function, ctypes.c_void_p).value or 0
        return Pointer(address, ctypes_signature(function), 0)
    raise TypeError(
        "a native function must be a PyCapsule, a ctypes or cffi function pointer, a numba.cfunc, "
        f"a scipy.LowLevelCallable or an integer address, got {function!r}"
    )


def data_address(data: Any) -> int:
    """Get the address of the data that a C function receives."""
    if data is None:
        return 0
    if isinstance(data, int) and not isinstance(data, bool):
        return given_address(data)
    if isinstance(data, np.ndarray):
        return array_address(data)
    if type(data).__name__ == "PyCapsule":
        return get_pointer(data, get_name(data)) or 0
    if is_cffi(data):
        kind = sys.modules["_cffi_backend"].typeof(data)
        if kind.kind not in ("pointer", "array", "function"):
            raise TypeError(f"data must be a pointer, got a cffi {kind.cname}")
        return cffi_address(data)
    if isinstance(data, ctypes.Array) and data._type_ is ctypes.py_object:
        raise TypeError("data must not hold Python objects")
    if isinstance(data, ctypes.c_void_p | ctypes._Pointer):
        return ctypes.cast(data, ctypes.c_void_p).value or 0
    if isinstance(data, ctypes.Structure | ctypes.Union | ctypes.Array):
        return ctypes.addressof(data)
    raise TypeError(
        "data must be a NumPy array, a ctypes or cffi pointer, a ctypes structure or array, a "
        f"PyCapsule or an integer address, got {data!r}"
    )


def array_address(array: np.ndarray[Any, Any]) -> int:
    """Get the address of an array that a C function can read number by number."""
    if array.dtype.hasobject:
        raise TypeError(f"data must not hold Python objects, got an array of dtype {array.dtype}")
    if is_masked(array):
        raise TypeError("data must not be masked: a native function does not see the mask")
    if not array.flags.c_contiguous:
        raise ValueError(
            "data must be contiguous, in C order: pass np.ascontiguousarray(data), or data.T for a "
            "function that reads it by columns"
        )
    if not array.flags.aligned or not array.dtype.isnative:
        raise ValueError(
            f"data must be aligned and in this machine's byte order, got {array.dtype}"
        )
    return int(array.ctypes.data)


def given_address(number: int) -> int:
    """Refuse a number that cannot be an address."""
    if not 0 <= number <= sys.maxsize:
        raise ValueError(f"not an address: {number:#x}")
    return int(number)


def capsule_pointer(capsule: Any) -> Pointer:
    """Read a capsule. SciPy and Cython use the signature of the function as its name."""
    name: bytes | None = get_name(capsule)
    signature = None if name is None else c_signature(name.decode())
    return Pointer(get_pointer(capsule, name) or 0, signature, get_context(capsule) or 0)


def is_cffi(value: Any) -> bool:
    """Tell whether an object was made by cffi."""
    return type(value).__module__ == "_cffi_backend"


def cffi_address(pointer: Any) -> int:
    """Convert a cffi pointer."""
    backend = sys.modules["_cffi_backend"]
    return int(backend.cast(backend.new_primitive_type("uintptr_t"), pointer))


def c_signature(declaration: str) -> list[str] | None:
    """Split `int (void *, double const *)` into result and arguments; None if that fails."""
    plain = re.sub(r"\bconst\b|\s|\(\*\)", "", declaration)
    found = re.fullmatch(r"([\w*]+)\(([\w*,]*)\)", plain)
    return [found[1], *found[2].split(",")] if found else None


def ctypes_signature(function: Any) -> list[str] | None:
    """Name the types of a ctypes function; None if they were not declared."""
    if function.argtypes is None:
        return None
    return [ctypes_name(kind) for kind in (function.restype, *function.argtypes)]


def ctypes_name(kind: Any) -> str:
    """Name a type as C does."""
    if isinstance(kind, type) and issubclass(kind, ctypes._Pointer):
        return ctypes_name(kind._type_) + "*"
    return CTYPES_NAMES.get(kind) or str(getattr(kind, "__name__", UNKNOWN))
