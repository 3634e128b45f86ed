"""Rate equations inside the model
===============================

Two molecules of A form one molecule of B, and B decays: A' = -2 k1 A**2, B' = k1 A**2 - k2 B. B
is measured at 60 times. The model integrates the equations each time it is called. NumPy cannot
vectorize the loop over time steps. With `Numba <https://numba.pydata.org>`_, the whole fit runs in
compiled code.

To run it: ``pip install matplotlib numba``.
"""

from time import perf_counter

import matplotlib.pyplot as plt
import numba
import numpy as np

from leastsq import curve_fit

STEPS = 50  # between two times


@numba.njit
def rates(k1, k2, a, b):
    """How fast A and B change."""
    made = k1 * a * a
    return -2 * made, made - k2 * b


@numba.njit
def amount(t, k1, k2, a):
    """B at the times t, from a of A, by Runge and Kutta's method."""
    found = np.empty(t.size)
    b, before = 0.0, 0.0
    for i in range(t.size):
        h = (t[i] - before) / STEPS
        before = t[i]
        for _ in range(STEPS):
            a1, b1 = rates(k1, k2, a, b)
            a2, b2 = rates(k1, k2, a + h / 2 * a1, b + h / 2 * b1)
            a3, b3 = rates(k1, k2, a + h / 2 * a2, b + h / 2 * b2)
            a4, b4 = rates(k1, k2, a + h * a3, b + h * b3)
            a += h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
            b += h / 6 * (b1 + 2 * b2 + 2 * b3 + b4)
        found[i] = b
    return found


truth = [1.2, 0.4, 2.0]
t = np.linspace(0.1, 8, 60)
y = amount(t, *truth) + 0.01 * np.random.default_rng(5).standard_normal(t.size)

# %%
# The first fit compiles the model. The second one shows how long a fit takes.

curve_fit(amount, t, y, [0.5, 1, 1])
began = perf_counter()
popt, pcov, info, *_ = curve_fit(amount, t, y, [0.5, 1, 1], full_output=True)
seconds = perf_counter() - began
errors = np.sqrt(np.diag(pcov))

began = perf_counter()
amount.py_func(t, *popt)
in_python = info["nfev"] * (perf_counter() - began)

print("2 A -> B -> products, 60 points")
for name, value, error, true in zip(["k1", "k2", "A(0)"], popt, errors, truth, strict=True):
    print(f"  {name:4} = {value:.4f} +- {error:.4f}   truth {true}")
print(f"  {info['nfev']} evaluations in {seconds * 1e3:.2f} ms; by Python's loop", end=" ")
print(f"they would take {in_python * 1e3:.0f} ms")

# %%

figure, (upper, lower) = plt.subplots(
    2, sharex=True, figsize=(7, 5.5), height_ratios=[3, 1], layout="constrained"
)
upper.plot(t, y, "o", markersize=4, alpha=0.6, label="data")
upper.plot(t, amount(t, *popt), linewidth=2, label="fit")
upper.plot(t, amount(t, *truth), "--", color="black", label="truth")
upper.set(title="2 A -> B -> products", ylabel="amount of B")
upper.legend(frameon=False)
lower.axhline(0, color="C1")
lower.plot(t, y - amount(t, *popt), "o", color="C0", markersize=3)
lower.set(xlabel="time", ylabel="residual")
plt.show()
