"""Parts that Dask evaluates, with whatever scheduler is set there."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from itertools import chain
from typing import Any

import dask
import dask.array as da
import numpy as np
from dask.delayed import Delayed

from leastsq._arguments.arrays import FloatArray
from leastsq._core._calls import TimeIsUpError
from leastsq._models.lazy import is_lazy
from leastsq._parts.check import MOST_POINTS, PLACES, check_model, length
from leastsq._parts.questions import Answer, Question, Total, tell_part
from leastsq._parts.sources import Loaded, loaded, shape_of_vector
from leastsq._parts.work import CurveWork, Rows

SPLIT_EVERY = 8
"""So many answers are added in one task."""


class OnDask:
    """Evaluates parts, each of which is a tuple of lazy values, or of any other values."""

    def __init__(self, work: Any, parts: list[tuple[Any, ...]], data_of: Any) -> None:
        self.work = work
        self.data_of = data_of
        self.graph: dict[Any, Any] = {}
        seen = set()
        for value in chain(*parts):
            if isinstance(value, Delayed) and id(value.dask) not in seen:
                seen.add(id(value.dask))
                self.graph.update(value.dask)
        self.parts = [tuple(map(argument, part)) for part in parts]

    def ask(self, question: Question) -> Answer:
        """Return the sums over the rows of all parts: one round trip."""
        token, count = uuid.uuid4().hex, len(self.parts)
        work = f"leastsq-work-{token}"
        tasks: dict[Any, Any] = {work: (kept, Kept(self.work))}
        names = [f"leastsq-evaluate-{token}-{i}" for i in range(count)]
        given = Kept(question)
        for i, (name, part) in enumerate(zip(names, self.parts, strict=True)):
            tasks[name] = (evaluate, work, self.data_of, given, i, count, *part)
        level = 0
        while len(names) > 1:
            groups = [names[i : i + SPLIT_EVERY] for i in range(0, len(names), SPLIT_EVERY)]
            names = [f"leastsq-add-{token}-{level}-{i}" for i in range(len(groups))]
            tasks.update(
                {
                    name: (added, group, question.x.size)
                    for name, group in zip(names, groups, strict=True)
                }
            )
            level += 1
        answer: Answer | None = self.compute(names[0], tasks)
        if answer is None:
            raise TimeIsUpError
        return answer

    def check(self, x: FloatArray) -> None:
        """Raise an error if a model has other values for a part of the rows than for all."""
        if not isinstance(self.work, CurveWork):
            return
        token, count = uuid.uuid4().hex, len(self.parts)
        chosen = np.unique(np.linspace(0, count - 1, 2 * PLACES).astype(np.int64)).tolist()
        tasks: dict[Any, Any] = {
            f"leastsq-sample-{token}-{i}": (sample, self.data_of, *self.parts[i]) for i in chosen
        }
        name = f"leastsq-samples-{token}"
        check_model(self.work, self.compute(name, tasks | {name: (list, list(tasks))}), x)

    def close(self) -> None:
        """Do nothing: the scheduler belongs to the user."""

    def compute(self, name: str, tasks: dict[Any, Any]) -> Any:
        """Compute one of the tasks."""
        return dask.compute(Delayed(name, self.graph | tasks))[0]


class Kept:
    """Any object, which Dask passes on as it is."""

    def __init__(self, value: Any) -> None:
        self.value = value


def kept(given: Any) -> Any:
    """Return what was kept; other objects unchanged."""
    return given.value if isinstance(given, Kept) else given


def argument(value: Any) -> Any:
    """Return what stands for a value in a graph: the key of a lazy value."""
    return value.key if isinstance(value, Delayed) else Kept(value)


def evaluate(
    work: Any, data_of: Any, question: Kept, i: int, count: int, *part: Any
) -> Answer | None:
    """Evaluate one part, where its data are; return None if the time is over."""
    asked: Question = question.value
    try:
        # Arrays that come from another process may not be aligned.
        aligned = asked._replace(numbers=asked.numbers.copy())
        answer: Answer = work.answer(aligned, data_of(*map(kept, part)))
    except TimeIsUpError:
        return None
    except Exception as error:
        tell_part(error, i, count)
        raise
    return answer


def added(answers: list[Answer | None], n: int) -> Answer | None:
    """Add the answers of parts; None if one of them had no time."""
    total = Total(n)
    for answer in answers:
        if answer is None:
            return None
        # Arrays that come from another process may not be aligned.
        total.add(answer._replace(sums=answer.sums.copy()))
    return total.answer


def sample(data_of: Any, *part: Any) -> Rows:
    """Return some rows of a part of curve_fit."""
    rows: Rows = data_of(*map(kept, part))
    return rows.between(0, min(len(rows.y), MOST_POINTS))


def arguments(*args: Any) -> tuple[Any, ...]:
    """Return the arguments of func for one part; what can be read once only, as a list."""
    return tuple(list(each) if isinstance(each, Iterator) else each for each in args)


def load(loader: Loaded, i: int) -> tuple[Any, ...]:
    """Load the arguments of func for one part."""
    return loader.load(i)


def rows_of(y: Any, sigma: Any, f_scale: Any, x: Any) -> Rows:
    """Return the data of one part of curve_fit."""
    return checked(loaded(Rows(x, y, sigma, f_scale)))


def rows_of_many(y: Any, sigma: Any, f_scale: Any, *x: Any) -> Rows:
    """Return the data of one part of curve_fit, with several rows of x."""
    return rows_of(y, sigma, f_scale, x)


def checked(rows: Rows) -> Rows:
    """Refuse a part whose arrays have other points than ydata; Dask may not know their sizes."""
    wanted = len(rows.y)
    for name, values in (("xdata", rows.x), ("sigma", rows.sigma), ("f_scale", rows.f_scale)):
        if values is not None and np.ndim(values) and (count := length(values)) != wanted:
            raise ValueError(
                f"{name} has {count} points in a part where ydata has {wanted}: leave out the same "
                "points of all of them"
            )
    return rows


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
        [each] * count if pieces is None else pieces
        for pieces, each in zip(divided, args, strict=True)
    ]
    return OnDask(work, list(zip(*columns, strict=True)), arguments)


def pieces(collection: Any) -> list[Any]:
    """Return the parts of a collection as lazy values, in their order.

    Collections are not optimized: the partitions of a table would be joined, and others for other
    columns.
    """
    if isinstance(collection, Delayed):
        raise TypeError(
            "a delayed value has no partitions: pass dask.bag.from_delayed([...]), or Parts"
        )
    if hasattr(collection, "data_vars"):
        raise TypeError("a Dataset of xarray has no partitions: pass its DataArrays in args")
    if not hasattr(collection, "to_delayed"):  # a DataArray of xarray
        collection = collection.data
    found = collection.to_delayed(optimize_graph=False)
    return list(np.ravel(np.asarray(found, object)))


def blocks(work: Any, xdata: Any, ydata: Any, sigma: Any, f_scale: Any) -> OnDask:
    """Evaluate the blocks of the arrays of curve_fit, or the partitions of columns of tables."""
    for name, values in (("sigma", sigma), ("f_scale", f_scale)):
        if np.ndim(values) > 0:
            shape_of_vector(values, name)
    x = xdata if isinstance(xdata, tuple) else (xdata,)
    given = (ydata, sigma, f_scale, *x)
    if all(is_of_table(each) for each in given if is_lazy(each)) and is_lazy(ydata):
        columns = partitions_of(given)
    else:
        columns = blocks_of(given)
    data_of = rows_of_many if isinstance(xdata, tuple) else rows_of
    return OnDask(work, list(zip(*columns, strict=True)), data_of)


def is_of_table(values: Any) -> bool:
    """Tell whether values are a Dask table, or a column of one."""
    return hasattr(values, "to_delayed") and not hasattr(values, "chunks")


def partitions_of(given: tuple[Any, ...]) -> list[list[Any]]:
    """Return the partitions of tables and columns, and single values for each of them."""
    divided = [pieces(each) if is_lazy(each) else None for each in given]
    counts = {len(each) for each in divided if each is not None}
    if len(counts) > 1:
        raise ValueError(
            f"xdata, ydata and sigma have different numbers of partitions: {sorted(counts)}"
        )
    count = counts.pop()
    for each in given:
        if not is_lazy(each) and np.size(each) > 1:
            raise ValueError(
                "an array cannot be divided like a table: make it a column of the table"
            )
    return [
        [single(each)] * count if parts is None else parts
        for parts, each in zip(divided, given, strict=True)
    ]


def single(value: Any) -> Any:
    """Return one value for all parts as an array without axes, unlike a part with one point."""
    return None if value is None else np.reshape(value, ())


def blocks_of(given: tuple[Any, ...]) -> list[list[Any]]:
    """Return the blocks of arrays, divided like ydata, the first of them."""
    lazy = [as_array(each, None) for each in given if is_lazy(each)]
    chunks = next((array.chunks[-1] for array in lazy if array.ndim), None)
    y = as_array(given[0], chunks or (np.size(given[0]),))
    if y.ndim != 1:
        raise ValueError(f"ydata must be 1-D if it is a Dask array, got the shape {y.shape}")
    chunks = y.chunks[0]
    divided = [
        [single(each)] * len(chunks)
        if each is None or (not is_lazy(each) and np.size(each) == 1)
        else pieces(as_array(each, chunks))
        for each in given[1:]
    ]
    counts = {len(each) for each in divided}
    if counts != {len(chunks)}:
        raise ValueError(
            f"xdata or sigma has {max(counts - {len(chunks)})} chunks, but ydata {len(chunks)}, "
            "and their sizes are not known: call compute_chunk_sizes()"
        )
    return [pieces(y), *divided]


def as_array(values: Any, chunks: Any) -> Any:
    """Convert data to a Dask array whose last axis is divided into these chunks."""
    if not hasattr(values, "to_delayed") and is_lazy(values):  # an xarray object
        values = values.data
    if hasattr(values, "to_dask_array"):  # a column of a table
        values = values.to_dask_array()
    array = da.asarray(values)
    if chunks is None:
        return array
    if array.shape in ((), (1,)):
        array = da.broadcast_to(array, (sum(chunks),), chunks=(chunks,))
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
