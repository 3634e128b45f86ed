"""Run all examples, and NIST's problems: `make demo`.

Prints the fits of the tutorial and a summary of NIST's, and where the pictures are.
"""

import re
import subprocess
import sys
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).parents[1]
TUTORIAL = ["polynomial", "exponential", "sine"]
OTHERS = sorted({path.stem for path in (ROOT / "examples").glob("*.py")} - set(TUTORIAL))


def run(script, folder):
    """Run a script that writes its pictures to a folder; return what it prints."""
    command = [sys.executable, ROOT / "tools" / "draw.py", script, folder]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        sys.exit(f"{script} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def main(folder):
    """Run everything."""
    began = perf_counter()
    print(f"running {len(TUTORIAL) + len(OTHERS)} examples: about half a minute\n", flush=True)
    for name in TUTORIAL:
        print(run(ROOT / "examples" / f"{name}.py", folder), flush=True)
    print(run(ROOT / "tools" / "nist.py", folder), flush=True)
    for name in OTHERS:
        print(f"  {name:16}", end="", flush=True)
        printed = run(ROOT / "examples" / f"{name}.py", folder)
        print(*re.findall(r"picture: (.*)", printed), flush=True)
    print(f"\nThe whole output of an example: python examples/{OTHERS[0]}.py", end="")
    print(f" ({perf_counter() - began:.0f} s in all)")


if __name__ == "__main__":
    main(*sys.argv[1:])
