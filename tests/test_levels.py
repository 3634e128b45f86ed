"""The core is compiled for several processors: each compilation that runs here solves problems."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from leastsq import _core
from leastsq._core import _cpu

PROBLEMS = ["test_mgh.py", "test_bounded_problems.py", "test_tutorial_fits.py"]
needs_levels = pytest.mark.skipif(len(_cpu.levels()) == 1, reason="one level alone runs here")


def run(level, *arguments):
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "LEASTSQ_CPU": level},
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
    )


def test_fastest_level_is_taken_where_none_is_named():
    code = "from leastsq import _core; print(_core.level, _core.core.__name__)"
    fastest = _cpu.levels()[0]
    assert run("", "-c", code).stdout.split() == [fastest, f"leastsq._core._minpack_{fastest}"]


@pytest.mark.parametrize("level", _cpu.levels())
def test_named_level_is_taken(level):
    code = "from leastsq import _core; print(_core.fit is _core.core.fit)"
    code += "; print(_core.core.__name__)"
    assert run(level, "-c", code).stdout.split() == ["True", f"leastsq._core._minpack_{level}"]


def test_unknown_level_is_refused():
    done = run("v9", "-c", "import leastsq")
    assert done.returncode != 0
    assert "ImportError: LEASTSQ_CPU must be" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("level", sorted(set(_cpu.levels()) - {_core.level}))
def test_problems_are_solved(level):
    problems = [str(Path(__file__).with_name(name)) for name in PROBLEMS]
    done = run(level, "-m", "pytest", "-q", "-p", "no:cacheprovider", *problems)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("level", _cpu.levels())
def test_callbacks_find_vector_registers_clean(level, library):
    """Otherwise they wait: a callback that does nothing took a microsecond."""
    code = (
        "import ctypes, sys, numpy as np, leastsq;"
        "x = np.linspace(0, 4, 50);"
        "library = ctypes.CDLL(sys.argv[1]);"
        "seen = [];"
        "see = lambda x: seen.append(library.uses_upper_halves());"
        "func = lambda p: see(p) or p[0] * np.exp(-p[1] * x) + p[2] - np.cos(x);"
        "leastsq.leastsq(func, [1, 1, 1], callback=see);"
        "print(len(seen) > 20, sum(seen))"
    )
    assert run(level, "-c", code, library._name).stdout.split() == ["True", "0"]


@needs_levels
def test_levels_differ():
    """Fused multiplications round once: were the results alike, one level would be all there is."""
    code = (
        "import numpy as np, leastsq;"
        "J = np.random.default_rng(0).standard_normal((300, 9));"
        "print(leastsq.leastsq(lambda p: J @ p - 1, np.ones(9), Dfun=lambda p: J,"
        "full_output=True)[2]['fjac'].tobytes().hex())"
    )
    assert len({run(level, "-c", code).stdout for level in _cpu.levels()}) > 1
