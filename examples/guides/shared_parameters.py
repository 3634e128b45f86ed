"""Global fits: parameters that data sets share
============================================

Three samples decay with the same rate, but each has an amplitude and a background of its own. One
fit of all data determines the shared rate better than the mean of three fits.
"""

import matplotlib.pyplot as plt
import numpy as np

from leastsq import curve_fit, leastsq


def decay(t, rate, amplitude, background):
    """The signal of one sample."""
    return amplitude * np.exp(-rate * t) + background


# %%
# The data sets need not have the same length.

rng = np.random.default_rng(11)
error = 0.1
times = [np.linspace(0, 6, count) for count in (40, 25, 60)]
signals = [
    decay(t, 0.7, a, b) + error * rng.standard_normal(t.size)
    for t, a, b in zip(times, [3.0, 2.0, 1.5], [0.2, 0.4, 0.1], strict=True)
]

# %%
# ``leastsq`` takes one vector of parameters and one vector of residuals. Decide where each
# parameter is in the vector, write that down in one function, and join the residuals of all data
# sets. The residuals are divided by the errors of the data, which may differ from set to set.
# ``cov_x`` is the covariance of the parameters then. The bounds are those of the whole vector.


def unpack(p):
    """The shared rate; the amplitude and the background of each sample."""
    return p[0], p[1:4], p[4:7]


def residuals(p):
    """Compute the residuals of all samples, one after the other."""
    rate, amplitudes, backgrounds = unpack(p)
    samples = zip(times, signals, amplitudes, backgrounds, strict=True)
    return np.concatenate([(decay(t, rate, a, b) - y) / error for t, y, a, b in samples])


start = [1, *[1] * 3, *[0] * 3]
bounds = [0, *[0] * 3, *[-1] * 3], np.inf
p, cov_x, info, message, ier = leastsq(residuals, start, full_output=True, bounds=bounds)
print(f"  together: rate = {p[0]:.3f} +- {np.sqrt(cov_x[0, 0]):.3f}")

# %%
# Each sample alone:

for i, (t, y) in enumerate(zip(times, signals, strict=True)):
    popt, pcov = curve_fit(decay, t, y, sigma=error, absolute_sigma=True)
    print(f"  sample {i + 1}: rate = {popt[0]:.3f} +- {np.sqrt(pcov[0, 0]):.3f}")

# %%
# If there are more than a few dozen data sets with parameters
# of their own, most elements of the Jacobian are zero. This library does not use that; see
# :doc:`/choosing`.

figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
rate, amplitudes, backgrounds = unpack(p)
for i, (t, y) in enumerate(zip(times, signals, strict=True)):
    axes.plot(t, y, "o", color=f"C{i}", markersize=3, alpha=0.6)
    fitted = decay(t, rate, amplitudes[i], backgrounds[i])
    axes.plot(t, fitted, color=f"C{i}", label=f"sample {i + 1}")
axes.set(title="One rate for three samples", xlabel="time", ylabel="signal")
axes.legend(frameon=False)
plt.show()
