"""SciPy's own tests of leastsq, as installed, run with this leastsq in SciPy's place."""

import inspect

import numpy as np
import pytest
from scipy import optimize
from scipy.optimize import _minpack_py, _root
from scipy.optimize.tests import test_minpack

from leastsq import leastsq


def names_of_tests(suite):
    return [name for name, _ in inspect.getmembers(suite, inspect.isfunction) if name[:4] == "test"]


CASES = [
    (suite, name)
    for suite in (test_minpack.TestLeastSq, test_minpack.TestRootLM)
    for name in names_of_tests(suite)
]


@pytest.mark.parametrize(("suite", "name"), CASES, ids=[name for _, name in CASES])
def test_scipys_test_passes(suite, name, monkeypatch):
    calls = []

    def counted(*args, **kwargs):
        calls.append(args)
        return leastsq(*args, **kwargs)

    for module in (optimize, _minpack_py, _root, test_minpack):
        monkeypatch.setattr(module, "leastsq", counted)
    instance = suite()
    if hasattr(instance, "setup_method"):
        instance.setup_method()
    with np.errstate(all="ignore"):
        getattr(instance, name)()
    assert calls
