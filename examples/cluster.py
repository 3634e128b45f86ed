"""A fit on a cluster: parquet files and Dask
============================================

A lamp fades, and each day a file with its readings is written. Two worker processes read and
evaluate the files; on a cluster they would be machines. The fit is one fit of all readings: the
workers send a few numbers for each day, and the result is that of a fit in memory.
"""

import tempfile
import time
from pathlib import Path

import dask.dataframe
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from distributed import Client, LocalCluster
from report import BLUE, ORANGE, save

from leastsq import leastsq

TITLE = "A fading lamp, 30 days, 300,000 readings"
DAYS = 30
READINGS = 10_000
NAMES = ["brightness", "lifetime", "background", "daily"]
TRUTH = [40.0, 12.0, 5.0, 1.5]
START = [30.0, 10.0, 0.0, 0.0]


def brightness(day, start, lifetime, background, daily):
    """The reading at a time in days."""
    return start * np.exp(-day / lifetime) + background + daily * np.sin(2 * np.pi * day)


def residuals(p, table):
    """The weighted residuals of one partition of the table."""
    return (brightness(table["day"], *p) - table["reading"]) / table["error"]


def write_files(folder):
    """Write a file for each day."""
    rng = np.random.default_rng(9)
    for i in range(DAYS):
        day = i + np.sort(rng.random(READINGS))
        error = rng.uniform(0.5, 2, READINGS)
        reading = brightness(day, *TRUTH) + error * rng.standard_normal(READINGS)
        table = pd.DataFrame({"day": day, "reading": reading, "error": error})
        table.to_parquet(Path(folder) / f"day{i:02}.parquet")


def main():
    """Write the files, fit them on two workers, print the parameters, and draw the fit."""
    with tempfile.TemporaryDirectory() as folder:
        write_files(folder)
        table = dask.dataframe.read_parquet(folder)
        with (
            LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
            Client(cluster),
        ):
            start = time.perf_counter()
            x, cov, info, *_ = leastsq(
                residuals, START, args=(table,), partitioned=True, full_output=True
            )
            seconds = time.perf_counter() - start
        some = table.sample(frac=0.01, random_state=1).compute().sort_values("day")

    print(f"{TITLE} ({table.npartitions} partitions, {seconds:.1f} s)")
    print(f"  chi2 {info['chi2']:.0f} for {info['count']} readings")
    print("  parameter      estimate   standard error   truth")
    for name, value, error, truth in zip(NAMES, x, np.sqrt(np.diag(cov)), TRUTH, strict=True):
        print(f"  {name:10} {value:12.4f} {error:16.4f} {truth:7.1f}")
    print()

    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    axes.plot(some["day"], some["reading"], ".", color=BLUE, markersize=2, label="1 % of the data")
    axes.plot(some["day"], brightness(some["day"], *x), color=ORANGE, linewidth=1, label="fit")
    axes.set(title=TITLE, xlabel="time [days]", ylabel="brightness [lx]")
    axes.legend(frameon=False)
    save(figure, "cluster")


if __name__ == "__main__":
    main()
