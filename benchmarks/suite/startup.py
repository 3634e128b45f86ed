"""What it costs to have the library."""

import io
import subprocess
import sys
import zipfile
from importlib.metadata import files
from statistics import median

IMPORTS = {"leastsq": "import leastsq", "scipy": "from scipy.optimize import leastsq"}
FIRST = """
import time
import numba
import numpy as np
from {module} import curve_fit, leastsq

@numba.njit
def other(x):
    return 2 * x

@numba.njit
def residuals(p, x, y):
    return p[0] * np.exp(-p[1] * x) + p[2] - y

@numba.njit
def model(x, a, b, c):
    return a * np.exp(-b * x) + c

x = np.linspace(0, 5, 50)
y = 2.5 * np.exp(-1.3 * x) + 0.5 + 0.02 * np.cos(40 * x)
other(x)
start = time.perf_counter()
{fit}
print(time.perf_counter() - start)
"""
MODULES = {"leastsq": "leastsq", "scipy": "scipy.optimize"}


class Startup:
    """Start-up and size."""

    params = ("leastsq", "scipy")
    param_names = ("solver",)

    def track_import(self, solver):
        """Measure the import in fresh interpreters, beyond that of NumPy."""
        return median(seconds(IMPORTS[solver]) for _ in range(5)) * 1e3

    track_import.unit = "ms"

    def track_first_leastsq(self, solver):
        """Measure the first fit of an njit function, including the compilation of the function."""
        return first(solver, "leastsq(residuals, [1, 1, 1], (x, y))")

    track_first_leastsq.unit = "ms"

    def track_first_curve_fit(self, solver):
        """Measure the first fit of an njit model, including the compilation of the model."""
        return first(solver, "curve_fit(model, x, y)")

    track_first_curve_fit.unit = "ms"

    def track_size(self, solver):
        """Add up the installed files, zipped as in a wheel."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as wheel:
            for file in files(solver):
                if file.suffix != ".pyc":
                    wheel.write(file.locate(), str(file))
        return archive.tell() / 1e3

    track_size.unit = "kB"


def first(solver, fit):
    """Time a fit in fresh interpreters, in milliseconds; Numba has compiled another function."""
    script = FIRST.format(module=MODULES[solver], fit=fit)
    return median(printed(script) for _ in range(3)) * 1e3


def seconds(statement):
    """Time a statement in a fresh interpreter that has imported NumPy."""
    return printed(
        "import time, numpy; start = time.perf_counter(); "
        f"{statement}; print(time.perf_counter() - start)"
    )


def printed(code):
    """Run code in a fresh interpreter, and read the number that it prints."""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(run.stdout)
