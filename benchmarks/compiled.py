"""Compiled residuals: this library, SciPy, cminpack-numba and libcminpack on one fit.

`make bench-core` builds harness.c and runs this. All take turns in one process; what is reported
are medians, and medians of the ratios of neighbours.
"""

import ctypes
import ctypes.util
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numba
import numpy as np
from scipy import optimize

from leastsq import NativeFunction, leastsq

try:
    import cminpack_numba
except ImportError:
    cminpack_numba = None

HARNESS = ctypes.CDLL(sys.argv[1])
for name in ("residual", "fit", "cminpack"):
    getattr(HARNESS, f"seconds_of_{name}").restype = ctypes.c_double

START = np.ones(3)
TOLERANCES = (1.49012e-8, 1.49012e-8, 0.0)
REPETITIONS = 300


def data_of(m):
    """Make x and y in one array, as the native functions get them."""
    x = np.linspace(0, 5, m)
    noise = 0.2 * np.random.default_rng(0).standard_normal(m)
    return np.concatenate([x, 2 * np.exp(-1.5 * x) + 0.5 + noise])


def residuals(p, x, y):
    """The residuals in NumPy form."""
    return p[0] * np.exp(-p[1] * x) + p[2] - y


njit_residuals = numba.njit(residuals)


@numba.njit
def last_of_many(p, x, y, count):
    """Evaluate many times, in compiled code alone."""
    for _ in range(count):
        f = njit_residuals(p, x, y)
    return f


@numba.cfunc("int32(CPointer(float64), int32, int32, CPointer(float64), CPointer(float64), int32)")
def cfunc_residuals(data, m, n, p, fvec, iflag):
    """The residuals as a C function."""
    for i in range(m):
        fvec[i] = p[0] * np.exp(-p[1] * data[i]) + p[2] - data[m + i]
    return 0


def seconds(call, count=1):
    """Time a call."""
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count


def seconds_of_residual(native, data, count=200):
    """Time one call of a native residual function, called from C."""
    return HARNESS.seconds_of_residual(
        ctypes.c_void_p(native.address), address(data), native.m, address(START), count
    )


def seconds_in_c(data, cminpack=None, count=10):
    """Time a fit in C, by the core or by libcminpack; return its number of calls too."""
    x, nfev = (ctypes.c_double * 3)(), ctypes.c_int()
    arguments = address(data), data.size // 2, address(START), count, x, ctypes.byref(nfev)
    if cminpack is None:
        return HARNESS.seconds_of_fit(*arguments), nfev.value
    return HARNESS.seconds_of_cminpack(cminpack, *arguments), nfev.value


def address(array):
    """The address of an array for ctypes."""
    return array.ctypes.data_as(ctypes.c_void_p)


def contenders(data):
    """The calls to compare, each with the compiled residual in it."""
    x, y = np.split(data, 2)
    in_c = NativeFunction(HARNESS.residual, x.size, data=data)
    cfunc = NativeFunction(cfunc_residuals, x.size, data=data)
    calls = {
        "SciPy, NumPy residual": (lambda: optimize.leastsq(residuals, START, args=(x, y)), None),
        "leastsq, NumPy residual": (lambda: leastsq(residuals, START, args=(x, y)), None),
        "leastsq, njit residual": (
            lambda: leastsq(njit_residuals, START, args=(x, y)),
            lambda: seconds(lambda: last_of_many(START, x, y, 200)) / 200,
        ),
        "leastsq, C residual": (
            lambda: leastsq(in_c, START),
            lambda: seconds_of_residual(in_c, data),
        ),
        "leastsq, numba.cfunc": (
            lambda: leastsq(cfunc, START),
            lambda: seconds_of_residual(cfunc, data),
        ),
    }
    if cminpack_numba is not None:
        calls["cminpack-numba, numba.cfunc"] = (
            lambda: cminpack_numba.lmdif(
                cfunc_residuals.address, x.size, START, *TOLERANCES, udata=data
            ),
            lambda: seconds_of_residual(cfunc, data),
        )
    return calls


def compare_from_python(data):
    """Print whole calls from Python."""
    calls = contenders(data)
    nfev = leastsq(residuals, START, args=tuple(np.split(data, 2)), full_output=True)[2]["nfev"]
    for call, _ in calls.values():
        call()
    rows = [
        [
            (seconds(call, 5), 0 if residual is None else nfev * residual())
            for call, residual in calls.values()
        ]
        for _ in range(REPETITIONS)
    ]
    print(f"{'whole call from Python':32}{'time':>12}{'SciPy / it':>12}{'beyond residual':>18}")
    for i, (name, (_, residual)) in enumerate(calls.items()):
        whole = median(row[i][0] for row in rows)
        ratio = median(row[0][0] / row[i][0] for row in rows)
        beyond = median(row[i][0] - row[i][1] for row in rows)
        last = "" if residual is None else f"{beyond * 1e6:15.1f} us"
        print(f"{name:32}{whole * 1e6:9.1f} us{ratio:12.2f}{last}")
    if cminpack_numba is None:
        print("cminpack-numba is not installed")
    else:
        print(f"leastsq / cminpack-numba {median(row[4][0] / row[5][0] for row in rows):22.3f}")


def compare_in_c(data):
    """Print the core and libcminpack on the same callback."""
    path = ctypes.util.find_library("cminpack")
    if path is None:
        print("libcminpack is not installed (Debian: libcminpack1)")
        return
    cminpack = ctypes.CDLL(path).lmdif
    native = NativeFunction(HARNESS.residual, data.size // 2, data=data)
    rows = [
        (seconds_in_c(data), seconds_in_c(data, cminpack), seconds_of_residual(native, data))
        for _ in range(5 * REPETITIONS)
    ]
    print(f"{'whole fit in C':32}{'time':>12}{'calls':>12}{'beyond residual':>18}")
    for i, name in enumerate(("the core of leastsq", "libcminpack")):
        nfev = rows[0][i][1]
        whole = median(row[i][0] for row in rows)
        beyond = median(row[i][0] - nfev * row[2] for row in rows)
        print(f"{name:32}{whole * 1e6:9.1f} us{nfev:12}{beyond * 1e6:15.1f} us")
    print(f"leastsq / libcminpack {median(row[0][0] / row[1][0] for row in rows):25.3f}")


def compare_threads(m, count):
    """Print what two threads bring."""
    x, y = np.split(data_of(m), 2)

    def fits(_):
        for _ in range(count):
            leastsq(njit_residuals, START, args=(x, y))

    gains = []
    with ThreadPoolExecutor(2) as pool:
        for _ in range(5):
            one = seconds(lambda: fits(0))
            gains.append(2 * one / seconds(lambda: list(pool.map(fits, range(2)))))
    print(
        f"two threads of {count} fits, {m} points: {median(gains):.2f} of one thread's throughput"
    )


def main():
    """Print every comparison."""
    data = data_of(50)
    compare_from_python(data)
    print()
    compare_in_c(data)
    print()
    for m, count in ((50, 20_000), (200, 5_000), (1000, 2_000), (10_000, 200)):
        compare_threads(m, count)


if __name__ == "__main__":
    main()
