"""Build the sdist and a wheel for every Python found, and run the tests on what was installed.

Every wheel is built twice, from the sdist, and the two must be the same byte for byte. auditwheel
gives it the lowest manylinux tag that its symbols allow. It is then installed with the oldest NumPy
that it may meet and with the newest, each into an empty environment outside the checkout, where the
tests of the unpacked sdist are run.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
OLDEST_NUMPY = {"3.11": "2.0.0", "3.12": "2.0.0", "3.13": "2.1.0", "3.14": "2.3.2"}
"""The first release from 2.0 on of which there is a wheel."""
LARGEST = 900_000  # bytes


def main() -> None:
    """Build, check, test, and say for each wheel what came of it."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--no-tests", action="store_true", help="build and check only")
    options = options.parse_args()
    pythons = dict(interpreters())
    shutil.rmtree(DIST, ignore_errors=True)
    epoch = run("git", "log", "-1", "--format=%ct", cwd=ROOT).strip()
    os.environ["SOURCE_DATE_EPOCH"] = epoch
    with tempfile.TemporaryDirectory(prefix="leastsq-wheels-") as folder:
        scratch = Path(folder)
        sdist = build_sdist(scratch)
        wheels = {
            version: build_wheel(python, sdist, scratch) for version, python in pythons.items()
        }
        if options.no_tests:
            return
        trials = [
            (version, numpy)
            for version in wheels
            for numpy in (f"numpy=={OLDEST_NUMPY[version]}", "numpy")
        ]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            passed = pool.map(
                lambda trial: tested(pythons[trial[0]], wheels[trial[0]], trial[1], sdist, scratch),
                trials,
            )
            if not all(list(passed)):
                sys.exit("the tests fail on an installed wheel")


def interpreters() -> Iterator[tuple[str, str]]:
    """Find the Pythons from 3.11 to 3.14 on the path and pyenv's."""
    for version in OLDEST_NUMPY:
        pyenvs = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
        for candidate in (*map(str, pyenvs), f"python{version}"):
            if answers(candidate, version):
                yield version, candidate
                break
        else:
            print(f"no Python {version} here")


def answers(python: str, version: str) -> bool:
    """Tell whether this is a Python of that version which can build: with venv and its headers."""
    code = (
        "import ensurepip, os, sys, sysconfig, venv; "
        "os.stat(sysconfig.get_path('include') + '/Python.h'); "
        "print(f'{sys.version_info[0]}.{sys.version_info[1]}')"
    )
    try:
        answer = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return False
    return answer.stdout.strip() == version


def build_sdist(scratch: Path) -> Path:
    """Build the sdist of what is committed, twice."""
    first, second = (
        only(build(sys.executable, "--sdist", ROOT, scratch / f"sdist{i}"), "*.tar.gz")
        for i in range(2)
    )
    return accept(first, second)


def build_wheel(python: str, sdist: Path, scratch: Path) -> Path:
    """Build a wheel from the sdist, twice in different folders, and repair it."""
    repaired = []
    for _ in range(2):
        folder = Path(tempfile.mkdtemp(dir=scratch))
        with tarfile.open(sdist) as archive:
            archive.extractall(folder, filter="data")
        source = folder / sdist.name.removesuffix(".tar.gz")
        raw = only(build(python, "--wheel", source, folder / "raw"), "*.whl")
        run("auditwheel", "repair", "--wheel-dir", str(folder / "repaired"), str(raw))
        repaired.append(only(folder / "repaired", "*.whl"))
    wheel = accept(*repaired)
    vendored = [name for name in ZipFile(wheel).namelist() if ".libs/" in name]
    if vendored:
        sys.exit(f"{wheel.name} carries {', '.join(vendored)}")
    if wheel.stat().st_size > LARGEST:
        sys.exit(f"{wheel.name} has {wheel.stat().st_size} bytes, more than {LARGEST}")
    return wheel


def build(python: str, kind: str, source: Path, outdir: Path) -> Path:
    """Build with what pyproject.toml asks for, in an environment of its own."""
    if kind == "--sdist":
        run(sys.executable, "-m", "build", kind, "--outdir", str(outdir), str(source))
    else:
        run(python, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(outdir), str(source))
    return outdir


def accept(first: Path, second: Path) -> Path:
    """Keep what was built if it is the same twice."""
    if digest(first) != digest(second):
        sys.exit(f"{first.name} differs from one build to the next")
    DIST.mkdir(exist_ok=True)
    print(f"{first.name}: {first.stat().st_size} bytes, sha256 {digest(first)[:16]}", flush=True)
    return Path(shutil.copy(first, DIST))


def tested(python: str, wheel: Path, numpy: str, sdist: Path, scratch: Path) -> bool:
    """Run the tests of the sdist on the wheel, in an environment of its own."""
    folder = Path(tempfile.mkdtemp(dir=scratch))
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    source = folder / sdist.name.removesuffix(".tar.gz")
    run(python, "-m", "venv", str(folder / "venv"))
    installed = folder / "venv" / "bin" / "python"
    run(str(installed), "-m", "pip", "install", "--upgrade", "pip>=25.1")
    run(
        str(installed),
        "-m",
        "pip",
        "install",
        "--only-binary",
        "numpy,scipy",
        str(wheel),
        numpy,
        "--group",
        f"{source / 'pyproject.toml'}:test",
    )
    outcome = subprocess.run(
        [installed, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=source,
        env={**os.environ, "PATH": f"{installed.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    if outcome.returncode:
        print(outcome.stdout[-20_000:], outcome.stderr[-2_000:])
    version = run(str(installed), "-c", "import numpy; print(numpy.__version__)").strip()
    print(f"{wheel.name}, NumPy {version}: {outcome.stdout.splitlines()[-1]}", flush=True)
    return outcome.returncode == 0


def only(folder: Path, pattern: str) -> Path:
    """Take the one file there is."""
    (path,) = folder.glob(pattern)
    return path


def digest(path: Path) -> str:
    """Hash a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run(*command: str, cwd: Path | None = None) -> str:
    """Run a command quietly; show what it said if it fails."""
    outcome = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if outcome.returncode:
        sys.exit(f"{' '.join(command)}\n{outcome.stdout}{outcome.stderr}")
    return outcome.stdout


if __name__ == "__main__":
    main()
