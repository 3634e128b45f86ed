"""Fits so large that another thread may run while the core computes."""

import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

from leastsq import leastsq

M, N = 4000, 400


class StoppingError(Exception):
    pass


@pytest.fixture
def jacobian():
    return np.random.default_rng(0).standard_normal((M, N))


@pytest.fixture
def threads_wait():
    """Let a thread run only when another gives it the GIL."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    yield
    sys.setswitchinterval(interval)


def test_another_thread_runs_during_the_factorisation(jacobian, threads_wait):
    # Nothing else between the end of Dfun and the next residuals gives the GIL away.
    residuals = iter([np.full(M, 0.9**k) for k in range(6)])
    evaluated, ended = threading.Event(), threading.Event()
    turns = 0
    turns_seen = []

    def other():
        nonlocal turns
        while not ended.is_set():
            evaluated.wait()
            evaluated.clear()
            turns += 1

    def func(p):
        turns_seen.append(turns)
        return next(residuals)

    def Dfun(p):
        nonlocal turns
        turns = 0
        evaluated.set()
        return jacobian

    thread = threading.Thread(target=other)
    thread.start()
    leastsq(func, np.zeros(N), Dfun=Dfun, maxfev=5, full_output=True)
    ended.set()
    evaluated.set()
    thread.join()
    assert len(turns_seen) > 3
    assert max(turns_seen) == 1


@pytest.mark.parametrize("raising", ["func", "Dfun"])
def test_exceptions_come_through(raising, jacobian):
    error = StoppingError()

    def call(name, value):
        if name == raising and called:
            raise error
        called.append(name)
        return value

    called = []
    with pytest.raises(StoppingError) as caught:
        leastsq(
            lambda p: call("func", jacobian @ p - 1),
            np.zeros(N),
            Dfun=lambda p: call("Dfun", jacobian),
        )
    assert caught.value is error


def test_residuals_in_one_array_fit_like_fresh_ones(jacobian):
    # The core reads them where they lie.
    room = np.empty(M)

    def bent(p):
        return np.tanh(jacobian @ p) - 0.5

    def derivatives(p):
        return jacobian * (1 / np.cosh(jacobian @ p) ** 2)[:, None]

    def bent_in_room(p):
        room[:] = bent(p)
        return room

    def derivatives_in_room(p):
        bent_in_room(p + 1)
        return derivatives(p)

    x, _, infodict, _, ier = leastsq(
        bent_in_room, np.zeros(N), Dfun=derivatives_in_room, full_output=True
    )
    fresh = leastsq(bent, np.zeros(N), Dfun=derivatives, full_output=True)
    assert ier == fresh[4] in (1, 2, 3)
    np.testing.assert_array_equal(x, fresh[0])
    np.testing.assert_array_equal(infodict["fvec"], fresh[2]["fvec"])
    assert infodict["nfev"] == fresh[2]["nfev"] > 3


def test_memory_that_runs_out_is_a_memory_error():
    pytest.importorskip("resource")
    code = """
        import resource
        import numpy as np
        from leastsq import leastsq
        residuals = np.ones(1_000_000)
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 200_000_000,) * 2)
        x = np.ones(50)  # a Jacobian of 400 MB
        try:
            leastsq(lambda p: residuals, x)
        except MemoryError as error:
            print(error, error.x.tolist() == [1.0] * 50)
        residuals = residuals[:1000]
        print(leastsq(lambda p: residuals, x)[1])
    """
    if not sys.platform.startswith("linux"):
        pytest.skip("memory is limited and read otherwise here")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True
    )
    assert done.stdout.splitlines() == [
        "not enough memory for 1000000 residuals and 50 parameters True",
        "4",
    ], done.stderr
