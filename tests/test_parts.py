"""Data in parts: the answer is that of the same fit in memory."""

import pickle
import subprocess
import sys
import threading

import numba
import numpy as np
import pytest
from problems import bounded, mgh, traps

from leastsq import FitError, OptimizeWarning, Parts, curve_fit, least_squares, leastsq
from leastsq._parts.threads import Threads

RNG = np.random.default_rng(32)


@pytest.fixture(autouse=True)
def begin_the_random_numbers():
    """Make the data of a test independent of the tests before it."""
    global RNG
    RNG = np.random.default_rng(32)


def decay(t, a, b, c):
    return a * np.exp(-b * t) + c


def decay_jac(t, a, b, c):
    e = np.exp(-b * t)
    return np.column_stack([e, -a * t * e, np.ones_like(t)])


def peak(t, a, m, s, c):
    return a * np.exp(-(((t - m) / s) ** 2) / 2) + c


def peak_jac(t, a, m, s, c):
    z = (t - m) / s
    e = np.exp(-(z**2) / 2)
    return np.column_stack([e, a * e * z / s, a * e * z**2 / s, np.ones_like(t)])


def line(t, a, b):
    return a + b * t


def line_jac(t, a, b):
    return np.column_stack([np.ones_like(t), t])


MODELS = [
    (decay, decay_jac, (2.5, 1.3, 0.5)),
    (peak, peak_jac, (3.0, 2.2, 0.7, 0.2)),
    (line, line_jac, (1.0, -0.4)),
]


def problem(seed):
    """A random fit: model, derivative, data, start, and options."""
    rng = np.random.default_rng(seed)
    f, jac, true = MODELS[rng.integers(len(MODELS))]
    m = int(rng.integers(12, 900))
    t = np.sort(rng.uniform(0, 5, m))
    y = f(t, *true) + 0.1 * rng.standard_normal(m)
    p0 = np.array(true) * rng.uniform(0.7, 1.4, len(true))
    options = {}
    if rng.random() < 0.5:
        options["sigma"] = rng.uniform(0.05, 0.2, m)
        options["absolute_sigma"] = bool(rng.random() < 0.5)
    if rng.random() < 0.4:
        options["bounds"] = np.array(true) - rng.uniform(0.01, 1, len(true)), np.inf
        p0 = np.maximum(p0, options["bounds"][0])
    if rng.random() < 0.4:
        options["loss"] = str(rng.choice(["soft_l1", "huber", "cauchy"]))
        options["f_scale"] = float(rng.uniform(0.5, 2))
        y[rng.random(m) < 0.1] += 3
    chunks = int(rng.choice([1, 2, 3, 5, 50, m // 2, m - 1, m, 10 * m]))
    return f, jac, t, y, p0, options, chunks


def far(popt, pcov, other):
    """How far two results are apart, in standard errors; also compare the errors."""
    error = np.sqrt(np.diag(pcov))
    is_free = error > 0
    apart = np.abs(popt - other[0])[is_free] / error[is_free]
    scale = np.sqrt(np.outer(error, error))[np.ix_(is_free, is_free)]
    errors = np.abs(pcov - other[1])[np.ix_(is_free, is_free)] / scale
    return apart.max(initial=0), errors.max(initial=0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200))
def test_the_answer_is_that_of_the_fit_in_memory(seed):
    f, jac, t, y, p0, options, chunks = problem(seed)
    options |= {"jac": jac, "full_output": True}
    popt, pcov, info, _, _ = curve_fit(f, t, y, p0, **options)
    found = curve_fit(f, t, y, p0, chunks=chunks, **options)
    apart, errors = far(popt, pcov, found)
    assert apart < 1e-9
    assert errors < 1e-9
    assert found[2]["count"] == y.size
    assert found[2]["fvec"] is None
    if "loss" not in options:
        assert found[2]["chi2"] == pytest.approx(info["fvec"] @ info["fvec"], rel=1e-12)


@pytest.mark.parametrize("seed", range(0, 200, 8))
def test_differences_have_the_steps_of_the_fit_in_memory(seed):
    f, _, t, y, p0, options, chunks = problem(seed)
    popt, pcov = curve_fit(f, t, y, p0, **options)
    apart, errors = far(popt, pcov, curve_fit(f, t, y, p0, chunks=chunks, **options))
    assert apart < 1e-5
    assert errors < 1e-5


@pytest.mark.parametrize("in_one_trip", [{}, {"threads": 2}])
@pytest.mark.parametrize("loss", ["soft_l1", "cauchy", "arctan"])
def test_a_robust_fit_from_a_poor_start_is_that_in_memory(loss, in_one_trip):
    rng = np.random.default_rng(5)
    t = np.linspace(0, 5, 300)
    y = decay(t, 3, 1, 0.5) + 0.01 * rng.standard_normal(300)
    y[::7] += 3
    for jac in (None, "3-point"):
        options = {"loss": loss, "f_scale": 0.02, "full_output": True, "jac": jac}
        popt, pcov, info, _, _ = curve_fit(decay, t, y, [9, 0.3, 9], **options)
        found = curve_fit(decay, t, y, [9, 0.3, 9], chunks=40, **in_one_trip, **options)
        apart, errors = far(popt, pcov, found)
        assert apart < 1e-5
        assert errors < 1e-5
        assert found[2]["nfev"] == info["nfev"]


def in_parts(residuals, m, edges, x0, **options):
    """Fit residuals whose rows are divided at the edges."""
    edges = sorted({0, m, *edges})

    def part(p, first, last):
        return residuals(p)[first:last]

    parts = Parts(lambda i: (edges[i], edges[i + 1]), len(edges) - 1)
    return leastsq(part, x0, args=(parts,), full_output=True, **options)


HARD = {
    "Kowalik-Osborne",
    "Powell singular",
    "Meyer",
    "Watson",
    "Brown-Dennis",
}  # the last digit decides how they end


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", [c for c in mgh.cases() if c.name not in HARD], ids=lambda c: f"{c.name} {c.factor}"
)
@pytest.mark.parametrize("rows", [1, 4])
def test_moré_garbow_and_hillstrom_in_parts(case, rows):
    whole = leastsq(case.residuals, case.start, full_output=True)
    x, _, info, _, _ = in_parts(case.residuals, case.m, range(0, case.m, rows), case.start)
    least, found = np.linalg.norm(whole[2]["fvec"]), np.sqrt(info["chi2"])
    start = np.linalg.norm(case.residuals(case.start))
    assert found == pytest.approx(least, rel=1e-4, abs=1e-9 * start)
    assert np.linalg.norm(case.residuals(x)) == pytest.approx(found, rel=1e-12, abs=1e-14 * start)


@pytest.mark.parametrize("seed", range(40))
def test_random_bounds_in_parts(seed):
    case = bounded.random_problem(seed)
    m = case.residuals(case.start).size
    whole = leastsq(case.residuals, case.start, bounds=(case.lower, case.upper), full_output=True)
    x, _, info, _, _ = in_parts(
        case.residuals, m, (m // 3, m // 2), case.start, bounds=(case.lower, case.upper)
    )
    least = whole[2]["fvec"] @ whole[2]["fvec"]
    assert info["chi2"] == pytest.approx(least, rel=1e-6, abs=1e-12)
    assert (case.lower <= x).all()
    assert (x <= case.upper).all()


def test_other_starts_are_tried_in_parts():
    trap = traps.TRAPS["peak"] if hasattr(traps, "TRAPS") and "peak" in traps.TRAPS else None
    t = np.linspace(0, 10, 200)
    y = peak(t, 3.0, 7.0, 0.4, 0.1) + 0.05 * RNG.standard_normal(t.size)
    bounds = ([0, 0, 0.05, -1], [10, 10, 5, 1])
    p0 = [0.01, 1.0, 0.2, 0.0]
    assert trap is None or trap.x.size
    whole = curve_fit(peak, t, y, p0, bounds=bounds)[0]
    assert curve_fit(peak, t, y, p0, bounds=bounds, chunks=30)[0] == pytest.approx(whole, rel=1e-5)


def test_steps_of_differences_are_searched_in_parts():
    date = 2.46e6  # a Julian date: the usual step is as long as the peak is wide
    t = date + np.linspace(0, 10, 400)
    y = peak(t, 3.0, date + 5.2, 0.01 * 60, 0.1) + 0.02 * RNG.standard_normal(t.size)
    p0 = [2.0, date + 5.1, 0.5, 0.0]
    whole, cov = curve_fit(peak, t, y, p0)
    found = curve_fit(peak, t, y, p0, chunks=37)
    assert far(whole, cov, found)[0] < 1e-4
    tiny = lambda t, a, b: a + 1e12 * b * (t - date)  # noqa: E731
    whole, cov = curve_fit(tiny, t, y, [1.0, 0.0])
    assert far(whole, cov, curve_fit(tiny, t, y, [1.0, 0.0], chunks=37))[0] < 1e-6


@pytest.mark.parametrize("epsfcn", [0.0, -1.0, 1e-30, 1e-8])
def test_epsfcn_means_what_it_means_in_memory(epsfcn):
    """MINPACK takes the larger of epsfcn and the precision of the machine."""
    t = np.linspace(0, 5, 200)
    y = decay(t, 2.5, 1.3, 0.5)
    options = {"epsfcn": epsfcn, "full_output": True}
    expected = curve_fit(decay, t, y, **options)
    got = curve_fit(decay, t, y, chunks=50, **options)
    np.testing.assert_allclose(got[0], (2.5, 1.3, 0.5), rtol=1e-6)
    assert got[2]["nfev"] == expected[2]["nfev"]


def test_the_bits_do_not_depend_on_the_number_of_threads():
    t = np.linspace(0, 5, 60_000)
    y = decay(t, 2.5, 1.3, 0.5) + 0.1 * RNG.standard_normal(t.size)
    found = [curve_fit(decay, t, y, chunks=7001, threads=threads) for threads in (1, 2, 5)]
    for popt, pcov in found[1:]:
        assert (popt == found[0][0]).all()
        assert (pcov == found[0][1]).all()


def test_threads_are_used():
    t = np.linspace(0, 5, 200_000)
    seen = set()

    def watched(t, a, b):
        seen.add(threading.get_ident())
        return a + b * t

    curve_fit(watched, t, 1 + 2 * t, threads=2)
    assert len(seen) > 1


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
    t = np.linspace(0, 5, 500)
    y = decay(t, 2.5, 1.3, 0.5) + 0.1 * RNG.standard_normal(t.size)
    f = decay if form == "1-D" else lambda x, a, b, c: decay(x[0], a, b, c)
    x = {"1-D": t, "tuple": (t, t), "2-D": np.array([t, t])}[form]
    whole = curve_fit(f, x, y, sigma=1 + t)[0]
    slow = tuple(map(Sliced, x)) if form == "tuple" else Sliced(x)
    data = Sliced(y), Sliced(1 + t)
    found = curve_fit(f, slow, data[0], sigma=data[1], chunks=70)[0]
    assert found == pytest.approx(whole, rel=1e-6)
    assert max(each.largest for each in data) <= 256


def test_a_memory_map_and_a_table(tmp_path):
    pandas = pytest.importorskip("pandas")
    t = np.linspace(0, 5, 500)
    y = decay(t, 2.5, 1.3, 0.5) + 0.1 * RNG.standard_normal(t.size)
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
    t = np.linspace(0, 5, 300)
    y = decay(t, 2.5, 1.3, 0.5) + 0.1 * RNG.standard_normal(t.size)
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
    t = np.linspace(0, 5, 300)
    y = decay(t, 2.5, 1.3, 0.5) + 0.1 * RNG.standard_normal(t.size)
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
    h5py = pytest.importorskip("h5py")
    t = np.linspace(0, 5, 500)
    y = decay(t, 2.5, 1.3, 0.5) + 0.1 * RNG.standard_normal(t.size)
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
    t = np.linspace(0, 5, 101)
    y = decay(t, 2.5, 1.3, 0.5) + 0.1 * RNG.standard_normal(t.size)
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


M = 2**17 + 5000
LARGE = np.linspace(0, 5, M)
njit_decay = numba.njit(nogil=True)(decay)


@numba.njit(nogil=True)
def njit_jac(t, a, b, c):
    found = np.empty((t.size, 3))
    found[:, 0] = np.exp(-b * t)
    found[:, 1] = -a * t * found[:, 0]
    found[:, 2] = 1
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"sigma": 0.1 + LARGE},
        {"sigma": 0.1, "absolute_sigma": True},
        {"bounds": (0, [2.4, 9, 9])},
        {"loss": "soft_l1", "f_scale": 0.1 + LARGE},
        {"jac": njit_jac},
        {"chunks": True},
        {"threads": 2, "sigma": 0.1 + LARGE},
    ],
    ids=lambda options: " ".join(options),
)
def test_compiled_models_of_many_points(options):
    y = decay(LARGE, 2.5, 1.3, 0.5) + 0.1 * RNG.standard_normal(M)
    plain = {name: value for name, value in options.items() if name not in ("chunks", "threads")}
    if "jac" in plain:
        plain["jac"] = decay_jac
    whole = curve_fit(decay, LARGE, y, full_output=True, **plain)
    found = curve_fit(njit_decay, LARGE, y, full_output=True, **options)
    apart, errors = far(whole[0], whole[1], found)
    assert apart < 1e-4
    assert errors < 1e-6
    if plain == options or "jac" in options:
        assert found[2]["fvec"] == pytest.approx(whole[2]["fvec"], abs=1e-8)
        assert found[2]["fjac"].shape == (3, M)
    assert curve_fit(njit_decay, LARGE, y, **options)[0] == pytest.approx(found[0], rel=1e-9)


@pytest.mark.parametrize(
    "f",
    [
        lambda t, a, b: a * t.mean() + b * t,
        lambda t, a, b: a + b * t + (b - 1) * t.std(),
        lambda t, a, b: a + b * LARGE,
    ],
)
def test_compiled_models_that_use_other_points_are_called_for_all(f):
    y = f(LARGE, 2.0, 3.0)
    with np.errstate(all="ignore"):
        popt = curve_fit(numba.njit(nogil=True)(f), LARGE, y, [1.0, 1.0])[0]
    assert popt == pytest.approx([2.0, 3.0], rel=1e-6)


@pytest.mark.parametrize("loss", ["linear", "soft_l1", "cauchy"])
@pytest.mark.parametrize("f_scale", ["one", "each"])
def test_a_compiled_model_of_two_pieces_is_called_for_all(loss, f_scale):
    def pieces(t, a, b, offset):
        values = a * np.exp(-b * t)
        values[50_000:] += offset
        return values

    y = pieces(LARGE, 2.5, 1.3, 0.5) + 0.1 * RNG.standard_normal(M)
    options = {"loss": loss, "f_scale": np.full(M, 0.2) if f_scale == "each" else 0.2}
    if loss == "linear":
        options.clear()
    whole = curve_fit(pieces, LARGE, y, [1, 1, 0.1], **options)
    found = curve_fit(numba.njit(pieces), LARGE, y, [1, 1, 0.1], **options)
    assert far(*whole, found)[0] < 1e-3


@pytest.mark.parametrize("options", [{}, {"chunks": 5000}])
def test_the_look_at_a_model_leaves_the_data_alone(options):
    @numba.njit
    def shifts(t, a, b, c):
        t -= t[0]  # harmless if it is called for all points
        return a * np.exp(-b * t) + c

    t = LARGE + 0.0
    y = decay(t - t[0], 2.5, 1.3, 0.5)
    if options:
        with pytest.raises(ValueError, match="cannot be called for parts"):
            curve_fit(shifts, t, y, **options)
    else:
        assert curve_fit(shifts, t, y)[0] == pytest.approx([2.5, 1.3, 0.5], rel=1e-6)
    np.testing.assert_array_equal(t, LARGE - (0 if options else LARGE[0]))


def test_a_compiled_model_that_is_interrupted(monkeypatch):
    asked = []
    ask = Threads.ask

    def interrupted(self, question):
        asked.append(question)
        if len(asked) > 4:
            raise KeyboardInterrupt
        return ask(self, question)

    monkeypatch.setattr(Threads, "ask", interrupted)
    y = decay(LARGE, 2.5, 1.3, 0.5)
    with pytest.raises(KeyboardInterrupt) as raised:
        curve_fit(njit_decay, LARGE, y)
    cost = np.sum((decay(LARGE, *raised.value.x) - y) ** 2)
    assert cost < np.sum((decay(LARGE, 1, 1, 1) - y) ** 2)
    assert not hasattr(raised.value, "__notes__")


def test_a_compiled_model_without_time():
    calls = np.zeros(1)

    @numba.njit
    def counted(t, a, b, c):
        calls[0] += t.size
        return a * np.exp(-b * t) + c

    with pytest.raises(FitError, match="max_time is over") as raised:
        curve_fit(counted, LARGE, decay(LARGE, 2.5, 1.3, 0.5), max_time=1e-9)
    assert raised.value.popt == pytest.approx([1, 1, 1])


def test_a_compiled_model_of_a_column():
    pandas = pytest.importorskip("pandas")
    t = np.linspace(0, 5, 500)
    table = pandas.DataFrame({"t": t, "y": decay(t, 2.5, 1.3, 0.5)})
    for options in ({"chunks": 100}, {"threads": 2}):
        popt = curve_fit(njit_decay, table.t, table.y, **options)[0]
        assert popt == pytest.approx([2.5, 1.3, 0.5], rel=1e-6)


def test_two_variables_in_compiled_blocks():
    x = np.array([LARGE, LARGE**2])
    f = numba.njit(nogil=True)(lambda x, a, b: a * x[0] + b * x[1])
    y = 2 * x[0] + 3 * x[1]
    assert curve_fit(f, x, y)[0] == pytest.approx([2, 3])
    assert curve_fit(f, x, y, chunks=30_000)[0] == pytest.approx([2, 3])
    assert curve_fit(f, x[:, ::-1], y[::-1], threads=2)[0] == pytest.approx([2, 3])


def test_a_compiled_model_that_computes_in_float32():
    f = numba.njit(nogil=True)(lambda t, a, b: (a * np.exp(-b * t)).astype(np.float32))
    y = 2.0 * np.exp(-1.5 * LARGE) + 0.01 * RNG.standard_normal(M)
    whole, cov = curve_fit(lambda t, a, b: a * np.exp(-b * t), LARGE, y)
    assert far(whole, cov, curve_fit(f, LARGE, y))[0] < 0.1
    assert far(whole, cov, curve_fit(f, LARGE, y, chunks=30_000))[0] < 0.1


def test_a_compiled_model_that_raises_or_returns_a_wrong_shape():
    @numba.njit
    def short(t, a, b):
        return (a + b * t)[:-1]

    @numba.njit
    def bad(t, a, b):
        if t[0] > 1:
            raise ArithmeticError("too late")
        return a + b * t

    for options in ({}, {"chunks": 20_000}, {"threads": 2}):
        with pytest.raises(ValueError, match="shape"):
            curve_fit(short, LARGE, LARGE, **options)
    with pytest.raises(ArithmeticError, match="too late"):
        curve_fit(bad, LARGE, LARGE, chunks=20_000)


@pytest.mark.parametrize("m", [M, 2**17 + 1, 3 * 2**16 + 1])
def test_a_last_block_of_any_size(m):
    t = np.linspace(0, 5, m)
    y = decay(t, 2.5, 1.3, 0.5) + 0.1 * np.random.default_rng(3).standard_normal(m)
    whole = curve_fit(decay, t, y)
    for options in ({}, {"chunks": True}, {"chunks": 50_001, "sigma": 0.5}):
        assert far(*whole, curve_fit(njit_decay, t, y, **options))[0] < 1e-4


def dwell():
    """A pause, then a ramp: the first points do not show what a mean is."""
    return np.where(np.arange(M) < 40_000, 0.0, np.linspace(-1, 5, M))


def sweeps():
    """Sweeps whose range grows at some point."""
    x = np.tile(np.linspace(0, 1, 1024), M // 1024 + 1)[:M]
    x[40 * 1024 :] *= 3
    return x


def large_beside():
    return LARGE


@pytest.mark.parametrize(
    ("f", "data"),
    [
        (lambda x, a, b, c: a * np.exp(-b * (x - x.mean())) + c, dwell),
        (lambda x, a, b, c: a * np.exp(-b * x / x.max()) + c, sweeps),
        (lambda x, a, b, c: a * np.exp(-8 * x) * 1e12 + b * (x - x.mean()) + c, large_beside),
    ],
)
def test_the_other_points_are_far_away(f, data):
    x = data()
    true = [1.0, 0.7, 0.3]
    y = f(x, *true) + 0.02 * np.random.default_rng(4).standard_normal(M)
    whole, cov = curve_fit(f, x, y, [1.0, 1.0, 1.0])
    assert far(whole, cov, curve_fit(numba.njit(f), x, y, [1.0, 1.0, 1.0]))[0] < 1e-3
    with pytest.raises(ValueError, match="cannot be called for parts"):
        curve_fit(f, x, y, [1.0, 1.0, 1.0], chunks=True)


def test_a_derivative_that_uses_other_points():
    @numba.njit
    def of_first(t, a, b, c):
        x = LARGE[: t.size]
        found = np.empty((t.size, 3))
        found[:, 0] = np.exp(-b * x)
        found[:, 1] = -a * x * found[:, 0]
        found[:, 2] = 1
        return found

    y = decay(LARGE, 2.5, 1.3, 0.5) + 0.1 * np.random.default_rng(5).standard_normal(M)
    whole, cov = curve_fit(decay, LARGE, y)
    assert far(whole, cov, curve_fit(njit_decay, LARGE, y, jac=of_first))[0] < 1e-3
    with pytest.raises(ValueError, match="of_first has other values for some"):
        curve_fit(njit_decay, LARGE, y, jac=of_first, chunks=True)


def test_a_loss_of_the_users_own_sees_all_residuals():
    y = decay(LARGE, 2.5, 1.3, 0.5) + 0.1 * np.random.default_rng(6).standard_normal(M)
    weights = np.linspace(1, 2, M)

    def loss(z):
        return np.array([weights * z, weights, 0 * z])

    whole, cov = curve_fit(decay, LARGE, y, loss=loss)
    assert far(whole, cov, curve_fit(njit_decay, LARGE, y, loss=loss))[0] < 1e-3


def test_x_of_three_dimensions():
    y = decay(LARGE, 2.5, 1.3, 0.5) + 0.1 * np.random.default_rng(8).standard_normal(M)
    f = lambda x, a, b, c: a * np.exp(-b * x[0, 0]) + c  # noqa: E731
    x = np.stack([LARGE] * 6).reshape(2, 3, -1)
    whole, cov = curve_fit(decay, LARGE, y)
    for g in (f, numba.njit(f)):
        assert far(whole, cov, curve_fit(g, x, y, [1.0, 1.0, 1.0], chunks=True))[0] < 1e-3


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


def test_evaluations_are_counted_as_in_memory():
    t = np.linspace(0, 5, 1000)
    y = decay(t, 2.5, 1.3, 0.5)
    whole = curve_fit(decay, t, y, [1, 8, 1], full_output=True)[2]
    found = curve_fit(decay, t, y, [1, 8, 1], full_output=True, chunks=100)[2]
    assert found["nfev"] == whole["nfev"]


def test_parallel_models_get_one_thread():
    f = numba.njit(parallel=True)(decay)
    y = decay(LARGE, 2.5, 1.3, 0.5) + 0.1 * np.random.default_rng(9).standard_normal(M)
    whole, cov = curve_fit(decay, LARGE, y)
    assert far(whole, cov, curve_fit(f, LARGE, y, threads=2))[0] < 1e-3


def test_the_callback_sees_each_step():
    t = np.linspace(0, 5, 300)
    y = decay(t, 2.5, 1.3, 0.5) + 0.1 * RNG.standard_normal(t.size)
    seen = []

    def callback(intermediate_result):
        seen.append(intermediate_result)
        return len(seen) == 3

    def residuals(p, t, y):
        return decay(t, *p) - y

    parts = Parts(lambda i: (t[100 * i : 100 * i + 100], y[100 * i : 100 * i + 100]), 3)
    x, ier = leastsq(residuals, [1, 1, 1], args=(parts,), callback=callback)
    assert ier == 12
    assert [each.nit for each in seen] == [1, 2, 3]
    assert seen[-1].x == pytest.approx(x)
    assert seen[-1].fun is None
    assert seen[-1].cost == pytest.approx(residuals(x, t, y) @ residuals(x, t, y) / 2)


def test_the_time_limit_is_kept():
    t = np.linspace(0, 5, 300)
    y = decay(t, 2.5, 1.3, 0.5)
    calls = []

    def residuals(p, t, y):
        calls.append(1)
        return decay(t, *p) - y

    parts = Parts(lambda i: (t, y), 3)
    with pytest.warns(RuntimeWarning, match="max_time is over"):
        x, ier = leastsq(residuals, [1, 1, 1], args=(parts,), max_time=0)
    assert ier == 11
    assert x == pytest.approx([1, 1, 1])
    assert not calls


def test_an_exception_comes_with_the_best_point():
    t = np.linspace(0, 5, 300)
    y = decay(t, 2.5, 1.3, 0.5)
    calls = []

    def f(t, a, b, c):
        calls.append(1)
        if len(calls) > 60:
            raise KeyboardInterrupt
        return decay(t, a, b, c)

    with pytest.raises(KeyboardInterrupt) as raised:
        curve_fit(f, t, y, chunks=100)
    cost = np.sum((decay(t, *raised.value.x) - y) ** 2)
    assert cost < np.sum((decay(t, 1, 1, 1) - y) ** 2)


def test_jacobians_by_central_differences_and_complex_steps():
    t = np.linspace(0, 5, 300)
    y = decay(t, 2.5, 1.3, 0.5) + 0.1 * RNG.standard_normal(t.size)
    for jac in ("3-point", "cs"):
        whole, cov = curve_fit(decay, t, y, jac=jac)
        assert far(whole, cov, curve_fit(decay, t, y, jac=jac, chunks=90))[0] < 1e-7


def test_a_scale_for_each_residual():
    t = np.linspace(0, 5, 300)
    y = decay(t, 2.5, 1.3, 0.5) + 0.1 * RNG.standard_normal(t.size)
    options = {"loss": "soft_l1", "f_scale": 0.1 + t}
    whole, cov = curve_fit(decay, t, y, **options)
    assert far(whole, cov, curve_fit(decay, t, y, chunks=90, **options))[0] < 1e-5


def test_few_points_and_undetermined_parameters():
    with pytest.warns(OptimizeWarning, match="no more points"):
        popt, _ = curve_fit(line, [1.0, 2.0], [3.0, 5.0], chunks=1)
    assert popt == pytest.approx([1, 2])
    with pytest.raises(TypeError, match="must not be fewer"):
        curve_fit(decay, [1.0, 2.0], [3.0, 5.0], chunks=1)
    with pytest.warns(OptimizeWarning, match="act only together"):
        curve_fit(lambda t, a, b: a + b + 0 * t, np.arange(9.0), np.ones(9), chunks=2)


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
