"""Which solver finds the minimum, and what it says if it does not: `make survey`.

Each model of usual.py is fitted to simulated data with noise, from four kinds of starts. A fit is
good if its cost is within a thousandth of the least that any solver found from any start, or from
the true values. The others failed, or ended with a warning, or silently. SciPy's curve_fit takes
its default options, too: no solver is told anything about the model.
"""

import sys
import warnings
from typing import NamedTuple

import numpy as np
from scipy import optimize
from usual import MODELS

import leastsq

SEEDS = range(5)
STARTS = ("ones", "twice", "crude", "tenth")
GOOD, WARNED, FAILED, SILENT = range(4)
F_SCALE = 3
"""The scale of robust losses, in standard deviations of the noise."""


class Row(NamedTuple):
    """What became of a fit; solver is 0 for this library, and 1 for SciPy."""

    model: str
    start: str
    seed: int
    solver: int
    ending: int
    calls: int


class Fit(NamedTuple):
    """How a fit ended."""

    cost: float
    ending: int
    calls: int


def data_of(usual, seed, is_robust):
    """Simulate data; a tenth of them are outliers for robust fits."""
    rng = np.random.default_rng(seed)
    true = np.array(usual.true) * np.exp(0.1 * rng.standard_normal(len(usual.true)))
    clean = usual.f(usual.x, *true)
    deviation = usual.noise * np.ptp(clean)
    y = clean + deviation * rng.standard_normal(clean.size)
    if is_robust:
        places = rng.choice(y.size, y.size // 10, replace=False)
        y[places] += deviation * rng.uniform(10, 40, places.size)
    return true, y, deviation


def start_of(kind, true, seed):
    """Choose a start of some kind."""
    if kind == "ones":
        return np.ones(true.size)
    if kind == "twice":
        return 2 * true
    if kind == "tenth":
        return true / 10
    return true * np.exp(np.random.default_rng(1000 + seed).standard_normal(true.size))


def least(module, usual, y, start, options):
    """Fit by least_squares; return a Fit."""
    calls = []

    def residuals(p):
        calls.append(1)
        return usual.f(usual.x, *p) - y

    with warnings.catch_warnings(record=True) as told, np.errstate(all="ignore"):
        warnings.simplefilter("always")
        try:
            found = module.least_squares(residuals, start, **options)
        except ValueError:
            return Fit(np.inf, FAILED, len(calls))
    doubt = bool(told) or "But " in found.message
    return Fit(found.cost, end_of(found.success, doubt), len(calls))


def curve(module, usual, y, start, options):
    """Fit by curve_fit; return a Fit."""
    calls = []

    def f(x, *p):
        calls.append(1)
        return usual.f(x, *p)

    with warnings.catch_warnings(record=True) as told, np.errstate(all="ignore"):
        warnings.simplefilter("always")
        try:
            popt, _ = module.curve_fit(f, usual.x, y, start, **options)
        except (RuntimeError, ValueError):
            return Fit(np.inf, FAILED, len(calls))
        cost = np.sum((usual.f(usual.x, *popt) - y) ** 2) / 2
    return Fit(cost, end_of(True, bool(told)), len(calls))


def end_of(is_solved, has_doubt):
    """Classify an end that is not good."""
    return FAILED if not is_solved else WARNED if has_doubt else SILENT


MODES = {
    "curve_fit": (curve, {}),
    "curve_fit, parameters >= 0": (curve, {"bounds": (0, np.inf)}),
    "least_squares": (least, {}),
    "least_squares, soft_l1": (least, {"loss": "soft_l1"}),
}


def survey(mode, seeds, modules):
    """Fit all models."""
    fit, options = MODES[mode]
    rows = []
    for usual in MODELS:
        if "bounds" in options and min(usual.true) <= 0:
            continue
        for seed in seeds:
            true, y, deviation = data_of(usual, seed, "loss" in options)
            more = options | ({"f_scale": F_SCALE * deviation} if "loss" in options else {})
            there = [fit(module, usual, y, true, more) for module in modules]
            fits = {
                (kind, k): fit(module, usual, y, start_of(kind, true, seed), more)
                for kind in STARTS
                for k, module in enumerate(modules)
            }
            best = min(each.cost for each in [*there, *fits.values()])
            for (kind, k), each in fits.items():
                end = GOOD if each.cost <= 1.001 * best else each.ending
                rows.append(Row(usual.name, kind, seed, k, end, each.calls))
    return rows


def main(modes, seeds):
    """Print a table of each mode."""
    modules = leastsq, optimize
    print(f"{'':28}{'':8}{'fits':>6}{'good':>6}{'warned':>8}{'failed':>8}{'silent':>8}{'calls':>9}")
    for mode in modes:
        rows = survey(mode, seeds, modules)
        for k, name in enumerate(("leastsq", "scipy")):
            mine = [row for row in rows if row.solver == k]
            counts = [sum(row.ending == end for row in mine) for end in range(4)]
            good, warned, failed, silent = counts
            calls = sum(row.calls for row in mine)
            print(f"{mode:28}{name:8}{len(mine):6}{good:6}{warned:8}{failed:8}{silent:8}{calls:9}")


if __name__ == "__main__":
    main(sys.argv[1:] or MODES, SEEDS)
