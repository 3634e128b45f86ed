"""How the fits of a batch are done: in compiled code, or one after another in Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from leastsq._arguments.many import Batch
from leastsq._fit.batch import Group, example, groups
from leastsq._fit.many import Many, bind
from leastsq._fit.one_by_one import OneByOne
from leastsq._fit.plan import Plan
from leastsq._fit.pool import Work
from leastsq._fit.results import Results
from leastsq._functions.functions import is_dispatcher, is_parallel
from leastsq._functions.native import NativeFunction


class Fitter(Protocol):
    """Fits groups, in one thread."""

    def fit(self, group: Group) -> None:
        """Fit a group."""


class Engine:
    """A way to fit a batch."""

    def __init__(
        self, kind: Callable[[Plan, Results], Fitter], plan: Plan, results: Results, chunk: int
    ) -> None:
        self.kind = kind
        self.plan = plan
        self.results = results
        self.chunk = chunk
        self.is_native = kind is Many

    def work(self, batch: Batch, at_failure: Callable[[], None] | None) -> Work:
        """Make a function that fits chunks in one thread; call at_failure after a failure."""
        fitter, results = self.kind(self.plan, self.results), self.results

        def work(first: int, last: int) -> None:
            for group in groups(batch, first, last, results):
                fitter.fit(group)
            if at_failure is not None and results.has_failed[first:last].any():
                at_failure()

        return work


def engine_for(plan: Plan, batch: Batch, results: Results) -> Engine:
    """Choose how to fit a batch."""
    if is_compiled(plan, batch):
        return Engine(Many, plan, results, 4096)
    return Engine(OneByOne, plan, results, 64)


def is_compiled(plan: Plan, batch: Batch) -> bool:
    """Tell whether the model and its Jacobian are compiled, and can be called by the core."""
    functions = [plan.f] if plan.is_differenced else [plan.f, plan.jac]
    if isinstance(plan.f, NativeFunction):
        return True
    if not all(is_dispatcher(f) and not is_parallel(f) for f in functions):
        return False
    return bind(plan, example(batch)) is not None
