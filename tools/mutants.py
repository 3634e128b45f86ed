"""Break the solver in several ways, and see that the tests notice: `make mutants`.

Each mutant is a build of a changed copy of the sources, in build/mutants. The tests in the named
files run on it, and must fail in each file. What fails is printed.
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

    def changed(self) -> str:
        """Change the source of the file; the line must be there once."""
        before, after = (ROOT / self.file).read_text().split(self.line)
        return before + self.instead + after


FITS = ("test_curve_fit", "test_mgh", "test_native", "test_nist", "test_numba", "test_properties")
MUTANTS = {
    "start": Mutant(
        "returns the starting point with exit code 5",
        "minpack/fit/ask_and_tell.f90",
        "      call self%stand_at(x, fnorm)\n",
        "      call self%stand_at(x, fnorm)\n      call self%stop(maxfev_reached)\n",
        (*FITS, "test_leastsq", "test_tutorial_fits"),
    ),
    "claim": Mutant(
        "returns the starting point and calls it a solution",
        "minpack/fit/ask_and_tell.f90",
        "      call self%stand_at(x, fnorm)\n",
        "      call self%stand_at(x, fnorm)\n      call self%stop(gtol_reached)\n",
        (*FITS, "test_leastsq", "test_tutorial_fits"),
    ),
    "step": Mutant(
        "takes one step alone",
        "minpack/fit/ask_and_tell.f90",
        "      info = verdict(self, reduction, self%settings%counted(nfev, trials))\n",
        "      info = verdict(self, reduction, self%settings%counted(nfev, trials))\n"
        "      if (self%accepted) info = gtol_reached\n",
        (*FITS, "test_leastsq", "test_tutorial_fits"),
    ),
    "sign": Mutant(
        "has the wrong sign in the last residual of each step",
        "minpack/rows/quotient.f90",
        "         column(i) = values(i) - fvec(i)\n",
        "         column(i) = values(i) - fvec(i)\n         if (i == m) column(i) = -column(i)\n",
        (*FITS, "test_leastsq", "test_tutorial_fits"),
    ),
    "side": Mutant(
        "never begins on the other side",
        "minpack/fit/other_side.f90",
        "         along = 2*dot(head, w, step)/along\n",
        "         along = 0\n",
        ("test_other_side",),
    ),
    "open": Mutant(
        "is content with an end where a variable has no effect",
        "minpack/fit/quality.f90",
        "         if (self%is_open()) ending = ending + open_end\n",
        "",
        ("test_open_ends",),
    ),
    "misfit": Mutant(
        "does not see that the model misses the data",
        "minpack/rows/runs.f90",
        "      prevail = are_long(runs) .and. runs(3) > most*rows_of(runs)\n",
        "      prevail = .false.\n",
        ("test_signs",),
    ),
    "covariance": Mutant(
        "doubles the covariance",
        "minpack/linear/scaled_columns.f90",
        "            product(which(j), which(i)) = s(i, j)\n",
        "            product(which(j), which(i)) = 2*s(i, j)\n",
        ("test_curve_fit", "test_mgh", "test_nist", "test_tutorial_fits"),
    ),
    "bounds": Mutant(
        "ignores bounds",
        "minpack/c_options.f90",
        "      settings%bounds%bounded = c_associated(options%lower)\n",
        "      settings%bounds%bounded = .false.\n",
        ("test_bounded_problems", "test_bounds", "test_curve_fit", "test_traps"),
    ),
    "settled": Mutant(
        "stops as early as MINPACK",
        "minpack/fit/settled.f90",
        "      has_settled = remaining <= max(worthwhile, tolerance) &\n",
        "      has_settled = .true. .or. remaining <= max(worthwhile, tolerance) &\n",
        ("test_settled",),
    ),
    "steps": Mutant(
        "differences with the first step in any case",
        "minpack/rows/step_choice.f90",
        "         if (variable%is_without_effect) return\n",
        "         return\n",
        ("test_differences",),
    ),
    "loss": Mutant(
        "weighs the rows of a robust loss, but not the residuals",
        "minpack/rows/loss.F90",
        "         self%residuals(i) = slope*f(i)/self%factors(i)\n",
        "         self%residuals(i) = f(i)\n",
        ("test_robust_fits",),
    ),
    "widening": Mutant(
        "begins with the robust loss itself also from a poor start",
        "minpack/fit/robust.f90",
        "      are_outliers = 2*outliers > m\n",
        "      are_outliers = .false.\n",
        ("test_robust_fits",),
    ),
    "batch": Mutant(
        "fits all of a batch in the bounds of its first fit",
        "minpack/drive/batch.f90",
        "      column = min(k, size(self%lower, 2))\n",
        "      column = min(1, size(self%lower, 2))\n",
        ("test_many",),
    ),
    "lockstep": Mutant(
        "asks a NumPy model for the point where it is, not where it goes",
        "minpack/drive/lane.f90",
        "         x(:, 1) = self%fit%trial\n",
        "         x(:, 1) = self%fit%x\n",
        ("test_lockstep", "test_many"),
    ),
    "parts": Mutant(
        "forgets all parts but the first in the products",
        "minpack/rows/sums.f90",
        "         self%packed = self%packed + more%packed\n",
        "         if (self%count == 0) self%packed = more%packed\n",
        ("test_parts", "test_parts_on_dask"),
    ),
    "threads": Mutant(
        "forgets the last chunk of the rows of a large Jacobian",
        "minpack/rows/folding.f90",
        "         do k = 2, count\n            products",
        "         do k = 2, count - 1\n            products",
        ("test_large_in_threads",),
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
    (copy / mutant.file).write_text(mutant.changed())
    package = BUILD / name / "package"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-build-isolation", "--no-deps"]
    subprocess.run([*pip, "--target", package, copy], check=True)
    return package


def failures(package: Path, files: tuple[str, ...]) -> list[tuple[str, str]]:
    """Run tests on a package; return the files and names of those that fail."""
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
                *(f"tests/{file}.py" for file in files),
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
        failed = failures(build(name, mutant), mutant.noticed_by)
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
