"""Exceptions and warnings."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from leastsq._arguments.arrays import FloatArray

OUT_OF_DOMAIN = ArithmeticError, LookupError, RuntimeError, ValueError
"""What a function raises where it is not defined. Others, as those of a time limit, end a fit."""


class FitError(RuntimeError):
    """A fit found no solution.

    Attributes
    ----------
    popt : ndarray, shape (n,), float64
        The best parameters found.
    infodict : dict
        The optional outputs, as leastsq returns them; from curve_fit_many, nfev alone.
    ier : int
        The exit code of leastsq, 0 or 5 to 12; from curve_fit_many, the status.
    """

    __module__ = "leastsq"

    def __init__(self, message: str, popt: FloatArray, infodict: Any, ier: int) -> None:
        super().__init__(message)
        self.popt = popt
        self.infodict = infodict
        self.ier = ier

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the attributes too, not only the message."""
        return type(self), (str(self), self.popt, self.infodict, self.ier), vars(self)


class ShapeError(ValueError):
    """A model returns values whose shape differs from that of the data.

    Attributes
    ----------
    given, wanted : tuple of int
        The shape of the values that the model returns, and the shape of ydata.
    points : int or None
        The number of points in xdata, if that is not the number of points in ydata.
    """

    def __init__(self, given: tuple[int, ...], wanted: tuple[int, ...]) -> None:
        super().__init__(given, wanted)
        self.given = given
        self.wanted = wanted
        self.points: int | None = None

    def look_at(self, xdata: Any) -> None:
        """Remember the number of points in xdata if that is why the shapes differ."""
        shape = getattr(xdata, "shape", ())
        if len(self.wanted) == 1 and shape[-1:] == self.given and self.wanted[0] not in shape:
            self.points = self.given[0]

    def __str__(self) -> str:
        """Describe both shapes, and what may be wrong."""
        given, wanted, count = self.given, self.wanted, len(self.given)
        if self.points is not None:
            return (
                f"xdata has {self.points} points, but ydata has {wanted[0]}: the model returns "
                f"values of shape {given}, but ydata has shape {wanted}"
            )
        text = f"the model returns values of shape {given}, but ydata has shape {wanted}. "
        if count < len(wanted) and wanted[-count:] == given:
            return text + "Is ydata a stack of data sets? curve_fit_many fits each of them"
        if count < len(wanted) and wanted[:count] == given and wanted != (*given, 1):
            return (
                f"{text}Is ydata a stack of data sets? curve_fit_many(..., axis=0) fits each of "
                "them"
            )
        if count > len(wanted) and given[-len(wanted) :] == wanted:
            return (
                f"{text}It must return one value for each point. If the rows of xdata are x of one "
                "fit each, curve_fit_many takes them in a tuple: xdata=(x,)"
            )
        return f"{text}It must return one value for each point"


def add_best_point(error: BaseException, x: FloatArray) -> None:
    """Give an exception the best point so far, unless it has an attribute x of its own.

    If fits are nested, the outer fit sets it last.
    """
    if not hasattr(error, "x") or hasattr(error, "_x_is_best_point"):
        with suppress(Exception):  # some exceptions do not allow new attributes
            error.x = x  # type: ignore[attr-defined]
            error._x_is_best_point = True  # type: ignore[attr-defined]


class LeastsqWarning(UserWarning):
    """The base class of the warnings of this library.

    `patch_scipy` changes the bases of OptimizeWarning, and Python allows this only if the first
    base is not a built-in class.
    """


class OptimizeWarning(LeastsqWarning):
    """The result of a fit is doubtful: its parameters, or their covariance."""

    __module__ = "leastsq"


def add_note(error: BaseException, note: str) -> None:
    """Add a note to an exception, if it allows notes."""
    with suppress(Exception):
        error.add_note(note)
