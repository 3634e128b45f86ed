"""Fit all of NIST's nonlinear regressions from both starting points, beside SciPy.

The problems, https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml, have certified values of 11
digits; 6 digits are enough for most data. Prints how many fits agree, with --table every fit, and
draws the digits.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy import optimize

from leastsq import leastsq

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from problems import nist

SOLVERS = {"leastsq": leastsq, "SciPy": optimize.leastsq}
WAYS = {
    "residuals alone, default tolerances": (False, {}),
    "with the Jacobian, ftol = xtol = 1e-15": (
        True,
        {"ftol": 1e-15, "xtol": 1e-15, "maxfev": 20_000},
    ),
}
COLUMNS = ["nfev", *nist.Digits._fields]
FITS = [(name, start) for name in nist.PROBLEMS for start in (0, 1)]


def fit(solver, name, start, analytic, options):
    """Count evaluations, and the digits of parameters, errors and sum of squares."""
    problem = nist.PROBLEMS[name]
    Dfun = problem.jacobian if analytic else None
    with np.errstate(all="ignore"):
        result = solver(
            problem.residuals, problem.starts[start], Dfun=Dfun, full_output=True, **options
        )
    return [result[2]["nfev"], *nist.digits_of(problem, result)]


def table(title, rows):
    """Print the fits of both solvers."""
    print(f"NIST StRD, {title}: digits that agree with the certified values\n")
    print(" " * 21 + "".join(f"{solver:>44}" for solver in SOLVERS))
    print(
        f"  {'problem':10} {'level':8} "
        + "".join(f"{name:>11}" for name in COLUMNS * 2)
        + "  start"
    )
    for (name, start), row in zip(FITS, rows, strict=True):
        print(f"  {name:10} {nist.PROBLEMS[name].level:8} ", end="")
        for nfev, *digits in row:
            print(f"{nfev:11.0f}" + "".join(f"{count:11.1f}" for count in digits), end="")
        print(f"{start + 1:7}")
    print()


def summary(title, rows):
    """Print how many fits of each solver have 4, 6 and 8 digits."""
    print(f"NIST StRD, {title}")
    for least in (4, 6, 8):
        ours, theirs = np.sum(rows[:, :, 1] >= least, axis=0)
        print(f"  parameters with {least} digits: {ours} of {len(FITS)} fits, SciPy {theirs}")


def picture(rows):
    """Draw the digits of the parameters."""
    _, axes = plt.subplots(
        len(WAYS), sharex=True, sharey=True, figsize=(11, 6.5), layout="constrained"
    )
    places = np.arange(len(FITS))
    for ax, title in zip(axes, WAYS, strict=True):
        ours, theirs = rows[title][:, :, 1].T
        ax.vlines(
            places, np.minimum(ours, theirs), np.maximum(ours, theirs), color="black", alpha=0.3
        )
        ax.plot(places, theirs, "o", color="C0", fillstyle="none", markersize=7, label="SciPy")
        ax.plot(places, ours, "o", color="C1", markersize=4, label="leastsq")
        ax.set(title=title, ylabel="certified digits of the parameters", ylim=(-0.5, 11.5))
        ax.grid(axis="y", alpha=0.3)
    axes[0].legend(frameon=False, loc="lower right", ncols=2)
    axes[-1].set_xticks(places[::2] + 0.5, list(nist.PROBLEMS), rotation=60, ha="right")
    plt.show()


def main():
    """Do all fits both ways."""
    rows = {
        title: np.array([[fit(solver, *one, *way) for solver in SOLVERS.values()] for one in FITS])
        for title, way in WAYS.items()
    }
    for title in WAYS:
        if "--table" in sys.argv:
            table(title, rows[title])
        summary(title, rows[title])
    picture(rows)


if __name__ == "__main__":
    main()
