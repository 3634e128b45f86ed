"""Whether a model can be called for parts of the data: it may not use other points than its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from leastsq._arguments.arrays import FloatArray, Function, name_of
from leastsq._errors import OUT_OF_DOMAIN, add_note
from leastsq._models.residuals import difference_of
from leastsq._models.same import are_same
from leastsq._parts.work import CurveWork, Rows, points

PLACES = 4
"""From so many places of the data some points are taken."""
MOST_POINTS = 2048
"""So many points are taken from a place."""


class MixedRowsError(ValueError):
    """A model has other values if it is called for some of the points than for all."""


def check_model(work: CurveWork, samples: list[Rows], p: FloatArray) -> None:
    """Raise an error unless the model, and jac, have the same values for samples as for all."""
    pieces = [work.model_x(rows) for rows in samples if len(rows.y)]
    pieces = [x for x in pieces if length(x)]
    if not pieces:
        return
    whole = joined(pieces)
    if whole is None or len(pieces) == 1:
        whole, half = pieces[0], length(pieces[0]) // 2
        if half == 0:
            return
        pieces = [points(whole, 0, half), points(whole, half, length(whole))]
    compare(work.f, work.box, whole, pieces, p, 0)
    if callable(work.jac):
        compare(work.jac, work.box, whole, pieces, p, 1 if work.col_deriv else 0)


def compare(
    function: Function, box: Any, whole: Any, pieces: list[Any], p: FloatArray, axis: int
) -> None:
    """Compare the values for all points with those for pieces of them, at p and close to it."""
    moved = p + 0.02 * np.maximum(np.abs(p), 0.1)
    for q in (p, moved if box is None else np.clip(moved, box.lower, box.upper)):
        try:
            together = values(function, whole, q)
            apart = [values(function, x, q) for x in pieces]
        except (*OUT_OF_DOMAIN, TypeError) as error:
            if q is not p:  # the user has not chosen this point
                continue
            add_note(
                error,
                f"{name_of(function)} was called for {length(whole)} of the points, because the "
                "data are in parts.",
            )
            raise
        if together.ndim == 2 and together.shape != shape_of(whole, q, axis):
            return  # the fit tells what is wrong
        joint, single = np.moveaxis(together, axis, -1), np.concatenate(apart, axis)
        if not are_same(joint, np.moveaxis(single, axis, -1)):
            raise mixed(function)


def shape_of(x: Any, p: FloatArray, axis: int) -> tuple[int, int]:
    """Return the shape of a Jacobian whose points are on an axis."""
    return (length(x), p.size) if axis == 0 else (p.size, length(x))


def values(function: Function, x: Any, p: FloatArray) -> FloatArray:
    """Call a function; a model that returns one value has the same value at all points."""
    returned = function(x.copy() if hasattr(x, "copy") else x, *p)  # it may write to x
    if np.ndim(returned) < 2:
        return np.asarray(difference_of(function)(returned, np.zeros(length(x))))
    return np.asarray(returned)


def mixed(function: Function) -> MixedRowsError:
    """Make the error."""
    return MixedRowsError(
        f"{name_of(function)} has other values for some of the points than for all of them: it "
        "cannot be called for parts of the data. It may not use other points, such as a mean of "
        "x, a cumulative sum or a convolution; and it must return the same values each time. The "
        "terms of a polynomial in a date cancel, and leave rounding errors that differ: use the "
        "time since the first date"
    )


def joined(pieces: list[Any]) -> Any:
    """Join pieces of x; None if that is not known for its type."""
    if all(isinstance(x, np.ndarray) for x in pieces):
        return np.concatenate(pieces, axis=-1)
    if type(pieces[0]).__module__.startswith("pandas") and hasattr(pieces[0], "iloc"):
        import pandas as pd

        return pd.concat(pieces)
    return None


def length(x: Any) -> int:
    """Return the number of points of x; those of a table are its rows."""
    return len(x) if hasattr(x, "iloc") else int(np.shape(x)[-1])
