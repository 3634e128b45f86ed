"""What data in parts may be, and the errors about them."""

import pickle
import subprocess
import sys

import numba
import numpy as np
import pytest
from problems.rows import decay, far, line

from leastsq import Parts, curve_fit, least_squares, leastsq


class Sliced:
    """Data that can only be sliced, as those of a file."""

    def __init__(self, values):
        self.values = values
        self.shape = values.shape
        self.dtype = values.dtype
        self.ndim = values.ndim
        self.largest = 0

    def __len__(self):
        return len(self.values)

    def __array__(self, *args, **kwargs):
        raise AssertionError("all data are read at once")

    def __getitem__(self, key):
        taken = self.values[key]
        self.largest = max(self.largest, taken.shape[-1])
        return taken


@pytest.mark.parametrize("form", ["1-D", "tuple", "2-D"])
def test_anything_that_slices(form):
    rng = np.random.default_rng(32)
    t = np.linspace(0, 5, 500)
    y = decay(t, 2.5, 1.3, 0.5) + 0.1 * rng.standard_normal(t.size)
    f = decay if form == "1-D" else lambda x, a, b, c: decay(x[0], a, b, c)
    x = {"1-D": t, "tuple": (t, t), "2-D": np.array([t, t])}[form]
    whole = curve_fit(f, x, y, sigma=1 + t)[0]
    slow = tuple(map(Sliced, x)) if form == "tuple" else Sliced(x)
    data = Sliced(y), Sliced(1 + t)
    found = curve_fit(f, slow, data[0], sigma=data[1], chunks=70)[0]
    assert found == pytest.approx(whole, rel=1e-6)
    assert max(each.largest for each in data) <= 256


def test_a_memory_map_and_a_table(tmp_path):
    rng = np.random.default_rng(32)
    pandas = pytest.importorskip("pandas")
    t = np.linspace(0, 5, 500)
    y = decay(t, 2.5, 1.3, 0.5) + 0.1 * rng.standard_normal(t.size)
    whole = curve_fit(decay, t, y)[0]
    for name, values in (("t", t), ("y", y)):
        np.save(tmp_path / name, values)
    mapped = (np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "ty")
    assert curve_fit(decay, *mapped, chunks=70)[0] == pytest.approx(whole, rel=1e-6)
    table = pandas.DataFrame({"t": t, "y": y}, index=np.arange(500)[::-1])
    found = curve_fit(decay, table.t, table.y, chunks=70)[0]
    assert found == pytest.approx(whole, rel=1e-6)
    found = curve_fit(lambda x, a, b, c: decay(x.t, a, b, c), table, table.y, chunks=70)[0]
    assert found == pytest.approx(whole, rel=1e-6)


def test_missing_points_are_left_out_of_parts():
    rng = np.random.default_rng(32)
    t = np.linspace(0, 5, 300)
    y = decay(t, 2.5, 1.3, 0.5) + 0.1 * rng.standard_normal(t.size)
    y[50:110] = np.nan  # the whole of some parts
    t[200] = np.nan
    options = {"nan_policy": "omit", "sigma": 1 + np.arange(300.0), "full_output": True}
    whole = curve_fit(decay, t, y, **options)
    found = curve_fit(decay, t, y, chunks=20, **options)
    assert far(whole[0], whole[1], found)[0] < 1e-5
    assert found[2]["count"] == whole[2]["fvec"].size == 239
    with pytest.raises(ValueError, match="infs or NaNs: ydata") as raised:
        curve_fit(decay, t, y, chunks=20)
    assert "part 2 of 15" in raised.value.__notes__[0]


def test_masked_points_are_left_out_of_parts():
    rng = np.random.default_rng(32)
    t = np.linspace(0, 5, 300)
    y = decay(t, 2.5, 1.3, 0.5) + 0.1 * rng.standard_normal(t.size)
    bad = np.arange(300) % 7 == 0
    bad[40:90] = True
    spoiled = np.where(bad, np.nan, y)
    whole = curve_fit(decay, t[~bad], y[~bad])
    for x, z in (
        (t, np.ma.array(y + 5 * bad, mask=bad)),
        (np.ma.array(t, mask=bad), y + 5 * bad),
        (t, np.ma.masked_invalid(spoiled)),
    ):
        for options in ({"chunks": 20}, {"chunks": 20, "nan_policy": "omit"}, {"threads": 2}):
            assert far(*whole, curve_fit(decay, x, z, **options))[0] < 1e-5
    f = numba.njit(decay)
    found = curve_fit(f, t, np.ma.array(y + 5 * bad, mask=bad), chunks=100, full_output=True)
    assert far(*whole, found)[0] < 1e-5
    assert found[2]["count"] == np.count_nonzero(~bad)


def test_files_that_hold_arrays(tmp_path):
    rng = np.random.default_rng(32)
    h5py = pytest.importorskip("h5py")
    t = np.linspace(0, 5, 500)
    y = decay(t, 2.5, 1.3, 0.5) + 0.1 * rng.standard_normal(t.size)
    whole = curve_fit(decay, t, y, sigma=1 + t)
    with h5py.File(tmp_path / "data.h5", "w") as file:
        stored = [
            file.create_dataset(name, data=v) for name, v in zip("tys", (t, y, 1 + t), strict=True)
        ]
        found = curve_fit(decay, *stored[:2], sigma=stored[2], chunks=70)
        assert far(*whole, found)[0] < 1e-5
    zarr = pytest.importorskip("zarr")
    stored = [zarr.array(values, chunks=(60,)) for values in (t, y, 1 + t)]
    found = curve_fit(decay, *stored[:2], sigma=stored[2], chunks=70)
    assert far(*whole, found)[0] < 1e-5


def test_parts_without_rows_and_with_few():
    rng = np.random.default_rng(32)
    t = np.linspace(0, 5, 101)
    y = decay(t, 2.5, 1.3, 0.5) + 0.1 * rng.standard_normal(t.size)
    pieces = [slice(0, 0), slice(0, 1), slice(1, 1), slice(1, 3), slice(3, 101), slice(0, 0)]

    def load(i):
        return t[pieces[i]], y[pieces[i]]

    def residuals(p, t, y):
        return decay(t, *p) - y

    whole = leastsq(residuals, [1, 1, 1], args=(t, y))
    found = leastsq(residuals, [1, 1, 1], args=(Parts(load, 6),), threads=2)
    assert found[0] == pytest.approx(whole[0], rel=1e-7)
    with pytest.raises(TypeError, match="2 residuals, which must not be fewer than the 3"):
        leastsq(residuals, [1, 1, 1], args=(Parts(lambda i: load(1), 2),))


def test_other_arguments_beside_parts():
    t = np.linspace(0, 5, 50)

    def residuals(p, power, t, level):
        return p[0] * t**power + level - 3 * t**2 - 1

    p, _ = leastsq(residuals, [1.0], args=(2, Parts(lambda i: t[10 * i : 10 * i + 10], 5), 1))
    assert p == pytest.approx([3.0])
    with pytest.raises(TypeError, match="one object Parts, got 2"):
        leastsq(residuals, [1.0], args=(Parts(abs, 1), Parts(abs, 1)))


def test_an_error_names_its_part():
    def load(i):
        if i == 3:
            raise OSError("cannot read")
        return np.arange(5.0)

    with pytest.raises(OSError, match="cannot read") as raised:
        leastsq(lambda p, t: p[0] - t, [1.0], args=(Parts(load, 6),))
    assert "part 3 of 6" in raised.value.__notes__[0]
    assert raised.value.x == pytest.approx([1.0])


@pytest.mark.parametrize("given", [0, -1, 1.5, True, "3", None])
def test_improper_numbers_of_parts(given):
    with pytest.raises(ValueError, match="count must be"):
        Parts(abs, given)


def test_improper_arguments():
    t = np.arange(10.0)
    with pytest.raises(TypeError, match="load must be callable"):
        Parts([1, 2], 2)
    for chunks in (0, -5, "many", 2.5):
        with pytest.raises((ValueError, TypeError), match="chunks"):
            curve_fit(line, t, t, chunks=chunks)
    for threads in (0, -2, 1.5, True, "all"):
        with pytest.raises((ValueError, TypeError), match="threads"):
            curve_fit(line, t, t, threads=threads)
    with pytest.raises(ValueError, match="xdata has 10 points, but ydata 9"):
        curve_fit(line, t, t[:9], chunks=3)
    with pytest.raises(ValueError, match="sigma must be one number, or one for each"):
        curve_fit(line, t, t, sigma=t[:4] + 1, chunks=3)
    with pytest.raises(ValueError, match="must be 1-D"):
        curve_fit(line, t, t, sigma=np.eye(10), chunks=3)
    with pytest.raises(ValueError, match="must be 1-D"):
        curve_fit(line, t, t.reshape(2, 5), chunks=3)
    with pytest.raises(ValueError, match="vectorized and workers"):
        curve_fit(line, t, t, chunks=3, vectorized=True)
    with pytest.raises(ValueError, match="f_scale must be one number"):
        leastsq(lambda p, t: p - t, [1.0], args=(Parts(abs, 2),), loss="huber", f_scale=[1, 2, 3])


@pytest.mark.parametrize(
    "f",
    [
        lambda t, a, b: a * t.mean() + b * t,
        lambda t, a, b: a + b * np.cumsum(t),
        lambda t, a, b: a + b * np.arange(t.size),
        lambda t, a, b: a + b * (t - t[0]),
        lambda t, a, b: a + b * np.gradient(t**2),
        lambda t, a, b: a + b * t / t.max(),
        lambda t, a, b: a + b * t + (b - 1) * t.std(),  # no effect at the start
    ],
)
def test_a_model_that_uses_other_points_is_refused(f):
    t = np.linspace(0, 5, 300)
    y = f(t, 2.0, 3.0)
    assert curve_fit(f, t, y)[0] == pytest.approx([2.0, 3.0])
    with pytest.raises(ValueError, match="cannot be called for parts of the data"):
        curve_fit(f, t, y, chunks=100)


def test_data_without_points_and_parts_that_change():
    for options in ({}, {"bounds": (0, 10)}):
        with pytest.raises(ValueError, match="empty"):
            curve_fit(decay, [], [], chunks=1, **options)
        with pytest.raises(ValueError, match="no residuals"):
            leastsq(lambda p, t: p[0] - t, [1.0], args=(Parts(lambda i: np.empty(0), 3),))
    calls = []

    def growing(i):
        calls.append(i)
        return np.arange(10.0 + len(calls))

    with pytest.raises(ValueError, match="number of residuals has changed from"):
        leastsq(lambda p, t: p[0] * p[0] - t, [1.0], args=(Parts(growing, 3),))


def test_a_stop_of_an_iterator_is_not_the_end():
    with pytest.raises(StopIteration):
        leastsq(lambda p, t: p - t, [1.0], args=(Parts(lambda i: next(iter([])), 3),))
    with pytest.raises(TypeError, match="Parts is for leastsq"):
        curve_fit(decay, Parts(abs, 2), None)
    with pytest.raises(TypeError, match="Parts is for leastsq"):
        least_squares(lambda p: p, [1.0], args=(Parts(abs, 2),))


def test_parts_that_come_from_another_process():
    code = (
        "import pickle, sys, leastsq\n"
        "parts = pickle.loads(bytes.fromhex(sys.argv[1]))\n"
        "p, ier = leastsq.leastsq(lambda p, i: [p[0] - i, 2*p[0] - 2*i], [9.0], args=(parts,))\n"
        "assert abs(p[0] - 1) < 1e-6, p\n"
    )
    pickled = pickle.dumps(Parts(abs, 3)).hex()
    subprocess.run([sys.executable, "-c", code, pickled], check=True, timeout=60)


def test_a_short_last_part_is_looked_at():
    x = np.resize(np.linspace(0, 1, 1000), 147_480)  # 147 sweeps, and the begin of another

    def sweep(x, a, k):
        return a * np.exp(-k * x / np.max(x))

    y = sweep(x, 2.0, 1.5) + 0.05 * np.random.default_rng(1).standard_normal(x.size)
    with pytest.raises(ValueError, match="cannot be called for parts"):
        curve_fit(sweep, x, y, [1, 1], chunks=True)
    whole, cov = curve_fit(sweep, x, y, [1, 1], loss="soft_l1")
    compiled = curve_fit(numba.njit(sweep), x, y, [1, 1], loss="soft_l1")
    assert far(whole, cov, compiled)[0] < 1e-3


def test_a_large_constant_does_not_hide_that_a_model_mixes_rows():
    x = np.linspace(0, 5, 20_000)

    def drift(x, f, a, b):
        return f + a * np.exp(-b * x / x.max())

    y = drift(x, 1e7, 4e-3, 1.5) + 5e-4 * np.random.default_rng(1).standard_normal(x.size)
    for options in ({"chunks": 2000}, {"threads": 2}):
        with pytest.raises(ValueError, match="cannot be called for parts"):
            curve_fit(drift, x, y, [1e7, 1e-3, 1], **options)


def test_a_transposed_derivative_is_told_as_in_memory():
    def slopes(x, a, b):
        return np.stack([x, np.ones_like(x)])

    x = np.linspace(0, 1, 50)
    for options in ({}, {"chunks": 10}):
        with pytest.raises(TypeError, match=r"\(2, "):
            curve_fit(lambda x, a, b: a * x + b, x, x, [1, 1], jac=slopes, **options)


def test_one_sigma_of_a_file():
    class OnDisk:
        def __init__(self, values):
            self.values, self.shape = values, values.shape

        def __getitem__(self, rows):
            return self.values[rows]

    x = np.linspace(0, 1, 50)
    data = [OnDisk(values) for values in (x, 2 * x + 1 + 0.1 * np.sin(50 * x), np.array([0.1]))]
    popt, _ = curve_fit(lambda x, a, b: a * x + b, *data[:2], [1, 1], sigma=data[2], chunks=10)
    np.testing.assert_allclose(popt, [2, 1], atol=0.1)
