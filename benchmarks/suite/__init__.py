"""The asv suite: this library and others on the same fits. See benchmarks/README.md."""

import os
import sys
from pathlib import Path

for library in ("OPENBLAS", "MKL", "OMP", "VECLIB_MAXIMUM"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")  # read when NumPy is imported
sys.path.append(str(Path(__file__).parents[2] / "tests"))  # for its collections of problems
