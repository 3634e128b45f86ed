"""How the fits of a batch are done: in compiled code, in lockstep, or one after another."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from leastsq._arguments.arrays import name_of
from leastsq._arguments.many import Batch
from leastsq._fit.batch import Group, example, groups
from leastsq._fit.lockstep import Lockstep
from leastsq._fit.many import Many, bind
from leastsq._fit.one_by_one import OneByOne
from leastsq._fit.plan import Plan, in_python
from leastsq._fit.pool import Work
from leastsq._fit.results import Results
from leastsq._functions.functions import is_dispatcher, is_parallel
from leastsq._functions.native import NativeFunction
from leastsq._models.joint import Joint, MismatchError, warn_of_single_calls

SOME = 256
"""Fits that are looked at to find out how a model can be called."""


class Fitter(Protocol):
    """Fits groups, in one thread."""

    def fit(self, group: Group) -> None:
        """Fit a group."""


class Engine:
    """A way to fit a batch; kind makes a Fitter for each thread."""

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


def engine_for(
    plan: Plan, batch: Batch, results: Results, vectorized: bool | None, quiet: bool
) -> Engine:
    """Choose how to fit a batch."""
    if is_compiled(plan):
        if isinstance(plan.f, NativeFunction) or bind(plan, example(batch)) is not None:
            return Engine(Many, plan, results, 4096)
        plan = plan.in_python()
    joint = joint_model(plan, batch, results, vectorized, quiet)
    if joint is not None:
        return Engine(partial(Lockstep, joint=joint), plan, results, 4096)
    return Engine(OneByOne, plan, results, 64)


def is_compiled(plan: Plan) -> bool:
    """Tell whether the model and its Jacobian are compiled, and several threads may call them."""
    functions = [plan.f] if plan.is_differenced else [plan.f, plan.jac]
    return isinstance(plan.f, NativeFunction) or all(
        is_dispatcher(f) and not is_parallel(f) for f in functions
    )


def joint_model(
    plan: Plan, batch: Batch, results: Results, vectorized: bool | None, quiet: bool
) -> Joint | None:
    """Make a model that is called for many fits jointly; None if it cannot or must not be."""
    has_scheme = isinstance(plan.jac, str) and not plan.is_differenced
    if vectorized is False or is_parallel(plan.f) or has_scheme:
        return None
    f, jac = in_python(plan.f), None if plan.is_differenced else in_python(plan.jac)
    joint = Joint(f, jac, plan.n, plan.col_deriv)
    group = first_group(batch, results)
    if group is None:
        return joint
    for check, function in ((joint.check, f), (joint.check_jacobian, jac)):
        if function is None:
            continue
        try:
            check(group)
        except MismatchError as error:
            if vectorized:
                name = name_of(function)
                raise ValueError(f"{name} is not vectorized: {error}") from error.__cause__
            if not quiet:
                warn_of_single_calls(function, str(error))
            if function is f:
                return None
        except Exception:  # the function fails for every start
            return None
    return joint


def first_group(batch: Batch, results: Results) -> Group | None:
    """Find some fits with data; None if there are none."""
    fits = batch.layout.fits
    for first in range(0, fits, SOME):
        for group in groups(batch, first, min(first + SOME, fits), results):
            return group
    return None
