"""The rules for the compiled core, read off the extension module itself."""

import platform
import re
import shutil
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import version
from pathlib import Path

import pytest

import leastsq
from leastsq._core import _cpu

SUFFIX = EXTENSION_SUFFIXES[0]
pytestmark = [pytest.mark.usefixtures("elf"), pytest.mark.release]
EXTENSIONS = sorted(Path(leastsq.__file__).parent.rglob(f"*{SUFFIX}"))
each_extension = pytest.mark.parametrize("extension", EXTENSIONS, ids=lambda path: path.name)


@pytest.fixture(scope="module")
def elf():
    if not sys.platform.startswith("linux"):
        pytest.skip("the extension module is no ELF file here")
    assert shutil.which("readelf"), "readelf (binutils) comes with every compiler"


def readelf(extension, *flags):
    command = ["readelf", "--wide", *flags, extension]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def symbols(extension):
    """Names and sections of the dynamic symbols; UND is the section of what others define."""
    rows = [line.split() for line in readelf(extension, "--dyn-syms")]
    return [(row[7], row[6]) for row in rows if len(row) > 7 and row[4] in ("GLOBAL", "WEAK")]


@each_extension
def test_extension_needs_no_library_but_libc_and_libm(extension):
    needed = [
        line.split("[")[1].rstrip("]") for line in readelf(extension, "-d") if "NEEDED" in line
    ]
    families = {name.split(".")[0] for name in needed}
    assert families <= {"libc", "libm", "ld-linux-x86-64", "ld-linux-aarch64"}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="other processors began later")
@each_extension
def test_extension_loads_on_old_systems(extension):
    versions = re.findall(r"GLIBC_(\d+)\.(\d+)", "\n".join(readelf(extension, "--dyn-syms")))
    assert max(((int(a), int(b)) for a, b in versions), default=(2, 0)) <= (2, 17)


@each_extension
def test_nothing_of_the_fortran_run_time_is_called(extension):
    # Linked as C the extension would load without libgfortran, and fail where it is first needed.
    assert not [name for name, _ in symbols(extension) if name.startswith(("_gfortran", "GOMP"))]


@each_extension
def test_stack_is_not_executable(extension):
    (stack,) = (line for line in readelf(extension, "-l") if "GNU_STACK" in line)
    assert "RWE" not in stack
    assert "RW" in stack


@each_extension
def test_only_the_init_function_is_exported(extension):
    exported = [name for name, section in symbols(extension) if section != "UND"]
    assert exported == [f"PyInit_{extension.name.removesuffix(SUFFIX)}"]


def test_only_entries_for_native_functions_release_the_gil():
    # A callback that does not take it crashes Python when it is called from these.
    wrapper = Path(__file__).parents[1] / "minpack" / "_minpack.pyf.in"
    code = "\n".join(line.split("!")[0] for line in wrapper.read_text().splitlines())
    entries = dict(re.findall(r"^ *subroutine (\w+)\((.*?)end subroutine", code, re.M | re.S))
    assert {name for name, body in entries.items() if "threadsafe" in body} == {
        "fit_nogil",
        "differentiate_nogil",
        "evaluate",
        "many",
        "lockstep_advance",
        "parts_evaluate_nogil",
    }
    assert "fit" in entries


def test_extensions_are_found():
    assert {"_calls", "_cpu", "_minpack_baseline"} <= {
        path.name.removesuffix(SUFFIX) for path in EXTENSIONS
    }
    assert len(EXTENSIONS) >= 2 + len(_cpu.levels())


def test_version_is_the_packages():
    assert leastsq.__version__ == version("leastsq")


def test_numpy_is_the_only_import():
    code = "import leastsq, sys; print('scipy' in sys.modules or 'numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
