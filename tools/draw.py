"""Run a script, and write its figures to a folder instead of showing them.

python tools/draw.py SCRIPT FOLDER [ARGUMENT ...]
"""

import os
import runpy
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt


def save_figures(name, folder):
    """Write all open figures, and close them."""
    for number in plt.get_fignums():
        place = folder / (f"{name}.png" if number == 1 else f"{name}{number}.png")
        plt.figure(number).savefig(place, dpi=120)
        print(f"  picture: {os.path.relpath(place)}")
    plt.close("all")


def main(script, folder, *arguments):
    """Run a script as if it were called from the command line."""
    script, folder = Path(script), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    plt.show = lambda *_, **__: save_figures(script.stem, folder)
    sys.argv = [str(script), *arguments]
    sys.path[0] = str(script.parent)
    runpy.run_path(str(script), run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])
