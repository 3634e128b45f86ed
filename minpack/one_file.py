"""Print source files as one file, with the preprocessor's marks where each begins."""

import pathlib
import sys

for path in map(pathlib.Path, sys.argv[1:]):
    print(f'# 1 "{path.resolve()}"')
    print(path.read_text(encoding="utf-8"), end="")
