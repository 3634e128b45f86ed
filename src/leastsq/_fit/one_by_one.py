"""Many fits, one after another, each as curve_fit does it."""

from __future__ import annotations

import numpy as np

from leastsq._fit.batch import Group
from leastsq._fit.conditions import Conditions
from leastsq._fit.curve import fit_curve
from leastsq._fit.one import solve
from leastsq._fit.plan import Options, Plan
from leastsq._fit.result import Outcome
from leastsq._fit.results import Results
from leastsq._functions.functions import Functions
from leastsq._functions.native import NativeFunction
from leastsq._models.jacobian import read_jac


class OneByOne:
    """Fits a group in Python."""

    def __init__(self, plan: Plan, results: Results) -> None:
        self.plan = plan
        self.results = results

    def fit(self, group: Group) -> None:
        """Fit a group; an exception ends one fit only."""
        plan = self.plan
        options = plan.options(group.box is not None)
        for i, place in enumerate(group.places.tolist()):
            if plan.is_cancelled:
                return
            try:
                outcome = self.fit_one(group, i, options)
            except TimeoutError:  # of a signal handler
                raise
            except Exception as error:
                self.results.store_error(place, error)
            else:
                self.results.store_outcome(
                    place, outcome, plan.absolute_sigma, options.as_least_squares
                )
                if outcome.is_sure_misfit and options.settings.loss is None:
                    its = group.take(slice(i, i + 1)), np.array([outcome.fnorm])
                    self.results.is_misfit[place] = its[0].misses(its[1], np.ones(1, bool))[0]

    def fit_one(self, group: Group, i: int, options: Options) -> Outcome:
        """Fit one data set."""
        plan, p, box = self.plan, group.p[i].copy(), group.box_of(i)
        if isinstance(plan.f, NativeFunction):
            block = group.y[i].copy()
            jac = None if plan.is_differenced else plan.jac.with_data(block)
            functions = Functions(plan.f.with_data(block), jac, (), False, p)
            return solve(functions, p, Conditions(options.settings, box))
        return fit_curve(
            plan.f,
            group.own_data(i),
            p,
            read_jac(plan.jac, plan.f, box, (group.m,)),
            plan.col_deriv,
            Conditions(options.settings, box, options.may_be_few),
        )
