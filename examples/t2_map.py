"""A map of relaxation times
=========================

A magnetic resonance scanner measures the signal of each pixel after 20 echo times. The signal
decays with the relaxation time T2 of the tissue. ``curve_fit_many`` fits all pixels, and the script
shows maps of T2, of its standard error, and of how each fit ended. Pixels outside the head are
masked, and a defective row of the detector yields NaN.
"""

from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap

from leastsq import curve_fit_many


def signal(t, amplitude, t2):
    """The signal at the echo times t, in ms."""
    return amplitude * np.exp(-t / t2)


# %%
# A phantom: the true T2 of each of 128 x 128 pixels, and where the head is.

row, column = np.mgrid[-1:1:128j, -1:1:128j]
head = (column / 0.75) ** 2 + (row / 0.95) ** 2 < 1
truth = np.where(head, 75.0, np.nan)
truth[(column / 0.55) ** 2 + (row / 0.75) ** 2 < 1] = 95
for center in (-0.18, 0.18):
    truth[((column - center) / 0.1) ** 2 + (row / 0.3) ** 2 < 1] = 180
truth[(column - 0.3) ** 2 + (row - 0.4) ** 2 < 0.01] = 45
amplitude = 90 + 20 * np.cos(2 * column)

echoes = np.linspace(10, 200, 20)
stack = signal(echoes, amplitude[..., None], np.where(head, truth, 1)[..., None])
stack += 1.5 * np.random.default_rng(5).standard_normal(stack.shape)
stack[40] = np.nan

# %%
# One call fits all pixels. The points of a fit are on the last axis, and the maps have the shape of
# the other axes.

began = perf_counter()
fits = curve_fit_many(
    signal, echoes, stack, p0=[100, 80], bounds=(0, [1000, 2000]), mask=~head[..., None]
)
seconds = perf_counter() - began
t2, error = fits.popt[..., 1], np.sqrt(fits.pcov[..., 1, 1])
good = fits.success
pull = (t2 - truth)[good] / error[good]

print("T2 map, 128 x 128 pixels, 20 echoes")
print(f"  {np.count_nonzero(good)} fits in {seconds:.2f} s")
for code, count in zip(*np.unique(fits.status, return_counts=True), strict=True):
    print(f"  status {code:2}: {count:5} pixels")
print(f"  (T2 - truth)/error: mean {pull.mean():.3f}, standard deviation {pull.std():.3f}")

# %%

figure, axes = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained")
for ax, values, name, limits in (
    (axes[0], t2, "T2 in ms", (30, 200)),
    (axes[1], error, "standard error of T2 in ms", (0, 6)),
):
    shown = ax.imshow(values, vmin=limits[0], vmax=limits[1], cmap="viridis")
    figure.colorbar(shown, ax=ax, shrink=0.85)
    ax.set_title(name)
colors = ListedColormap(["#dddddd", "C0", "C1"])
axes[2].imshow(np.where(fits.status == -1, 0, np.where(good, 1, 2)), cmap=colors, vmax=2)
axes[2].set_title("solved (blue), no data (grey)")
for ax in axes:
    ax.set(xticks=[], yticks=[])
plt.show()
