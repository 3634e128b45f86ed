"""Print the peak memory of one fit above what was there before it: `memory.py lmder leastsq`."""

import os
import sys
from pathlib import Path


def peak():
    """Read the most memory that this process ever had, in bytes.

    What getrusage says of that includes the process that it was forked from.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return 1024 * int(kilobytes)


def main(driver, solver):
    """Fit a line in 20 dimensions to a million points."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    import numpy as np

    if solver == "leastsq":
        from leastsq import leastsq
    else:
        from scipy.optimize import leastsq
    m, n = 1_000_000, 20
    J = np.empty((m, n))
    rng = np.random.default_rng(0)
    rng.standard_normal(out=J)
    y = rng.standard_normal(m)
    buffer = np.empty(m)

    def residuals(p):
        np.dot(J, p, out=buffer)
        np.subtract(buffer, y, out=buffer)
        return buffer

    residuals(np.ones(n))
    before = peak()
    leastsq(residuals, np.ones(n), Dfun=(lambda p: J) if driver == "lmder" else None)
    print((peak() - before) / J.nbytes)


if __name__ == "__main__":
    main(*sys.argv[1:])
