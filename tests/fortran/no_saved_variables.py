"""No variable of the core lives longer than a call: it is re-entrant, and threads share nothing.

Run as `no_saved_variables.py libminpack.a`. What gfortran makes static of a local variable is named
after it with a number behind (`count.0`), what stands in a module has its name behind `_MOD_`; the
tables of its types begin with two more underscores.
"""

import re
import subprocess
import sys

VARIABLE = re.compile(r"\.\d+$|_MOD_(?!_)")

nm = subprocess.run(["nm", sys.argv[1]], capture_output=True, text=True, check=True)
symbols = [line.split()[-2:] for line in nm.stdout.splitlines() if len(line.split()) > 2]
assert symbols, "an archive has symbols"
saved = [name for kind, name in symbols if kind in "bBdDC" and VARIABLE.search(name)]
sys.exit(f"saved between calls: {', '.join(saved)}" if saved else 0)
