"""What the README and the docstrings show is what happens."""

import doctest
from pathlib import Path

import pytest

from leastsq import _curve_fit, _leastsq, _native, _patch

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.parametrize("module", [_curve_fit, _leastsq, _native, _patch])
def test_docstrings_hold(module):
    failed, attempted = doctest.testmod(module)
    assert attempted
    assert not failed


def test_readme_holds():
    failed, attempted = doctest.testfile(str(README), module_relative=False)
    assert attempted
    assert not failed
