"""This library and SciPy on the same fits, in one process: `make benchmark`.

The two take turns within every repetition, and what is reported is the median of the ratios of
neighbours: a machine that slows down or is shared slows both.
"""

import os
import subprocess
import sys
import time
from statistics import median

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from problems import mgh
from scipy import optimize

import leastsq


def exponential_fit():
    """The exponential fit of 50 points, with its data as args: one call of a solver."""
    x = np.linspace(0, 5, 50)
    y = 2 * np.exp(-1.5 * x) + 0.5 + 0.2 * np.random.default_rng(0).standard_normal(50)

    def residuals(p, x, y):
        a, b, c = p
        return a * np.exp(-b * x) + c - y

    return lambda solver: solver(residuals, [1.0, 1.0, 1.0], args=(x, y))


def constant_buffer():
    """A residual that costs nothing: what is left is the solver's own overhead."""
    buffer = np.ones(50)
    return lambda solver: solver(lambda p: buffer, [1.0, 1.0, 1.0])


def ready_made_jacobian(m, n, order="C"):
    """A linear problem whose one Jacobian is there already: linear algebra alone."""
    rng = np.random.default_rng(m + n)
    J = np.asarray(rng.standard_normal((m, n)), order=order)
    f = rng.standard_normal(m)
    # gtol of 1 is reached with the first Jacobian.
    return lambda solver: solver(lambda p: f, np.ones(n), Dfun=lambda p: J, gtol=1.0)


TIMED = {
    "exponential fit, 50 points": (exponential_fit(), 1000),
    "constant buffer of 50": (constant_buffer(), 2000),
    "lmder, 1e3 x 10": (ready_made_jacobian(1_000, 10), 300),
    "lmder, 1e5 x 20": (ready_made_jacobian(100_000, 20), 15),
    "lmder, 1e5 x 20, Fortran order": (ready_made_jacobian(100_000, 20, "F"), 15),
    "lmder, 2e4 x 200": (ready_made_jacobian(20_000, 200), 5),
}


def seconds(call, solver):
    """Time one call."""
    start = time.perf_counter()
    call(solver)
    return time.perf_counter() - start


def compare(call, repetitions):
    """Median times of the two solvers, and the median of their ratios."""
    pairs = [
        (seconds(call, leastsq.leastsq), seconds(call, optimize.leastsq))
        for _ in range(repetitions)
    ]
    ours, theirs = zip(*pairs, strict=True)
    return median(ours), median(theirs), median(a / b for a, b in pairs)


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
    print(f"{'':34}{'leastsq':>12}{'SciPy':>12}{'ratio':>8}")
    for name, (call, repetitions) in TIMED.items():
        ours, theirs, ratio = compare(call, repetitions)
        print(f"{name:34}{ours * 1e6:9.1f} us{theirs * 1e6:9.1f} us{ratio:8.2f}")

    counts = {
        "exponential fit, calls of func": calls_of_func,
        "53 MGH cases, nfev, lmder": lambda solver: evaluations(solver, analytic=True),
        "53 MGH cases, nfev, lmdif": lambda solver: evaluations(solver, analytic=False),
    }
    for name, count in counts.items():
        ours, theirs = count(leastsq.leastsq), count(optimize.leastsq)
        print(f"{name:34}{ours:12}{theirs:12}{ours / theirs:8.3f}")

    imports = [(import_seconds("leastsq"), import_seconds("numpy")) for _ in range(15)]
    extra = median(a - b for a, b in imports) * 1e3
    print(f"import leastsq: {extra:.1f} ms above import numpy")


if __name__ == "__main__":
    main()
