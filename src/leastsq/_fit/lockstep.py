"""Many fits of a NumPy model at the same time: one call of the model for all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leastsq import _core
from leastsq._arguments.arrays import FloatArray
from leastsq._arguments.settings import Settings
from leastsq._fit.batch import Group
from leastsq._fit.keep import Keeper
from leastsq._fit.plan import Plan
from leastsq._fit.results import Results, Solutions, room_for
from leastsq._functions.functions import jacobian_error
from leastsq._models.joint import MIXED, JointModel, MixedFitsError

Answer = tuple[FloatArray, NDArray[np.int32]]
"""The values of a function at some points, and whether it failed there."""
NO_ANSWER: Answer = np.empty(0), np.empty(0, np.int32)
NOWHERE = NO_ANSWER[0].ctypes.data, NO_ANSWER[1].ctypes.data
CACHE = 2**19
"""The size in bytes of the values of one call of the model, for the sake of the caches."""
MOST_LANES = 512
"""More fits at a time do not fit into the caches."""
FEWEST_LANES = 4
"""With so few fits at a time, nothing is gained."""
IN_PROGRESS = -100
"""How a fit ends that has not ended."""


def addresses_of(answer: Answer) -> tuple[int, int]:
    """Return where the arrays of an answer begin."""
    values, failed = answer
    return (values.ctypes.data, failed.ctypes.data) if len(failed) else NOWHERE


def lanes_for(m: int, n: int) -> int:
    """Return how many fits of m points and n parameters are done at a time."""
    return min(MOST_LANES, CACHE // (8 * m * n))


class Lockstep:
    """Fits groups of a vectorized model. Each thread has one."""

    def __init__(self, plan: Plan, results: Results, joint: JointModel) -> None:
        self.plan = plan
        self.results = results
        self.joint = joint
        self.keeper = Keeper(plan, results)

    def fit(self, group: Group) -> None:
        """Fit a group; what happens in one fit does not stop another."""
        self.keeper.fit(group, self.solve)

    def solve(self, group: Group, settings: Settings) -> tuple[Solutions, NDArray[np.bool_]]:
        """Ask and tell the core until all fits are done, or cancelled; also return which are."""
        found = room_for(group.p, self.results.covariance is not False, group.box)
        found.ending[:] = IN_PROGRESS
        lanes = max(1, min(len(group.places), lanes_for(group.m, self.plan.n)))
        handle, needed = self.open(group, settings, found.addresses(0), lanes)
        try:
            self.answer(handle, group, lanes)
        except BaseException:
            self.keeper.keep(group, found, found.ending >= 0)
            raise
        finally:
            _core.lockstep_close(handle)
            del needed
        is_done = found.ending >= 0
        self.check_unmoved(group, found, is_done, settings)
        return found, is_done

    def open(
        self, group: Group, settings: Settings, addresses: NDArray[np.int64], lanes: int
    ) -> tuple[int, Any]:
        """Begin to fit a group; also return what must be kept until the end."""
        plan, joint, weights = self.plan, self.joint, group.weights
        options = settings.for_core(group.box, joint.precision)
        fits, n = group.p.shape
        norms = group.data_norms
        handle = _core.lockstep_open(
            options,
            group.m,
            n,
            fits,
            lanes,
            plan.is_differenced,
            norms.ctypes.data,
            group.y.ctypes.data,
            0 if weights is None else weights.ctypes.data,
            0 if weights is None else weights.shape[1],
            fits,
            settings.diag_count(fits),
            plan.absolute_sigma,
            *jacobian_error(joint.jac, n, joint.precision, joint.is_jac_single),
            addresses,
        )
        if handle == 0:
            raise MemoryError(f"not enough memory for {lanes} fits of {n} parameters")
        return handle, (options, group, norms)

    def answer(self, handle: int, group: Group, lanes: int) -> None:
        """Evaluate the model and its Jacobian where the core asks for them, until it has done."""
        n, joint = self.plan.n, self.joint
        points, owners = np.empty((lanes * n, n)), np.empty(lanes * n, np.int32)
        places, sources = np.empty((lanes, n)), np.empty(lanes, np.int32)
        is_begun = np.zeros(len(group.places), np.bool_)
        count = slopes = 0
        values = jacobians = NO_ANSWER
        while not self.plan.is_cancelled:
            count, slopes = _core.lockstep_advance(
                handle,
                group.m,
                count,
                *addresses_of(values),
                slopes,
                *addresses_of(jacobians),
                points,
                owners,
                places,
                sources,
            )
            if count == slopes == 0:
                return
            values = self.evaluate(joint.values, group, points[:count], owners[:count])
            jacobians = self.evaluate(joint.jacobians, group, places[:slopes], sources[:slopes])
            if not group.x_is_shared:
                self.check_starts(group, points[:count], owners[:count] - 1, values[0], is_begun)

    def check_unmoved(
        self, group: Group, found: Solutions, is_done: NDArray[np.bool_], settings: Settings
    ) -> None:
        """Do the fits that ended where they began again alone: another may have spoilt them."""
        options = self.plan.options(group.box is not None)
        for i in np.flatnonzero((found.x == group.p).all(axis=1) & is_done).tolist():
            try:
                alone = replace(settings.of_fit(i), tries_again=False)
                x = self.keeper.one_by_one.fit_one(group, i, options._replace(settings=alone)).x
            except TimeoutError:
                raise
            except Exception:
                x = None
            if x is None or not np.array_equal(x, group.p[i], equal_nan=True):
                raise MixedFitsError(MIXED)

    def check_starts(
        self,
        group: Group,
        points: FloatArray,
        fits: NDArray[np.int32],
        values: FloatArray,
        is_begun: NDArray[np.bool_],
    ) -> None:
        """Check each fit that has its own x; a model may use its maximum, for example."""
        for i in np.flatnonzero(~is_begun[fits]):
            fit = int(fits[i])
            is_begun[fit] = True
            if int(group.places[fit]) not in self.results.errors:
                self.joint.compare_one(self.joint.value, group, points[i], fit, values[i])

    def evaluate(
        self, function: Any, group: Group, points: FloatArray, owners: NDArray[np.int32]
    ) -> Answer:
        """Evaluate a function at some points, and tell where it failed; keep its exceptions."""
        if len(points) == 0:
            return NO_ANSWER
        fits = owners - 1
        values, errors = function(group, points, fits)
        failed = np.zeros(len(points), np.int32)
        for i, error in errors.items():
            failed[i] = 1
            self.results.store_error(int(group.places[fits[i]]), error)
        return values, failed
