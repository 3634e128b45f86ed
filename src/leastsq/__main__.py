"""Run a script with SciPy patched: ``python -m leastsq --patch-scipy script.py args``."""

from __future__ import annotations

import argparse
import os
import runpy
import sys
import zipfile

from leastsq import patch_scipy


def main() -> None:
    """Run a script or a module, as Python does."""
    parser = argparse.ArgumentParser(
        prog="python -m leastsq",
        usage="%(prog)s --patch-scipy (script.py | -m module) [arguments ...]",
        description="Run a program with scipy.optimize.leastsq, curve_fit, least_squares "
        "and root(method='lm') replaced by this library's.",
    )
    parser.add_argument(
        "--patch-scipy", action="store_true", required=True, help="put leastsq in SciPy's place"
    )
    parser.add_argument(
        "-m", dest="module", nargs=argparse.REMAINDER, help="run a module, not a script"
    )
    parser.add_argument("script", nargs=argparse.REMAINDER, help="the script, and its arguments")
    given = parser.parse_args()
    command = given.module or given.script
    if not command:
        parser.error("pass a script, or -m and a module")
    patch_scipy()
    sys.argv = command
    if given.module:
        runpy.run_module(command[0], run_name="__main__", alter_sys=True)
        return
    script = os.path.abspath(command[0])
    is_package = os.path.isdir(script) or zipfile.is_zipfile(script)
    if not sys.flags.safe_path:
        del sys.path[0]
        if not is_package:  # which run_path puts on sys.path itself
            sys.path.insert(0, os.path.dirname(os.path.realpath(script)))
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main()
