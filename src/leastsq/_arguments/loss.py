"""The arguments loss and f_scale."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from leastsq._arguments.arrays import FLOAT64, FloatArray, Function, name_of, own_vector
from leastsq._core._calls import ARCTAN, CAUCHY, HUBER, LINEAR, SOFT_L1

LOSSES = {
    "linear": LINEAR,
    "huber": HUBER,
    "soft_l1": SOFT_L1,
    "cauchy": CAUCHY,
    "arctan": ARCTAN,
}


class Loss(NamedTuple):
    """What is minimized: the sum of ``scale**2 * rho((f/scale)**2)`` over the residuals f.

    kind is one of the codes of the core; function is the user's own loss, or None.
    """

    kind: int
    scale: FloatArray
    function: Function | None

    def padded(self, rows: int, m: int) -> Loss:
        """Return the loss of residuals that were filled up with zeros from rows to m."""
        scale, function = self.scale, self.function
        if scale.size > 1:
            scale = np.append(scale, np.ones(m - scale.size))
        return Loss(self.kind, scale, None if function is None else of_first(function, rows))


def read_loss(loss: Any, f_scale: ArrayLike) -> Loss | None:
    """Convert a loss; None if the sum of squares is minimized."""
    scale = own_vector(f_scale, "f_scale")
    if not (scale.size and (scale > 1e-150).all() and (scale < 1e150).all()):
        raise ValueError(f"f_scale must be positive, from 1e-150 to 1e150: got {f_scale!r}")
    if callable(loss):
        return Loss(LINEAR, scale, checked(loss))
    if not isinstance(loss, str) or loss not in LOSSES:
        raise ValueError(f"`loss` must be one of {list(LOSSES)} or a callable, got {loss!r}")
    return None if loss == "linear" else Loss(LOSSES[loss], scale, None)


def checked(loss: Function) -> Function:
    """Check the shape of what a loss returns."""

    def rho(z: FloatArray) -> FloatArray:
        shape = 3, z.size
        values = np.ascontiguousarray(loss(z), FLOAT64)
        if values.shape != shape:
            raise ValueError(
                f"The return value of `loss` callable has wrong shape: {name_of(loss)} must return "
                f"the loss and its two derivatives, shape {shape}, not {values.shape}"
            )
        return values

    return rho


def of_first(rho: Function, rows: int) -> Function:
    """Make a loss that is the square of all residuals behind the first rows, which are zeros."""

    def padded(z: FloatArray) -> FloatArray:
        values = np.zeros((3, z.size))
        values[1, rows:] = 1
        values[:, :rows] = rho(z[:rows])
        return values

    return padded
