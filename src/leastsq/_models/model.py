"""A model and its data, as the functions that are minimized."""

from __future__ import annotations

from typing import Any

import numpy as np

from leastsq._arguments.arrays import Function
from leastsq._arguments.data import Data
from leastsq._fit.result import Outcome
from leastsq._functions.functions import is_dispatcher, is_single
from leastsq._functions.roles import ModelForm, Role
from leastsq._models.residuals import Padded, jacobian_form, named, residual_form


class Model:
    """The residuals of a model and their Jacobian, with the data as arguments."""

    def __init__(self, f: Function, data: Data, n: int, is_padded: bool) -> None:
        self.f = f
        self.data = data
        self.n = n
        self.is_padded = is_padded
        self.residuals: Any = self.form(residual_form, f, "residual")
        self.jacobian: Any = None
        self.returned: Any = None

    def first(self, residuals: Function) -> Function:
        """Make the residuals for the first call, which record what the model returns."""
        f = residuals.function if isinstance(residuals, ModelForm) else self.f

        def watched(*given: Any) -> Any:
            self.returned = f(*given)
            return self.returned

        weighing = self.data.weighing
        form = self.padded(residual_form(named(watched, f), weighing), False)

        def first(p: Any, *args: Any) -> Any:
            values = form(p, *args)
            if self.is_padded:
                self.residuals.m = form.m
            return values

        return named(first, f)

    @property
    def is_single(self) -> bool:
        """Whether the model computes in float32."""
        if self.returned is None:
            return is_single(self.f)
        return np.asarray(self.returned).dtype == np.float32

    def differentiate(self, jac: Function | None, col_deriv: bool) -> None:
        """Make the Jacobian of the residuals, if the model has one."""
        if jac is not None:
            kind = "transpose" if col_deriv else "Jacobian"
            self.jacobian = self.form(jacobian_form, jac, kind, col_deriv)

    def form(self, make: Any, function: Function, kind: str, *flags: bool) -> Any:
        """Make a function of the parameters, in which compiled code calls a compiled function."""
        weighing = self.data.weighing
        if is_dispatcher(function) and not self.is_padded:
            return ModelForm(make, function, Role(kind, self.n, weighing), *flags)
        return self.padded(make(function, weighing, *flags), make is jacobian_form)

    def padded(self, form: Function, is_jacobian: bool) -> Any:
        """Add zeros if there are fewer residuals than parameters."""
        return Padded(form, self.n, is_jacobian) if self.is_padded else form

    def without_padding(self, outcome: Outcome) -> Outcome:
        """Remove the zeros that were added to the residuals."""
        if not self.is_padded:
            return outcome
        return outcome._replace(fvec=outcome.residuals[: self.residuals.m])
