"""Images and stacks of images
===========================

Fit a spot in one image, and then in each image of a film.
"""

import matplotlib.pyplot as plt
import numpy as np

from leastsq import curve_fit, curve_fit_many


def spot(place, height, x, y, width, background):
    """A round spot; place contains the two coordinates of each pixel."""
    squared = (place[0] - x) ** 2 + (place[1] - y) ** 2
    return height * np.exp(-squared / (2 * width**2)) + background


# %%
# One image. xdata has the shape (2, m): the coordinates of the m pixels. The image is flattened in
# the same order. The brightest pixel is a good start. For pixels without a value, pass
# ``nan_policy="omit"``.

rng = np.random.default_rng(3)
rows, columns = np.mgrid[:15, :15]
place = np.stack([columns.ravel(), rows.ravel()]).astype(float)
image = spot(place, 60, 7.3, 6.1, 1.6, 5) + 4 * rng.standard_normal(225)

start = [image.max(), *place[:, image.argmax()], 2, 0]
popt, pcov = curve_fit(spot, place, image, start)
names = ["height", "x", "y", "width", "background"]
for name, value, error in zip(names, popt, np.sqrt(np.diag(pcov)), strict=True):
    print(f"  {name:10} = {value:6.2f} +- {error:.2f}")

# %%
# A spot that is an ellipse at an angle. Start with two widths that differ: for equal widths, the
# angle has no effect. The same ellipse is described by the other order of the widths and an angle
# that is 90 degrees larger; bounds choose one of the two.


def ellipse(place, height, x, y, wide, narrow, angle, background):
    """An elliptical spot; wide lies at an angle to the x axis, in radians."""
    right, up = place[0] - x, place[1] - y
    along = right * np.cos(angle) + up * np.sin(angle)
    across = up * np.cos(angle) - right * np.sin(angle)
    squared = (along / wide) ** 2 + (across / narrow) ** 2
    return height * np.exp(-squared / 2) + background


truth = [60, 7.3, 6.1, 3, 1.5, 0.6, 5]
long_image = ellipse(place, *truth) + 4 * rng.standard_normal(225)
start = [long_image.max(), *place[:, long_image.argmax()], 3, 2, 0, 0]
popt_ellipse, pcov_ellipse = curve_fit(ellipse, place, long_image, start)
names = ["height", "x", "y", "wide", "narrow", "angle", "background"]
errors = np.sqrt(np.diag(pcov_ellipse))
for name, value, error in zip(names, popt_ellipse, errors, strict=True):
    print(f"  {name:10} = {value:6.2f} +- {error:.2f}")

# %%
# A film of 500 images, shape (500, 15, 15): the spot moves, and ten images are missing.
# ``curve_fit_many`` fits all images at once. ``axis=(1, 2)`` tells which axes are those of the
# pixels. p0 has a row for each image here; one row for all images is possible, too. A fit without
# data, or a fit that fails, does not stop the others: its parameters are NaN. Single pixels that
# are NaN are left out.

angle, radius = np.linspace(0, 20, 500), np.linspace(1, 4, 500)
path = 7 + np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
film = np.array([spot(place, 60, x, y, 1.6, 5) for x, y in path])
film += 4 * rng.standard_normal(film.shape)
film[::50] = np.nan

starts = np.tile([60.0, 0, 0, 2, 0], (500, 1))
starts[:, 1:3] = place.T[np.nan_to_num(film).argmax(axis=1)]
fits = curve_fit_many(
    spot,
    place.reshape(2, 15, 15),
    film.reshape(500, 15, 15),
    starts,
    axis=(1, 2),
    covariance="stderr",
)
off = (fits.popt[:, 1] - path[:, 0]) / fits.perr[:, 1]
print(f"  {fits}")
print(f"  (x - truth)/error: standard deviation {np.nanstd(off):.2f}")

# %%

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3.4), layout="constrained")
left.imshow(image.reshape(15, 15))
left.plot(popt[1], popt[2], "+", color="white", markersize=12)
left.set(title="one image, and the center")
residual = (image - spot(place, *popt)).reshape(15, 15)
shown = middle.imshow(residual, cmap="RdBu_r", vmin=-15, vmax=15)
figure.colorbar(shown, ax=middle, shrink=0.85)
middle.set(title="residuals")
right.plot(*path.T, color="black", linewidth=1, label="true path")
right.plot(fits.popt[:, 1], fits.popt[:, 2], ".", color="C1", markersize=4, label="fits")
right.set(title="500 images", aspect="equal")
right.legend(frameon=False)
plt.show()
