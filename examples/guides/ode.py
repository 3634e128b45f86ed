"""Models that integrate differential equations
============================================

Predators and prey: the model integrates the equations of Lotka and Volterra each time it is called.
Two things matter for such models: the accuracy of the integration, and the time that it takes.

To run it: ``pip install matplotlib scipy``.
"""

import warnings
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from scipy.integrate import solve_ivp

from leastsq import FitError, curve_fit

t = np.linspace(0, 20, 41)


def populations(t, birth, hunting, death, growth, rtol=1e-8):
    """Prey and predators at the times t, one after the other; shape (2*len(t),)."""

    def slopes(_, state):
        prey, predators = state
        return [
            birth * prey - hunting * prey * predators,
            growth * prey * predators - death * predators,
        ]

    solution = solve_ivp(slopes, (0, t[-1]), [10, 5], t_eval=t, rtol=rtol, atol=1e-8)
    if not solution.success:
        return np.full(2 * t.size, np.nan)  # a step that leads here is not taken
    return solution.y.ravel()


rng = np.random.default_rng(2)
truth = [1.1, 0.4, 0.4, 0.1]
measured = populations(t, *truth) + 0.3 * rng.standard_normal(2 * t.size)

# %%
# **Accuracy.** A finite difference steps by about 1e-8 of a parameter. An integration with
# ``rtol=1e-3``, the default of ``solve_ivp``, has errors that change much more than that from one
# step to the next: the sum of squares is rough, and fits stop early or do not end. Integrate with
# ``rtol=1e-6`` or less. If that takes too long, tell the solver the relative error of the model,
# ``epsfcn``: then it takes longer steps.
# The second of the following fits does so. It ends after many calls, and two of its errors away
# from the accurate fit: it is the minimum of another, rough function.
#
# ``xdata`` has fewer points than ``ydata``, because there are two curves: the model must return as
# many values as ydata has.

start = [1, 0.3, 0.5, 0.15]
for rtol, epsfcn in ((1e-3, None), (1e-3, 1e-3), (1e-6, None), (1e-8, None)):

    def model(t, *p, rtol=rtol):
        """The populations, integrated with this accuracy."""
        return populations(t, *p, rtol=rtol)

    began = perf_counter()
    try:
        with warnings.catch_warnings(action="ignore"):  # the fit may warn that it is not exact
            popt, pcov, info, *_ = curve_fit(
                model, t, measured, start, epsfcn=epsfcn, full_output=True
            )
    except FitError as error:
        print(f"  rtol {rtol:g}: no solution after {error.infodict['nfev']} integrations")
        continue
    pairs = zip(popt, np.sqrt(np.diag(pcov)), strict=True)
    shown = ", ".join(f"{value:.3f} +- {error:.3f}" for value, error in pairs)
    print(f"  rtol {rtol:g}{', epsfcn 0.001' if epsfcn else ''}: {shown}")
    print(f"    {info['nfev']} integrations, {perf_counter() - began:.2f} s")

# %%
# **Time.** If an integration takes a millisecond or more, evaluate the points of a finite
# difference side by side: ``curve_fit(..., workers=4)`` uses four processes. A model that is
# compiled by Numba takes a hundredth of the time: see :doc:`/gallery/kinetics`.

figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
fine = np.linspace(0, 20, 400)
for values, points, label in zip(
    populations(fine, *popt).reshape(2, -1),
    measured.reshape(2, -1),
    ["prey", "predators"],
    strict=True,
):
    (curve,) = axes.plot(fine, values, label=label)
    axes.plot(t, points, "o", color=curve.get_color(), markersize=4)
axes.set(title="Predators and prey", xlabel="time", ylabel="population")
axes.legend(frameon=False)
plt.show()
