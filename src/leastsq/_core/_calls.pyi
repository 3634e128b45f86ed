from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

IMPROPER_INPUT: int
GTOL_REACHED: int
RESIDUALS_NOT_FINITE: int
JACOBIAN_NOT_FINITE: int

class TimeIsUpError(Exception): ...

TIME_IS_UP: int
NO_TIME: int
NORM_ALONE: int
NOTHING_MORE: int
STOPPED: int
SURE_MISFIT: int
LM: int
TRF: int
DOGBOX: int
LINEAR: int
HUBER: int
SOFT_L1: int
CAUCHY: int
ARCTAN: int
MAXFEV_REACHED: int
OUT_OF_MEMORY: int
PROMISE_BROKEN: int
POOR_END: int
OPEN_END: int
MISFIT: int
FIRST_ATTEMPT: int
AS_IT_IS: int
ON_OTHER_SIDE: int
NO_FAULT: int
FAULT_OF_FTOL: int
FAULT_OF_XTOL: int
FAULT_OF_GTOL: int
FAULT_OF_FACTOR: int
FAULT_OF_EPSFCN: int
FAULT_OF_DIAG: int
FAULT_OF_SPREAD: int
WITHOUT_EFFECT: int
ACTS_TOGETHER: int
HARDLY_DETERMINED: int
CONFINED_END: int
CONDITIONAL: int

class Callee:
    def __int__(self) -> int: ...

class Observer:
    at_once: int
    def ready(self, released: bool, /) -> Observer: ...

class Watch:
    has_stopped: bool
    has_raised: bool
    earlier_nit: int
    earlier_nfev: int
    def better_than(self, norm: float, /) -> NDArray[np.float64] | None: ...
    def ready(self, released: bool, /) -> Watch: ...

class Options:
    def __int__(self) -> int: ...

def python_function(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    coerce: Callable[[object, Callable[..., Any], int], Any] | None,
    released: bool,
    time_left: float,
    /,
) -> Callee: ...
def native_function(
    function: int,
    data: int,
    is_jacobian: bool,
    watched: bool,
    released: bool,
    flag: NDArray[np.int32] | None,
    time_left: float,
    /,
) -> Callee: ...
def observer(function: Callable[..., Any], /) -> Observer: ...
def watch(
    callback: Callable[..., Any],
    kind: type[dict[str, Any]] | None,
    counts_trials: bool,
    sees_start: bool,
    /,
) -> Watch: ...

class Joint:
    def ready(self, released: bool, /) -> Joint: ...

def joint_function(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    coerce: Callable[[object, tuple[int, int]], NDArray[np.float64]],
    compare: Callable[[NDArray[np.float64], NDArray[np.float64]], object],
    start: NDArray[np.float64],
    residuals: NDArray[np.float64],
    most: int,
    time_left: float,
    y: NDArray[np.float64] | None,
    weights: NDArray[np.float64] | None,
    /,
) -> Joint: ...
def options(
    *,
    ftol: float,
    xtol: float,
    gtol: float,
    factor: float,
    epsfcn: float,
    maxfev: int,
    diag: NDArray[np.float64] | None,
    diff_step: NDArray[np.float64] | None,
    limits_trials: bool,
    concludes: bool,
    tests: int,
    loss: int,
    f_scale: NDArray[np.float64] | None,
    threads: int,
    attempt: int,
) -> Options: ...
def options_of_fit(
    options: Options,
    epsfcn: float,
    lower: NDArray[np.float64] | None,
    upper: NDArray[np.float64] | None,
    rho: Observer | None,
    watch: Watch | None,
    together: Joint | Observer | None,
    /,
) -> Options: ...

class ModelResiduals:
    def __call__(
        self,
        p: Any,
        x: Any,
        y: NDArray[np.float64],
        weights: NDArray[np.float64] = ...,
        /,
    ) -> Any: ...

def model_residuals(
    model: Callable[..., Any], finish: Callable[..., Any], scales: bool, /
) -> ModelResiduals: ...
def model_values(model: Callable[..., Any], x: Any, p: Any, /) -> Any: ...
def hold(release: int, data: int, needed: object, /) -> object: ...
def native_residuals(
    function: int, data: int, x: NDArray[np.float64], m: int, released: bool, /
) -> NDArray[np.float64] | None: ...
def are_plain(*objects: object) -> bool: ...
def own_result(function: Callable[..., Any], /, *args: object) -> Any: ...
def data_norm(y: NDArray[np.float64], weights: NDArray[np.float64] | None, /) -> float: ...
def data_norms(
    y: NDArray[np.float64], weights: NDArray[np.float64] | None, fits: int, /
) -> NDArray[np.float64]: ...
def plain_vector(value: object, /) -> NDArray[np.float64] | None: ...
def first_residuals(
    func: Callable[..., Any],
    x: NDArray[np.float64],
    args: tuple[Any, ...],
    coerce: Callable[[object, Callable[..., Any]], NDArray[Any]],
    /,
) -> NDArray[Any]: ...
