"""functions.c as ctypes sees it."""

import ctypes

numbers = ctypes.POINTER(ctypes.c_double)
RESIDUAL_TYPE = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_int, numbers, numbers, ctypes.c_int
)


class Curve(ctypes.Structure):
    """The data of the C functions."""

    _fields_ = (
        ("x", numbers),
        ("y", numbers),
        *((name, ctypes.c_int) for name in ("calls", "stop_at", "flag", "differencing", "nan_at")),
    )


def address(function):
    return ctypes.cast(function, ctypes.c_void_p).value


class Meeting(ctypes.Structure):
    """Where two threads meet inside native code."""

    _fields_ = (("inside", ctypes.c_int), ("iflag", ctypes.c_int))
