"""How the fits of a batch are done: in compiled code, in lockstep, or one after another."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from leastsq._arguments.arrays import FloatArray, name_of
from leastsq._arguments.many import Batch
from leastsq._fit.batch import Group, example, groups
from leastsq._fit.lockstep import FEWEST_LANES, Lockstep, lanes_for
from leastsq._fit.many import Many, bind
from leastsq._fit.one_by_one import OneByOne
from leastsq._fit.plan import Plan, in_python
from leastsq._fit.pool import Work
from leastsq._fit.results import Results
from leastsq._functions.functions import is_compiled, is_parallel
from leastsq._functions.native import NativeFunction
from leastsq._models.joint import JointModel, MismatchError, warn_of_single_calls

SOME = 256
"""Fits that are looked at to find out how a model can be called."""


class Fitter(Protocol):
    """Fits groups, in one thread."""

    def fit(self, group: Group) -> None:
        """Fit a group."""


class Engine:
    """A way to fit a batch; kind makes a Fitter for each thread."""

    def __init__(self, kind: Callable[[Plan, Results], Fitter], plan: Plan, chunk: int) -> None:
        self.kind = kind
        self.plan = plan
        self.chunk = chunk
        self.is_native = kind is Many

    def work(
        self, batch: Batch, results: Results, fits: NDArray[np.int64], p: FloatArray | None
    ) -> Work:
        """Make a function that fits chunks in one thread.

        The chunks are parts of fits, which are numbers of fits in the batch. Their starts are p, or
        those of the batch. The results are stored in the order of fits.
        """
        fitter = self.kind(self.plan, results)

        def work(first: int, last: int) -> None:
            start = None if p is None else p[first:last]
            for group in groups(batch, fits[first:last], np.arange(first, last), start, results):
                fitter.fit(group)

        return work


def engine_for(plan: Plan, batch: Batch, vectorized: bool | None, quiet: bool) -> Engine:
    """Choose how to fit a batch."""
    if runs_compiled(plan):
        if isinstance(plan.f, NativeFunction) or bind(plan, example(batch)) is not None:
            return Engine(Many, plan, 4096)
        plan = plan.in_python()
    if vectorized is None and lanes_for(batch.layout.m, plan.n) < FEWEST_LANES:
        return Engine(OneByOne, plan, 64)
    joint = joint_model(plan, batch, vectorized, quiet)
    if joint is not None:
        return Engine(partial(Lockstep, joint=joint), plan, 4096)
    return Engine(OneByOne, plan, 64)


def runs_compiled(plan: Plan) -> bool:
    """Tell whether the model and its Jacobian are compiled, and several threads may call them."""
    functions = [plan.f] if plan.is_differenced else [plan.f, plan.jac]
    return isinstance(plan.f, NativeFunction) or all(map(is_compiled, functions))


def joint_model(
    plan: Plan, batch: Batch, vectorized: bool | None, quiet: bool
) -> JointModel | None:
    """Make a model that is called for many fits jointly; None if it cannot or must not be."""
    has_scheme = isinstance(plan.jac, str) and not plan.is_differenced
    if vectorized is False or is_parallel(plan.f) or has_scheme:
        return None
    f, jac = in_python(plan.f), None if plan.is_differenced else in_python(plan.jac)
    joint = JointModel(f, jac, plan.n, plan.col_deriv)
    group = first_group(batch)
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
        except TimeoutError:  # of a signal handler
            raise
        except Exception:  # the function fails for every start
            return None
    return joint


def first_group(batch: Batch) -> Group | None:
    """Find some fits with data; None if there are none."""
    fits = batch.layout.fits
    for first in range(0, fits, SOME):
        some = np.arange(first, min(first + SOME, fits))
        unused = Results(some.size, batch.n, False)
        for group in groups(batch, some, some - first, None, unused):
            return group
    return None
