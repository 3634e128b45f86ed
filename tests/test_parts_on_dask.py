"""Data in parts that Dask evaluates."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from leastsq import Parts, curve_fit, leastsq

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")


def decay(t, a, b, c):
    return a * np.exp(-b * t) + c


def decay_jac(t, a, b, c):
    e = np.exp(-b * t)
    return np.column_stack([e, -a * t * e, np.ones_like(t)])


def residuals(p, t, y):
    return decay(t, *p) - y


T = np.linspace(0, 5, 3000)
SIGMA = 0.05 + 0.02 * T
Y = decay(T, 2.5, 1.3, 0.5) + SIGMA * np.random.default_rng(7).standard_normal(T.size)


def load(i):
    return T[300 * i : 300 * i + 300], Y[300 * i : 300 * i + 300]


@pytest.fixture(autouse=True, scope="module")
def without_processes():
    with dask.config.set(scheduler="threads"):
        yield


def apart(found, whole):
    return np.abs(found[0] - whole[0]).max() / np.sqrt(np.diag(whole[1])).min()


CHUNKS = {
    "alike": (400, 400, 400),
    "of every point's own": ((1, 2999),) * 3,
    "that differ": (400, 501, 1000),
    "and arrays": (400, None, None),
}


@pytest.mark.parametrize("chunks", [30, 10])
def test_a_covariance_matrix_of_the_data_is_refused(chunks):
    t, y = (da.from_array(np.linspace(0, 5, 30) + k, chunks=chunks) for k in (0, 1))
    for sigma in (np.eye(30), da.from_array(np.eye(30), chunks=(30, chunks))):
        with pytest.raises(ValueError, match=r"sigma must be 1-D .* got the shape \(30, 30\)"):
            curve_fit(decay, t, y, np.ones(3), sigma=sigma)


@pytest.mark.parametrize("chunks", CHUNKS.values(), ids=CHUNKS)
def test_arrays_with_chunks(chunks):
    whole = curve_fit(decay, T, Y, sigma=SIGMA, jac=decay_jac)
    y, t, sigma = (
        values if each is None else da.from_array(values, chunks=each)
        for values, each in zip((Y, T, SIGMA), chunks, strict=True)
    )
    assert apart(curve_fit(decay, t, y, sigma=sigma, jac=decay_jac), whole) < 1e-9
    assert apart(curve_fit(decay, t, Y, sigma=SIGMA, jac=decay_jac), whole) < 1e-9 or t is T


def test_options_work_as_in_memory():
    t, y = (da.from_array(values, chunks=700) for values in (T, Y))
    for options in (
        {"bounds": ([0, 1.31, 0], np.inf)},
        {"loss": "soft_l1", "f_scale": 0.1},
        {"loss": "huber", "f_scale": SIGMA},
        {"sigma": 0.1, "absolute_sigma": True},
    ):
        whole = curve_fit(decay, T, Y, jac=decay_jac, **options)
        found = curve_fit(decay, t, y, jac=decay_jac, **options)
        assert found[0] == pytest.approx(whole[0], rel=1e-8)
        assert found[1] == pytest.approx(whole[1], rel=1e-7)


def test_several_variables():
    f = lambda x, a, b: a * x[0] + b * x[1]  # noqa: E731
    z = 2 * np.array([T, T**2])[0] + 3 * T**2
    y = da.from_array(z, chunks=800)
    lazy = [da.from_array(each, chunks=500) for each in (T, T**2)]
    assert curve_fit(f, tuple(lazy), y)[0] == pytest.approx([2, 3])
    assert curve_fit(f, da.stack(lazy), y)[0] == pytest.approx([2, 3])


@pytest.mark.slow
def test_the_same_bits_with_every_scheduler():
    t, y = (da.from_array(values, chunks=400) for values in (T, Y))
    found = []
    for scheduler in ("threads", "synchronous", "processes"):
        with dask.config.set(scheduler=scheduler):
            found.append(curve_fit(decay, t, y))
    for popt, pcov in found[1:]:
        assert (popt == found[0][0]).all()
        assert (pcov == found[0][1]).all()


def test_chunks_of_unknown_size():
    y = da.from_array(Y, chunks=400)
    t = da.from_array(T, chunks=400)
    is_early = t < 3
    t, y = t[is_early], y[is_early]
    assert np.isnan(y.shape[0])
    early = T < 3
    whole = curve_fit(decay, T[early], Y[early])
    assert apart(curve_fit(decay, t, y), whole) < 1e-5


def test_tables_and_bags():
    dataframes = pytest.importorskip("dask.dataframe", exc_type=ImportError)
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"t": T, "y": Y, "sigma": SIGMA})
    table = dataframes.from_pandas(frame, npartitions=6)
    whole = curve_fit(decay, T, Y, sigma=SIGMA)
    assert apart(curve_fit(decay, table.t, table.y, sigma=table.sigma), whole) < 1e-5

    def of_table(p, part, power):
        return (decay(part["t"], *p) - part["y"]) / part["sigma"] ** power

    found = leastsq(of_table, [1, 1, 1], args=(table, 1), partitioned=True, full_output=True)
    assert apart(found, whole) < 1e-5
    assert found[2]["count"] == T.size
    assert found[2]["fvec"] is None


def test_tables_of_files(tmp_path):
    dataframes = pytest.importorskip("dask.dataframe", exc_type=ImportError)
    pandas = pytest.importorskip("pandas")
    for i in range(6):
        part = slice(500 * i, 500 * i + 500)
        frame = pandas.DataFrame({"t": T[part], "y": Y[part], "sigma": SIGMA[part], "other": 1.0})
        frame.to_parquet(tmp_path / f"{i}.parquet")
    table = dataframes.read_parquet(tmp_path)
    early = table[table.t < 3]
    chosen = T < 3
    whole = curve_fit(decay, T[chosen], Y[chosen], sigma=SIGMA[chosen])
    assert apart(curve_fit(decay, early.t, early.y, sigma=early.sigma), whole) < 1e-5
    of_table = lambda x, a, b, c: decay(x["t"], a, b, c)  # noqa: E731
    found = curve_fit(of_table, early[["t", "other"]], early.y, sigma=early.sigma)
    assert apart(found, whole) < 1e-5
    found = curve_fit(decay, table.t, (table.y / table.sigma) * table.sigma)
    assert apart(found, curve_fit(decay, T, Y)) < 1e-5


def test_missing_and_masked_values_on_dask():
    dataframes = pytest.importorskip("dask.dataframe", exc_type=ImportError)
    pandas = pytest.importorskip("pandas")
    bad = np.arange(T.size) % 5 == 0
    whole = curve_fit(decay, T[~bad], Y[~bad])
    values = pandas.array(Y, dtype="Float64")
    values[bad] = pandas.NA
    frame = pandas.DataFrame({"t": T, "y": values})
    table = dataframes.from_pandas(frame, npartitions=6)
    assert apart(curve_fit(decay, table.t, table.y, nan_policy="omit"), whole) < 1e-5
    masked = da.from_array(np.ma.array(Y + 5 * bad, mask=bad), chunks=400)
    assert apart(curve_fit(decay, T, masked), whole) < 1e-5


def test_points_of_all_parts_are_compared():
    mean = lambda x, a, b, c: a * np.exp(-b * (x - x.mean())) + c  # noqa: E731
    t, y = (da.from_array(values, chunks=300) for values in (T, Y))
    late = t > 1  # the first parts are empty
    with pytest.raises(ValueError, match="cannot be called for parts"):
        curve_fit(mean, t[late], y[late])
    chunks = ((1, 1499, 1500),)
    with pytest.raises(ValueError, match="cannot be called for parts"):
        curve_fit(mean, t.rechunk(chunks), y.rechunk(chunks))
    gap = np.where(np.arange(T.size) < 500, np.nan, Y)
    found = curve_fit(decay, t, da.from_array(gap, chunks=300), nan_policy="omit")
    assert apart(found, curve_fit(decay, T[500:], Y[500:])) < 1e-5


def test_a_bag_and_delayed_parts():
    bags = pytest.importorskip("dask.bag")
    bag = bags.from_sequence([load(i) for i in range(10)], npartitions=4)

    def of_bag(p, part):
        return np.concatenate([residuals(p, *piece) for piece in part])

    whole = leastsq(residuals, [1, 1, 1], args=(T, Y))[0]
    found = leastsq(of_bag, [1, 1, 1], args=(bag,), partitioned=True)[0]
    assert found == pytest.approx(whole, rel=1e-7)
    found = leastsq(residuals, [1, 1, 1], args=(Parts(load, 10, dask=True),))[0]
    assert found == pytest.approx(whole, rel=1e-7)


def test_a_thousand_partitions():
    t, y = (da.from_array(values, chunks=3) for values in (T, Y))
    whole = curve_fit(decay, T, Y, jac=decay_jac)
    assert apart(curve_fit(decay, t, y, jac=decay_jac), whole) < 1e-9


def test_an_error_names_its_part():
    def bad(p, t, y):
        if t[0] > 3:
            raise ArithmeticError("too late")
        return residuals(p, t, y)

    with pytest.raises(ArithmeticError, match="too late") as raised:
        leastsq(bad, [1, 1, 1], args=(Parts(load, 10, dask=True),))
    assert "of 10" in raised.value.__notes__[0]
    assert raised.value.x == pytest.approx([1, 1, 1])


def test_improper_collections():
    t, y = (da.from_array(values, chunks=400) for values in (T, Y))
    with pytest.raises(TypeError, match="needs a Dask collection"):
        leastsq(residuals, [1, 1, 1], args=(T, Y), partitioned=True)
    with pytest.raises(ValueError, match="different numbers of partitions"):
        leastsq(residuals, [1, 1, 1], args=(t, y.rechunk(100)), partitioned=True)
    with pytest.raises(ValueError, match="same number of points"):
        curve_fit(decay, t[:100], y)
    with pytest.raises(ValueError, match="must be 1-D"):
        curve_fit(decay, t, y.reshape(2, -1))
    with pytest.raises(ValueError, match="not for Dask arrays"):
        curve_fit(decay, t, y, chunks=10)
    with pytest.raises(ValueError, match="not with Parts"):
        leastsq(residuals, [1, 1, 1], args=(Parts(load, 10),), partitioned=True)
    with pytest.raises(ValueError, match="cannot be called for parts"):
        curve_fit(lambda t, a, b: a + b * (t - t.mean()), t, y)


def test_points_left_out_of_one_array_alone_are_noticed():
    t, y = (da.from_array(values, chunks=20_000) for values in (T, Y))
    early = t < 3
    for options in ({"xdata": t}, {"xdata": t[early], "sigma": 1 + t}):
        with pytest.raises(ValueError, match=r"points in a part where ydata has"):
            curve_fit(decay, ydata=y[early], **options)


def test_one_error_for_all_points_may_be_lazy():
    whole = curve_fit(decay, T, Y, sigma=0.05)
    assert apart(curve_fit(decay, T, Y, sigma=da.from_array(np.array(0.05))), whole) < 1e-5


def test_partitions_that_can_be_read_once_only():
    bags = pytest.importorskip("dask.bag")
    bag = bags.from_sequence(list(zip(T, Y, strict=True)), npartitions=3)
    bag = bag.map_partitions(lambda part: (pair for pair in part))

    def of_pairs(p, part):
        t, y = np.array(part).T
        return decay(t, *p) - y

    found = leastsq(of_pairs, [1, 1, 1], args=(bag,), partitioned=True)[0]
    np.testing.assert_allclose(found, curve_fit(decay, T, Y)[0], rtol=1e-5)


def test_max_time_and_callback():
    seen = []

    def callback(x):
        seen.append(x)

    parts = Parts(load, 10, dask=True)
    x, _ = leastsq(residuals, [1, 1, 1], args=(parts,), callback=callback)
    assert seen[-1] == pytest.approx(x)
    with pytest.warns(RuntimeWarning, match="max_time is over"):
        assert leastsq(residuals, [1, 1, 1], args=(parts,), max_time=0)[1] == 11


def test_dask_is_imported_when_it_is_needed_only():
    code = (
        "import sys, numpy as np, leastsq\n"
        "t = np.arange(9.0)\n"
        "leastsq.curve_fit(lambda t, a, b: a + b*t, t, t, chunks=2)\n"
        "parts = leastsq.Parts(lambda i: t, 3)\n"
        "leastsq.leastsq(lambda p, t: p[0] + p[1]*t - t, [1, 1], args=(parts,))\n"
        "assert not [name for name in sys.modules if name.startswith('dask')]\n"
        "sys.modules['dask'] = None\n"
        "try:\n"
        "    parts = leastsq.Parts(lambda i: t, 3, dask=True)\n"
        "    leastsq.leastsq(lambda p, t: p[0] + p[1]*t - t, [1, 1], args=(parts,))\n"
        "except ImportError as error:\n"
        "    assert 'pip install leastsq[dask]' in str(error)\n"
        "else:\n"
        "    raise AssertionError\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def slow(p, t, y):
    time.sleep(0.02)
    return residuals(p, t, y)


@pytest.mark.slow
def test_a_worker_that_dies_changes_nothing():
    distributed = pytest.importorskip("distributed")
    expected = leastsq(residuals, [1, 1, 1], args=(Parts(load, 10, dask=True),))[0]
    killed = []

    with (
        dask.config.set(scheduler=None, **{"distributed.logging.distributed": "error"}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
    ):

        def kill(x):
            if not killed:
                killed.append(next(iter(cluster.workers.values())).pid)
                threading.Timer(0.05, os.kill, (killed[0], signal.SIGKILL)).start()

        found = leastsq(slow, [1, 1, 1], args=(Parts(load, 10, dask=True),), callback=kill)[0]
        t, y = (da.from_array(values, chunks=700) for values in (T, Y))
        options = {
            "loss": "soft_l1",
            "f_scale": 0.1 + T,
            "diff_step": [1e-7] * 3,
            "x_scale": [1, 2, 3],
        }
        robust = curve_fit(decay, t, y, **options)[0]
    assert killed
    assert (found == expected).all()
    assert robust == pytest.approx(curve_fit(decay, T, Y, **options)[0], rel=1e-6)


def test_an_error_of_the_model_does_not_load_the_data():
    loaded = []

    def block(values, block_info=None):
        loaded.append(block_info)
        return values

    t = da.from_array(T, chunks=300).map_blocks(block, dtype=float, meta=np.empty(0))
    y = da.from_array(Y, chunks=300)

    def fails(t, a, b):
        raise ValueError("no model")

    with pytest.raises(ValueError, match="no model"), dask.config.set(scheduler="synchronous"):
        curve_fit(fails, t, y, [1, 1])
    assert len(loaded) < t.numblocks[0]
