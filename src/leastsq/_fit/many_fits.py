"""The result of curve_fit_many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leastsq._arguments.arrays import FloatArray
from leastsq._fit.result import SOLVED

NOT_DONE, RAISED = 0, -3


@dataclass(frozen=True, eq=False, repr=False)
class ManyFits:
    """The results of many fits.

    The shapes begin with the batch axes of ydata, here ``...``. Unpacking gives popt and pcov, or
    popt and perr with ``covariance="stderr"``. If ydata is a Dask array, so are the results.

    Attributes
    ----------
    popt : ndarray, shape (..., n), float64
        The parameters. NaN where no solution was found, except with ``on_failure="last"``.
    pcov : ndarray, shape (..., n, n), float64, or None
        The covariances of the parameters, as curve_fit estimates them: infinite if the data do not
        determine the parameters, zero in the rows and columns of parameters on a bound. NaN where
        no solution was found. None unless ``covariance=True``.
    perr : ndarray, shape (..., n), float64, or None
        The standard errors of the parameters. None with ``covariance=False``.
    chi2 : ndarray, shape (...), float64
        The sums of squares of the residuals, divided by sigma; with a loss, the sums of its values.
    npoints : ndarray, shape (...), int32
        The number of points that were used.
    status : ndarray, shape (...), int8
        How each fit ended. 1 to 4: a solution; 5 to 10: no solution, see leastsq. -1: every point
        is masked or NaN; -2: fewer points than free parameters; -3: the model raised an exception;
        -4: the start, the bounds or sigma are improper; 0: not done, because the batch was stopped.
    nfev : ndarray, shape (...), int32
        The number of evaluations of the model, in all attempts.
    active_mask : ndarray, shape (..., n), int8
        Parameters on a bound: -1 on the lower bound or fixed, 1 on the upper bound, otherwise 0.
    attempts : ndarray, shape (...), int8
        The number of starts: 1, or more with ``p0="neighbours"``; 0 for a fit that was not begun.
    doubtful : ndarray, shape (...), bool
        Solutions that curve_fit would warn of: the data do not determine the parameters, or hardly;
        no step reduced the sum of squares as much as the Jacobian predicts; or the model does not
        describe the data.
    success : ndarray, shape (...), bool
        Whether each fit found a solution, doubtful or not.
    """

    __module__ = "leastsq"

    popt: FloatArray
    pcov: Any  # users need not ask type checkers whether it is None
    _perr: FloatArray | None
    chi2: FloatArray
    npoints: NDArray[np.int32]
    status: NDArray[np.int8]
    nfev: NDArray[np.int32]
    active_mask: NDArray[np.int8]
    attempts: NDArray[np.int8]
    doubtful: NDArray[np.bool_]
    _messages: dict[int, str]
    _reasons: NDArray[np.int8]
    _errors: dict[int, str]

    @property
    def perr(self) -> Any:
        """The standard errors of the parameters; shape (..., n); None with ``covariance=False``."""
        if self.pcov is None:
            return self._perr
        errors: FloatArray = np.sqrt(np.diagonal(self.pcov, axis1=-2, axis2=-1))
        return errors

    @property
    def success(self) -> NDArray[np.bool_]:
        """Whether each fit found a solution; shape (...)."""
        return is_solved(self.status)

    def __iter__(self) -> Iterator[Any]:
        """Unpack popt and pcov, or perr if there is no pcov."""
        return iter((self.popt, self.perr if self.pcov is None else self.pcov))

    def __repr__(self) -> str:
        """Tell how many fits there are, and how many are solved."""
        what = f"{self.status.size} fits of {self.popt.shape[-1]} parameters"
        if not isinstance(self.status, np.ndarray):
            return f"ManyFits({what}, not computed)"
        return f"ManyFits({what}, {np.count_nonzero(self.success)} solved)"

    def message(self, index: int | Sequence[int] | NDArray[np.integer[Any]] = ()) -> str:
        """Say how a fit ended.

        Parameters
        ----------
        index : int or array_like of int
            The index of the fit, along the batch axes, such as a row of numpy.argwhere.

        Returns
        -------
        str
            The message that curve_fit gives for this fit alone.
        """
        place = tuple(np.atleast_1d(np.asarray(index, np.int64)).tolist())
        if len(place) != self._reasons.ndim:
            raise IndexError(f"index must have {self._reasons.ndim} numbers, got {index!r}")
        reason = int(self._reasons[place])
        if reason == RAISED:
            places = np.arange(self.status.size).reshape(self.status.shape)
            if error := self._errors.get(int(places[place])):
                return f"The model raised {error}"
        return self._messages[reason]

    def compute(self, **options: Any) -> ManyFits:
        """Compute the results of a Dask array, all at once. NumPy arrays stay as they are.

        Parameters
        ----------
        **options
            Options of ``dask.compute``, such as scheduler.

        Returns
        -------
        ManyFits
            The results as NumPy arrays.
        """
        return self


def is_solved(status: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """Tell which of some exit codes mean that there is a solution."""
    return (SOLVED[0] <= status) & (status <= SOLVED[-1])
