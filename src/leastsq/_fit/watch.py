"""What sees a fit go on: the user's callback, and the table that verbose=2 prints."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Any

from leastsq._arguments.arrays import Function
from leastsq._core._calls import watch
from leastsq._optimize_result import OptimizeResult

if TYPE_CHECKING:
    from leastsq._core._calls import Watch

LATER = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
COLUMNS = ("Iteration", "Total nfev", "Cost", "Cost reduction", "Step norm", "Optimality")


def watch_for(
    callback: Function | None, report: Report | None, counts_trials: bool
) -> Watch | None:
    """Make what sees the fit go on, if there is a callback or a report."""
    refuse_idle(callback)
    takes_result = callback is not None and by_result(callback)
    if report is not None:
        both = report.before(callback, takes_result)
        return watch(both, OptimizeResult, counts_trials, True)
    if callback is None:
        return None
    return watch(callback, OptimizeResult if takes_result else None, counts_trials, False)


def refuse_idle(callback: Function | None) -> None:
    """Refuse a callback that cannot be called, or of which a call does nothing."""
    if callback is None:
        return
    if not callable(callback):
        raise TypeError(f"callback must be callable, got {callback!r}")
    if type(callback) is FunctionType and callback.__code__.co_flags & LATER:
        raise TypeError(
            f"callback must not be a generator or coroutine, whose calls do nothing: {callback!r}"
        )


def by_result(callback: Function) -> bool:
    """Tell whether a callback takes the intermediate result, not x alone, as in SciPy."""
    if type(callback) is FunctionType:  # inspect is slow
        code = callback.__code__
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        has_more = code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS)
        return names == ("intermediate_result",) and not has_more
    try:
        return set(inspect.signature(callback).parameters) == {"intermediate_result"}
    except (TypeError, ValueError):  # some builtin functions have no signature
        return False


class Report:
    """What verbose prints: 2 prints a table during the fit, too."""

    def __init__(self, verbose: int) -> None:
        self.has_table = verbose == 2
        self.first_cost: float | None = None
        self.last_cost = math.nan
        self.last_nit = 0
        if self.has_table:
            print("".join(f"{name:^15}" for name in COLUMNS))

    def before(self, callback: Function | None, takes_result: bool) -> Callable[[Any], Any]:
        """Make a callback that prints a line, and calls the user's callback."""

        def both(intermediate_result: OptimizeResult) -> Any:
            result = intermediate_result
            if self.has_table:
                self.print_line(result)
            if self.first_cost is None:
                self.first_cost = result.cost
            self.last_cost = result.cost
            is_start, self.last_nit = result.nit == self.last_nit, result.nit
            if callback is None or is_start:
                return None
            if takes_result:
                return callback(intermediate_result=result)
            return callback(result.x)

        return both

    def print_line(self, result: OptimizeResult) -> None:
        """Print a line of the table."""
        change = ["", ""]
        if self.first_cost is not None:
            change = [f"{self.last_cost - result.cost:.2e}", f"{result.step_norm:.2e}"]
        optimality = "" if math.isnan(result.optimality) else f"{result.optimality:.2e}"
        cells = [str(result.nit), str(result.nfev), f"{result.cost:.4e}", *change, optimality]
        print("".join(f"{cell:^15}" for cell in cells))

    def print_end(self, result: OptimizeResult) -> None:
        """Print the result."""
        first = result.cost if self.first_cost is None else self.first_cost
        print(
            f"{result.message}\nFunction evaluations {result.nfev}, initial cost {first:.4e}, "
            f"final cost {result.cost:.4e}, first-order optimality {result.optimality:.2e}."
        )
