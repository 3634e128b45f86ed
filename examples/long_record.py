"""A record larger than memory: a damped oscillation
===================================================

A digitiser has written millions of samples of a damped oscillation to files. They are mapped into
memory and fitted chunk by chunk: the fit needs about a megabyte, whatever the length of the record.
"""

import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from report import BLUE, ORANGE, save

from leastsq import curve_fit

TITLE = "A damped oscillation of two million samples"
SAMPLES = 2_000_000
CHUNK = 100_000
NAMES = ["amplitude", "rate", "frequency", "phase", "offset"]
TRUTH = [1.5, 0.35, 0.8, 0.4, 0.1]
START = [1.0, 0.5, 0.82, 0.0, 0.0]
NOISE = 0.8


def oscillation(t, amplitude, rate, frequency, phase, offset):
    """The signal at time t."""
    return amplitude * np.exp(-rate * t) * np.cos(2 * np.pi * frequency * t + phase) + offset


def record(folder):
    """Write the samples to two files, chunk by chunk."""
    rng = np.random.default_rng(4)
    files = [
        np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.float64, (SAMPLES,))
        for name in ("t", "y")
    ]
    for first in range(0, SAMPLES, CHUNK):
        t = np.arange(first, first + CHUNK) * (10 / SAMPLES)
        files[0][first : first + CHUNK] = t
        noise = NOISE * rng.standard_normal(CHUNK)
        files[1][first : first + CHUNK] = oscillation(t, *TRUTH) + noise


def main():
    """Record, fit the files, print the parameters, and draw the means of some thousand samples."""
    with tempfile.TemporaryDirectory() as folder:
        record(Path(folder))
        t, y = (np.load(Path(folder) / f"{name}.npy", mmap_mode="r") for name in ("t", "y"))
        start = time.perf_counter()
        popt, pcov = curve_fit(oscillation, t, y, START, chunks=CHUNK)
        seconds = time.perf_counter() - start
        means = [np.asarray(each).reshape(400, -1).mean(axis=1) for each in (t, y)]
        some = np.asarray(t[:: SAMPLES // 4000]), np.asarray(y[:: SAMPLES // 4000])

    print(f"{TITLE}, in chunks of {CHUNK:,} ({seconds:.1f} s)")
    print("  parameter      estimate   standard error   truth")
    for name, value, error, truth in zip(NAMES, popt, np.sqrt(np.diag(pcov)), TRUTH, strict=True):
        print(f"  {name:10} {value:12.5f} {error:16.5f} {truth:7.2f}")
    print()

    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    axes.plot(*some, ".", color="0.85", markersize=2, label="one in 500 samples")
    axes.plot(*means, ".", color=BLUE, markersize=4, label="means of 5,000 samples")
    axes.plot(means[0], oscillation(means[0], *popt), color=ORANGE, label="fit")
    axes.set(title=TITLE, xlabel="time [s]", ylabel="signal [V]", ylim=(-3, 3))
    axes.legend(frameon=False, loc="upper right", markerscale=2)
    save(figure, "long_record")


if __name__ == "__main__":
    main()
