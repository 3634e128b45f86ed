"""What tests count: compilations, and the memory that many fits keep."""

import pytest
from numba.core import event


def compilations(call):
    with event.install_recorder("numba:compile") as recorder:
        call()
    return len(recorder.buffer)


def assert_no_memory_is_kept(fits):
    """Run ten thousand fits, of 2000 residuals each: one leaked vector a fit would be 160 MB."""
    resource = pytest.importorskip("resource")
    fits(500)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    fits(10_000)
    growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert growth < 8_000
