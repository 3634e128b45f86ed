"""A record larger than memory: a damped oscillation
===================================================

A digitiser has written millions of samples of a damped oscillation to files. They are mapped into
memory and fitted chunk by chunk: the fit needs about a megabyte, whatever the length of the record.
"""

import tempfile
from pathlib import Path
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np

from leastsq import curve_fit

SAMPLES = 2_000_000
CHUNK = 100_000


def oscillation(t, amplitude, rate, frequency, phase, offset):
    """The signal at time t."""
    return amplitude * np.exp(-rate * t) * np.cos(2 * np.pi * frequency * t + phase) + offset


# %%
# The record is written chunk by chunk.

truth = [1.5, 0.35, 0.8, 0.4, 0.1]
rng = np.random.default_rng(4)
folder = tempfile.TemporaryDirectory()
paths = [Path(folder.name) / f"{name}.npy" for name in ("t", "y")]
files = [np.lib.format.open_memmap(path, "w+", np.float64, (SAMPLES,)) for path in paths]
for first in range(0, SAMPLES, CHUNK):
    t = np.arange(first, first + CHUNK) * (10 / SAMPLES)
    files[0][first : first + CHUNK] = t
    files[1][first : first + CHUNK] = oscillation(t, *truth) + 0.8 * rng.standard_normal(CHUNK)

# %%
# ``chunks`` tells how many points are read at a time. The result is that of a fit in memory.

t, y = (np.load(path, mmap_mode="r") for path in paths)
began = perf_counter()
popt, pcov = curve_fit(oscillation, t, y, [1.0, 0.5, 0.82, 0.0, 0.0], chunks=CHUNK)
seconds = perf_counter() - began

print(f"A damped oscillation of {SAMPLES:,} samples, in chunks of {CHUNK:,} ({seconds:.1f} s)")
names = ["amplitude", "rate", "frequency", "phase", "offset"]
for name, value, error, true in zip(names, popt, np.sqrt(np.diag(pcov)), truth, strict=True):
    print(f"  {name:9} = {value:.5f} +- {error:.5f}   truth {true}")

# %%

figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
axes.plot(t[::500], y[::500], ".", color="0.85", markersize=2, label="one in 500 samples")
means = [np.asarray(each).reshape(400, -1).mean(axis=1) for each in (t, y)]
axes.plot(*means, ".", markersize=4, label="means of 5,000 samples")
axes.plot(means[0], oscillation(means[0], *popt), color="C1", label="fit")
axes.set(title="A long record", xlabel="time [s]", ylabel="signal [V]", ylim=(-3, 3))
axes.legend(frameon=False, loc="upper right", markerscale=2)
plt.show()
