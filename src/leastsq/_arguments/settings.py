"""The options of a fit, as the core takes them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leastsq import _core
from leastsq._arguments.arrays import EPSILON, FloatArray
from leastsq._arguments.bounds import Box
from leastsq._arguments.loss import Loss
from leastsq._core._calls import (
    FAULT_OF_DIAG,
    FAULT_OF_EPSFCN,
    FAULT_OF_FACTOR,
    FAULT_OF_FTOL,
    FAULT_OF_GTOL,
    FAULT_OF_SPREAD,
    FAULT_OF_XTOL,
    FIRST_ATTEMPT,
    LINEAR,
    LM,
    NO_FAULT,
    observer,
    options,
    options_of_fit,
)

if TYPE_CHECKING:
    from leastsq._core._calls import Joint, Observer, Options, Watch

IMPROPER = "Improper input parameters."
EMPTY = "x0 is empty: there is nothing to solve for."

FAULTS = {
    FAULT_OF_DIAG: "diag must be positive and finite: got {diag}.",
    FAULT_OF_SPREAD: "diag must not spread over a factor of more than 1e+300: got {diag}.",
    FAULT_OF_EPSFCN: "epsfcn must be finite: got {epsfcn:g}.",
    FAULT_OF_FACTOR: "factor must be positive: got {factor:g}.",
    FAULT_OF_FTOL: "ftol must not be negative: got {ftol:g}.",
    FAULT_OF_XTOL: "xtol must not be negative: got {xtol:g}.",
    FAULT_OF_GTOL: "gtol must not be negative: got {gtol:g}.",
}


@dataclass(eq=False)
class Settings:
    """The options of a fit, converted; None if the core chooses.

    usual_maxfev is the default of maxfev, and the most that the first attempt may use. is_limited
    tells that the user gave maxfev: then all attempts share the calls.
    Fits with the same options share one object, so its properties are computed once only.
    """

    ftol: float
    xtol: float
    gtol: float
    factor: float
    epsfcn: float | None
    maxfev: int
    usual_maxfev: int
    diag: FloatArray | None = None
    diff_step: FloatArray | None = None
    limits_trials: bool = False
    is_limited: bool = True
    concludes: bool = True
    tests: int = LM
    loss: Loss | None = None
    threads: int = 1
    attempt: int = FIRST_ATTEMPT
    tries_again: bool = True

    def for_core(
        self,
        box: Box | None,
        precision: float,
        watch: Watch | None = None,
        released: bool = False,
        together: Joint | Observer | None = None,
    ) -> Options:
        """Convert the options for the core.

        precision is the default of epsfcn. released tells that the GIL will be released.
        """
        rho = None if self.loss is None else self.loss.function
        is_alone = watch is None and together is None and rho is None
        if is_alone and box is None and precision == EPSILON:
            return self.usual
        lower, upper = (None, None) if box is None else box
        return options_of_fit(
            self.usual,
            precision if self.epsfcn is None else self.epsfcn,
            lower,
            upper,
            None if rho is None else observer(rho).ready(released),
            None if watch is None else watch.ready(released),
            None if together is None else together.ready(released),
        )

    def from_fit(self, first: int) -> Settings:
        """Leave out the fits before the first, if diag has a row for each fit."""
        if self.diag is None or self.diag.ndim == 1 or first == 0:
            return self
        return replace(self, diag=self.diag[first:])

    def of_fit(self, i: int) -> Settings:
        """Return the options of one fit, if diag has a row for each fit."""
        if self.diag is None or self.diag.ndim == 1:
            return self
        return replace(self, diag=self.diag[i])

    def diag_count(self, fits: int) -> int:
        """Return the number of rows of diag: one for each fit, or 1."""
        return fits if self.diag is not None and self.diag.ndim > 1 else 1

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the options alone, not what was computed from them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Copy the arrays: those from another process may not be aligned."""
        for name, value in state.items():
            setattr(self, name, value.copy() if isinstance(value, np.ndarray) else value)
        if self.loss is not None:
            self.loss = self.loss._replace(scale=self.loss.scale.copy())

    @cached_property
    def first(self) -> Settings:
        """The options of the first attempt."""
        if self.maxfev <= self.usual_maxfev:
            return self
        return replace(self, maxfev=self.usual_maxfev)

    @property
    def leaves_calls(self) -> bool:
        """Whether there are calls left for other attempts if one has used up its own."""
        return not self.is_limited or self.maxfev > self.usual_maxfev

    @cached_property
    def usual(self) -> Options:
        """The options for the core, without bounds and for residuals in float64."""
        kind, scale, _ = (LINEAR, None, None) if self.loss is None else self.loss
        return options(
            ftol=self.ftol,
            xtol=self.xtol,
            gtol=self.gtol,
            factor=self.factor,
            epsfcn=EPSILON if self.epsfcn is None else self.epsfcn,
            maxfev=self.maxfev,
            diag=self.diag,
            diff_step=self.diff_step,
            limits_trials=self.limits_trials,
            concludes=self.concludes,
            tests=self.tests,
            loss=kind,
            f_scale=scale,
            threads=self.threads,
            attempt=self.attempt,
        )

    def refuse_other_rows(self, m: int) -> None:
        """Refuse an f_scale that is neither one number nor one for each of m residuals."""
        if self.loss is not None and self.loss.scale.size not in (1, m):
            raise ValueError(
                f"f_scale must be one number, or one for each of the {m} residuals, got "
                f"{self.loss.scale.size}"
            )

    def of_points(self, kept: NDArray[np.bool_] | None) -> Settings:
        """Return the options for the points that were kept, if f_scale has a value for each."""
        if kept is None or self.loss is None or self.loss.scale.size != kept.size:
            return self
        return replace(self, loss=self.loss._replace(scale=self.loss.scale[kept]))

    def padded(self, rows: int, m: int) -> Settings:
        """Return the options for residuals that were filled up with zeros from rows to m."""
        return self if self.loss is None else replace(self, loss=self.loss.padded(rows, m))

    @cached_property
    def fault(self) -> str | None:
        """Describe the first option that is improper; None if all are proper."""
        code = _core.fault(self.usual, 0 if self.diag is None else self.diag.size)
        return None if code == NO_FAULT else FAULTS[code].format(**vars(self))
