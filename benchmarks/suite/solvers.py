"""Who solves, by name: the last of every benchmark's parameters."""

from collections.abc import Callable
from typing import NamedTuple

from scipy import optimize

import leastsq


class Solver(NamedTuple):
    """One library's functions under the same names."""

    leastsq: Callable
    within_bounds: Callable
    least_squares: Callable
    curve_fit: Callable


SOLVERS = {
    "leastsq": Solver(leastsq.leastsq, leastsq.leastsq, leastsq.least_squares, leastsq.curve_fit),
    "scipy": Solver(
        optimize.leastsq, optimize.least_squares, optimize.least_squares, optimize.curve_fit
    ),
}
