"""Many fits: curve_fit_many beside loops over curve_fit, Dask, and xarray.

The stack of real images is the diffusion MRI that comes with dipy.

`make bench-many` runs this. All take turns in one process; what is reported are medians, and
medians of the ratios of neighbours. The times are microseconds for one fit.
"""

import os
import time
import warnings
from statistics import median

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import dask
import dask.array as da
import nibabel
import numba
import numpy as np
import xarray as xr
from astropy.modeling import custom_model
from astropy.modeling.fitting import LMLSQFitter, parallel_fit_dask
from dipy.data import get_fnames
from scipy import optimize

from leastsq import curve_fit, curve_fit_many
from leastsq.xarray import curvefit

FITS = 4000
SINGLE = 100
TURNS = 9


def exponential(t, a, b, c):
    """A decay with an offset."""
    return a * np.exp(-b * t) + c


def spot(x, a, x0, y0, width, level):
    """A Gaussian spot on a few pixels."""
    return a * np.exp(-((x[0] - x0) ** 2 + (x[1] - y0) ** 2) / (2 * width * width)) + level


def derivatives(x, a, x0, y0, width, level):
    """The derivatives of the spot, by parameter."""
    J = np.empty((x.shape[1], 5))
    for i in range(x.shape[1]):
        u, v = x[0, i] - x0, x[1, i] - y0
        e = np.exp(-(u * u + v * v) / (2 * width * width))
        J[i, 0] = e
        J[i, 1] = a * e * u / (width * width)
        J[i, 2] = a * e * v / (width * width)
        J[i, 3] = a * e * (u * u + v * v) / width**3
        J[i, 4] = 1
    return J


def diffusion(b, s0=200.0, d=1e-3, floor=20.0):
    """The signal of a voxel at the diffusion weightings b, with a constant background."""
    return s0 * np.exp(-b * d) + floor


def relaxation(t, a, t2):
    """The signal of a pixel at the echo times."""
    return a * np.exp(-t / t2)


GRID = np.array(np.meshgrid(np.arange(5.0), np.arange(5.0))).reshape(2, -1)
ECHOES = np.linspace(10, 200, 20)
PROBLEMS = {
    "exponential 50 x 3": (
        exponential, np.linspace(0, 5, 50), [1, 1, 1], [2, 1, 0.3], [3, 1.6, 0.7], 0.05,
    ),
    "spot 25 x 5": (
        spot, GRID, [10, 2, 2, 1, 1], [8, 1.8, 1.8, 0.9, 0.8], [12, 2.2, 2.2, 1.1, 1.2], 0.3,
    ),
    "T2 20 x 2": (relaxation, ECHOES, [100, 50], [80, 40], [120, 120], 1.0),
}  # fmt: skip


@numba.njit
def calls(f, x, y, p, count):
    """Evaluate the residuals so often, in compiled code alone."""
    total = 0.0
    for i in range(count):
        total += (f(x, *p) - y[i % y.shape[0]])[0]
    return total


def made(f, x, low, high, noise, fits):
    """Make random data."""
    rng = np.random.default_rng(1)
    y = np.array([f(x, *p) for p in rng.uniform(low, high, (fits, len(low)))])
    return y + noise * rng.standard_normal(y.shape)


def compare(runs, turns=TURNS):
    """Run in turns; return the microseconds of each, one list for each run."""
    for run, _ in runs.values():
        run()
    taken = {name: [] for name in runs}
    for _ in range(turns):
        for name, (run, fits) in runs.items():
            began = time.perf_counter()
            run()
            taken[name].append((time.perf_counter() - began) / fits * 1e6)
    return taken


def report(title, taken, reference):
    """Print the times and their ratios to one of the runs."""
    print(f"\n{title}")
    for name, times in taken.items():
        ratio = median(t / r for t, r in zip(times, taken[reference], strict=True))
        print(f"  {name:45} {median(times):9.1f} us {1 / ratio:9.2f} times as fast")


def runs_of(f, x, p0, y):
    """What takes turns for one problem, and how many fits each does."""
    compiled = numba.njit(f)
    evaluations = int(curve_fit_many(compiled, x, y, p0).nfev.sum())
    p = tuple(map(float, p0))

    def many(function, **options):
        return lambda: curve_fit_many(function, x, y, p0, **options), FITS

    def one_by_one(fit, function):
        return lambda: [fit(function, x, row, p0) for row in y[:SINGLE]], SINGLE

    runs = {
        "SciPy's curve_fit in a loop": one_by_one(optimize.curve_fit, f),
        "SciPy's curve_fit in a loop, njit": one_by_one(optimize.curve_fit, compiled),
        "curve_fit in a loop, njit": one_by_one(curve_fit, compiled),
        "the model's own calls, njit": (lambda: calls(compiled, x, y, p, evaluations), FITS),
        "many, njit, one thread": many(compiled, threads=1),
        "many, njit, all cores": many(compiled),
        "many, njit, bounds (0, inf)": many(compiled, threads=1, bounds=(0, np.inf)),
        "many, NumPy": many(f),
        "many, NumPy, bounds (0, inf)": many(f, bounds=(0, np.inf)),
    }
    if f is spot:
        runs["many, njit with njit jac"] = many(compiled, jac=numba.njit(derivatives), threads=1)
    return runs


def loops():
    """Compiled models and NumPy models, beside loops over curve_fit."""
    for title, (f, x, p0, low, high, noise) in PROBLEMS.items():
        y = made(f, x, low, high, noise, FITS)
        report(title, compare(runs_of(f, x, p0, y)), "SciPy's curve_fit in a loop")


def stacks():
    """A stack of 512 x 512 decays in 64 chunks, on Dask's threads and on our own."""
    f, x, p0, low, high, noise = PROBLEMS["T2 20 x 2"]
    y = np.tile(made(f, x, low, high, noise, 4096), (64, 1)).reshape(512, 512, 20)
    compiled = numba.njit(f)
    lazy = curve_fit_many(compiled, x, da.from_array(y, chunks=(64, 64, -1)), p0)
    with dask.config.set(scheduler="threads"):
        runs = {
            "our threads": (lambda: curve_fit_many(compiled, x, y, p0), 512**2),
            "Dask's threads, 64 chunks": (lambda: lazy.compute(), 512**2),
        }
        report("T2, 512 x 512 pixels", compare(runs, 5), "our threads")


def labelled():
    """A map of 64 x 64 decays with xarray."""
    f, x, p0, low, high, noise = PROBLEMS["T2 20 x 2"]
    fits = 64 * 64
    y = made(f, x, low, high, noise, fits).reshape(64, 64, 20)
    data = xr.DataArray(y, {"t": x}, ["row", "column", "t"])
    start = dict(zip(["a", "t2"], map(float, p0), strict=True))
    compiled = numba.njit(f)
    runs = {
        "xarray's curvefit": (lambda: data.curvefit("t", f, p0=start), fits),
        "leastsq.xarray.curvefit, NumPy": (lambda: curvefit(data, "t", f, p0=start), fits),
        "leastsq.xarray.curvefit, njit": (lambda: curvefit(data, "t", compiled, p0=start), fits),
    }
    report("T2, 64 x 64 pixels, xarray", compare(runs, 5), "xarray's curvefit")


def voxels():
    """600 voxels of diffusion MRI, 102 weightings each, beside the tools for such stacks."""
    image, weightings, _ = get_fnames(name="small_101D")
    signal = nibabel.load(image).get_fdata()
    b = np.loadtxt(weightings)
    start = {"s0": 200.0, "d": 1e-3, "floor": 20.0}
    p0 = list(start.values())
    data = xr.DataArray(signal, {"b": b}, ["x", "y", "z", "b"])
    compiled = numba.njit(diffusion)
    model = custom_model(diffusion)()
    spectra = np.moveaxis(signal, -1, 0)

    def astropy():
        return parallel_fit_dask(
            data=spectra, model=model, fitter=LMLSQFitter(), fitting_axes=0, world=(b,),
            scheduler="synchronous",
        )  # fmt: skip

    runs = {
        "astropy's parallel_fit_dask": astropy,
        "xarray's curvefit": lambda: data.curvefit("b", diffusion, p0=start),
        "leastsq.xarray.curvefit, NumPy": lambda: curvefit(data, "b", diffusion, p0=start),
        "leastsq.xarray.curvefit, njit": lambda: curvefit(data, "b", compiled, p0=start),
        "many, NumPy": lambda: curve_fit_many(diffusion, b, signal, p0, threads=1),
        "many, njit, one thread": lambda: curve_fit_many(compiled, b, signal, p0, threads=1),
        "many, njit, all cores": lambda: curve_fit_many(compiled, b, signal, p0),
    }
    timed = {name: (run, signal[..., 0].size) for name, run in runs.items()}
    report("Diffusion MRI, 600 voxels x 102", compare(timed, 5), "xarray's curvefit")

    ours = curve_fit_many(diffusion, b, signal, p0)
    fitted = runs["xarray's curvefit"]().curvefit_coefficients.values
    modelled = astropy()
    theirs = np.stack([getattr(modelled, name).value for name in start], axis=-1)
    for name, popt in {"xarray": fitted, "astropy": theirs}.items():
        off = np.max(np.abs(popt - ours.popt) / ours.perr)
        print(f"  {name}'s parameters are at most {off:.1g} standard errors from ours")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    loops()
    stacks()
    labelled()
    voxels()
