"""The rules for the compiled core, read off the extension module itself."""

import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import leastsq
from leastsq import _minpack

pytestmark = pytest.mark.usefixtures("elf")


@pytest.fixture(scope="module")
def elf():
    if not sys.platform.startswith("linux"):
        pytest.skip("the extension module is no ELF file here")
    assert shutil.which("readelf"), "readelf (binutils) comes with every compiler"


def readelf(*flags):
    command = ["readelf", "--wide", *flags, _minpack.__file__]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_extension_needs_no_library_but_libc_and_libm():
    needed = [
        line.split("[")[1].rstrip("]") for line in readelf("-d").splitlines() if "NEEDED" in line
    ]
    assert needed
    families = {name.split(".")[0] for name in needed}
    assert families <= {"libc", "libm", "ld-linux-x86-64", "ld-linux-aarch64"}


def test_stack_is_not_executable():
    (stack,) = (line for line in readelf("-l").splitlines() if "GNU_STACK" in line)
    assert "RWE" not in stack
    assert "RW" in stack


def test_only_the_init_function_is_exported():
    symbols = [line.split() for line in readelf("--dyn-syms").splitlines()]
    exported = [
        row[7]
        for row in symbols
        if len(row) > 7 and row[4] in ("GLOBAL", "WEAK") and row[6] != "UND"
    ]
    assert exported == ["PyInit__minpack"]


def test_no_entry_that_calls_back_releases_the_gil():
    wrapper = Path(__file__).parents[1] / "minpack" / "_minpack.pyf"
    entries = wrapper.read_text().split("end subroutine")
    for entry in entries:
        lines = [line for line in entry.splitlines() if not line.startswith("!")]
        assert not ("external ask" in entry and any("threadsafe" in line for line in lines))


def test_version_is_the_packages():
    assert leastsq.__version__ == version("leastsq")


def test_numpy_is_the_only_import():
    code = "import leastsq, sys; print('scipy' in sys.modules or 'numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
