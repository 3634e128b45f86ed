"""SciPy's own tests of leastsq, root and curve_fit, as installed, with this library in their place.

One does not apply: TestCurveFit.test_bounds ends by asserting that method='lm' refuses bounds,
which are no trouble to it here. What comes before that is tested in test_curve_fit.py.
"""

import numpy as np
import pytest
from scipy.optimize.tests import test_least_squares, test_minpack

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


class Robust(Patched):
    """What does not apply to any method of least_squares.

    In three tests SciPy's first steps, 2 or twice 1, happen to end at the solution 0 exactly. A
    forward difference determines it to 1e-8: which is what this library finds, with more calls.
    """

    test_x_scale_options = test_full_result = test_options = None


class Bounded(Robust):
    """What does not apply to 'trf' and 'dogbox'.

    An array with one bound is the bound of all parameters. If the data are exact, a fit may take
    one step more than SciPy, which does the fits with jac_sparsity.
    """

    test_inconsistent_shape = test_numerical_jac = None


class TestDogbox(Bounded, test_least_squares.TestDogbox):
    pass


class TestTRF(Bounded, test_least_squares.TestTRF):
    pass


class TestLM(Robust, test_least_squares.TestLM):
    test_bounds_not_supported = test_loss = None  # 'lm' supports both
