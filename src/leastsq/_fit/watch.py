"""What sees a fit go on: the user's callback, and the table that verbose=2 prints."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from time import monotonic

import numpy as np

from leastsq._arguments.arrays import FloatArray, Function
from leastsq._optimize_result import OptimizeResult

COLUMNS = ("Iteration", "Total nfev", "Cost", "Cost reduction", "Step norm", "Optimality")


class Watcher:
    """Shows the points where a fit stands; the core calls it, and stops if it returns True."""

    def __init__(self, callback: Function | None, verbose: int, counts_trials: bool) -> None:
        self.tell = None if callback is None else by_convention(callback)
        self.verbose = verbose
        self.counts_trials = counts_trials
        self.began = monotonic()
        self.first_cost: float | None = None
        self.last_cost = math.nan
        self.last_iteration = self.earlier = 0
        if verbose == 2:
            print("".join(f"{name:^15}" for name in COLUMNS))

    def __call__(
        self,
        x: FloatArray,
        fvec: FloatArray,
        iteration: int,
        nfev: int,
        trials: int,
        fnorm: float,
        step_norm: float,
        trust_radius: float,
        ratio: float,
        gradient: float,
    ) -> bool:
        """Show a point; tell whether the user wants to stop."""
        if iteration < self.last_iteration:  # from another start
            self.earlier += self.last_iteration
        self.last_iteration = iteration
        nit = self.earlier + iteration
        calls = trials if self.counts_trials else nfev
        cost = fnorm**2 / 2
        if self.verbose == 2:
            self.print_line(nit, calls, cost, step_norm, gradient)
        if self.first_cost is None:
            self.first_cost = cost
        self.last_cost = cost
        if self.tell is None or iteration == 0:
            return False
        return self.tell(
            OptimizeResult(
                x=x,
                fun=fvec,
                cost=cost,
                nit=nit,
                nfev=calls,
                step_norm=step_norm,
                trust_radius=trust_radius,
                ratio=ratio,
                elapsed=monotonic() - self.began,
            )
        )

    def print_line(
        self, nit: int, calls: int, cost: float, step_norm: float, gradient: float
    ) -> None:
        """Print a line of the table."""
        change = ["", ""]
        if self.first_cost is not None:
            change = [f"{self.last_cost - cost:.2e}", f"{step_norm:.2e}"]
        cells = [
            str(nit),
            str(calls),
            f"{cost:.4e}",
            *change,
            f"{gradient:.2e}" if gradient >= 0 else "",
        ]
        print("".join(f"{cell:^15}" for cell in cells))

    def print_end(self, result: OptimizeResult) -> None:
        """Print the report at the end."""
        if not self.verbose:
            return
        first = result.cost if self.first_cost is None else self.first_cost
        print(
            f"{result.message}\nFunction evaluations {result.nfev}, initial cost {first:.4e}, "
            f"final cost {result.cost:.4e}, first-order optimality {result.optimality:.2e}."
        )


def watch_for(callback: Function | None, verbose: int, counts_trials: bool) -> Watcher | None:
    """Make what sees the fit go on, if there is a callback or a table to print."""
    if callback is not None and not callable(callback):
        raise TypeError(f"callback must be callable, got {callback!r}")
    if callback is None and not verbose:
        return None
    return Watcher(callback, verbose, counts_trials)


def by_convention(callback: Function) -> Callable[[OptimizeResult], bool]:
    """Find out whether a callback takes the intermediate result or x alone, as in SciPy."""
    try:
        takes_result = set(inspect.signature(callback).parameters) == {"intermediate_result"}
    except (TypeError, ValueError):  # some builtin functions have no signature
        takes_result = False

    def tell(result: OptimizeResult) -> bool:
        try:
            answer = callback(intermediate_result=result) if takes_result else callback(result.x)
        except StopIteration:
            return True
        return isinstance(answer, bool | np.bool_) and bool(answer)

    return tell
