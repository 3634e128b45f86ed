"""Parts that this process evaluates, one after another or in threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from leastsq._arguments.arrays import FloatArray
from leastsq._parts.check import MOST_POINTS, PLACES, check_model
from leastsq._parts.questions import Answer, Question, Total, tell_part
from leastsq._parts.work import CurveWork


class Threads:
    """Evaluates the parts of a source. The sums do not depend on the number of threads.

    tells_part tells whether an exception is to say in which part it was raised.
    """

    def __init__(self, work: Any, source: Any, threads: int, tells_part: bool = True) -> None:
        self.work = work
        self.source = source
        self.tells_part = tells_part
        self.pool: ThreadPoolExecutor | None = None
        if min(threads, source.count) > 1:
            self.pool = ThreadPoolExecutor(min(threads, source.count))

    def ask(self, question: Question) -> Answer:
        """Return the sums over the rows of all parts."""
        total = Total(question.x.size)
        if self.pool is None:
            for i in range(self.source.count):
                total.add(self.answer(question, i))
            return total.answer
        tasks = [
            self.pool.submit(copy_context().run, self.answer, question, i)
            for i in range(self.source.count)
        ]
        try:
            for task in tasks:
                total.add(task.result())
        except BaseException:
            for task in tasks:
                task.cancel()
            raise
        return total.answer

    def answer(self, question: Question, i: int) -> Answer:
        """Evaluate one part."""
        try:
            answer: Answer = self.work.answer(question, self.source.load(i))
        except BaseException as error:
            if self.tells_part:
                tell_part(error, i, self.source.count)
            raise
        return answer

    def check(self, x: FloatArray) -> None:
        """Raise an error if a model has other values for a part of the rows than for all."""
        if isinstance(self.work, CurveWork):
            check_model(self.work, self.source.samples(PLACES, MOST_POINTS), x)

    def close(self) -> None:
        """End the threads, when they have done their parts."""
        if self.pool is not None:
            self.pool.shutdown(cancel_futures=True)
