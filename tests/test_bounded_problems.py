"""Problems within bounds: solved as well as by the better of SciPy's solvers, and never left."""

import numpy as np
import pytest
from problems import bounded, nist
from scipy import optimize

from leastsq import leastsq

TIGHT = 1e-13
SEEDS = range(300)
FAMOUS = pytest.mark.parametrize("problem", bounded.FAMOUS, ids=lambda p: p.name.replace(" ", "_"))
NIST = pytest.mark.parametrize("problem", nist.PROBLEMS.values(), ids=lambda p: p.name)


def watched(function, problem, seen):
    """The function, which fails outside the bounds and adds to what was seen."""

    def inside(x):
        assert np.all((problem.lower <= x) & (x <= problem.upper)), x
        seen.append(x)
        return function(x)

    return inside


def fit(problem, analytic=True, **options):
    """Full output with tight tolerances."""
    options = {"ftol": TIGHT, "xtol": TIGHT, "maxfev": 20_000, **options}
    seen = []
    with np.errstate(all="ignore"):
        result = leastsq(
            watched(problem.residuals, problem, seen),
            problem.start,
            Dfun=watched(problem.jacobian, problem, seen) if analytic else None,
            full_output=True,
            bounds=(problem.lower, problem.upper),
            **options,
        )
    counts = result[2]
    assert len(seen) == counts["nfev"] + counts.get("njev", 0)
    return result


def sum_of_squares(result):
    return np.sum(result[2]["fvec"] ** 2)


def scipys(problem, method, tolerance=TIGHT):
    """The sum of squares and the evaluations of SciPy, which takes no parameters that are fixed."""
    free = problem.lower < problem.upper
    if not free.any():
        return np.sum(problem.residuals(problem.start) ** 2), 1

    def whole(y):
        x = problem.lower.copy()
        x[free] = y
        return x

    with np.errstate(all="ignore"):
        result = optimize.least_squares(
            lambda y: problem.residuals(whole(y)),
            problem.start[free],
            lambda y: problem.jacobian(whole(y))[:, free],
            bounds=(problem.lower[free], problem.upper[free]),
            method=method,
            x_scale="jac",
            ftol=tolerance,
            xtol=tolerance,
            gtol=tolerance,
            max_nfev=500,
        )
    return 2 * result.cost if result.success else np.inf, result.nfev


def projected_gradient(problem, x):
    """The largest cosine between the residuals and the column of a parameter that can move."""
    f, jacobian = problem.residuals(x), problem.jacobian(x)
    gradient = jacobian.T @ f
    pressed = ((x <= problem.lower) & (gradient > 0)) | ((x >= problem.upper) & (gradient < 0))
    gradient[pressed | (problem.lower == problem.upper)] = 0
    columns = np.linalg.norm(jacobian, axis=0)
    # Beside the residuals at the start those of an exact fit are rounding errors.
    norm = np.linalg.norm(f) + 1e-7 * np.linalg.norm(problem.residuals(problem.start))
    return np.max(np.abs(gradient) / np.where(columns > 0, columns, 1)) / norm


def assert_solved(problem, result):
    """The conditions for a minimum hold, and SciPy finds none that is lower."""
    assert projected_gradient(problem, result[0]) < 1e-6
    assert_no_higher(problem, sum_of_squares(result), scipys_lowest(problem))


def scipys_lowest(problem):
    return min(scipys(problem, method)[0] for method in ("trf", "dogbox"))


def assert_no_higher(problem, ours, theirs):
    exact = 1e-14 * np.sum(problem.residuals(problem.start) ** 2)
    assert ours <= theirs * (1 + 1e-6) + exact


def five_starts(problem):
    """The problem from its start and four more around it."""
    nudges = 0.2 * np.random.default_rng(4).uniform(-1, 1, (5, problem.start.size))
    nudges[0] = 0
    for nudge in nudges:
        start = np.clip(problem.start * (1 + nudge), problem.lower, problem.upper)
        yield problem._replace(start=start)


@FAMOUS
@pytest.mark.parametrize("factor", [1, 100])
def test_famous_problem_is_solved(problem, factor):
    if problem.name == "gulf" and factor == 100:
        pytest.skip("the first step ends in a corner where the residuals are constant")
    result = fit(problem, factor=factor)
    assert_solved(problem, result)
    if problem.least is not None:
        assert sum_of_squares(result) == pytest.approx(problem.least, rel=1e-5, abs=1e-20)


@FAMOUS
def test_famous_problem_is_solved_with_differences(problem):
    # factor=1 leads "linear full rank" so near to zero that differences are nothing but rounding.
    analytic, differenced = fit(problem, factor=0.9), fit(problem, analytic=False, factor=0.9)
    expected = sum_of_squares(analytic)
    exact = 1e-12 * np.sum(problem.residuals(problem.start) ** 2)
    assert sum_of_squares(differenced) <= expected * (1 + 1e-5) + exact


def test_famous_problems_take_no_more_evaluations_than_trf():
    tolerance = 1.49012e-8
    ours = sum(
        fit(problem, ftol=tolerance, xtol=tolerance)[2]["nfev"] for problem in bounded.FAMOUS
    )
    theirs = sum(scipys(problem, "trf", tolerance)[1] for problem in bounded.FAMOUS)
    assert ours <= theirs


@pytest.mark.slow
@pytest.mark.parametrize("seeds", np.array_split(SEEDS, 10), ids=lambda s: f"{s[0]}-{s[-1]}")
def test_random_problem_is_solved(seeds):
    for problem in map(bounded.random_problem, seeds):
        result = fit(problem)
        assert result[4] in range(1, 9), problem.name
        assert_solved(problem, result)
        is_fixed = problem.lower == problem.upper
        assert np.all((result[2]["active_mask"] == -1)[is_fixed])


def around(problem, lower, upper):
    """One of NIST's problems, from its nearer start, in bounds."""
    start = np.clip(problem.starts[1], lower, upper)
    limits = np.array(lower, float), np.array(upper, float)
    return bounded.Problem(problem.name, problem.residuals, problem.jacobian, start, *limits)


@NIST
def test_bounds_that_exclude_nothing_cost_no_digits(problem):
    both = np.array([problem.starts[1], problem.certified])
    room = 10 * np.abs(both).max(axis=0)
    result = fit(around(problem, -room, room), ftol=1e-15, xtol=1e-15)
    free = leastsq(
        problem.residuals,
        problem.starts[1],
        Dfun=problem.jacobian,
        full_output=True,
        ftol=1e-15,
        xtol=1e-15,
        maxfev=20_000,
    )
    assert not result[2]["active_mask"].any()
    ours, theirs = (np.array(nist.digits_of(problem, one)) for one in (result, free))
    assert np.all(ours >= np.minimum(theirs - 0.5, 7))


@pytest.mark.slow
@NIST
def test_bound_that_cuts_the_optimum_off_is_where_the_fit_ends(problem):
    lower = np.full(problem.certified.size, -np.inf)
    upper = -lower
    start, certified = problem.starts[1][0], problem.certified[0]
    halfway = (start + certified) / 2
    (upper if start < certified else lower)[0] = halfway
    within = around(problem, lower, upper)
    if problem.name.startswith(("Lanczos", "MGH17")):
        # Sums of exponentials have many minima, and some of them are infinitely far.
        starts = list(five_starts(within))
        ours = min(sum_of_squares(fit(one)) for one in starts)
        assert_no_higher(within, ours, min(map(scipys_lowest, starts)))
        return
    result = fit(within)
    assert_solved(within, result)
    assert result[0][0] == halfway
    assert result[2]["active_mask"][0] != 0
