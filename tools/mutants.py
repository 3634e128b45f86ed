"""Break the solver in several ways, and see that the tests notice: `make mutants`.

Each mutant is a build of a changed copy of the sources, in build/mutants. The whole test suite runs
on it, and must fail in each of the named files. What fails is printed.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "mutants"
FAILED = re.compile(r" (?:FAILED|ERROR) tests/(\w+)\.py::(\S+)")


class Mutant(NamedTuple):
    """One line of the sources, what takes its place, and the test files that must notice."""

    what: str
    file: str
    line: str
    instead: str
    noticed_by: tuple[str, ...]


FITS = ("test_curve_fit", "test_mgh", "test_native", "test_nist", "test_numba", "test_properties")
MUTANTS = {
    "start": Mutant(
        "returns the starting point with exit code 5",
        "minpack/fit/ask_and_tell.f90",
        "      self%needs = a_model\n      if (self%settings%fault()",
        "      call self%stop(maxfev_reached)\n      if (self%settings%fault()",
        (*FITS, "test_leastsq", "test_tutorial_fits"),
    ),
    "claim": Mutant(
        "returns the starting point and calls it a solution",
        "minpack/fit/ask_and_tell.f90",
        "      self%needs = a_model\n      if (self%settings%fault()",
        "      call self%stop(ftol_reached)\n      if (self%settings%fault()",
        (*FITS, "test_leastsq", "test_tutorial_fits"),
    ),
    "step": Mutant(
        "takes one step alone",
        "minpack/fit/ask_and_tell.f90",
        "      self%info = self%verdict(reduction, nfev)\n",
        "      self%info = self%verdict(reduction, nfev)\n"
        "      if (self%accepted) self%info = ftol_reached\n",
        (*FITS, "test_leastsq", "test_tutorial_fits"),
    ),
    "sign": Mutant(
        "has the wrong sign in the first column of the Jacobian",
        "minpack/rows/rows.f90",
        "            self%block(last:last + rows - 1) = self%fvec(first:first + rows - 1)\n",
        "            self%block(last:last + rows - 1) = self%fvec(first:first + rows - 1)\n"
        "            associate (column => self%block(self%start:self%start + rows - 1))\n"
        "               column = -column\n"
        "            end associate\n",
        (*FITS, "test_leastsq", "test_tutorial_fits"),
    ),
    "covariance": Mutant(
        "doubles the covariance",
        "minpack/linear/covariance.F90",
        "            cov(which(i), which(j)) = product\n",
        "            product = 2*product\n            cov(which(i), which(j)) = product\n",
        ("test_curve_fit", "test_mgh", "test_nist", "test_tutorial_fits"),
    ),
    "bounds": Mutant(
        "ignores bounds",
        "minpack/entries.f90",
        "      settings%bounds%bounded = c_associated(options%lower)\n",
        "      settings%bounds%bounded = .false.\n",
        ("test_bounded_problems", "test_bounds", "test_curve_fit", "test_traps"),
    ),
}


def build(name: str, mutant: Mutant) -> Path:
    """Build a changed copy of the sources; return the folder of the package."""
    copy = BUILD / name / "source"
    shutil.rmtree(BUILD / name, ignore_errors=True)
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    for path in tracked.stdout.splitlines():
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, copy / path)
    source = (copy / mutant.file).read_text()
    if source.count(mutant.line) != 1:
        sys.exit(f"{name}: the line to change is not in {mutant.file} once:\n{mutant.line}")
    (copy / mutant.file).write_text(source.replace(mutant.line, mutant.instead))
    package = BUILD / name / "package"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-build-isolation", "--no-deps"]
    subprocess.run([*pip, "--target", package, copy], check=True)
    return package


def failures(package: Path) -> list[tuple[str, str]]:
    """Run the tests on a package; return the files and names of those that fail."""
    report = package.with_name("tests.txt")
    with report.open("w") as output:
        tests = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "pytest",
                "-n",
                "auto",
                "--tb=no",
                "-v",
                "--hypothesis-profile=mutants",
                "-p",
                "no:cacheprovider",
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(package)},
            stdout=output,
            start_new_session=True,
        )
        tests.wait()
    with suppress(ProcessLookupError):
        os.killpg(tests.pid, signal.SIGKILL)  # what broken tests left running
    return FAILED.findall(report.read_text())


def main() -> None:
    """Try the mutants that are named, or all."""
    survivors = []
    for name in sys.argv[1:] or MUTANTS:
        mutant = MUTANTS[name]
        failed = failures(build(name, mutant))
        count = Counter(file for file, _ in failed)
        print(f"\nA solver that {mutant.what}: {len(failed)} tests fail", flush=True)
        for file in sorted(count):
            first = next(test for one, test in failed if one == file)
            print(f"  {file:24} {count[file]:5}   {first}")
        missed = [file for file in mutant.noticed_by if file not in count]
        survivors += [f"{name}: {file}" for file in missed]
    sys.exit("Not noticed: " + ", ".join(survivors) if survivors else 0)


if __name__ == "__main__":
    main()
