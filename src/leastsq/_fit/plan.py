"""What is the same for all fits of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from functools import cache
from time import monotonic
from typing import Any, NamedTuple

import numpy as np

from leastsq._arguments.arrays import Function
from leastsq._arguments.curve_fit_options import SETTINGS, fit_settings, means_least_squares
from leastsq._arguments.settings import IMPROPER, Settings


class Options(NamedTuple):
    """The options of fits with bounds, or of fits without."""

    settings: Settings
    limit: str | None
    as_least_squares: bool
    may_be_few: bool


class Plan:
    """The model and the options of all fits, and the flag that cancels them."""

    def __init__(
        self,
        f: Function,
        jac: Any,
        n: int,
        method: str | None,
        absolute_sigma: bool,
        options: Mapping[str, Any],
    ) -> None:
        self.f = f
        self.jac = jac
        self.n = n
        self.method = method
        self.absolute_sigma = absolute_sigma
        self.given = options
        self.col_deriv = bool(options.get("col_deriv"))
        self.cancel = np.zeros(1, np.int32)
        self.deadline: float | None = None
        self.options = cache(self.read_options)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the arguments, for other processes."""
        given = self.f, self.jac, self.n, self.method, self.absolute_sigma, self.given
        return type(self), given

    @property
    def is_differenced(self) -> bool:
        """Whether the core differences the model."""
        return self.jac is None or (isinstance(self.jac, str) and self.jac == "2-point")

    @property
    def is_cancelled(self) -> bool:
        """Whether no more fits are to be started."""
        if self.deadline is not None and monotonic() > self.deadline:
            self.stop()
        return bool(self.cancel[0])

    def stop(self) -> None:
        """Start no more fits, and end those that run."""
        self.cancel[0] = 1

    def in_python(self) -> Plan:
        """Return the plan with the Python functions of njit functions."""
        plan = copy(self)
        plan.f, plan.jac = in_python(self.f), in_python(self.jac)
        return plan

    def check(self, bounded: bool) -> None:
        """Raise an error if an option is not valid for fits without bounds, or with bounds."""
        for has_bounds in {False, bounded}:
            settings = self.options(has_bounds).settings
            if settings.fault:
                raise ValueError(f"{IMPROPER} {settings.fault}")
            if settings.loss is not None and settings.loss.function is not None:
                raise ValueError("curve_fit_many takes the names of losses, not functions")
            if settings.loss is not None and settings.loss.scale.size > 1:
                raise ValueError("f_scale must be one number in curve_fit_many: use sigma")

    def read_options(self, bounded: bool) -> Options:
        """Convert the options for fits with or without bounds."""
        as_least_squares = means_least_squares(self.method, bounded)
        options = {name: self.given[name] for name in self.given if name in SETTINGS}
        settings, limit = fit_settings(
            self.n, self.is_differenced, bounded, as_least_squares, **options
        )
        return Options(settings, limit, as_least_squares, as_least_squares or bounded)


def in_python(function: Any) -> Any:
    """Return the Python function of an njit function, and other functions unchanged."""
    return getattr(function, "py_func", function)
