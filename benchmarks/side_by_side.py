"""This library and SciPy on the same fits, in one process: `make benchmark`.

The two take turns, now one first and now the other, of as many calls as last a few milliseconds.
What is reported is the median of the ratios of neighbours: a machine that slows down or is shared
slows both.
"""

import math
import os
import subprocess
import sys
import time
from statistics import median

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import lmfit
import numba
import numpy as np
from astropy.modeling import fitting, models
from problems import bounded, mgh
from scipy import optimize

import leastsq


def exponential(p, x, y):
    """The residuals of the exponential fit."""
    return p[0] * np.exp(-p[1] * x) + p[2] - y


def decay(x, a, b, c):
    """The model of the exponential fit."""
    return a * np.exp(-b * x) + c


njit_exponential = numba.njit(exponential)
njit_decay = numba.njit(decay)
X = np.linspace(0, 5, 50)
Y = decay(X, 2, 1.5, 0.5) + 0.2 * np.random.default_rng(0).standard_normal(50)
START = [1.0, 1.0, 1.0]


def exponential_fit(residuals=exponential, **options):
    """The exponential fit of 50 points, with its data as args: one call of a solver."""
    return lambda solver: solver(residuals, START, args=(X, Y), **options)


def curve(model=decay, **options):
    """The same fit by this library's curve_fit, perhaps of a compiled model, and by SciPy's."""
    return (
        lambda: leastsq.curve_fit(model, X, Y, **options),
        lambda: optimize.curve_fit(decay, X, Y, **options),
    )


def patched(fit):
    """A fit of another library with this one in SciPy's place, and without."""

    def with_solver(solver):
        lmfit.minimizer.scipy_leastsq = optimize.leastsq = solver
        fit()

    theirs = optimize.leastsq
    return lambda: with_solver(leastsq.leastsq), lambda: with_solver(theirs)


def peak():
    """A Gaussian of 101 points."""
    x = np.linspace(-5, 5, 101)
    return x, 3 * np.exp(-(x**2) / 2) + 0.1 * np.random.default_rng(0).standard_normal(101)


def lmfit_gaussian():
    """A fit of a peak by lmfit."""
    x, y = peak()
    model = lmfit.models.GaussianModel()
    start = model.make_params(amplitude=5, center=0.5, sigma=1.5)
    return lambda: model.fit(y, start, x=x)


def astropy_gaussian():
    """A fit of a peak by astropy."""
    x, y = peak()
    start, fitter = models.Gaussian1D(2, 0.5, 1.5), fitting.LevMarLSQFitter()
    return lambda: fitter(start, x, y)


def constant_buffer():
    """A residual that costs nothing: what is left is the solver's own overhead."""
    buffer = np.ones(50)
    return lambda solver: solver(lambda p: buffer, START)


def ready_made_jacobian(m, n, order="C"):
    """A linear problem whose one Jacobian is there already: linear algebra alone."""
    rng = np.random.default_rng(m + n)
    J = np.asarray(rng.standard_normal((m, n)), order=order)
    f = rng.standard_normal(m)
    # gtol of 1 is reached with the first Jacobian.
    return lambda solver: solver(lambda p: f, np.ones(n), Dfun=lambda p: J, gtol=1.0)


def with_both(call, theirs=optimize.leastsq):
    """The call with this library's solver and with SciPy's."""
    return lambda: call(leastsq.leastsq), lambda: call(theirs)


def in_bounds(residuals, beside):
    """The exponential fit within (0, 10), which it does not reach, beside another call."""
    call = exponential_fit(residuals, bounds=(0, 10))
    return lambda: call(leastsq.leastsq), beside


SCIPY_IN_BOUNDS = with_both(exponential_fit(bounds=(0, 10)), optimize.least_squares)[1]
TURN = 0.005  # seconds
TURNS, FEW_TURNS = 100, 10
TIMED = {
    "exponential fit, 50 points": with_both(exponential_fit()),
    "constant buffer of 50": with_both(constant_buffer()),
    "lmder, 1e3 x 10": with_both(ready_made_jacobian(1_000, 10)),
    "lmder, 1e5 x 20": with_both(ready_made_jacobian(100_000, 20)),
    "lmder, 1e5 x 20, Fortran order": with_both(ready_made_jacobian(100_000, 20, "F")),
    "lmder, 2e4 x 200": with_both(ready_made_jacobian(20_000, 200)),
    "exponential fit in bounds": in_bounds(exponential, SCIPY_IN_BOUNDS),
    "the same, njit residual": in_bounds(njit_exponential, SCIPY_IN_BOUNDS),
    "its own time, in and without bounds": in_bounds(exponential, with_both(exponential_fit())[0]),
    "curve_fit": curve(),
    "curve_fit from p0": curve(p0=START),
    "curve_fit in bounds": curve(bounds=(0, 10)),
    "curve_fit in bounds from p0": curve(p0=START, bounds=(0, 10)),
    "njit curve_fit": curve(njit_decay),
    "njit curve_fit from p0": curve(njit_decay, p0=START),
    "njit curve_fit in bounds": curve(njit_decay, bounds=(0, 10)),
    "njit curve_fit in bounds from p0": curve(njit_decay, p0=START, bounds=(0, 10)),
    "lmfit, Gaussian of 101 points": patched(lmfit_gaussian()),
    "astropy, the same": patched(astropy_gaussian()),
}


def seconds(call, count):
    """Time a call."""
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count


def compare(one, other):
    """Median times of two calls, and the median of their ratios."""
    counts = [math.ceil(TURN / min(seconds(call, 1) for _ in range(2))) for call in (one, other)]
    times = {one: [], other: []}
    for turn in range(TURNS if min(counts) > 1 else FEW_TURNS):
        both = list(zip((one, other), counts, strict=True))
        for call, count in both if turn % 2 else reversed(both):
            times[call].append(seconds(call, count))
    ratios = (a / b for a, b in zip(times[one], times[other], strict=True))
    return median(times[one]), median(times[other]), median(ratios)


def calls_of_func(solver):
    """How often the exponential fit calls its residual."""
    count = 0

    def counting_solver(func, *args, **kwargs):
        def counted(*func_args):
            nonlocal count
            count += 1
            return func(*func_args)

        return solver(counted, *args, **kwargs)

    exponential_fit()(counting_solver)
    return count


def evaluations(solver, analytic):
    """The sum of nfev over the 53 More-Garbow-Hillstrom cases."""
    total = 0
    for case in mgh.CASES:
        with np.errstate(all="ignore"):
            info = solver(
                case.residuals,
                case.start,
                Dfun=case.jacobian if analytic else None,
                full_output=True,
            )[2]
        total += info["nfev"]
    return total


def bounded_evaluations(solve):
    """The sum of nfev over the bounded problems of Moré, Garbow and Hillstrom.

    But one: SciPy's least_squares takes no parameter that is fixed.
    """
    return sum(
        solve(problem, bounds=(problem.lower, problem.upper), ftol=1.49012e-8, xtol=1.49012e-8)
        for problem in bounded.FAMOUS
        if np.all(problem.lower < problem.upper)
    )


def nfev(problem, **options):
    """The evaluations of this library."""
    with np.errstate(all="ignore"):
        return leastsq.leastsq(
            problem.residuals, problem.start, Dfun=problem.jacobian, full_output=True, **options
        )[2]["nfev"]


def scipys_nfev(problem, **options):
    """The evaluations of least_squares by its default method, trf."""
    with np.errstate(all="ignore"):
        return optimize.least_squares(
            problem.residuals, problem.start, problem.jacobian, **options
        ).nfev


def import_seconds(module):
    """Import a module in a fresh interpreter."""
    code = (
        "import time; start = time.perf_counter(); "
        f"import {module}; print(time.perf_counter() - start)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(run.stdout)


def main():
    """Print one row a figure."""
    print(f"{'':36}{'leastsq':>12}{'SciPy':>12}{'ratio':>8}")
    for name, calls in TIMED.items():
        ours, theirs, ratio = compare(*calls)
        print(f"{name:36}{ours * 1e6:9.1f} us{theirs * 1e6:9.1f} us{ratio:8.3f}")

    counts = {
        "exponential fit, calls of func": calls_of_func,
        "53 MGH cases, nfev, lmder": lambda solver: evaluations(solver, analytic=True),
        "53 MGH cases, nfev, lmdif": lambda solver: evaluations(solver, analytic=False),
    }
    for name, count in counts.items():
        ours, theirs = count(leastsq.leastsq), count(optimize.leastsq)
        print(f"{name:36}{ours:12}{theirs:12}{ours / theirs:8.3f}")
    ours, theirs = bounded_evaluations(nfev), bounded_evaluations(scipys_nfev)
    print(f"{'MGH in bounds, nfev, beside trf':36}{ours:12}{theirs:12}{ours / theirs:8.3f}")

    imports = [(import_seconds("leastsq"), import_seconds("numpy")) for _ in range(15)]
    extra = median(a - b for a, b in imports) * 1e3
    print(f"import leastsq: {extra:.1f} ms above import numpy")


if __name__ == "__main__":
    main()
