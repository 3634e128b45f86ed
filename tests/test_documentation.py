"""What the documentation and the docstrings show is what happens."""

import doctest
import re
import warnings
from pathlib import Path

import pytest

import leastsq
from leastsq import (
    _check_derivative,
    _confidence_band,
    _curve_fit,
    _curve_fit_many,
    _least_squares,
    _leastsq,
    _patch,
    xarray,
)

ROOT = Path(__file__).parents[1]
PAGES = {"README.md": ROOT / "README.md"} | {p.name: p for p in (ROOT / "docs").glob("*.md")}
WITH_EXAMPLES = [name for name, page in PAGES.items() if ">>> " in page.read_text()]


@pytest.mark.parametrize(
    "module",
    [
        _check_derivative,
        _confidence_band,
        _curve_fit,
        _curve_fit_many,
        _least_squares,
        _leastsq,
        leastsq,
        _patch,
        xarray,
    ],
)
def test_docstrings_hold(module):
    failed, attempted = doctest.testmod(module)
    assert attempted
    assert not failed


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_page_holds(name):
    failed, attempted = doctest.testfile(str(PAGES[name]), module_relative=False)
    assert attempted
    assert not failed


@pytest.mark.slow
@pytest.mark.parametrize("name", list(PAGES))
def test_blocks_run_one_after_the_other_when_they_are_pasted(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "__main__"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for block in re.findall(r"^```python\n(.*?)^```$", PAGES[name].read_text(), re.M | re.S):
            code = doctest.script_from_examples(block) if ">>> " in block else block
            exec(compile(code, name, "exec"), namespace)


def test_reference_has_every_public_name():
    listed = re.findall(r"^   (\w+)$", PAGES["reference.md"].read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(leastsq.__all__)


def test_links_lead_to_files():
    for page in PAGES.values():
        for target in re.findall(r"\]\(([^):#]+)(?:#[^)]*)?\)", page.read_text()):
            is_built = target.startswith("gallery/")
            assert is_built or (page.parent / target).exists(), f"{page.name}: {target}"
