"""A map of spectra, with xarray
=============================

Each pixel of a map contains a spectrum with a line on a sloping background. The line is shifted by
the motion of the source. ``leastsq.xarray.curvefit`` fits all spectra, and keeps the names of the
dimensions and the coordinates. Some spectra contain a cosmic ray, which the script removes first.

To run it: ``pip install matplotlib xarray``.
"""

from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from leastsq.xarray import curvefit

REST, LIGHT = 656.28, 299792.458  # nm, km/s


def line(wavelength, height, center, width, base, slope):
    """An emission line on a sloping background."""
    line = height * np.exp(-0.5 * ((wavelength - center) / width) ** 2)
    return line + base + slope * (wavelength - REST)


# %%
# The data are those of a rotating disc.

y, x = np.linspace(-3, 3, 48)[:, None], np.linspace(-4, 4, 64)
wavelength = np.linspace(654.8, 657.8, 60)
radius = np.hypot(x, 1.4 * y)[..., None]
speed = 180 * np.tanh(radius) * x[:, None] / (radius + 0.1)
values = line(wavelength, 40 * np.exp(-0.35 * radius), REST * (1 + speed / LIGHT), 0.12, 3.0, 0.4)
rng = np.random.default_rng(6)
values += rng.standard_normal(values.shape)
values[rng.random(values.shape) < 1e-3] += 200  # cosmic rays
data = xr.DataArray(
    values, {"y": y[:, 0], "x": x, "wavelength": wavelength}, ["y", "x", "wavelength"]
)
truth = xr.DataArray(speed[..., 0], dims=["y", "x"])

# %%
# Points that are NaN are left out. The starting points differ from pixel to pixel.

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

print("Velocity map, 48 x 64 spectra of 60 points")
ended, certain = int((fits.curvefit_status >= 1).sum()), int(clear.sum())
print(f"  {fits.curvefit_status.size} fits in {seconds:.2f} s")
print(f"  {ended} ended, {certain} with errors below 15 km/s")
print(f"  (velocity - truth)/error: standard deviation {float(pull.std()):.3f}")

# %%

figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
one = {"y": 20, "x": 44}
axes[0].plot(wavelength, data.isel(one), "o", markersize=3, label="data")
fine = np.linspace(654.8, 657.8, 400)
curve = line(fine, *fits.curvefit_coefficients.isel(one).values)
axes[0].plot(fine, curve, linewidth=2, label="fit")
axes[0].set(xlabel="wavelength in nm", ylabel="signal", title="one spectrum")
axes[0].legend(frameon=False)
velocity.where(clear).plot.imshow(
    ax=axes[1], cmap="RdBu_r", vmin=-180, vmax=180, cbar_kwargs={"label": "km/s"}
)
axes[1].set(title="velocity", aspect="equal")
plt.show()
