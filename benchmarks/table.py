"""Write the table of README.md from what `make bench` measured: `table.py`.

The table has the rows that are named here, and every other row in which this library is slower.
"""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TABLE = re.compile(r"(<!-- table -->\n).*?(<!-- end of table -->)", re.DOTALL)
NAMES = {
    "exponential, 50 points": "exponential, 50 points, residuals in NumPy",
    "ten Gaussians, 100 points": "ten Gaussians, 100 points, residuals in NumPy",
    "a residual that costs nothing": "a residual that costs nothing",
    "njit, 50 points": "exponential, 50 points, residuals by `numba.njit`; SciPy's in NumPy",
    "njit for both, 50 points": "exponential, 50 points, the same `numba.njit` function",
    "njit for both, 1000 points": "exponential, 1,000 points, the same `numba.njit` function",
    "exponential in (0, 10)": "exponential in (0, 10), compared with `least_squares`",
    "curve_fit": "`curve_fit` of the exponential",
    "curve_fit in bounds": "`curve_fit` of the exponential, in bounds",
    "curve_fit, njit": "`curve_fit` of the exponential by `numba.njit`; SciPy's in NumPy",
    "curve_fit, njit for both": "`curve_fit`, 50 points, the same njit model",
    "curve_fit, njit for both, 1000 points": "`curve_fit`, 1,000 points, the same njit model",
    "lmfit, Model.fit": "lmfit's `Model.fit`, patched",
    "astropy, LevMarLSQFitter": "astropy's `LevMarLSQFitter`, patched",
    "NIST, 27 fits": "NIST's 27 problems",
    "least_squares, lm": "`least_squares` of the exponential, method='lm'",
    "least_squares, trf in (0, 10)": "`least_squares` of the exponential, in bounds",
    "least_squares, soft_l1": "`least_squares` of the exponential, loss='soft_l1'",
    "lmfit, least_squares": "lmfit's `Model.fit(method='least_squares')`, patched",
    "three Gaussians, vectorized": "three Gaussians, 10 parameters, `vectorized=True`",
    "exponential, vectorized": "exponential, 50 points, `vectorized=True`",
    "curve_fit, vectorized": "`curve_fit` of the exponential, `vectorized=True`",
    "exponential, 1e5 points": "exponential, 1e5 points, differences",
    "1e5 x 20": "ready-made Jacobians, 1e5 x 20",
    "2e4 x 200": "ready-made Jacobians, 2e4 x 200",
    "2e3 x 500": "ready-made Jacobians, 2,000 x 500",
    "500 x 500": "ready-made Jacobians, 500 x 500",
    "1e3 x 1e3": "ready-made Jacobians, 1,000 x 1,000",
    "lmder": "peak memory in units of the Jacobian, given, 1e6 x 20",
    "lmdif": "peak memory in units of the Jacobian, differenced, 1e6 x 20",
    "import": "import, without NumPy",
    "first_leastsq": "first `leastsq` of an njit function, which is compiled",
    "first_curve_fit": "first `curve_fit` of an njit model, which is compiled",
}


UNITS = {"J": ""}  # the name of the row says it


def is_shown(row):
    """Whether a row is in the table."""
    beside_scipy = row.get("beside", "scipy") == "scipy"
    return (beside_scipy and row["fit"] in NAMES) or row["ratio"] > 1


def cells(row):
    """The cells of a row."""
    name = NAMES.get(row["fit"], row["fit"])
    if row.get("beside", "scipy") != "scipy":
        name = f"exponential, {row['fit']}, compared with {row['beside']}"
    theirs, ours = (quantity(row[key], row.get("unit")) for key in ("theirs", "ours"))
    return name, theirs, ours, f"{row['ratio']:.2g}"


def quantity(value, unit):
    """A figure with its unit; times are in seconds."""
    if unit:
        return f"{value:.3g}{UNITS.get(unit, ' ' + unit)}"
    for unit, size in {"s": 1, "ms": 1e-3}.items():
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value * 1e6:.3g} us"


def main():
    """Replace the table."""
    rows = json.loads((ROOT / "build" / "bench.json").read_text())
    lines = ["| fit | other solver | `leastsq` | ratio |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(cells(row))} |" for row in rows if is_shown(row)]
    readme = ROOT / "README.md"
    text, count = TABLE.subn(rf"\1\n{chr(10).join(lines)}\n\n\2", readme.read_text())
    if count != 1:
        raise SystemExit("README.md has no place for the table")
    readme.write_text(text)


if __name__ == "__main__":
    main()
