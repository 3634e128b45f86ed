from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from leastsq._core._calls import Callee, Options

level: str
core: ModuleType

def fit(
    residual: Callee,
    jacobian: Callee | int,
    options: Options,
    data_norm: float,
    x: NDArray[np.float64],
    fvec: NDArray[np.float64],
    is_evaluated: bool,
    augmented: NDArray[np.float64],
    ipvt: NDArray[np.int32],
) -> tuple[float, int, int, int, int, int]: ...

fit_nogil = fit

def differentiate(
    residual: Callee,
    jacobian: Callee | int,
    options: Options,
    x: NDArray[np.float64],
    fvec: NDArray[np.float64],
    fjac: NDArray[np.float64],
    weighed: NDArray[np.float64],
) -> int: ...

differentiate_nogil = differentiate

def many(
    residual: Callee,
    jacobian: Callee | int,
    options: Options,
    m: int,
    n: int,
    fits: int,
    data_norms: int,
    inputs: NDArray[np.int64],
    bounds_count: int,
    diag_count: int,
    absolute: bool,
    negligible: float,
    doubtful: float,
    results: NDArray[np.int64],
    done: NDArray[np.int32],
) -> None: ...
def lockstep_open(
    options: Options,
    m: int,
    n: int,
    fits: int,
    lanes: int,
    differenced: bool,
    data_norms: int,
    y: int,
    weights: int,
    weight_count: int,
    bounds_count: int,
    diag_count: int,
    absolute: bool,
    negligible: float,
    doubtful: float,
    results: NDArray[np.int64],
) -> int: ...
def lockstep_advance(
    handle: int,
    m: int,
    count: int,
    values: int,
    failed: int,
    jacobian_count: int,
    jacobians: int,
    jacobian_failed: int,
    points: NDArray[np.float64],
    fits: NDArray[np.int32],
    jacobian_points: NDArray[np.float64],
    jacobian_fits: NDArray[np.int32],
) -> tuple[int, int]: ...
def lockstep_close(handle: int) -> None: ...
def parts_open(options: Options, n: int, differenced: bool, in_one_trip: bool) -> int: ...
def parts_advance(
    handle: int,
    told: bool,
    sums: NDArray[np.float64],
    info: int,
    x: NDArray[np.float64],
    request: NDArray[np.float64],
    counts: NDArray[np.int32],
) -> tuple[int, int]: ...
def parts_result(handle: int, augmented: NDArray[np.float64], ipvt: NDArray[np.int32]) -> float: ...
def parts_close(handle: int) -> None: ...
def parts_add(n: int, sums: NDArray[np.float64], more: NDArray[np.float64]) -> int: ...
def parts_evaluate(
    residual: Callee,
    jacobian: Callee | int,
    options: Options,
    fvec: NDArray[np.float64],
    is_evaluated: bool,
    inputs: NDArray[np.int64],
    blocks: int,
    request: NDArray[np.float64],
    what: int,
    sums: NDArray[np.float64],
) -> int: ...

parts_evaluate_nogil = parts_evaluate

def fault(options: Options, n: int) -> int: ...
def evaluate(residual: Callee, x: NDArray[np.float64], fvec: NDArray[np.float64]) -> int: ...
def whiten(factor: NDArray[np.float64], columns: NDArray[np.float64]) -> None: ...
def covar(
    m: int,
    r: NDArray[np.float64],
    qtf: NDArray[np.float64],
    changes: NDArray[np.float64],
    ipvt: NDArray[np.int32],
    x: NDArray[np.float64],
    active: NDArray[np.int32],
    fnorm: float,
    absolute: bool,
    differenced: bool,
    negligible: float,
    doubtful: float,
) -> tuple[NDArray[np.float64], NDArray[np.int32], int]: ...
