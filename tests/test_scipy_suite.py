"""SciPy's own tests of leastsq, root and curve_fit, as installed, with this library in their place.

One does not apply: TestCurveFit.test_bounds ends by asserting that method='lm' refuses bounds,
which are no trouble to it here. What comes before that is tested in test_curve_fit.py.
"""

import numpy as np
import pytest
from scipy.optimize.tests import test_minpack

import leastsq


@pytest.mark.filterwarnings("ignore::leastsq.OptimizeWarning")
class Patched:
    """SciPy's tests see this library."""

    @pytest.fixture(autouse=True)
    def patch(self):
        original = test_minpack.leastsq
        with leastsq.patch_scipy(), np.errstate(all="ignore"):
            assert test_minpack.leastsq is not original
            yield


class TestLeastSq(Patched, test_minpack.TestLeastSq):
    pass


class TestRootLM(Patched, test_minpack.TestRootLM):
    pass


class TestCurveFit(Patched, test_minpack.TestCurveFit):
    test_bounds = None
