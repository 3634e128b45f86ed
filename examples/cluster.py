"""A fit on a cluster: parquet files and Dask
============================================

A lamp fades, and each day a file with its readings is written. Two worker processes read and
evaluate the files; on a cluster they would be machines. The fit is one fit of all readings: the
workers send a few numbers for each day, and the result is that of a fit in memory.

To run it: ``pip install matplotlib 'dask[dataframe]' distributed``.
"""

import tempfile
from pathlib import Path
from time import perf_counter

import dask.dataframe
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from distributed import Client, LocalCluster

from leastsq import leastsq

TRUTH = [40.0, 12.0, 5.0, 1.5]


def brightness(day, start, lifetime, background, daily):
    """The reading at a time in days."""
    return start * np.exp(-day / lifetime) + background + daily * np.sin(2 * np.pi * day)


def residuals(p, table):
    """The weighted residuals of one partition of the table."""
    return (brightness(table["day"], *p) - table["reading"]) / table["error"]


def write_files(folder, days=30, readings=10_000):
    """Write a file for each day."""
    rng = np.random.default_rng(9)
    for i in range(days):
        day = i + np.sort(rng.random(readings))
        error = rng.uniform(0.5, 2, readings)
        reading = brightness(day, *TRUTH) + error * rng.standard_normal(readings)
        table = pd.DataFrame({"day": day, "reading": reading, "error": error})
        table.to_parquet(Path(folder) / f"day{i:02}.parquet")


# %%
# ``partitioned=True`` passes the partitions of the table to the residuals, one after the other. The
# workers are new processes that import this script, so what is not for them is in a function.


def fit_on_two_workers(folder):
    """Fit the files; also return a hundredth of the readings."""
    table = dask.dataframe.read_parquet(folder)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster),
    ):
        fit = leastsq(
            residuals, [30.0, 10.0, 0.0, 0.0], args=(table,), partitioned=True, full_output=True
        )
    return fit, table.sample(frac=0.01, random_state=1).compute().sort_values("day")


def main():
    """Write the files, fit them, print the parameters, and draw the fit."""
    with tempfile.TemporaryDirectory() as folder:
        write_files(folder)
        began = perf_counter()
        (p, cov, info, *_), some = fit_on_two_workers(folder)
        seconds = perf_counter() - began

    print(f"A fading lamp, 30 days, {info['count']:,} readings ({seconds:.1f} s with the workers)")
    names = ["brightness", "lifetime", "background", "daily"]
    for name, value, error, true in zip(names, p, np.sqrt(np.diag(cov)), TRUTH, strict=True):
        print(f"  {name:10} = {value:.4f} +- {error:.4f}   truth {true}")
    print(f"  chi2 {info['chi2']:.0f}")

    _, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    axes.plot(some["day"], some["reading"], ".", markersize=2, label="1 % of the data")
    axes.plot(some["day"], brightness(some["day"], *p), linewidth=1, label="fit")
    axes.set(title="A fading lamp", xlabel="time [days]", ylabel="brightness [lx]")
    axes.legend(frameon=False)
    plt.show()


if __name__ == "__main__":
    main()
