"""The benchmarks' fits run, and every solver finds what it is timed with."""

import sys
from pathlib import Path

import pytest
from scipy import optimize

import leastsq

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
import survey
from suite import bounded, curves, large, native, small, startup

GROUPS = (small.Small, curves.Curves, curves.OtherLibraries, bounded.Bounded, native.Native)
CASES = [
    (group, fit, solver)
    for group in (*GROUPS, large.Differenced)
    for fit in group.params[0]
    for solver in group.params[1]
]


@pytest.mark.parametrize(("group", "fit", "solver"), CASES)
def test_fit_ends_with_a_solution(group, fit, solver):
    benchmark = group()
    try:
        benchmark.setup(fit, solver)
    except NotImplementedError:
        pytest.skip("not for this solver")
    assert benchmark.successes(fit, solver) == 1


@pytest.mark.parametrize("solver", ["leastsq", "scipy"])
def test_ready_made_jacobians_are_factored_three_times(solver):
    benchmark = large.Tall()
    benchmark.setup("1e3 x 10", solver)
    *_, info, _, ier = benchmark.call()
    assert (info["nfev"], info["njev"], ier) == (4, 3, 5)


def test_evaluations_are_counted():
    benchmark = small.Small()
    fit = small.Small.params[0][0]
    # SciPy's leastsq calls a function twice before it counts.
    ours, scipys = (benchmark.evaluations(fit, name) for name in ("leastsq", "scipy"))
    assert ours == scipys - 2 == 37


@pytest.mark.release
def test_the_wheel_is_small():
    assert startup.Startup().track_size("leastsq") < 900


def test_the_survey_finds_more_than_scipy():
    rows = survey.survey("curve_fit", [0], (leastsq, optimize))
    good, silent = (
        [sum(row.solver == k and row.ending == ending for row in rows) for k in (0, 1)]
        for ending in (survey.GOOD, survey.SILENT)
    )
    assert good[0] > 1.05 * good[1]
    assert silent[0] < 0.6 * silent[1]
