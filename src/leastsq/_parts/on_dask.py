"""Parts that Dask evaluates, with whatever scheduler is set there."""

from __future__ import annotations

import uuid
from typing import Any

import dask
import dask.array as da
import numpy as np
from dask.delayed import Delayed, delayed

from leastsq._arguments.arrays import FloatArray
from leastsq._models.lazy import is_lazy
from leastsq._parts.questions import Answer, Question, tell_part, total
from leastsq._parts.sources import Loaded, loaded
from leastsq._parts.work import Rows

SPLIT_EVERY = 8
"""So many answers are added in one task."""


class OnDask:
    """Evaluates parts, each of which is a tuple of lazy values, or of any other values."""

    def __init__(self, work: Any, parts: list[tuple[Any, ...]], data_of: Any) -> None:
        self.work = work
        self.parts = parts
        self.data_of = data_of

    def ask(self, question: Question) -> Answer:
        """Return the sums over the rows of all parts: one round trip."""
        token, count = uuid.uuid4().hex, len(self.parts)
        work = delayed(self.work, name=f"leastsq-work-{token}", traverse=False)
        tasks = [
            delayed(evaluate)(
                work,
                self.data_of,
                question,
                i,
                count,
                *part,
                dask_key_name=f"leastsq-evaluate-{token}-{i}",
            )
            for i, part in enumerate(self.parts)
        ]
        level = 0
        while len(tasks) > 1:
            tasks = [
                delayed(total)(
                    tasks[i : i + SPLIT_EVERY], dask_key_name=f"leastsq-add-{token}-{level}-{i}"
                )
                for i in range(0, len(tasks), SPLIT_EVERY)
            ]
            level += 1
        answer: Answer = computed(tasks[0])
        return answer

    def check(self, x: FloatArray) -> None:
        """Raise an error if a part of the rows has other values than alone."""
        if not self.work.has_check:
            return
        token = uuid.uuid4().hex
        work = delayed(self.work, name=f"leastsq-work-{token}", traverse=False)
        name = f"leastsq-check-{token}"
        computed(delayed(check)(work, self.data_of, x, *self.parts[0], dask_key_name=name))


def computed(task: Delayed) -> Any:
    """Compute one task."""
    return dask.compute(task)[0]


def evaluate(work: Any, data_of: Any, question: Question, i: int, count: int, *part: Any) -> Answer:
    """Evaluate one part, where its data are."""
    try:
        answer: Answer = work.answer(question, data_of(*part))
    except Exception as error:
        tell_part(error, i, count)
        raise
    return answer


def check(work: Any, data_of: Any, x: FloatArray, *part: Any) -> None:
    """Check the model with the first part."""
    work.check(data_of(*part), x)


def arguments(*args: Any) -> tuple[Any, ...]:
    """Return the arguments of func for one part."""
    return args


def load(loader: Loaded, i: int) -> tuple[Any, ...]:
    """Load the arguments of func for one part."""
    return loader.load(i)


def rows_of(x: Any, y: Any, sigma: Any, f_scale: Any) -> Rows:
    """Return the data of one part of curve_fit."""
    return loaded(Rows(tuple(x) if isinstance(x, list) else x, y, sigma, f_scale))


def loaded_parts(work: Any, source: Loaded) -> OnDask:
    """Let Dask load and evaluate the parts."""
    return OnDask(work, [(source, i) for i in range(source.count)], load)


def partitions(work: Any, args: tuple[Any, ...]) -> OnDask:
    """Evaluate the partitions of the Dask collections among the arguments of leastsq."""
    divided = [pieces(each) if is_lazy(each) else None for each in args]
    counts = {len(each) for each in divided if each is not None}
    if not counts:
        raise TypeError(
            "partitioned=True needs a Dask collection among args: a DataFrame, a Bag or an array"
        )
    if len(counts) > 1:
        raise ValueError(
            f"the collections in args have different numbers of partitions: {sorted(counts)}"
        )
    count = counts.pop()
    columns = [
        [delayed(each, traverse=False)] * count if pieces is None else pieces
        for pieces, each in zip(divided, args, strict=True)
    ]
    return OnDask(work, list(zip(*columns, strict=True)), arguments)


def pieces(collection: Any) -> list[Any]:
    """Return the parts of a collection as lazy values, in their order."""
    if not hasattr(collection, "to_delayed"):  # an xarray object
        collection = collection.data
    found = collection.to_delayed()
    return list(np.ravel(np.asarray(found, object)))


def blocks(work: Any, xdata: Any, ydata: Any, sigma: Any, f_scale: Any) -> OnDask:
    """Evaluate the blocks of the arrays of curve_fit."""
    some = next(filter(is_lazy, (ydata, sigma, *(xdata if isinstance(xdata, tuple) else (xdata,)))))
    y = as_array(ydata, as_array(some, None).chunks[-1])
    if y.ndim != 1:
        raise ValueError(f"ydata must be 1-D if it is a Dask array, got the shape {y.shape}")
    chunks = y.chunks[0]
    if isinstance(xdata, tuple):
        columns = [list(np.ravel(as_array(each, chunks).to_delayed())) for each in xdata]
        x = [list(column) for column in zip(*columns, strict=True)]
    elif hasattr(xdata, "to_delayed") and not hasattr(xdata, "chunks"):  # a table
        x = pieces(xdata) if xdata.ndim > 1 else pieces(as_array(xdata, chunks))
    else:
        x = list(np.ravel(as_array(xdata, chunks).to_delayed()))
    optional = [
        [values] * len(chunks)
        if values is None or np.ndim(values) == 0
        else pieces(as_array(values, chunks))
        for values in (sigma, f_scale)
    ]
    if len(x) != len(chunks):
        raise ValueError(f"xdata has {len(x)} parts, but ydata {len(chunks)}")
    return OnDask(work, list(zip(x, pieces(y), *optional, strict=True)), rows_of)


def as_array(values: Any, chunks: Any) -> Any:
    """Convert data to a Dask array whose last axis is divided into these chunks."""
    if not hasattr(values, "to_delayed") and is_lazy(values):  # an xarray object
        values = values.data
    if hasattr(values, "to_dask_array"):  # a column of a table
        values = values.to_dask_array()
    array = da.asarray(values)
    if chunks is None:
        return array
    if array.ndim > 1:
        array = array.rechunk(dict.fromkeys(range(array.ndim - 1), -1))
    is_known = not np.isnan(np.sum(array.chunks[-1]) + np.sum(chunks))
    if is_known and array.shape[-1] != sum(chunks):
        raise ValueError(
            f"xdata, ydata and sigma must have the same number of points, got {array.shape[-1]} "
            f"and {sum(chunks)}"
        )
    if is_known and array.chunks[-1] != chunks:
        array = array.rechunk({array.ndim - 1: chunks})
    return array
