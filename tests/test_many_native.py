"""curve_fit_many of functions in C: each fit has its own data block."""

import ctypes
import warnings

import numpy as np
import pytest

from leastsq import NativeFunction, OptimizeWarning, curve_fit_many, leastsq

M = 25
BLOCK = np.dtype([("x", "f8", M), ("y", "f8", M), ("stop", "i4"), ("calls", "i4")], align=True)


@pytest.fixture
def functions(library):
    return (
        NativeFunction(library.block_residual, M),
        NativeFunction(library.block_jacobian, M),
    )


@pytest.fixture
def blocks():
    rng = np.random.default_rng(8)
    found = np.zeros((4, 5), BLOCK)
    found["x"] = np.linspace(0, 4, M)
    a, b, c = rng.uniform([2, 0.5, 0.2], [3, 2, 0.8], (4, 5, 3)).T[..., None]
    found["y"] = (a * np.exp(-b * np.linspace(0, 4, M)) + c).transpose(1, 0, 2)
    found["y"] += 0.02 * rng.standard_normal((4, 5, M))
    return found


@pytest.mark.parametrize("bounds", [None, (0, [2.5, 5, 5])])
@pytest.mark.parametrize("with_jac", [False, True])
def test_every_fit_is_that_of_leastsq_alone(functions, blocks, with_jac, bounds):
    func, jac = functions if with_jac else (functions[0], None)
    fits = curve_fit_many(
        func, None, blocks, [1, 1, 1], jac=jac, **({} if bounds is None else {"bounds": bounds})
    )
    for k in np.ndindex(4, 5):
        block = blocks[k].reshape(1).copy()
        own = [NativeFunction(f._keep[0], M, block) for f in (func, jac) if f is not None]
        options = {} if bounds is None else {"bounds": bounds, "factor": 1}
        x, cov_x, info, _, ier = leastsq(
            own[0], [1, 1, 1], (), *own[1:], full_output=True, **options
        )
        np.testing.assert_array_equal(fits.popt[k], x)
        assert fits.status[k] == ier
        assert fits.nfev[k] == info["nfev"]
        variance = fits.chi2[k] / (M - 3 + np.count_nonzero(fits.active_mask[k]))
        np.testing.assert_allclose(fits.pcov[k], cov_x * variance, rtol=1e-9)
    assert (blocks["calls"] == 0).all()  # the blocks are copied


def test_plain_arrays_are_blocks_too(library):
    func = NativeFunction(library.block_of_numbers, M)
    y = np.random.default_rng(1).standard_normal((6, M))
    fits = curve_fit_many(func, None, y, [0.0], threads=2)
    np.testing.assert_allclose(fits.popt[:, 0], y.mean(axis=1), atol=1e-7)
    skipped = curve_fit_many(func, None, y, [0.0], mask=np.arange(6)[:, None] == 2)
    assert skipped.status.tolist() == [1, 1, -1, 1, 1, 1] or skipped.status[2] == -1


def test_function_that_stops_ends_its_fit_only(functions, blocks):
    blocks["stop"][1, 2] = 4
    expected = curve_fit_many(functions[0], None, np.delete(blocks.reshape(-1), 7), [1, 1, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OptimizeWarning)
        fits = curve_fit_many(functions[0], None, blocks, [1, 1, 1], threads=2, chunk=3)
    assert fits.status[1, 2] == -3
    assert "StoppedError: A native function ended the fit: it returned -9" in fits.message((1, 2))
    np.testing.assert_array_equal(np.delete(fits.popt.reshape(-1, 3), 7, axis=0), expected.popt)


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"xdata": [1.0]}, TypeError, "xdata and sigma must be None"),
        ({"sigma": 1.0}, TypeError, "xdata and sigma must be None"),
        ({"p0": None}, ValueError, "pass p0"),
        ({"p0": "neighbours"}, ValueError, "pass p0"),
        ({"ydata": [[object()]]}, TypeError, "not Python objects"),
        ({"axis": 0}, ValueError, "must be the last axis"),
        ({"mask": np.zeros(M, bool)}, ValueError, "leaves out whole fits"),
        ({"jac": np.cos}, TypeError, "jac must be a NativeFunction"),
    ],
)
def test_other_arguments_are_refused(functions, given, error, text):
    arguments = {"xdata": None, "ydata": np.ones((3, M)), "p0": [1, 1, 1]} | given
    with pytest.raises(error, match=text):
        curve_fit_many(functions[0], **arguments)


def test_jacobian_in_c_needs_a_model_in_c(functions):
    with pytest.raises(TypeError, match="jac must not be a NativeFunction"):
        curve_fit_many(lambda x, a: a * x, [1.0, 2], [[1.0, 2]], jac=functions[1])


def test_ctypes_function_in_python_ends_with_its_exception():
    numbers = ctypes.POINTER(ctypes.c_double)

    @ctypes.CFUNCTYPE(
        ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_int, numbers, numbers, ctypes.c_int
    )
    def mean(data, m, n, x, fvec, iflag):
        y = ctypes.cast(data, numbers)
        for i in range(m):
            fvec[i] = x[0] - y[i]
        return 0

    y = np.arange(12.0).reshape(3, 4)
    fits = curve_fit_many(NativeFunction(mean, 4), None, y, [0.0], threads=2)
    np.testing.assert_allclose(fits.popt[:, 0], y.mean(axis=1))


def test_masked_blocks_are_refused(functions, blocks):
    with pytest.raises(TypeError, match="must not be a masked array"):
        curve_fit_many(functions[0], None, np.ma.array(blocks), [1, 1, 1])
