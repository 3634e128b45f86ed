"""The 27 nonlinear regression problems of NIST's Statistical Reference Datasets.

The numbers (data, two starting points, certified values to 11 digits) are in nist.json.
Source: https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

MOST_DIGITS = 11


class Problem(NamedTuple):
    """One data set and its model."""

    name: str
    model: Callable
    level: str
    starts: list
    certified: np.ndarray
    deviations: np.ndarray
    rss: float
    x: np.ndarray
    y: np.ndarray

    def residuals(self, b):
        """Model minus observations."""
        return self.model(self.x, *b) - self.y

    def jacobian(self, b):
        """The derivatives to machine precision, from a step off the real axis."""
        step = 1e-30
        shifted = np.asarray(b) + 1j * step * np.eye(len(b))
        return np.column_stack([self.residuals(row).imag / step for row in shifted])


class Digits(NamedTuple):
    """How many digits of a fit agree with the certified ones."""

    parameters: float
    deviations: float
    rss: float


def digits_of(problem, result):
    """The digits of what a solver's full output says."""
    x, cov_x, info, *_ = result
    rss = np.sum(info["fvec"] ** 2)
    variance = rss / (problem.y.size - x.size)
    deviations = np.zeros(x.size) if cov_x is None else np.sqrt(np.diag(cov_x) * variance)
    return Digits(
        digits(x, problem.certified),
        digits(deviations, problem.deviations),
        digits(rss, problem.rss),
    )


def digits(values, certified):
    """How many digits agree, in the worst of the values: the log relative error, at most 11."""
    error = np.max(np.abs((np.asarray(values) - certified) / certified))
    if np.isnan(error):
        return 0.0
    return max(0.0, float(-np.log10(max(error, 10.0**-MOST_DIGITS))))


def bennett5(x, b1, b2, b3):
    return b1 * (b2 + x) ** (-1 / b3)


def saturation(x, b1, b2):
    return b1 * (1 - np.exp(-b2 * x))


def chwirut(x, b1, b2, b3):
    return np.exp(-b1 * x) / (b2 + b3 * x)


def danwood(x, b1, b2):
    return b1 * x**b2


def eckerle4(x, b1, b2, b3):
    return b1 / b2 * np.exp(-0.5 * ((x - b3) / b2) ** 2)


def enso(x, b1, b2, b3, b4, b5, b6, b7, b8, b9):
    def wave(period, cosine, sine):
        return cosine * np.cos(2 * np.pi * x / period) + sine * np.sin(2 * np.pi * x / period)

    return b1 + wave(12, b2, b3) + wave(b4, b5, b6) + wave(b7, b8, b9)


def gauss(x, b1, b2, b3, b4, b5, b6, b7, b8):
    return (
        b1 * np.exp(-b2 * x)
        + b3 * np.exp(-((x - b4) ** 2) / b5**2)
        + b6 * np.exp(-((x - b7) ** 2) / b8**2)
    )


def cubic_over_cubic(x, b1, b2, b3, b4, b5, b6, b7):
    return (b1 + b2 * x + b3 * x**2 + b4 * x**3) / (1 + b5 * x + b6 * x**2 + b7 * x**3)


def kirby2(x, b1, b2, b3, b4, b5):
    return (b1 + b2 * x + b3 * x**2) / (1 + b4 * x + b5 * x**2)


def lanczos(x, b1, b2, b3, b4, b5, b6):
    return b1 * np.exp(-b2 * x) + b3 * np.exp(-b4 * x) + b5 * np.exp(-b6 * x)


def mgh09(x, b1, b2, b3, b4):
    return b1 * (x**2 + x * b2) / (x**2 + x * b3 + b4)


def mgh10(x, b1, b2, b3):
    return b1 * np.exp(b2 / (x + b3))


def mgh17(x, b1, b2, b3, b4, b5):
    return b1 + b2 * np.exp(-x * b4) + b3 * np.exp(-x * b5)


def misra1b(x, b1, b2):
    return b1 * (1 - (1 + b2 * x / 2) ** -2)


def misra1c(x, b1, b2):
    return b1 * (1 - (1 + 2 * b2 * x) ** -0.5)


def misra1d(x, b1, b2):
    return b1 * b2 * x / (1 + b2 * x)


def nelson(x, b1, b2, b3):
    return b1 - b2 * x[0] * np.exp(-b3 * x[1])


def rat42(x, b1, b2, b3):
    return b1 / (1 + np.exp(b2 - b3 * x))


def rat43(x, b1, b2, b3, b4):
    return b1 / (1 + np.exp(b2 - b3 * x)) ** (1 / b4)


def roszman1(x, b1, b2, b3, b4):
    return b1 - b2 * x - np.arctan(b3 / (x - b4)) / np.pi


MODELS = {
    "Bennett5": bennett5,
    "BoxBOD": saturation,
    "Chwirut1": chwirut,
    "Chwirut2": chwirut,
    "DanWood": danwood,
    "Eckerle4": eckerle4,
    "ENSO": enso,
    "Gauss1": gauss,
    "Gauss2": gauss,
    "Gauss3": gauss,
    "Hahn1": cubic_over_cubic,
    "Kirby2": kirby2,
    "Lanczos1": lanczos,
    "Lanczos2": lanczos,
    "Lanczos3": lanczos,
    "MGH09": mgh09,
    "MGH10": mgh10,
    "MGH17": mgh17,
    "Misra1a": saturation,
    "Misra1b": misra1b,
    "Misra1c": misra1c,
    "Misra1d": misra1d,
    "Nelson": nelson,
    "Rat42": rat42,
    "Rat43": rat43,
    "Roszman1": roszman1,
    "Thurber": cubic_over_cubic,
}


def read_problem(name, numbers):
    """Turn the numbers of one data set into arrays."""
    y = np.array(numbers["y"], dtype=float)
    return Problem(
        name=name,
        model=MODELS[name],
        level=numbers["level"],
        starts=numbers["starts"],
        certified=np.array(numbers["certified"]),
        deviations=np.array(numbers["deviations"]),
        rss=numbers["rss"],
        x=np.array(numbers["x"], dtype=float),
        y=np.log(y) if name == "Nelson" else y,
    )


NUMBERS = json.loads(Path(__file__).with_name("nist.json").read_text())
PROBLEMS = {name: read_problem(name, numbers) for name, numbers in NUMBERS.items()}
