"""Fits in other processes and interpreters."""

import multiprocessing
import os
import re
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from problems.models import exponential

from leastsq import curve_fit, leastsq

X = np.linspace(0, 5, 50)
Y = 2.5 * np.exp(-1.3 * X) + 0.5 + 0.02 * np.cos(40 * X)
STARTS = [(1.0, 1.0, 0.1 * k) for k in range(8)]


def residuals(p):
    return exponential(X, *p) - Y


def solve(start):
    return leastsq(residuals, start, full_output=True)


def fail(start):
    return curve_fit(exponential, X, Y, start, maxfev=3)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_processes_give_the_serial_answers(method):
    serial = [solve(start) for start in STARTS]
    with multiprocessing.get_context(method).Pool(2) as pool:
        for ours, theirs in zip(serial, pool.map(solve, STARTS), strict=True):
            np.testing.assert_equal(theirs, ours)
        with pytest.raises(RuntimeError, match="Optimal parameters not found") as caught:
            pool.map(fail, STARTS)
    assert caught.value.ier == 5
    assert caught.value.popt.shape == (3,)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_fork_inside_func_leaves_two_fits_that_go_on():
    children = []
    reading, writing = os.pipe()

    def forking(p):
        if not children:
            children.append(os.fork())
        return residuals(p)

    try:
        x, _ = leastsq(forking, STARTS[0])
        if children == [0]:
            os.write(writing, x.tobytes())
            os._exit(0)
    finally:
        if children == [0]:  # a child must never continue with the other tests
            os._exit(1)
    assert os.waitpid(children[0], 0)[1] == 0
    np.testing.assert_array_equal(np.frombuffer(os.read(reading, 100)), x)
    np.testing.assert_array_equal(x, solve(STARTS[0])[0])


SUBINTERPRETER = """
    import sys, _testcapi
    code = '''
    import warnings
    warnings.simplefilter("ignore")
    try:
        import numpy
        import leastsq
    except (ImportError, RuntimeError) as error:
        print("refused:", error)
    else:
        local = 0
        def func(p):
            global local
            local += 1
            return A @ p - 1
        A = numpy.cos(numpy.arange({m} * {n})).reshape({m}, {n})
        x, ier = leastsq.leastsq(func, numpy.zeros({n}), Dfun=lambda p: A)
        print("solved:", numpy.abs(A.T @ (A @ x - 1)).max() < 1e-6, local > 1)
    '''
    import textwrap
    for _ in range(2):
        if _testcapi.run_in_subinterp(textwrap.dedent(code)):
            print("failed")
    sys.stdout.flush()
"""


@pytest.mark.parametrize(("m", "n"), [(50, 3), (4000, 60)], ids=["GIL kept", "GIL released"])
def test_subinterpreters_solve_or_say_that_numpy_refuses(m, n):
    pytest.importorskip("_testcapi")
    code = textwrap.dedent(SUBINTERPRETER).replace("{m}", str(m)).replace("{n}", str(n))
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    answers = re.findall("^(solved: True True|refused: )", ran.stdout, re.MULTILINE)
    assert len(answers) == 2, ran.stdout + ran.stderr


LOCKED = """
    import os, sys, threading
    from leastsq import leastsq
    from leastsq._functions import njit
    from numba import njit as compiled

    function = compiled(lambda p: p - 1.0)
    leastsq(function, [0.0])
    is_held, may_end = threading.Event(), threading.Event()

    def hold():
        with njit.LOCK:
            is_held.set()
            may_end.wait()

    threading.Thread(target=hold).start()
    is_held.wait()
    child = os.fork()
    if child == 0:
        os._exit(0 if leastsq(function, [0.0])[1] in (1, 2, 3, 4) else 1)
    may_end.set()
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_that_was_forked_during_a_compilation_fits():
    code = textwrap.dedent(LOCKED)
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=100)
