from types import ModuleType

import numpy as np
from numpy.typing import NDArray

level: str
core: ModuleType

def lmdif(
    residual: int,
    residual_data: int,
    residual_fills: bool,
    x: NDArray[np.float64],
    fvec: NDArray[np.float64],
    evaluated: bool,
    ftol: float,
    xtol: float,
    gtol: float,
    maxfev: int,
    epsfcn: float,
    fixed_steps: bool,
    steps: NDArray[np.float64],
    factor: float,
    fixed_scale: bool,
    diag: NDArray[np.float64],
    bounded: bool,
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
    augmented: NDArray[np.float64],
    ipvt: NDArray[np.int32],
) -> tuple[int, int]: ...
def lmder(
    residual: int,
    residual_data: int,
    residual_fills: bool,
    jacobian: int,
    jacobian_data: int,
    jacobian_fills: bool,
    x: NDArray[np.float64],
    fvec: NDArray[np.float64],
    evaluated: bool,
    ftol: float,
    xtol: float,
    gtol: float,
    maxfev: int,
    factor: float,
    fixed_scale: bool,
    diag: NDArray[np.float64],
    bounded: bool,
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
    augmented: NDArray[np.float64],
    ipvt: NDArray[np.int32],
) -> tuple[int, int, int]: ...

lmdif_nogil = lmdif
lmder_nogil = lmder

def evaluate(
    residual: int, data: int, x: NDArray[np.float64], fvec: NDArray[np.float64]
) -> int: ...
def whiten(factor: NDArray[np.float64], columns: NDArray[np.float64]) -> None: ...
def covar(
    r: NDArray[np.float64],
    ipvt: NDArray[np.int32],
    x: NDArray[np.float64],
    active: NDArray[np.int32],
    negligible: float,
    doubtful: float,
) -> tuple[NDArray[np.float64], NDArray[np.int32], int]: ...
