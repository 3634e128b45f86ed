"""One fit of a model to data."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from leastsq._arguments.arrays import FloatArray, Function
from leastsq._arguments.data import Data
from leastsq._errors import add_best_point
from leastsq._fit.conditions import Conditions
from leastsq._fit.explain import explain
from leastsq._fit.one import solve
from leastsq._fit.result import Outcome
from leastsq._functions.functions import Functions, is_dispatcher
from leastsq._models.model import Model
from leastsq._models.residuals import data_norm
from leastsq._models.side_by_side import models_side_by_side

MANY_POINTS = 2**17
"""With so many points, the Jacobian does not fit into the cache."""


@cache
def curve_in_parts() -> Any:
    """Import the module that fits data in parts."""
    return import_module("leastsq._fit.curve_in_parts")


def fit_curve(
    f: Function,
    data: Data,
    p: FloatArray,
    jac: Function | None,
    col_deriv: bool,
    conditions: Conditions,
    vectorized: bool = False,
    workers: Any = None,
) -> Outcome:
    """Fit a model to data from p."""
    n = p.size
    settings, _, may_be_few, watch, deadline = conditions
    settings = settings.of_points(data.kept)
    if data.y.size >= MANY_POINTS and is_dispatcher(f) and not (watch or vectorized or workers):
        outcome = curve_in_parts().fit_large_curve(
            f, data, p, jac, col_deriv, conditions.having(settings)
        )
        if outcome is not None:
            return outcome  # type: ignore[no-any-return]
    try:
        model = Model(f, data, n, is_padded=may_be_few and n > data.y.size)
        model.differentiate(jac, col_deriv)
        functions = Functions(model.residuals, model.jacobian, data.args, False, p, model, deadline)
        functions.data_norm = data_norm(data)
        if model.is_padded:
            rows = model.residuals.m
            settings.refuse_other_rows(rows)
            settings = settings.padded(rows, functions.m)
        with models_side_by_side(functions, model, p, vectorized, workers):
            return model.without_padding(solve(functions, p, conditions.having(settings)))
    except BaseException as error:
        explain(error, f, jac, data.x, n)
        add_best_point(error, p)
        raise
