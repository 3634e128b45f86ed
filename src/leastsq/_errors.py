"""What curve_fit raises and warns of."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from leastsq._arguments.arrays import FloatArray


class FitError(RuntimeError):
    """A fit found no solution.

    Attributes
    ----------
    popt : ndarray, shape (n,), float64
        The best parameters found.
    infodict : dict
        The optional outputs, as leastsq returns them.
    ier : int
        The exit code, as of leastsq: 0 or 5 to 10.
    """

    def __init__(self, message: str, popt: FloatArray, infodict: Any, ier: int) -> None:
        super().__init__(message)
        self.popt = popt
        self.infodict = infodict
        self.ier = ier

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle with all that is known, not with the message alone."""
        return type(self), (str(self), self.popt, self.infodict, self.ier)


class ShapeError(ValueError):
    """A model returns values of another shape than the data.

    Attributes
    ----------
    given, wanted : tuple of int
        The shape of the values that the model returns, and the shape of ydata.
    """

    def __init__(self, given: tuple[int, ...], wanted: tuple[int, ...]) -> None:
        super().__init__(given, wanted)
        self.given = given
        self.wanted = wanted

    def __str__(self) -> str:
        """Say both shapes."""
        return (
            f"the model returns values of shape {self.given}, but ydata has shape {self.wanted}. "
            "It must return one value for each point; leastsq fits one data set at a time"
        )


class BestPoint:
    """A context in which x becomes better; an exception that ends it gets x as its attribute x."""

    __slots__ = ("x",)

    def __init__(self, x: FloatArray) -> None:
        self.x = x

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        """Leave x with the exception, unless it has an attribute of that name by itself."""
        if error is not None and not hasattr(error, "x"):
            with suppress(Exception):  # of an exception that lets nothing be set
                error.x = self.x  # type: ignore[attr-defined]


class LeastsqWarning(UserWarning):
    """The base of this library's own warnings; Python exchanges none that is built in."""


class OptimizeWarning(LeastsqWarning):
    """A fit has a result that is to be doubted: its parameters, or their covariance."""
