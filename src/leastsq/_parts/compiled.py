"""Blocks of rows that compiled code evaluates, one after another, without Python between them."""

from __future__ import annotations

from threading import get_ident, main_thread
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from leastsq import _core
from leastsq._arguments.arrays import EPSILON, FLOAT64, FloatArray, Function
from leastsq._arguments.data import Data
from leastsq._arguments.settings import Settings
from leastsq._functions.bound import bound_functions, callees, wrong_shape
from leastsq._functions.functions import precision_of
from leastsq._functions.python import FLOAT32
from leastsq._models.model import Model
from leastsq._parts.questions import Answer, Question, no_rows
from leastsq._parts.work import raise_for

MOST_COMPILED_ROWS = 8192
"""Rows that are evaluated at a time: the columns of their Jacobian stay in the cache, too."""


def compiled_answer(
    f: Function,
    jac: Function | None,
    col_deriv: bool,
    data: Data,
    settings: Settings,
    question: Question,
    most_rows: int,
    deadline: float,
) -> Answer | None:
    """Evaluate rows in blocks, and the rest; None if Python must call a function."""
    rows, size = data.y.size, min(most_rows, MOST_COMPILED_ROWS)
    answer: Answer | None = no_rows(question.x.size)
    whole = rows // size
    for first, count, length in ((0, whole, size), (whole * size, 1, rows - whole * size)):
        if count and length and answer is not None:
            answer = blocks_answer(
                answer, f, jac, col_deriv, data, settings, question, first, count, length, deadline
            )
    return answer


def blocks_answer(
    answer: Answer,
    f: Function,
    jac: Function | None,
    col_deriv: bool,
    data: Data,
    settings: Settings,
    question: Question,
    first: int,
    count: int,
    size: int,
    deadline: float,
) -> Answer | None:
    """Add blocks of the same size, from a row on; None if Python must call a function."""
    n = question.x.size
    has_weights = data.weights is not None and data.weights.size > 1
    sources = contiguous(data.x), contiguous(data.y), data.weights if has_weights else None
    x, y = (np.empty((*source.shape[:-1], size)) for source in sources[:2])
    weights = np.empty(size) if has_weights else data.weights
    model = Model(f, Data(x, y, weights, data.weighing), n, False)
    model.differentiate(jac, col_deriv)
    functions = bound_functions(model)
    if functions is None:
        return None
    watched = get_ident() == main_thread().ident
    precision = precision_of(FLOAT32) if model.is_single else EPSILON
    info = _core.parts_evaluate_nogil(
        *callees(functions, watched, None, deadline - monotonic()),
        settings.for_core(None, precision, released=True),
        np.empty(size),
        False,
        inputs(sources, (x, y, weights), first, size),
        count,
        question.numbers,
        question.what,
        answer.sums,
    )
    if info < 0 and (error := wrong_shape(functions, f, jac, size, n)):
        raise error
    raise_for(info, question)
    return answer.having(precision, False)


def contiguous(array: FloatArray) -> FloatArray:
    """Return an array whose points follow each other in memory."""
    if array.dtype is FLOAT64 and array.strides[-1] == array.itemsize and array.flags.aligned:
        return array
    return np.ascontiguousarray(array, FLOAT64)


def inputs(
    sources: tuple[FloatArray | None, ...],
    places: tuple[FloatArray | None, ...],
    first: int,
    size: int,
) -> NDArray[np.int64]:
    """List the rows of arrays that the functions read, as minpack_input describes them."""
    found = []
    for source, place in zip(sources, places, strict=True):
        if source is None or place is None:
            continue
        room, start = place.ctypes.data, source.ctypes.data + 8 * first
        for i in range(1 if source.ndim == 1 else len(source)):
            row = start + i * source.strides[0]
            found.append((room + 8 * size * i, row, 8 * size, 8 * size))
    return np.array(found, np.int64)
