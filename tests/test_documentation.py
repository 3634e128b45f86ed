"""What the README and the docstrings show is what happens."""

import doctest
from pathlib import Path

import leastsq._leastsq

README = Path(__file__).parents[1] / "README.md"


def test_docstrings_hold():
    failed, attempted = doctest.testmod(leastsq._leastsq)
    assert attempted
    assert not failed


def test_readme_holds():
    failed, attempted = doctest.testfile(str(README), module_relative=False)
    assert attempted
    assert not failed
