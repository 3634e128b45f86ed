"""Functions that all examples use: a table and a picture of a fit."""

import os
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

EXAMPLES = Path(__file__).parent
DEMO = EXAMPLES.parent / "build" / "demo"
BLUE, ORANGE, BLACK = "#1f5fa8", "#d9720b", "#222222"


def standard_errors(result):
    """Standard deviations of the parameters of a fit, from leastsq's full output."""
    _, cov_x, info, _, _ = result
    fvec, n = (
        info["fvec"],
        np.count_nonzero(np.diag(cov_x)),
    )  # parameters on a bound were not fitted
    return np.sqrt(np.diag(cov_x) * np.sum(fvec**2) / (fvec.size - n))


def digits(values, known):
    """Count the digits that agree with known values: the log relative error."""
    error = np.abs((np.asarray(values) - known) / known)
    return -np.log10(np.maximum(error, np.finfo(float).eps))


def table(title, names, result, seconds, columns, errors=None):
    """Print a fit: its parameters, their standard errors, further columns, and how it ended."""
    x, _, info, message, ier = result
    errors = standard_errors(result) if errors is None else errors
    columns = {"estimate": x, "std. error": errors, **columns}
    print(title)
    print("  " + "parameter".ljust(10) + "".join(name.rjust(20) for name in columns))
    for name, *values in zip(names, *columns.values(), strict=True):
        print("  " + name.ljust(10) + "".join(f"{value:20.10g}" for value in values))
    print(f"  sum of squares {np.sum(info['fvec'] ** 2):.10g}")
    print(f"  {info['nfev']} evaluations, {seconds * 1e3:.2f} ms, exit {ier}:")
    print(f"  {' '.join(message.split())}\n")


def picture(name, title, x, y, model, fit, truth=None):
    """Draw data, fit and residuals to NAME.png."""
    curve = np.linspace(np.min(x), np.max(x), 400)
    figure, (upper, lower) = plt.subplots(
        2, sharex=True, figsize=(7, 5.5), height_ratios=[3, 1], layout="constrained"
    )
    upper.plot(x, y, "o", color=BLUE, markersize=4, alpha=0.6, label="data")
    upper.plot(curve, model(curve, *fit), color=ORANGE, linewidth=2, label="fit")
    if truth is not None:
        upper.plot(curve, model(curve, *truth), "--", color=BLACK, label="truth")
    upper.set(title=title, ylabel="y")
    upper.legend(frameon=False)
    lower.axhline(0, color=ORANGE)
    lower.plot(x, y - model(x, *fit), "o", color=BLUE, markersize=3)
    lower.set(xlabel="x", ylabel="residual")
    save(figure, name)


def save(figure, name):
    """Write a figure to NAME.png in the folder that the script was given."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DEMO
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.png"
    figure.savefig(path, dpi=120)
    print(f"  picture: {os.path.relpath(path)}\n")
