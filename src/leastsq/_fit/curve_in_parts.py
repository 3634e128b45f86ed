"""One fit of a model to data in parts."""

from __future__ import annotations

import math
from time import monotonic
from typing import Any

import numpy as np

from leastsq._arguments.arrays import FloatArray, Function
from leastsq._arguments.bounds import Box
from leastsq._arguments.data import Data
from leastsq._arguments.sigma import SCALE
from leastsq._core._calls import TIME_IS_UP
from leastsq._errors import OUT_OF_DOMAIN, add_best_point
from leastsq._fit.conditions import Conditions
from leastsq._fit.explain import explain
from leastsq._fit.in_parts import InParts
from leastsq._fit.result import Outcome
from leastsq._functions.functions import Functions, is_compiled
from leastsq._parts.engines import divided_curve, rows_of
from leastsq._parts.questions import no_rows, norm_at
from leastsq._parts.sources import Slices
from leastsq._parts.threads import Threads
from leastsq._parts.work import MOST_ROWS, ReadyWork, add_rows


def fit_curve_in_parts(
    f: Function,
    data: tuple[Any, Any, Any],
    p: FloatArray,
    jac: tuple[Any, Function | None],
    col_deriv: bool,
    conditions: Conditions,
    check_finite: bool | None,
    nan_policy: str | None,
    chunks: Any,
    threads: Any,
    is_joint: bool,
) -> Outcome:
    """Fit a model to xdata, ydata and sigma from p; jac as the user gave it, and as a function.

    is_joint tells that the user wants points of differences to be evaluated together.
    """
    if is_joint:
        raise ValueError("vectorized and workers are for data in memory, which are not in parts")
    given, derivative = jac
    divided = divided_curve(
        f,
        given,
        col_deriv,
        conditions.box,
        conditions.settings,
        data,
        check_finite,
        nan_policy,
        chunks,
        threads,
    )
    try:
        return InParts(*divided, derivative, conditions).solve(p)
    except BaseException as error:
        explain(error, f, derivative, data[0], p.size)
        add_best_point(error, p)
        raise


def fit_large_curve(
    f: Function,
    data: Data,
    p: FloatArray,
    jac: Function | None,
    col_deriv: bool,
    conditions: Conditions,
) -> Outcome | None:
    """Fit a compiled model to large data in memory, block by block in the cache.

    Return None if the model cannot be called for blocks of the data. p is the starting point.
    """
    settings, box, deadline = conditions.settings, conditions.box, conditions.deadline
    is_suitable = is_compiled(f) and (jac is None or is_compiled(jac)) and has_blocks(data)
    if not is_suitable or (settings.loss is not None and settings.loss.function is not None):
        return None
    scale = settings.loss.scale if settings.loss is not None else None
    f_scale = scale if scale is not None and scale.size > 1 else None
    work = ReadyWork(f, jac, col_deriv, box, settings, False, None)
    source = Slices(data.x, data.y, data.weights, f_scale, rows_of(True, data.y))
    engine = Threads(work, source, 1, tells_part=False)
    x = p.copy()
    try:
        outcome = InParts(engine, False, jac, conditions._replace(may_be_few=True)).solve(x)
        if monotonic() > deadline:
            return outcome._replace(ending=TIME_IS_UP)
        beside = nearby(x, p, box)
        for q, of_blocks in ((beside, engine.ask(norm_at(beside)).norm), (x, outcome.fnorm)):
            functions = work.functions(data, q, math.inf)
            if not is_same(norm_of(work, functions, f_scale, q), of_blocks, data.y):
                return None
    except (*OUT_OF_DOMAIN, TypeError):
        return None  # the fit in memory tells what is wrong, if anything is
    except BaseException as error:
        add_best_point(error, x)
        raise
    return outcome._replace(fvec=functions.fvec)


def nearby(x: FloatArray, p: FloatArray, box: Box | None) -> FloatArray:
    """Return a point next to the solution, where parameters that are zero have an effect, too."""
    moved = x + 0.01 * np.where(p != x, p - x, 0.1 * np.maximum(np.abs(x), 0.1))
    return moved if box is None else np.clip(moved, box.lower, box.upper)


def norm_of(
    work: ReadyWork, functions: Functions, f_scale: FloatArray | None, x: FloatArray
) -> float:
    """Compute the square root of what is minimized at x, where the functions were evaluated."""
    answer, question = no_rows(x.size), norm_at(x)
    for first in range(0, functions.m, MOST_ROWS):
        rows = slice(first, first + MOST_ROWS)
        settings = work.settings_for(None if f_scale is None else f_scale[rows])
        answer = add_rows(answer, functions, settings, question, rows)
    return answer.norm


def is_same(norm: float, of_blocks: float, y: FloatArray) -> bool:
    """Tell whether two norms of the residuals differ by rounding errors only, or are not finite."""
    if not (math.isfinite(norm) or math.isfinite(of_blocks)):
        return True
    return abs(norm - of_blocks) <= 1e-9 * norm + 1e-12 * float(np.linalg.norm(y))


def has_blocks(data: Data) -> bool:
    """Tell whether data are arrays whose last axis is that of the points, with simple weights."""
    x, y = data.x, data.y
    is_array = isinstance(x, np.ndarray) and x.ndim in (1, 2) and x.shape[-1] == y.size
    return is_array and y.ndim == 1 and data.weighing in (None, SCALE)
