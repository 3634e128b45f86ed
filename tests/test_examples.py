"""The examples run as a user runs them, print what they found and draw it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from problems import nist

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
NUMBER = re.compile(r"[-+]?\d+(?:\.\d*)?(?:e[-+]?\d+)?")


def run(name, folder, place="examples", *arguments):
    command = [sys.executable, ROOT / "tools/draw.py", ROOT / place / f"{name}.py", folder]
    done = subprocess.run(
        [*command, *arguments], capture_output=True, text=True, check=True, cwd=folder
    )
    return done.stdout


def rows(printed, names):
    """The numbers behind each parameter's name."""
    found = re.findall(rf"^  ({'|'.join(names)}) +(.*)$", printed, re.MULTILINE)
    return [[float(number) for number in NUMBER.findall(numbers)] for _, numbers in found]


def assert_picture(folder, name):
    assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")


FITS = {
    "polynomial": ["a", "b", "c"],
    "exponential": ["a", "b", "c"],
    "sine": ["a", "b", "c"],
    "kinetics": ["k1", "k2", r"A\(0\)"],
    "peak": ["height", "center", "width", "base", "slope"],
    "band": ["bottom", "top", "K", "slope"],
}


@pytest.mark.parametrize("name", FITS)
def test_fit_finds_the_truth_within_its_standard_errors(name, tmp_path):
    printed = run(name, tmp_path)
    table = rows(printed, FITS[name])
    assert len(table) == len(FITS[name])
    for estimate, error, truth in table:
        assert 0 < error < 0.3
        assert abs(estimate - truth) < 4 * error
    assert_picture(tmp_path, name)


def test_band_holds_the_truth(tmp_path):
    inside = re.search(r"within the 95 % band at (\d+)% of the curve", run("band", tmp_path))
    assert int(inside[1]) > 80


def test_carbon_dioxide_sees_that_neighbours_are_alike(tmp_path):
    names = ["level", "rise", "years", "annual", "phase", "semiannual", "phase2", "growth"]
    printed = run("carbon_dioxide", tmp_path)
    table = rows(printed, names)
    assert len(table) == len(names)
    for _, error, wider in table:
        assert wider > 3 * error
    # As scipy.optimize.curve_fit finds them.
    known = [259.0834, 78.6279, 59.6215, 2.8078, 0.0573, 0.7620, 0.3270, 0.0043]
    for (estimate, error, _), value in zip(table, known, strict=True):
        assert abs(estimate - value) < 0.05 * error
    assert re.search(r"standard deviation 0\.86 ppm, correlation of neighbours 0\.88", printed)
    assert_picture(tmp_path, "carbon_dioxide")


def test_misra1a_has_eight_certified_digits_from_both_starts(tmp_path):
    table = rows(run("misra1a", tmp_path), ["b1", "b2"])
    assert len(table) == 4
    for _, digits, _, digits_of_error in table:
        assert digits >= 8
        assert digits_of_error >= 6
    assert_picture(tmp_path, "misra1a")


def test_nist_prints_a_row_a_fit_and_counts_certified_digits(tmp_path):
    printed = run("nist", tmp_path, "tools", "--table")
    for problem in nist.PROBLEMS:
        assert len(re.findall(rf"^  {problem} ", printed, re.MULTILINE)) == 4
    counts = re.findall(r"with 6 digits: (\d+) of 54 fits", printed)
    default, tight = (int(count) for count in counts)
    assert default > 22  # where exactly a fit stops is decided by rounding
    assert tight == 54
    assert_picture(tmp_path, "nist")


def test_lines_have_no_negative_height_within_bounds(tmp_path):
    printed = run("lines", tmp_path)
    table = rows(printed, ["height 1", "height 2", "height 3", "width", "dark"])
    free, within = table[:5], table[5:]
    assert free[1][0] < 0
    assert within[1][0] == within[1][1] == 0
    assert re.findall("on a bound", printed) == ["on a bound"] * 2
    for (_, free_error, _), (estimate, error, truth) in zip(free, within, strict=True):
        assert error == 0 or (error < free_error and abs(estimate - truth) < 4 * error)
    assert_picture(tmp_path, "lines")


def test_robust_losses_ignore_outliers(tmp_path):
    printed = run("outliers", tmp_path)
    rise = dict(re.findall(r"^ +(\S+) .*M +([\d.]+) M", printed, re.MULTILINE))
    without = float(re.search(r"without 1964-70 .*M +([\d.]+) M", printed)[1])
    assert float(rise["linear"]) > 4 * without
    assert abs(float(rise["cauchy"]) - without) < 0.1
    assert abs(float(rise["arctan"]) - 1.15) < 0.02  # the least median of squares of the book
    assert_picture(tmp_path, "outliers")


def test_maps_are_right_within_their_errors(tmp_path):
    printed = run("t2_map", tmp_path)
    assert "8936 fits" in printed
    assert re.search(r"status -1: +7448 pixels", printed)
    assert_pull(printed, 0.1)
    assert_picture(tmp_path, "t2_map")
    printed = run("spectra", tmp_path)
    assert "3072 fits" in printed
    assert_pull(printed, 0.1)
    assert_picture(tmp_path, "spectra")


def assert_pull(printed, tolerance):
    deviation = float(re.search(r"standard deviation ([\d.]+)", printed)[1])
    assert abs(deviation - 1) < tolerance


def test_a_long_record_is_fitted_from_files(tmp_path):
    printed = run("long_record", tmp_path)
    names = ["amplitude", "rate", "frequency", "phase", "offset"]
    for value, error, truth in rows(printed, names):
        assert abs(value - truth) < 4 * error
    assert_picture(tmp_path, "long_record")


def test_a_cluster_fits_parquet_files(tmp_path):
    printed = run("cluster", tmp_path)
    table = rows(printed, ["brightness", "lifetime", "background", "daily"])
    assert len(table) == 4
    for value, error, truth in table:
        assert abs(value - truth) < 4 * error
    assert_picture(tmp_path, "cluster")


def test_a_figure_has_the_truth_in_its_errors(tmp_path):
    table = rows(run("figure", tmp_path, "examples/guides"), ["height", "center", "width"])
    for (value, error), truth in zip(table, [5.0, 101.2, 1.8], strict=True):
        assert abs(value - truth) < 4 * error
    assert_picture(tmp_path, "figure")


def test_images_are_fitted_within_their_errors(tmp_path):
    printed = run("images", tmp_path, "examples/guides")
    assert "490 solved" in printed
    assert_pull(printed, 0.1)
    assert_picture(tmp_path, "images")


def test_a_global_fit_has_the_least_error(tmp_path):
    printed = run("shared_parameters", tmp_path, "examples/guides")
    found = [
        [float(x) for x in pair] for pair in re.findall(r"rate = ([\d.]+) \+- ([\d.]+)", printed)
    ]
    together, *alone = found
    assert abs(together[0] - 0.7) < 4 * together[1]
    assert together[1] < min(error for _, error in alone)
    assert_picture(tmp_path, "shared_parameters")


def test_the_right_model_has_the_least_criteria(tmp_path):
    printed = run("comparing_models", tmp_path, "examples/guides")
    one, two = (
        [float(x) for x in re.findall(r"C +(-?[\d.]+)", line)] for line in printed.splitlines()[:2]
    )
    assert all(more > less + 10 for more, less in zip(one, two, strict=True))
    assert_picture(tmp_path, "comparing_models")


def test_an_accurate_integration_gives_the_same_fit(tmp_path):
    printed = run("ode", tmp_path, "examples/guides")
    fits = [NUMBER.findall(line) for line in printed.splitlines() if "e-0" in line]
    assert len(fits) == 2
    assert fits[0][1:] == fits[1][1:]
    assert_picture(tmp_path, "ode")


def test_every_example_is_run_and_imports_no_helper():
    scripts = [*(ROOT / "examples").glob("*.py"), *(ROOT / "examples/guides").glob("*.py")]
    text = Path(__file__).read_text()
    for script in scripts:
        assert f'"{script.stem}"' in text
        imported = re.findall(r"^(?:from|import) (\w+)", script.read_text(), re.MULTILINE)
        assert not set(imported) & {path.stem for path in scripts}
