"""curve_fit_many of Dask arrays, and curvefit of labelled arrays."""

import warnings

import dask
import dask.array as da
import numba
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from problems.batches import T, alone, batch, decay, spot
from test_many import assert_same, many

import leastsq.xarray
from leastsq import FitError, NativeFunction, OptimizeWarning, curve_fit_many
from leastsq.xarray import curvefit

njit_decay = numba.njit(decay)


@pytest.fixture
def stack():
    rng = np.random.default_rng(5)
    truth = rng.uniform([2, 0.5, 0.2], [3, 2, 0.8], (6, 4, 3))
    y = decay(T, *np.moveaxis(truth, -1, 0)[..., None]) + 0.01 * rng.standard_normal((6, 4, 30))
    y[rng.random(y.shape) < 0.02] = np.nan
    y[2, 3] = np.nan
    return y


@pytest.mark.parametrize("f", [decay, njit_decay])
@pytest.mark.parametrize("covariance", [True, "stderr", False])
def test_chunks_give_the_results_of_the_whole(stack, f, covariance):
    lazy = curve_fit_many(f, T, da.from_array(stack, chunks=(2, 3, -1)), covariance=covariance)
    assert isinstance(lazy.popt, da.Array)
    assert lazy.popt.shape == (6, 4, 3)
    assert lazy.popt.chunks[:2] == ((2, 2, 2), (3, 1))
    assert repr(lazy) == "ManyFits(24 fits of 3 parameters, not computed)"
    found, expected = lazy.compute(), curve_fit_many(f, T, stack, covariance=covariance)
    names = "popt", "pcov", "perr", "chi2", "npoints", "status", "nfev", "active_mask", "doubtful"
    for name in names:
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert found.message((2, 3)) == expected.message((2, 3))
    assert found.message((0, 0)) == expected.message((0, 0))
    assert found.compute() is found
    np.testing.assert_array_equal(lazy.success.compute(), expected.success)


def test_arguments_of_each_fit_are_divided_like_the_data(stack):
    rng = np.random.default_rng(1)
    x = T + 0.01 * rng.random((6, 4, 1))
    options = {
        "p0": rng.uniform(0.9, 1.1, (4, 3)),
        "sigma": rng.uniform(0.5, 1, (6, 4, 30)),
        "bounds": (0, rng.uniform(2.2, 9, (6, 1, 3))),
        "mask": rng.random((6, 4, 1)) < 0.2,
    }
    expected = curve_fit_many(njit_decay, (x,), stack, **options)
    y = da.from_array(stack, chunks=(4, 2, -1))
    assert_same(curve_fit_many(njit_decay, (x,), y, **options).compute(), expected)
    options |= {"sigma": da.from_array(options["sigma"], chunks=(1, 4, 7))}
    options |= {"p0": da.from_array(options["p0"], chunks=1)}
    lazy = curve_fit_many(njit_decay, (da.from_array(x, chunks=3),), y, **options)
    assert_same(lazy.compute(scheduler="threads"), expected)


def test_points_may_lie_on_any_axes(stack):
    expected = curve_fit_many(njit_decay, T, stack, sigma=1 + np.abs(stack))
    first = da.from_array(np.moveaxis(stack, -1, 0), chunks=(-1, 2, 2))
    found = curve_fit_many(njit_decay, T, first, sigma=1 + abs(first), axis=0)
    assert_same(found.compute(), expected)
    images = da.from_array(stack.reshape(6, 4, 5, 6), chunks=(2, 2, -1, -1))
    found = curve_fit_many(njit_decay, T.reshape(5, 6), images, sigma=1 + abs(images), axis=(2, 3))
    assert_same(found.compute(), expected)


def test_divided_points_are_refused(stack):
    y = da.from_array(stack, chunks=(2, 2, 10))
    with pytest.raises(ValueError, match=r"pass ydata.rechunk\(\{2: -1\}\)"):
        curve_fit_many(decay, T, y)
    with pytest.raises(TypeError, match="no option fto"):
        curve_fit_many(decay, T, y.rechunk({2: -1}), fto=1)


def test_graph_does_not_grow_with_the_arguments(stack):
    y = da.from_array(np.tile(stack, (50, 5, 1)), chunks=(10, 10, -1))
    p0 = np.ones((300, 20, 3))
    lazy = curve_fit_many(decay, T, y, p0)
    assert len(lazy.popt.__dask_graph__()) < 12 * y.npartitions


def test_failures_stay_in_their_fits(stack):
    y = da.from_array(stack, chunks=(2, 2, -1))
    fits = curve_fit_many(njit_decay, T, y, maxfev=15).compute()
    expected = many(njit_decay, T, stack, maxfev=15)
    assert_same(fits, expected)
    with pytest.raises(FitError):
        curve_fit_many(njit_decay, T, y, maxfev=5, on_failure="raise").compute()


@pytest.mark.slow
def test_cluster_gives_the_same_numbers(stack):
    distributed = pytest.importorskip("distributed")
    with (
        dask.config.set({"distributed.worker.daemon": False}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, processes=True
        ) as cluster,
        distributed.Client(cluster),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        y = da.from_array(stack, chunks=(2, 4, -1))
        found = curve_fit_many(decay, T, y).compute()
    np.testing.assert_array_equal(found.popt, curve_fit_many(decay, T, stack).popt)


def test_odd_arguments_are_those_of_arrays(stack):
    y = da.from_array(stack, chunks=(3, 4, -1))
    sigma = np.ma.array(1 + T, mask=T > 5)
    images = y.reshape(6, 4, 5, 6)
    for lazy, whole in (
        ((lambda x, a: a * x, T, y, 2.0), (lambda x, a: a * x, T, stack, 2.0)),
        ((decay, np.ma.array(T, mask=T > 5), y), (decay, np.ma.array(T, mask=T > 5), stack)),
        ((decay, T, y, None, sigma), (decay, T, stack, None, sigma)),
    ):
        assert_same(curve_fit_many(*lazy).compute(), curve_fit_many(*whole))
    found = curve_fit_many(decay, T.reshape(5, 6), images, sigma=(1 + T).reshape(5, 6), axis=(2, 3))
    assert_same(found.compute(), curve_fit_many(decay, T, stack, sigma=1 + T))
    assert curve_fit_many(decay, T, da.zeros((0, 30))).compute().popt.shape == (0, 3)
    with pytest.raises(ValueError, match="compute_chunk_sizes"):
        curve_fit_many(decay, T, y.reshape(24, 30)[y[..., 0].reshape(24) > 0])


def test_model_that_raises_in_a_chunk_leaves_the_others(stack):
    def fragile(x, a, b, c):
        if np.any(a > 100):
            raise ValueError("a is too large")
        return decay(x, a, b, c)

    p0 = np.ones((6, 4, 3))
    p0[1, 1, 0] = 200
    fits = curve_fit_many(fragile, T, da.from_array(stack, chunks=(1, 1, -1)), p0).compute()
    assert np.argwhere(fits.status == -3).tolist() == [[1, 1]]


def labelled(stack, **options):
    coords = {"x": np.arange(6) * 0.5, "t": T}
    return xr.DataArray(stack, coords, ["x", "y", "t"], name="signal", **options)


def test_curvefit_is_that_of_xarray(stack):
    data = labelled(stack)
    options = {"p0": {"b": 1.5}, "bounds": {"a": (0, 5), "c": (-1, 3)}}
    expected = data.curvefit("t", decay, **options)
    found = curvefit(data, "t", decay, **options)
    assert found.curvefit_coefficients.dims == expected.curvefit_coefficients.dims
    assert found.curvefit_covariance.dims == expected.curvefit_covariance.dims
    for name, values in expected.coords.items():
        np.testing.assert_array_equal(found.coords[name], values)
    np.testing.assert_allclose(
        found.curvefit_coefficients, expected.curvefit_coefficients, rtol=1e-5
    )
    np.testing.assert_allclose(found.curvefit_covariance, expected.curvefit_covariance, rtol=1e-3)
    assert found.curvefit_status.dims == found.curvefit_chi2.dims == ("x", "y")
    assert found.curvefit_status.sel(x=1, y=3) == -1


def test_curvefit_of_several_variables_and_dimensions():
    data = batch(spot, 8, gaps=False)
    axis = np.arange(5.0)
    images = xr.DataArray(
        data.y.reshape(8, 5, 5), {"v": axis, "u": axis}, ["k", "v", "u"], name="image"
    )
    p0 = {
        name: xr.DataArray(data.p0[:, j], dims="k")
        for j, name in enumerate(["a", "x0", "y0", "width", "level"])
    }
    found = curvefit(images, ["u", "v"], spot, p0=p0, errors="ignore")
    for k in range(8):
        status, popt, _ = alone(spot, data.x, data.y[k], data.p0[k])
        assert found.curvefit_status[k] == status
        np.testing.assert_allclose(found.curvefit_coefficients[k], popt, rtol=1e-6)


def test_curvefit_of_chunks_and_datasets_is_lazy(stack):
    data = labelled(stack)
    expected = curvefit(data, "t", njit_decay)
    lazy = curvefit(data.chunk(x=2), "t", njit_decay)
    assert lazy.curvefit_coefficients.chunks is not None
    xr.testing.assert_identical(lazy.compute(), expected)
    both = curvefit(xr.Dataset({"one": data, "two": 2 * data}), "t", njit_decay)
    np.testing.assert_array_equal(both.one_curvefit_coefficients, expected.curvefit_coefficients)
    assert "two_curvefit_covariance" in both


def test_x_may_differ_from_fit_to_fit(stack):
    data = labelled(stack).assign_coords(time=(("x", "t"), T + 0.01 * np.arange(6)[:, None]))
    found = curvefit(data, data.time, njit_decay, reduce_dims="t")
    fits = curve_fit_many(
        njit_decay, (np.broadcast_to(data.time.values[:, None], stack.shape),), stack
    )
    np.testing.assert_array_equal(found.curvefit_coefficients, fits.popt)


def test_labels_in_another_order_are_refused(stack):
    data = labelled(stack)
    upper = xr.DataArray(np.linspace(3, 9, 6), {"x": data.x.values[::-1]}, ["x"])
    for options in ({"bounds": {"a": (0, upper)}}, {"p0": {"a": upper}}):
        with pytest.raises(ValueError, match="align"):
            curvefit(data, "t", decay, **options)


def test_fewer_parameters_than_in_the_signature_may_be_named(stack):
    found = curvefit(
        labelled(stack), "t", lambda t, a, b, c=0.4: decay(t, a, b, c), param_names=["a", "b"]
    )
    assert found.param.values.tolist() == ["a", "b"]


def test_curvefit_refuses_what_does_not_match(stack):
    data = labelled(stack)
    for options, text in (
        ({"p0": {"z": 1}}, r"p0 has the unknown parameters \['z'\]"),
        ({"bounds": {"z": (0, 1)}}, "bounds has the unknown parameters"),
        ({"reduce_dims": "z"}, r"a fit have the dimensions \['t', 'z'\]"),
        ({"skipna": False}, "contain NaN"),
        ({"errors": "warn"}, "errors must be"),
        ({"func": lambda x, *p: x}, "pass param_names"),
    ):
        with pytest.raises(ValueError, match=text):
            curvefit(data, "t", **({"func": decay} | options))
    with pytest.raises(FitError):
        curvefit(data, "t", decay, kwargs={"maxfev": 5})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = curvefit(data, "t", decay, errors="ignore", kwargs={"maxfev": 5})
    assert found.curvefit_coefficients.isnull().all()
    assert "xr" not in vars(leastsq.curve_fit_many)


def test_masks_of_lazy_arrays_are_kept(stack):
    hidden = np.ma.masked_greater(T, 2)
    expected = curve_fit_many(decay, hidden, stack)
    lazy = da.from_array(hidden, chunks=5)
    for y in (stack, da.from_array(stack, chunks=(2, 2, -1))):
        for options in (
            {"xdata": lazy},
            {"xdata": (lazy,)},
            {"xdata": T, "sigma": da.from_array(np.ma.masked_greater(1 + 0 * T + T, 3), chunks=5)},
        ):
            found = curve_fit_many(decay, ydata=y, **options).compute()
            np.testing.assert_array_equal(found.npoints, expected.npoints)


def test_labelled_arguments_of_lazy_data(stack):
    sigma = np.broadcast_to(1 + T, stack.shape)
    expected = curve_fit_many(njit_decay, T, stack, sigma=sigma, mask=sigma > 4)
    y = xr.DataArray(da.from_array(stack, chunks=(2, 2, -1)))
    for make in (xr.DataArray, lambda values: xr.DataArray(da.from_array(values, chunks=2))):
        lazy = curve_fit_many(njit_decay, T, y, sigma=make(sigma), mask=make(sigma > 4))
        np.testing.assert_array_equal(lazy.compute().popt, expected.popt)


def test_masked_start_is_no_start(stack):
    p0 = np.ma.array(np.ones((6, 4, 3)), mask=False)
    p0[0, 0, 1] = np.ma.masked
    with pytest.warns(OptimizeWarning, match="start"):
        fits = curve_fit_many(decay, T, stack, p0)
    assert np.argwhere(fits.status == -4).tolist() == [[0, 0]]


def test_coordinate_that_labels_no_dimension_differs_from_fit_to_fit():
    offsets, rates = np.array([0.5, 1.0, 2.0, 4.0]), np.array([0.5, 1.0, 2.0, 4.0])
    values = np.exp(-rates[:, None] * T) + 0.1 * offsets[:, None]
    data = xr.DataArray(values, {"t": T, "off": ("x", offsets)}, ["x", "t"])

    def shifted(coords, rate):
        return np.exp(-rate * coords[0]) + 0.1 * coords[1]

    for options in ({}, {"reduce_dims": "t"}):
        found = curvefit(data, ["t", "off"], shifted, **options).curvefit_coefficients
        assert found.dims == ("x", "param")
        np.testing.assert_allclose(found.sel(param="rate"), rates, rtol=1e-6)


@pytest.mark.parametrize("bounds", [{}, {"w": (0, 20)}, {"w": (2, 3)}, {"a": (2, np.inf)}])
def test_curvefit_starts_where_xarray_does(bounds):
    def wave(t, a=1.0, w=2.6):
        return a * np.sin(w * t)

    data = xr.DataArray(2.2 * np.sin(2.7 * T), {"t": T}, ["t"])
    expected = data.curvefit("t", wave, bounds=bounds).curvefit_coefficients
    found = curvefit(data, "t", wave, bounds=bounds).curvefit_coefficients
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_nan_without_skipna_is_an_error_in_chunks_and_coordinates(stack):
    data = labelled(stack)
    with pytest.raises(ValueError, match="contain NaN"):
        curvefit(data.chunk(x=2), "t", decay, skipna=False).compute()
    times = np.where(T > 4, np.nan, T)
    complete = data.fillna(1.0).assign_coords(time=("t", times))
    with pytest.raises(ValueError, match="contain NaN"):
        curvefit(complete, "time", decay, reduce_dims="t", skipna=False)


def test_arrays_in_the_layout_of_the_data_stay_there():
    rng = np.random.default_rng(3)
    y = decay(T, 2.5, 1.3, 0.5) + 0.05 * rng.standard_normal((T.size, T.size))
    sigma = 1 + rng.random(y.shape)
    data = xr.DataArray(y.T, {"t": T}, ["t", "x"])
    found = curvefit(data, "t", njit_decay, kwargs={"sigma": sigma.T})
    expected = curve_fit_many(njit_decay, T, y, sigma=sigma)
    np.testing.assert_array_equal(found.curvefit_coefficients, expected.popt)


def test_attributes_of_a_dataset_stay(stack):
    data = labelled(stack, attrs={"units": "K"})
    found = curvefit(xr.Dataset({"one": data}, attrs={"title": "experiment"}), "t", njit_decay)
    assert found.attrs == {"title": "experiment"}
    assert curvefit(data, "t", njit_decay).attrs == {}


def test_starts_of_a_wrong_shape_are_refused_by_name(stack):
    data = labelled(stack)
    with pytest.raises(ValueError, match=r"p0 or bounds have the shape \(2,\), but the fits"):
        curvefit(data, "t", njit_decay, p0={"a": np.ones(2)})
    with pytest.raises(ValueError, match="not both"):
        curvefit(data, "t", njit_decay, p0={}, kwargs={"p0": "neighbours"})


@pytest.mark.parametrize("is_lazy", [False, True])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda values: values,
        lambda values: values.tolist(),
        pd.DataFrame,
        da.from_array,
        lambda values: xr.Variable(("t", "x"), values),
        lambda values: xr.DataArray(values, dims=("t", "x")),
    ],
    ids=["array", "list", "table", "Dask", "Variable", "DataArray"],
)
def test_errors_with_the_shape_of_the_data_have_its_dimensions(wrap, is_lazy):
    rng = np.random.default_rng(0)
    t = np.linspace(0, 4, 20)
    y = decay(t[:, None], 3, np.linspace(0.5, 2, 20), 0.5) + 0.05 * rng.standard_normal((20, 20))
    sigma, mask = np.exp(rng.standard_normal((20, 20))), rng.random((20, 20)) < 0.1
    data = xr.DataArray(y, dims=("t", "x"), coords={"t": t})
    if is_lazy:
        data = data.chunk({"x": 5})
    found = curvefit(data, "t", decay, kwargs={"sigma": wrap(sigma), "mask": wrap(mask)})
    expected = curve_fit_many(decay, t, y.T, sigma=sigma.T, mask=mask.T)
    np.testing.assert_allclose(found.curvefit_coefficients, expected.popt, rtol=1e-6)


@pytest.mark.parametrize("pair", [5, (0, 1, 3)])
def test_bounds_that_are_no_pair_are_refused(pair):
    data = xr.DataArray(np.ones(30), dims="t", coords={"t": T})
    with pytest.raises(ValueError, match=r"bounds of b must be a pair \(lower, upper\)"):
        curvefit(data, "t", decay, bounds={"b": pair})


def test_structured_dask_arrays_are_refused():
    y = np.zeros((4, 6), [("numbers", float, 14)])
    signature = "intc(voidptr, intc, intc, CPointer(double), CPointer(double), intc)"
    func = numba.cfunc(signature)(lambda data, m, n, x, f, flag: 0)
    with pytest.raises(TypeError, match="structured Dask array"):
        curve_fit_many(NativeFunction(func, 14), None, da.from_array(y), np.ones(2))


@pytest.mark.parametrize("option", [{"threads": 2}, {"chunk": 5}])
def test_options_of_threads_are_not_for_dask(stack, option):
    with pytest.raises(TypeError, match="threads and chunk are not for Dask arrays"):
        curve_fit_many(decay, T, da.from_array(stack), **option)
