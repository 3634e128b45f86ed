"""The mutants of `make mutants` can be made."""

import runpy
from pathlib import Path

import pytest

MUTANTS = runpy.run_path(str(Path(__file__).parents[1] / "tools" / "mutants.py"))["MUTANTS"]


@pytest.mark.parametrize("name", MUTANTS)
def test_the_line_that_a_mutant_changes_is_there_once(name):
    assert MUTANTS[name].changed()
