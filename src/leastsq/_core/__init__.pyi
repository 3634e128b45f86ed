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
    x: NDArray[np.float64],
    fvec: NDArray[np.float64],
    is_evaluated: bool,
    augmented: NDArray[np.float64],
    ipvt: NDArray[np.int32],
) -> tuple[int, int, int]: ...

fit_nogil = fit

def fault(options: Options, n: int) -> int: ...
def evaluate(residual: Callee, x: NDArray[np.float64], fvec: NDArray[np.float64]) -> int: ...
def whiten(factor: NDArray[np.float64], columns: NDArray[np.float64]) -> None: ...
def covar(
    r: NDArray[np.float64],
    ipvt: NDArray[np.int32],
    x: NDArray[np.float64],
    active: NDArray[np.int32],
    negligible: float,
    doubtful: float,
) -> tuple[NDArray[np.float64], NDArray[np.int32], int]: ...
