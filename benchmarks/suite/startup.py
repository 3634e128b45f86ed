"""What it costs to have the library."""

import io
import subprocess
import sys
import zipfile
from importlib.metadata import files
from statistics import median

IMPORTS = {"leastsq": "import leastsq", "scipy": "from scipy.optimize import leastsq"}


class Startup:
    """Start-up and size."""

    params = ("leastsq", "scipy")
    param_names = ("solver",)

    def track_import(self, solver):
        """Measure the import in fresh interpreters, beyond that of NumPy."""
        return median(seconds(IMPORTS[solver]) for _ in range(9)) * 1e3

    track_import.unit = "ms"

    def track_size(self, solver):
        """Add up the installed files, zipped as in a wheel."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as wheel:
            for file in files(solver):
                if file.suffix != ".pyc":
                    wheel.write(file.locate(), str(file))
        return archive.tell() / 1e3

    track_size.unit = "kB"


def seconds(statement):
    """Time a statement in a fresh interpreter that has imported NumPy."""
    code = (
        "import time, numpy; start = time.perf_counter(); "
        f"{statement}; print(time.perf_counter() - start)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(run.stdout)
