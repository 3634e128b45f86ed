"""Dfun and col_deriv: a Jacobian in whichever order it comes, checked at every call."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leastsq._checks import FLOAT64, FloatArray, Function, name_of, real_array

FLOAT32 = np.dtype(np.float32)


class Jacobian:
    """A user's Jacobian function as the core wants it: m x n, aligned, float64 or float32."""

    def __init__(self, Dfun: Function, m: int, n: int, col_deriv: bool) -> None:
        self.Dfun = Dfun
        self.shape = (n, m) if col_deriv else (m, n)
        self.transposed = bool(col_deriv)
        self.is_vector = n == 1
        self.is_single = False

    def __call__(self, x: FloatArray, *args: Any) -> NDArray[Any]:
        """Evaluate the Jacobian at x."""
        jacobian = real_array(self.Dfun(x, *args), f"What {name_of(self.Dfun)} returns")
        if self.is_vector and jacobian.size == max(self.shape):
            jacobian = jacobian.reshape(self.shape)
        if jacobian.shape != self.shape:
            raise self.mismatch(jacobian.shape)
        if jacobian.dtype not in (FLOAT64, FLOAT32) or not jacobian.flags.aligned:
            jacobian = np.array(jacobian, FLOAT64)
        self.is_single = jacobian.dtype == FLOAT32
        return jacobian.T if self.transposed else jacobian

    def mismatch(self, shape: tuple[int, ...]) -> TypeError:
        """Say that a Jacobian has the wrong shape."""
        return TypeError(
            "leastsq: there is a mismatch between the input and output shape of the 'Dfun' "
            f"argument '{name_of(self.Dfun)}'.Shape should be {self.shape} but it is {shape}."
        )
