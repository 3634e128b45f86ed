"""Parts that this process evaluates, one after another or in threads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import numpy as np

from leastsq._arguments.arrays import FloatArray
from leastsq._parts.questions import Answer, Question, tell_part, total
from leastsq._parts.work import block_rows


class Threads:
    """Evaluates the parts of a source. The sums do not depend on the number of threads."""

    def __init__(self, work: Any, source: Any, threads: int) -> None:
        self.work = work
        self.source = source
        self.threads = min(threads, source.count)

    def ask(self, question: Question) -> Answer:
        """Return the sums over the rows of all parts."""
        return total(self.answers(question), question.x.size)

    def answers(self, question: Question) -> Iterator[Answer]:
        """Evaluate the parts, and return their answers in order."""
        count = self.source.count
        if self.threads == 1:
            for i in range(count):
                yield self.answer(question, i)
            return
        pool = ThreadPoolExecutor(self.threads)
        try:
            tasks = [
                pool.submit(copy_context().run, self.answer, question, i) for i in range(count)
            ]
            for task in tasks:
                yield task.result()
        finally:
            pool.shutdown(cancel_futures=True)

    def answer(self, question: Question, i: int) -> Answer:
        """Evaluate one part."""
        try:
            answer: Answer = self.work.answer(question, self.source.load(i))
        except BaseException as error:
            tell_part(error, i, self.source.count)
            raise
        return answer

    def check(self, x: FloatArray) -> None:
        """Raise an error if a part of the rows has other values than alone."""
        self.work.check(self.source.sample(2 * block_rows(x.size)), x)


def thread_count(threads: Any) -> int:
    """Convert the number of threads; -1 is one for each processor."""
    if isinstance(threads, bool) or not isinstance(threads, int | np.integer):
        raise TypeError(f"threads must be a whole number, got {threads!r}")
    if threads == -1:
        return os.cpu_count() or 1
    if threads < 1:
        raise ValueError(f"threads must be positive or -1, got {threads}")
    return int(threads)
