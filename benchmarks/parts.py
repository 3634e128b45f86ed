"""Data in parts, and large Jacobians in threads, beside SciPy in memory.

Blocks, threads, memory maps and Dask.
`make bench-parts` runs this. All take turns in one process; what is reported are medians, and
medians of the ratios of neighbours. The memory is that of processes of their own, above what they
took before the fit, without the pages of files.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path
from statistics import median

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import dask
import dask.array as da
import distributed
import numba
import numpy as np
from dask.delayed import Delayed
from scipy import optimize

import leastsq

TRUE = 2.5, 1.3, 0.5
TURNS = 11


def decay(t, a, b, c):
    """A decay with an offset."""
    return a * np.exp(-b * t) + c


njit_decay = numba.njit(nogil=True)(decay)


def data(m):
    """Make a noisy decay of m points."""
    t = np.linspace(0, 5, m)
    return t, decay(t, *TRUE) + 0.05 * np.random.default_rng(1).standard_normal(m)


def interleaved(calls, turns=TURNS):
    """Time calls in turns; return their medians, and the medians of the ratios to the first."""
    times = {name: [] for name in calls}
    for turn in range(turns + 1):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if turn:
                times[name].append(time.perf_counter() - start)
    first = next(iter(times.values()))
    return {
        name: (median(each), median(a / b for a, b in zip(each, first, strict=True)))
        for name, each in times.items()
    }


def show(title, results):
    """Print a table."""
    print(f"\n{title}")
    for name, (seconds, ratio) in results.items():
        print(f"  {name:44}{1e3 * seconds:9.1f} ms{ratio:8.2f}")


def in_memory(m=1_000_000):
    """Time fits of arrays in memory."""
    t, y = data(m)
    fit = leastsq.curve_fit
    results = interleaved(
        {
            "SciPy": lambda: optimize.curve_fit(decay, t, y),
            "SciPy, Numba": lambda: optimize.curve_fit(njit_decay, t, y),
            "leastsq, one call for all points": lambda: fit(decay, t, y),
            "leastsq, chunks=True": lambda: fit(decay, t, y, chunks=True),
            "leastsq, threads=2": lambda: fit(decay, t, y, threads=2),
            "leastsq, Numba": lambda: fit(njit_decay, t, y),
            "leastsq, Numba, threads=2": lambda: fit(njit_decay, t, y, threads=2),
        }
    )
    show(f"{m} points in memory, 3 parameters", results)
    one, two = results["leastsq, Numba"][0], results["leastsq, Numba, threads=2"][0]
    print(f"  two threads, Numba: {one / two:.2f} times as fast as one")
    raw_scaling()


def large_jacobians(m=100_000, n=50):
    """Time fits with a large Jacobian, which threads share, and the functions alone."""
    rng = np.random.default_rng(1)
    A = rng.standard_normal((m, n))
    b = A @ rng.standard_normal(n) + rng.standard_normal(m)
    calls = []

    def residuals(x):
        calls.append(1)
        linear = A @ x - b
        return linear + 1e-4 * linear**2

    def jacobian(x):
        return A

    def fit(threads):
        return leastsq.leastsq(residuals, np.ones(n), Dfun=jacobian, threads=threads)

    fit(1)
    points = [np.ones(n)] * len(calls)
    results = interleaved(
        {
            "SciPy": lambda: optimize.leastsq(residuals, np.ones(n), Dfun=jacobian),
            "leastsq": lambda: fit(1),
            "leastsq, threads=2": lambda: fit(2),
            "the residuals alone": lambda: [residuals(x) for x in points],
        }
    )
    show(f"{m} residuals in NumPy, {n} parameters, ready-made Jacobian", results)
    own = results["the residuals alone"][0]
    one, two = (results[name][0] for name in ("leastsq", "leastsq, threads=2"))
    print(f"  two threads: {one / two:.2f} times as fast as one", end="")
    print(f", {(one - own) / (two - own):.2f} times without the residuals")


def raw_scaling(rows=16384, calls=2000):
    """Print how much faster two threads of this machine are that share nothing."""
    t = np.linspace(0, 5, rows)

    @numba.njit(nogil=True)
    def work(t, calls):
        found = 0.0
        for _ in range(calls):
            found += njit_decay(t, 2.5, 1.3, 0.5)[7]
        return found

    def both():
        threads = [threading.Thread(target=work, args=(t, calls // 2)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    results = interleaved({"one": lambda: work(t, calls), "two": both})
    print(f"  the model alone, in two threads: {1 / results['two'][1]:.2f} times as fast as in one")


def by_dask(m=16_000_000, count=16):
    """Time Dask's threads beside the library's own."""
    t, y = data(m)
    lazy = [da.from_array(each, chunks=m // count) for each in (t, y)]

    def on_dask():
        with dask.config.set(scheduler="threads", num_workers=2):
            leastsq.curve_fit(njit_decay, *lazy)

    calls = {
        "leastsq, threads=2": lambda: leastsq.curve_fit(njit_decay, t, y, threads=2),
        f"Dask's threads, {count} chunks": on_dask,
    }
    show(f"{m} points in memory, Numba", interleaved(calls, 5))


def empty_trips():
    """Time a round trip of Dask in which nothing is done."""
    print("\nEmpty round trips of Dask")
    with (
        distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster),
    ):
        for scheduler in ("threads", None):
            for count in (1, 16, 200):
                with dask.config.set(scheduler=scheduler):
                    seconds = median(trip(count) for _ in range(TURNS))
                name = scheduler or "two processes"
                print(f"  {name:20}{count:5} parts{1e3 * seconds:9.1f} ms")


def trip(count):
    """Compute as many tasks as a question to so many parts has."""
    token = uuid.uuid4().hex
    names = [f"part-{token}-{i}" for i in range(count)]
    tasks = dict.fromkeys(names, (float, 1))
    level = 0
    while len(names) > 1:
        groups = [names[i : i + 8] for i in range(0, len(names), 8)]
        names = [f"add-{token}-{level}-{i}" for i in range(len(groups))]
        tasks.update({name: (sum, group) for name, group in zip(names, groups, strict=True)})
        level += 1
    start = time.perf_counter()
    dask.compute(Delayed(names[0], tasks))
    return time.perf_counter() - start


def from_files(m=10_000_000):
    """Fit memory maps, and arrays with SciPy, in processes of their own."""
    with tempfile.TemporaryDirectory() as folder:
        for name, values in zip("ty", data(m), strict=True):
            np.save(Path(folder) / name, values)
        print(f"\n{m} points, NumPy model, each in a process of its own")
        found = {}
        for _ in range(3):
            for solver in ("SciPy", "leastsq"):
                command = [sys.executable, __file__, solver, folder]
                output = subprocess.run(command, capture_output=True, check=True, text=True)
                found.setdefault(solver, []).append([float(x) for x in output.stdout.split()])
        for solver, runs in found.items():
            seconds, megabytes = (median(column) for column in zip(*runs, strict=True))
            how = "arrays in memory" if solver == "SciPy" else "memory maps, chunks=1_000_000"
            print(f"  {solver + ', ' + how:44}{seconds:9.2f} s {megabytes:8.1f} MB above the data")


def fit_once(solver, folder):
    """Fit the data in a folder; print the time, and the memory above that before the fit."""
    is_scipy = solver == "SciPy"
    mode, options = (None, {}) if is_scipy else ("r", {"chunks": 1_000_000})
    fit = optimize.curve_fit if is_scipy else leastsq.curve_fit
    fit(
        decay,
        np.arange(9.0),
        decay(np.arange(9.0), *TRUE),
        TRUE,
        **({"chunks": 5} if options else {}),
    )
    t, y = (np.load(Path(folder) / f"{name}.npy", mmap_mode=mode) for name in "ty")
    before, peak, is_done = own_memory(), [0], threading.Event()

    def watch():
        while not is_done.wait(0.002):
            peak[0] = max(peak[0], own_memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    fit(decay, t, y, **options)
    seconds = time.perf_counter() - start
    is_done.set()
    watcher.join()
    print(seconds, (peak[0] - before) / 1024)


def own_memory():
    """Return the resident memory of this process without the pages of files, in KB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


def main():
    """Run everything."""
    in_memory()
    large_jacobians()
    from_files()
    by_dask()
    empty_trips()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        fit_once(*sys.argv[1:])
    else:
        main()
