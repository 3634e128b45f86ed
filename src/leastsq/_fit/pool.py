"""Threads that fit the chunks of a batch."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any

from leastsq._fit.plan import Plan

Work = Callable[[int, int], Any]
"""Fits the data sets from the first number to the second."""


class Pool:
    """Threads that take one chunk after another, until all are done or cancelled."""

    def __init__(
        self,
        fits: int,
        chunk: int,
        plan: Plan,
        report: Callable[[int], Any],
    ) -> None:
        self.chunks: SimpleQueue[tuple[int, int]] = SimpleQueue()
        for first in range(0, fits, chunk):
            self.chunks.put((first, min(first + chunk, fits)))
        self.plan = plan
        self.report = report
        self.reports: SimpleQueue[int | BaseException | None] = SimpleQueue()

    def run_here(self, work: Work) -> None:
        """Fit all chunks in this thread."""
        while (chunk := self.next_chunk()) is not None and not self.plan.is_cancelled:
            work(*chunk)
            self.report(chunk[1] - chunk[0])

    def run(self, works: list[Work]) -> None:
        """Run each work in a thread of its own. An exception in any thread ends all."""
        threads = [
            Thread(target=copy_context().run, args=(self.work_off, work), daemon=True)
            for work in works
        ]
        started: list[Thread] = []
        try:
            for thread in threads:
                thread.start()
                started.append(thread)
            self.wait(len(threads))
        except BaseException:
            self.stop()
            raise
        finally:
            for thread in started:
                thread.join()

    def next_chunk(self) -> tuple[int, int] | None:
        """Take the next chunk; None if there are no more."""
        try:
            return self.chunks.get_nowait()
        except Empty:
            return None

    def work_off(self, work: Work) -> None:
        """Fit chunks, and report how many fits are done, what went wrong, or None at the end."""
        try:
            while (chunk := self.next_chunk()) is not None:
                work(*chunk)
                self.reports.put(chunk[1] - chunk[0])
        except BaseException as error:
            self.reports.put(error)
        else:
            self.reports.put(None)

    def wait(self, working: int) -> None:
        """Wait until all threads are at the end, and pass on their reports."""
        while working:
            try:
                report = self.reports.get(timeout=self.time_left())
            except Empty:
                self.stop()
                continue
            if report is None:
                working -= 1
            elif isinstance(report, BaseException):
                raise report
            else:
                self.report(report)

    def time_left(self) -> float | None:
        """Return the seconds until the deadline, if there is one that has not passed."""
        if self.plan.deadline is None or self.plan.is_cancelled:
            return None
        return max(self.plan.deadline - monotonic(), 0.0)

    def stop(self) -> None:
        """Cancel the fits, and start no more chunks."""
        self.plan.stop()
        self.leave()

    def leave(self) -> None:
        """Start no more chunks."""
        while self.next_chunk() is not None:
            pass
