"""A map of spectra, with xarray
=============================

Each pixel of a map contains a spectrum with a line on a sloping background. The line is shifted by
the motion of the source. ``leastsq.xarray.curvefit`` fits all spectra, and keeps the names of the
dimensions and the coordinates. Some spectra contain a cosmic ray, which the script removes first.
"""

from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from report import BLUE, ORANGE, save

from leastsq.xarray import curvefit

TITLE = "Velocity map, 48 x 64 spectra of 60 points"
REST, LIGHT = 656.28, 299792.458  # nm, km/s


def line(wavelength, height, center, width, base, slope):
    """An emission line on a sloping background."""
    line = height * np.exp(-0.5 * ((wavelength - center) / width) ** 2)
    return line + base + slope * (wavelength - REST)


def spectra():
    """A rotating disc, as a labelled array, and its true velocity in km/s."""
    y, x = (
        xr.DataArray(np.linspace(-3, 3, 48), dims="y"),
        xr.DataArray(np.linspace(-4, 4, 64), dims="x"),
    )
    wavelength = xr.DataArray(np.linspace(654.8, 657.8, 60), dims="wavelength")
    radius = np.hypot(x, 1.4 * y)
    velocity = 180 * np.tanh(radius) * x / (radius + 0.1)
    height = 40 * np.exp(-0.35 * radius)
    clean = line(wavelength, height, REST * (1 + velocity / LIGHT), 0.12, 3.0, 0.4)
    data = clean.transpose("y", "x", "wavelength").copy()
    rng = np.random.default_rng(6)
    data += rng.standard_normal(data.shape)
    data.values[rng.random(data.shape) < 1e-3] += 200  # cosmic rays
    return data.assign_coords(x=x, y=y, wavelength=wavelength), velocity


def main():
    """Fit all spectra, print what was found, and draw a spectrum and the map."""
    data, truth = spectra()
    data = data.where(data < 100)  # without cosmic rays
    began = perf_counter()
    fits = curvefit(
        data,
        "wavelength",
        line,
        p0={
            "height": data.max("wavelength"),
            "center": data.idxmax("wavelength"),
            "width": 0.1,
            "base": data.median("wavelength"),
            "slope": 0,
        },
        bounds={"height": (0, np.inf), "width": (0.04, 0.5), "center": (655, 657.6)},
        errors="ignore",
    )
    seconds = perf_counter() - began
    found = fits.curvefit_coefficients.sel(param="center")
    error = np.sqrt(fits.curvefit_covariance.sel(cov_i="center", cov_j="center"))
    velocity, uncertainty = LIGHT * (found / REST - 1), LIGHT / REST * error
    clear = (uncertainty > 0) & (uncertainty < 15)
    pull = ((velocity - truth) / uncertainty).where(clear)
    print(f"{TITLE}\n")
    ended, certain = int((fits.curvefit_status >= 1).sum()), int(clear.sum())
    print(f"  {fits.curvefit_status.size} fits in {seconds:.2f} s")
    print(f"  {ended} ended, {certain} with errors below 15 km/s")
    print(f"  (velocity - truth)/error: standard deviation {float(pull.std()):.3f}\n")

    figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
    one = {"y": 20, "x": 44}
    spectrum = data.isel(one)
    axes[0].plot(spectrum.wavelength, spectrum, "o", color=BLUE, markersize=3, label="data")
    fine = np.linspace(654.8, 657.8, 400)
    curve = line(fine, *fits.curvefit_coefficients.isel(one).values)
    axes[0].plot(fine, curve, color=ORANGE, linewidth=2, label="fit")
    axes[0].set(xlabel="wavelength in nm", ylabel="signal", title="one spectrum")
    axes[0].legend(frameon=False)
    velocity.where(clear).plot.imshow(
        ax=axes[1], cmap="RdBu_r", vmin=-180, vmax=180, cbar_kwargs={"label": "km/s"}
    )
    axes[1].set(title="velocity", aspect="equal")
    save(figure, "spectra")


if __name__ == "__main__":
    main()
