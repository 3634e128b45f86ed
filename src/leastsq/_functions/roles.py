"""What a function computes in a fit, and how it is called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from leastsq._arguments.arrays import FloatArray, Function, name_of


class Role(NamedTuple):
    """What a function computes, and how compiled code calls it.

    kind is "residual", "Jacobian" or "transpose", that of the Jacobian. A model of n parameters is
    called as ``f(x, p1, ..., pn)``; then the args of the fit are x, the data y, and the weights if
    weighing says how they are applied. Any other function is called as ``f(p, *args)``, and n is
    None.
    """

    kind: str
    n: int | None = None
    weighing: str | None = None


class ModelForm:
    """The residuals of a compiled model, or their Jacobian, as a function of the parameters.

    Compiled code calls the model itself, in a role. From Python this object is called, which
    ``make(function, weighing, *flags)`` makes.
    """

    __slots__ = ("_form", "flags", "function", "make", "role")

    def __init__(
        self, make: Callable[..., Function], function: Any, role: Role, *flags: bool
    ) -> None:
        self.make = make
        self.function = function
        self.role = role
        self.flags = flags
        self._form: Function | None = None

    def __call__(self, p: FloatArray, *args: Any) -> Any:
        """Evaluate the form in Python."""
        if self._form is None:
            self._form = self.make(self.function, self.role.weighing, *self.flags)
        return self._form(p, *args)

    def calling(self, function: Function) -> ModelForm:
        """Make the same form of another function."""
        return ModelForm(self.make, function, self.role, *self.flags)

    @property
    def targetoptions(self) -> Any:
        """How Numba compiles the model."""
        return self.function.targetoptions

    @property
    def __name__(self) -> str:
        """The name of the model."""
        return name_of(self.function)
