"""Models that people fit, with usual values: what the survey of answers is made of."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy import cos, exp, log, pi, sin, sqrt, tanh


class Usual(NamedTuple):
    """A model f(x, *true), measured on a span of x; noise is a part of the range of the data."""

    name: str
    span: tuple[float, float]
    true: tuple[float, ...]
    f: Callable[..., np.ndarray]
    noise: float = 0.02
    points: int = 40
    is_geometric: bool = False

    @property
    def x(self):
        """Where the model is measured."""
        space = np.geomspace if self.is_geometric else np.linspace
        return space(*self.span, self.points)


def gauss(x, a, m, s):
    """A Gaussian peak."""
    return a * exp(-((x - m) ** 2) / (2 * s**2))


def lorentz(x, a, m, g):
    """A Lorentzian peak."""
    return a / (1 + ((x - m) / g) ** 2)


MODELS = [
    # decays and growth
    Usual("decay", (0, 5), (2.5, 1.3, 0.5), lambda t, a, k, c: a * exp(-k * t) + c),
    Usual("half-life", (0, 60), (1200, 14), lambda t, a, h: a * 2 ** (-t / h), noise=0.03),
    Usual(
        "two decays",
        (0, 20),
        (80, 1.1, 30, 0.15),
        lambda t, a, k, b, q: a * exp(-k * t) + b * exp(-q * t),
        noise=0.01,
    ),
    Usual("saturation", (0, 10), (240, 0.55), lambda t, a, k: a * (1 - exp(-k * t)), noise=0.03),
    Usual("logistic", (0, 30), (950, 0.5, 14), lambda t, k, r, m: k / (1 + exp(-r * (t - m)))),
    Usual("Gompertz", (0, 40), (12, 6, 0.18), lambda t, a, b, c: a * exp(-b * exp(-c * t))),
    Usual(
        "Richards",
        (0, 20),
        (70, 0.6, 8, 0.5),
        lambda t, a, k, m, v: a * (1 + v * exp(-k * (t - m))) ** (-1 / v),
        noise=0.01,
    ),
    Usual(
        "von Bertalanffy",
        (1, 20),
        (120, 0.18, -0.6),
        lambda t, size, k, t0: size * (1 - exp(-k * (t - t0))),
    ),
    Usual("Weibull", (0.5, 40), (95, 15, 1.8), lambda t, a, s, k: a * (1 - exp(-((t / s) ** k)))),
    Usual(
        "stretched exponential",
        (0.01, 100),
        (1, 4, 0.6),
        lambda t, a, s, b: a * exp(-((t / s) ** b)),
        is_geometric=True,
    ),
    Usual(
        "biexponential uptake",
        (0, 24),
        (35, 1.2, 0.12),
        lambda t, d, ka, ke: d * (exp(-ke * t) - exp(-ka * t)),
    ),
    Usual("learning", (1, 40), (8, 30, 0.7), lambda n, c, a, b: c + a * n ** (-b)),
    # chemistry and biology
    Usual(
        "Michaelis-Menten",
        (0.02, 1.1),
        (212, 0.064),
        lambda s, v, k: v * s / (k + s),
        noise=0.03,
        points=12,
    ),
    Usual("Hill", (0.1, 50), (40, 6, 2.2), lambda s, v, k, n: v * s**n / (k**n + s**n), points=20),
    Usual(
        "dose response",
        (0.01, 100),
        (5, 95, 2.3, 1.4),
        lambda x, low, high, m, h: low + (high - low) / (1 + (x / m) ** h),
        points=24,
        is_geometric=True,
    ),
    Usual("Langmuir", (0.1, 30), (6.5, 0.35), lambda p, q, k: q * k * p / (1 + k * p), points=20),
    Usual("Freundlich", (0.5, 80), (3.2, 2.4), lambda p, k, n: k * p ** (1 / n), points=20),
    Usual("BET", (0.02, 0.5), (25, 90), lambda x, q, c: q * c * x / ((1 - x) * (1 + (c - 1) * x))),
    Usual(
        "Arrhenius",
        (290, 360),
        (40000000.0, 42000.0),
        lambda t, a, e: a * exp(-e / (8.314 * t)),
        points=20,
    ),
    Usual(
        "Antoine",
        (10, 100),
        (8.07, 1730, 233),
        lambda t, a, b, c: a - b / (c + t),
        noise=0.002,
        points=30,
    ),
    Usual(
        "Vogel",
        (350, 600),
        (-2.5, 1200, 250),
        lambda t, a, b, t0: a + b / (t - t0),
        noise=0.01,
        points=20,
    ),
    Usual(
        "Haldane", (0.1, 60), (9, 3, 25), lambda s, v, k, i: v * s / (k + s + s**2 / i), points=25
    ),
    Usual("titration", (0, 25), (7, 4, 12.5, 0.8), lambda x, a, b, m, w: a + b * tanh((x - m) / w)),
    Usual(
        "binding",
        (0.1, 30),
        (100, 0.8, 5),
        lambda c, b, k, p: b * (p + c + k - sqrt((p + c + k) ** 2 - 4 * p * c)) / (2 * p),
        points=24,
    ),
    # peaks and spectra
    Usual("Gauss", (-5, 5), (3, 0.8, 0.9), gauss),
    Usual(
        "Gauss on a level", (0, 10), (5, 4.2, 0.7, 1), lambda x, a, m, s, c: gauss(x, a, m, s) + c
    ),
    Usual(
        "Gauss on a line",
        (0, 10),
        (5, 5.5, 0.8, 2, 0.3),
        lambda x, a, m, s, c, d: gauss(x, a, m, s) + c + d * x,
    ),
    Usual("Lorentz", (-5, 5), (2, -0.6, 0.7), lorentz),
    Usual(
        "two Gauss",
        (0, 10),
        (3, 3.2, 0.8, 2, 6.4, 1.1),
        lambda x, a, m, s, b, n, r: gauss(x, a, m, s) + gauss(x, b, n, r),
        points=80,
    ),
    Usual(
        "pseudo-Voigt",
        (-5, 5),
        (2, 0.4, 0.9, 0.4),
        lambda x, a, m, w, e: e * lorentz(x, a, m, w) + (1 - e) * gauss(x, a, m, w / 1.1774),
        noise=0.01,
        points=60,
    ),
    Usual("sech2", (-4, 4), (1.5, 0.3, 0.6), lambda x, a, m, w: a / np.cosh((x - m) / w) ** 2),
    Usual(
        "resonance",
        (0.5, 2),
        (4, 1.1, 8),
        lambda f, a, f0, q: a / sqrt(1 + (q * (f / f0 - f0 / f)) ** 2),
        points=60,
    ),
    Usual("Planck", (0.3, 3), (6, 5.5), lambda w, a, t: a / (w**5 * (exp(14.388 / (w * t)) - 1))),
    Usual(
        "log-normal",
        (0.1, 20),
        (6, 2.5, 0.5),
        lambda x, a, m, s: a * exp(-(log(x / m) ** 2) / (2 * s**2)) / x,
    ),
    # waves and steps
    Usual("sine", (0, 6), (2, 1.6, 0.5, 1), lambda t, a, w, p, c: a * sin(w * t + p) + c),
    Usual(
        "damped sine",
        (0, 8),
        (3, 0.3, 1.7, 0.4),
        lambda t, a, k, w, p: a * exp(-k * t) * sin(w * t + p),
        points=80,
    ),
    Usual("Malus", (0, 2 * pi), (3, 0.6, 0.4), lambda x, a, p, c: a * cos(x - p) ** 2 + c),
    Usual("step", (-5, 5), (3, 0.7, 0.5, 1), lambda x, a, m, w, c: a / (1 + exp(-(x - m) / w)) + c),
    Usual("Airy slit", (-4, 4), (5, 0.6), lambda x, a, w: a * np.sinc(w * x) ** 2, points=60),
    # engineering and earth
    Usual("power", (1, 50), (2.4, 0.75), lambda x, a, b: a * x**b),
    Usual("power with offset", (1, 40), (30, -0.7, 4), lambda x, a, b, c: a * x**b + c),
    Usual(
        "diode",
        (0.3, 0.7),
        (1e-09, 1.6),
        lambda v, i, n: i * (exp(v / (0.0259 * n)) - 1),
        noise=0.01,
    ),
    Usual(
        "pump", (0, 60), (42, 0.004, 2.1), lambda q, h, a, b: h - a * q**b, noise=0.01, points=25
    ),
    Usual("RC charging", (0, 30), (12, 6, 2), lambda t, v, tau, v0: v + (v0 - v) * exp(-t / tau)),
    Usual(
        "van Genuchten",
        (1, 10000.0),
        (0.07, 0.43, 0.02, 1.6),
        lambda h, r, s, a, n: r + (s - r) / (1 + (a * h) ** n) ** (1 - 1 / n),
        noise=0.01,
        points=30,
        is_geometric=True,
    ),
    Usual("variogram", (1, 60), (0.4, 2.2, 14), lambda h, c0, c, r: c0 + c * (1 - exp(-h / r))),
    Usual("drag", (0, 12), (54, 0.18), lambda t, v, k: v * tanh(k * t)),
    Usual(
        "Ramberg-Osgood",
        (20, 500),
        (200, 620, 9),
        lambda s, e, k, n: s / e + (s / k) ** n,
        noise=0.01,
    ),
    Usual("cooling", (0, 60), (21, 92, 0.06), lambda t, a, b, k: a + (b - a) * exp(-k * t)),
    Usual(
        "Cole-Cole",
        (0.01, 1000.0),
        (3, 40, 0.6, 0.15),
        lambda w, high, d, tau, a: (
            high
            + d
            * (1 + (w * tau) ** (1 - a) * sin(a * pi / 2))
            / (1 + 2 * (w * tau) ** (1 - a) * sin(a * pi / 2) + (w * tau) ** (2 - 2 * a))
        ),
        noise=0.01,
        points=50,
        is_geometric=True,
    ),
    Usual("rational", (0, 10), (1, 6, 0.8), lambda x, a, b, c: (a + b * x) / (1 + c * x)),
    Usual(
        "Butterworth",
        (0.1, 100),
        (2, 8, 2.5),
        lambda f, g, f0, n: g / sqrt(1 + (f / f0) ** (2 * n)),
        noise=0.01,
        points=50,
        is_geometric=True,
    ),
    Usual(
        "photosynthesis",
        (0, 1500),
        (28, 0.06, 1.5),
        lambda i, p, a, r: p * a * i / (p + a * i) - r,
        points=20,
    ),
    Usual(
        "Monod with lag",
        (0, 30),
        (8, 1.2, 6),
        lambda t, a, r, m: a / (1 + exp(4 * r / a * (m - t) + 2)),
    ),
    Usual(
        "Morse",
        (0.6, 3),
        (4.5, 1.9, 0.9, -4.2),
        lambda r, d, a, r0, e: d * (1 - exp(-a * (r - r0))) ** 2 + e,
        noise=0.01,
        points=30,
    ),
    Usual(
        "Birch-Murnaghan",
        (14, 19),
        (-9, 0.55, 4.2, 16.4),
        lambda v, e, b, bp, v0: (
            e
            + 9
            * v0
            * b
            / 16
            * (
                ((v0 / v) ** (2 / 3) - 1) ** 3 * bp
                + ((v0 / v) ** (2 / 3) - 1) ** 2 * (6 - 4 * (v0 / v) ** (2 / 3))
            )
        ),
        noise=0.01,
        points=15,
    ),
    Usual(
        "Debye relaxation",
        (0.01, 100),
        (80, 5, 0.9),
        lambda w, s, h, tau: h + (s - h) / (1 + (w * tau) ** 2),
        points=30,
        is_geometric=True,
    ),
    Usual("Fermi level", (-1, 1), (1, 0.1, 0.12), lambda e, a, m, t: a / (exp((e - m) / t) + 1)),
    Usual("Brillouin", (0.1, 10), (7, 1.4), lambda b, m, j: m * (1 / tanh(b * j) - 1 / (b * j))),
    Usual(
        "beam profile",
        (0, 640),
        (180, 310, 85, 12),
        lambda x, a, m, w, c: a * exp(-2 * ((x - m) / w) ** 2) + c,
        points=64,
    ),
]
