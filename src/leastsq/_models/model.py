"""A model and its data, as the functions that are minimized."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from leastsq._arguments.arrays import Function
from leastsq._arguments.data import Data
from leastsq._fit.result import Outcome
from leastsq._functions.functions import is_dispatcher, is_single
from leastsq._models.residuals import IN_PYTHON, Padded, jacobian_form, named, residual_form


class Model:
    """The residuals of a model and their Jacobian, with the data as arguments.

    knows_compiled tells whether `first` serves for compiled functions, too.
    """

    knows_compiled = False

    def __init__(self, f: Function, data: Data, n: int, is_padded: bool) -> None:
        self.f = f
        self.data = data
        self.n = n
        self.is_padded = is_padded
        self.residuals: Any = self.form(residual_form, f)
        self.jacobian: Any = None
        self.returned: Any = None

    @property
    def first(self) -> Function:
        """The residuals for the first call, which records what the model returns."""

        def watched(*given: Any) -> Any:
            self.returned = self.f(*given)
            return self.returned

        weighing = self.data.weighing
        form = self.padded(residual_form(named(watched, self.f), weighing, IN_PYTHON), False)

        def residuals(p: Any, *args: Any) -> Any:
            values = form(p, *args)
            if self.is_padded:
                self.residuals.m = form.m
            return values

        return named(residuals, self.f)

    @property
    def is_single(self) -> bool:
        """Whether the model computes in float32."""
        if self.returned is None:
            return is_single(self.f)
        return np.asarray(self.returned).dtype == np.float32

    def differentiate(self, jac: Function | None, col_deriv: bool) -> None:
        """Make the Jacobian of the residuals, if the model has one."""
        if jac is not None:
            self.jacobian = self.form(jacobian_form, jac, col_deriv)

    def form(self, make: Any, function: Function, *flags: bool) -> Any:
        """Make a function of the parameters, compiled if the user's function is compiled."""
        weighing = self.data.weighing
        if is_dispatcher(function) and not self.is_padded:
            return compiling()(make, function, weighing, self.n, *flags)
        return self.padded(make(function, weighing, IN_PYTHON, *flags), make is jacobian_form)

    def padded(self, form: Function, is_jacobian: bool) -> Any:
        """Add zeros if there are fewer residuals than parameters."""
        return Padded(form, self.n, is_jacobian) if self.is_padded else form

    def without_padding(self, outcome: Outcome) -> Outcome:
        """Remove the zeros that were added to the residuals."""
        if not self.is_padded:
            return outcome
        return outcome._replace(fvec=outcome.residuals[: self.residuals.m])


@cache
def compiling() -> Any:
    """Import the module that needs Numba, when a model compiled by Numba is used."""
    from leastsq._models.njit import compiled

    return compiled
