"""Print a hash of what fits return, bit for bit: to compare two builds on one machine.

The fits are MINPACK's 53 cases, with given and differenced Jacobians, with and without bounds. A
change of the structure of the core must not change the hash.
"""

import hashlib
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from leastsq import leastsq

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from problems import mgh


def fits() -> Iterator[tuple[Any, ...]]:
    """Run all fits."""
    for case in mgh.CASES:
        width = 1 + np.abs(case.start)
        box = case.start - 0.3 * width, case.start + 0.7 * width
        for Dfun in (case.jacobian, None):
            most = (200 if Dfun is None else 100) * (case.n + 1)
            for bounds in (None, box):
                yield leastsq(
                    case.residuals, case.start, (), Dfun, True, maxfev=most, bounds=bounds
                )


def main() -> None:
    """Print the hash of x, residuals, R, permutation, counts and exit codes."""
    digest = hashlib.sha256()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for x, _, info, _, ier in fits():
            arrays = x, info["fvec"], info["fjac"][:, : x.size], info["qtf"], info["ipvt"]
            for array in arrays:
                digest.update(np.ascontiguousarray(array).tobytes())
            digest.update(repr((ier, info["nfev"], info.get("njev"))).encode())
    print(digest.hexdigest())


if __name__ == "__main__":
    main()
