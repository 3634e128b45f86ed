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
from report import save

from leastsq import curve_fit_many

TITLE = "T2 map, 128 x 128 pixels, 20 echoes"
NOISE = 1.5


def signal(t, amplitude, t2):
    """The signal at the echo times t, in ms."""
    return amplitude * np.exp(-t / t2)


def phantom(size):
    """The true amplitude and T2 of each pixel, and where the head is."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    head = (x / 0.75) ** 2 + (y / 0.95) ** 2 < 1
    t2 = np.where(head, 75.0, np.nan)
    t2[(x / 0.55) ** 2 + (y / 0.75) ** 2 < 1] = 95
    for center in (-0.18, 0.18):
        t2[((x - center) / 0.1) ** 2 + (y / 0.3) ** 2 < 1] = 180
    t2[(x - 0.3) ** 2 + (y - 0.4) ** 2 < 0.01] = 45
    return 90 + 20 * np.cos(2 * x), t2, head


def main():
    """Fit all pixels, print what was found, and draw the maps."""
    echoes = np.linspace(10, 200, 20)
    amplitude, truth, head = phantom(128)
    clean = signal(echoes, amplitude[..., None], np.where(head, truth, 1)[..., None])
    stack = clean + NOISE * np.random.default_rng(5).standard_normal(clean.shape)
    stack[40, :, :] = np.nan

    began = perf_counter()
    fits = curve_fit_many(
        signal, echoes, stack, p0=[100, 80], bounds=(0, [1000, 2000]), mask=~head[..., None]
    )
    seconds = perf_counter() - began
    t2, error = fits.popt[..., 1], np.sqrt(fits.pcov[..., 1, 1])
    good = fits.success
    pull = (t2 - truth)[good] / error[good]
    print(f"{TITLE}\n")
    print(f"  {np.count_nonzero(good)} fits in {seconds:.2f} s")
    for code, count in zip(*np.unique(fits.status, return_counts=True), strict=True):
        print(f"  status {code:2}: {count:5} pixels")
    print(f"  (T2 - truth)/error: mean {pull.mean():.3f}, standard deviation {pull.std():.3f}\n")

    figure, axes = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained")
    for ax, values, name, limits in (
        (axes[0], t2, "T2 in ms", (30, 200)),
        (axes[1], error, "standard error of T2 in ms", (0, 6)),
    ):
        shown = ax.imshow(values, vmin=limits[0], vmax=limits[1], cmap="viridis")
        figure.colorbar(shown, ax=ax, shrink=0.85)
        ax.set_title(name)
    colors = ListedColormap(["#dddddd", "#1f5fa8", "#d9720b"])
    axes[2].imshow(np.where(fits.status == -1, 0, np.where(good, 1, 2)), cmap=colors, vmax=2)
    axes[2].set_title("status: solved (blue), no data (grey)")
    for ax in axes:
        ax.set(xticks=[], yticks=[])
    save(figure, "t2_map")


if __name__ == "__main__":
    main()
