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

    def for_rows(self, m: int) -> Loss:
        """Return the loss of m residuals."""
        if self.scale.size not in (1, m):
            raise ValueError(
                f"f_scale must be one number, or one for each of the {m} residuals, got "
                f"{self.scale.size}"
            )
        return self

    def padded(self, m: int) -> Loss:
        """Return the loss of residuals that were filled up with zeros to m."""
        if self.scale.size == 1:
            return self
        return self._replace(scale=np.append(self.scale, np.ones(m - self.scale.size)))


def read_loss(loss: Any, f_scale: ArrayLike) -> Loss | None:
    """Convert a loss; None if the sum of squares is minimized."""
    scale = own_vector(f_scale, "f_scale")
    if not (scale.size and (scale > 0).all() and (scale < np.inf).all()):
        raise ValueError(f"f_scale must be positive and finite: got {f_scale!r}")
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
