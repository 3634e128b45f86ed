"""A sine wave, and where to start
===============================

A sine wave of unknown amplitude, frequency and phase, fitted to 100 noisy points. The sum of
squares has many minima, and a fit goes downhill to one of them.
"""

import matplotlib.pyplot as plt
import numpy as np

from leastsq import leastsq


def wave(x, a, b, c):
    """A sine wave."""
    return a * np.sin(b * x + c)


def residuals(p, x, y):
    """Compute the differences between the model and the data."""
    return wave(x, *p) - y


truth = [2, 1.5, 0.5]
x = np.linspace(0, 2 * np.pi, 100)
y = wave(x, *truth) + 0.2 * np.random.default_rng(3).standard_normal(x.size)

# %%
# The length of the first step is at most ``factor*norm(diag*x0)``. The default factor of 100 allows
# long steps, which may leave the valley of the start. A factor of 0.1 keeps to it.

p, cov_x, info, message, ier = leastsq(
    residuals, [1, 1, 0], args=(x, y), factor=0.1, full_output=True
)
errors = np.sqrt(np.diag(cov_x) * np.sum(info["fvec"] ** 2) / (x.size - p.size))

print("Sine a*sin(b*x + c), 100 points")
for name, value, error, true in zip("abc", p, errors, truth, strict=True):
    print(f"  {name} = {value:6.3f} +- {error:.3f}   truth {true}")

# %%
# The sum of squares for each frequency, with the best amplitude and phase: a fit finds the valley
# that it starts in. If you do not know where to start, fit from several points, and keep the best
# fit. For a wave, the largest peak of ``numpy.fft.rfft`` is a good start.

frequencies = np.linspace(0.2, 6, 300)
least = []
for b in frequencies:
    J = np.stack([np.sin(b * x), np.cos(b * x)], axis=1)
    least.append(np.sum((J @ np.linalg.lstsq(J, y, rcond=None)[0] - y) ** 2))

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
left.plot(x, y, "o", markersize=4, alpha=0.6, label="data")
left.plot(x, wave(x, *p), linewidth=2, label="fit")
left.plot(x, wave(x, *truth), "--", color="black", label="truth")
left.set(title="Sine wave", xlabel="x", ylabel="y")
left.legend(frameon=False)
right.plot(frequencies, least)
right.axvline(1, color="black", linestyle=":", label="start")
right.axvline(p[1], color="C1", label="fit")
right.set(title="Many minima", xlabel="frequency b", ylabel="least sum of squares")
right.legend(frameon=False)
plt.show()
