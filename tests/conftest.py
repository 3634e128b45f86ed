"""Fits that several test files look at, and how long hypothesis searches."""

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from native.functions import Curve, numbers
from problems.models import SIGMAS

from leastsq import NativeFunction, _core

ANY_SPEED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("test", max_examples=200, derandomize=True, **ANY_SPEED)
settings.register_profile("fuzz", max_examples=10_000, print_blob=True, **ANY_SPEED)
settings.register_profile(
    "mutants", settings.get_profile("test"), phases=[Phase.explicit, Phase.generate]
)  # no time for the simplest example
settings.load_profile("test")


class ExponentialFit:
    """The fit a*exp(-b*x) + c of 50 points, with everything that leastsq is handed."""

    def __init__(self):
        rng = np.random.default_rng(2026)
        self.x = np.linspace(0, 5, 50)
        self.y = 2.5 * np.exp(-1.3 * self.x) + 0.5 + 0.02 * rng.standard_normal(50)
        self.start = np.array([1.0, 1.0, 1.0])

    def residuals(self, p):
        return p[0] * np.exp(-p[1] * self.x) + p[2] - self.y

    def jacobian(self, p):
        e = np.exp(-p[1] * self.x)
        return np.column_stack([e, -p[0] * self.x * e, np.ones_like(e)])


@pytest.fixture
def fit():
    return ExponentialFit()


@pytest.fixture(params=SIGMAS)
def sigma(request):
    """The errors of 50 points, for curve_fit."""
    return SIGMAS[request.param]


@pytest.fixture
def overflowing():
    """Models may overflow without a warning."""
    with np.errstate(all="ignore"):
        yield


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    """The C functions of native/functions.c, compiled and loaded."""
    path = tmp_path_factory.mktemp("native") / "functions.so"
    source = Path(__file__).parent / "native" / "functions.c"
    compiler = shutil.which("cc") or shutil.which("gcc")
    command = [compiler, "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", path, source, "-lm"]
    subprocess.run(command, check=True)
    return ctypes.CDLL(path)


@pytest.fixture
def curve(fit):
    pointers = [array.ctypes.data_as(numbers) for array in (fit.x, fit.y)]
    return Curve(*pointers, flag=-1)


@pytest.fixture
def residual(library, curve):
    return NativeFunction(library.residual, 50, data=curve)


@pytest.fixture
def jacobian(library, curve):
    return NativeFunction(library.jacobian, 50, data=curve)


@pytest.fixture
def native_only(monkeypatch):
    """Whatever calls Python in a fit fails."""
    monkeypatch.setattr(_core, "fit", None)
    return monkeypatch
