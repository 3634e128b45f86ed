"""A curve, data of it with outliers, and what a robust loss makes of them."""

import numpy as np

T = np.linspace(0, 5, 50)


LOSSES = ["linear", "soft_l1", "huber", "cauchy", "arctan"]


METHODS = ["trf", "dogbox", "lm"]


def residuals(p, t, y):
    return p[0] * np.exp(-p[1] * t) + p[2] - y


def slopes(p, t, y):
    decay = np.exp(-p[1] * t)
    return np.column_stack((decay, -p[0] * t * decay, np.ones_like(t)))


def with_outliers(seed, share=0.1):
    """Make a decay with noise, and outliers of 40 times the noise."""
    rng = np.random.default_rng(seed)
    p = rng.uniform([1, 0.5, 0], [4, 2, 1])
    y = residuals(p, T, 0) + 0.05 * rng.standard_normal(T.size)
    is_outlier = rng.random(T.size) < share
    return y + np.where(is_outlier, rng.normal(0, 2, T.size), 0)


Y = with_outliers(3)


def cubic(z):
    """A loss of our own: 3/2 ((1 + z)**(2/3) - 1)."""
    t = 1 + z
    return np.array([1.5 * (t ** (2 / 3) - 1), t ** (-1 / 3), -1 / 3 * t ** (-4 / 3)])


def cost_of(p, loss, scale):
    z = (residuals(p, T, Y) / scale) ** 2
    rho = {
        "linear": z,
        "soft_l1": 2 * (np.sqrt(1 + z) - 1),
        "huber": np.where(z <= 1, z, 2 * np.sqrt(z) - 1),
        "cauchy": np.log1p(z),
        "arctan": np.arctan(z),
    }
    values = cubic(z)[0] if callable(loss) else rho[loss]
    return 0.5 * np.sum(scale**2 * values)
