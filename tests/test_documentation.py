"""What the README and the docstrings show is what happens."""

import doctest
from pathlib import Path

import pytest

from leastsq import _leastsq, _native

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.parametrize("module", [_leastsq, _native])
def test_docstrings_hold(module):
    failed, attempted = doctest.testmod(module)
    assert attempted
    assert not failed


def test_readme_holds():
    failed, attempted = doctest.testfile(str(README), module_relative=False)
    assert attempted
    assert not failed
