"""Data in parts: the answer is that of the same fit in memory."""

import threading

import numpy as np
import pytest
from problems import bounded, mgh, traps
from problems.rows import decay, far, line, peak, problem

from leastsq import OptimizeWarning, Parts, curve_fit, leastsq


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200))
def test_the_answer_is_that_of_the_fit_in_memory(seed):
    f, jac, t, y, p0, options, chunks = problem(seed)
    options |= {"jac": jac, "full_output": True}
    popt, pcov, info, _, _ = curve_fit(f, t, y, p0, **options)
    found = curve_fit(f, t, y, p0, chunks=chunks, **options)
    apart, errors = far(popt, pcov, found)
    assert apart < 1e-9
    assert errors < 1e-9
    assert found[2]["count"] == y.size
    assert found[2]["fvec"] is None
    if "loss" not in options:
        assert found[2]["chi2"] == pytest.approx(info["fvec"] @ info["fvec"], rel=1e-12)


@pytest.mark.parametrize("seed", range(0, 200, 8))
def test_differences_have_the_steps_of_the_fit_in_memory(seed):
    f, _, t, y, p0, options, chunks = problem(seed)
    popt, pcov = curve_fit(f, t, y, p0, **options)
    apart, errors = far(popt, pcov, curve_fit(f, t, y, p0, chunks=chunks, **options))
    assert apart < 1e-5
    assert errors < 1e-5


@pytest.mark.parametrize("in_one_trip", [{}, {"threads": 2}])
@pytest.mark.parametrize("loss", ["soft_l1", "cauchy", "arctan"])
def test_a_robust_fit_from_a_poor_start_is_that_in_memory(loss, in_one_trip):
    rng = np.random.default_rng(5)
    t = np.linspace(0, 5, 300)
    y = decay(t, 3, 1, 0.5) + 0.01 * rng.standard_normal(300)
    y[::7] += 3
    for jac in (None, "3-point"):
        options = {"loss": loss, "f_scale": 0.02, "full_output": True, "jac": jac}
        popt, pcov, info, _, _ = curve_fit(decay, t, y, [9, 0.3, 9], **options)
        found = curve_fit(decay, t, y, [9, 0.3, 9], chunks=40, **in_one_trip, **options)
        apart, errors = far(popt, pcov, found)
        assert apart < 1e-5
        assert errors < 1e-5
        assert found[2]["nfev"] == info["nfev"]


def in_parts(residuals, m, edges, x0, **options):
    """Fit residuals whose rows are divided at the edges."""
    edges = sorted({0, m, *edges})

    def part(p, first, last):
        return residuals(p)[first:last]

    parts = Parts(lambda i: (edges[i], edges[i + 1]), len(edges) - 1)
    return leastsq(part, x0, args=(parts,), full_output=True, **options)


HARD = {
    "Kowalik-Osborne",
    "Powell singular",
    "Meyer",
    "Watson",
    "Brown-Dennis",
}  # the last digit decides how they end


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", [c for c in mgh.cases() if c.name not in HARD], ids=lambda c: f"{c.name} {c.factor}"
)
@pytest.mark.parametrize("rows", [1, 4])
def test_moré_garbow_and_hillstrom_in_parts(case, rows):
    whole = leastsq(case.residuals, case.start, full_output=True)
    x, _, info, _, _ = in_parts(case.residuals, case.m, range(0, case.m, rows), case.start)
    least, found = np.linalg.norm(whole[2]["fvec"]), np.sqrt(info["chi2"])
    start = np.linalg.norm(case.residuals(case.start))
    assert found == pytest.approx(least, rel=1e-4, abs=1e-9 * start)
    assert np.linalg.norm(case.residuals(x)) == pytest.approx(found, rel=1e-12, abs=1e-14 * start)


@pytest.mark.parametrize("seed", range(40))
def test_random_bounds_in_parts(seed):
    case = bounded.random_problem(seed)
    m = case.residuals(case.start).size
    whole = leastsq(case.residuals, case.start, bounds=(case.lower, case.upper), full_output=True)
    x, _, info, _, _ = in_parts(
        case.residuals, m, (m // 3, m // 2), case.start, bounds=(case.lower, case.upper)
    )
    least = whole[2]["fvec"] @ whole[2]["fvec"]
    assert info["chi2"] == pytest.approx(least, rel=1e-6, abs=1e-12)
    assert (case.lower <= x).all()
    assert (x <= case.upper).all()


def test_other_starts_are_tried_in_parts():
    rng = np.random.default_rng(32)
    trap = traps.TRAPS["peak"] if hasattr(traps, "TRAPS") and "peak" in traps.TRAPS else None
    t = np.linspace(0, 10, 200)
    y = peak(t, 3.0, 7.0, 0.4, 0.1) + 0.05 * rng.standard_normal(t.size)
    bounds = ([0, 0, 0.05, -1], [10, 10, 5, 1])
    p0 = [0.01, 1.0, 0.2, 0.0]
    assert trap is None or trap.x.size
    whole = curve_fit(peak, t, y, p0, bounds=bounds)[0]
    assert curve_fit(peak, t, y, p0, bounds=bounds, chunks=30)[0] == pytest.approx(whole, rel=1e-5)


def test_steps_of_differences_are_searched_in_parts():
    rng = np.random.default_rng(32)
    date = 2.46e6  # a Julian date: the usual step is as long as the peak is wide
    t = date + np.linspace(0, 10, 400)
    y = peak(t, 3.0, date + 5.2, 0.01 * 60, 0.1) + 0.02 * rng.standard_normal(t.size)
    p0 = [2.0, date + 5.1, 0.5, 0.0]
    whole, cov = curve_fit(peak, t, y, p0)
    found = curve_fit(peak, t, y, p0, chunks=37)
    assert far(whole, cov, found)[0] < 1e-4
    tiny = lambda t, a, b: a + 1e12 * b * (t - date)  # noqa: E731
    whole, cov = curve_fit(tiny, t, y, [1.0, 0.0])
    assert far(whole, cov, curve_fit(tiny, t, y, [1.0, 0.0], chunks=37))[0] < 1e-6


@pytest.mark.parametrize("epsfcn", [0.0, -1.0, 1e-30, 1e-8])
def test_epsfcn_means_what_it_means_in_memory(epsfcn):
    """MINPACK takes the larger of epsfcn and the precision of the machine."""
    t = np.linspace(0, 5, 200)
    y = decay(t, 2.5, 1.3, 0.5)
    options = {"epsfcn": epsfcn, "full_output": True}
    expected = curve_fit(decay, t, y, **options)
    got = curve_fit(decay, t, y, chunks=50, **options)
    np.testing.assert_allclose(got[0], (2.5, 1.3, 0.5), rtol=1e-6)
    assert got[2]["nfev"] == expected[2]["nfev"]


def test_the_bits_do_not_depend_on_the_number_of_threads():
    rng = np.random.default_rng(32)
    t = np.linspace(0, 5, 60_000)
    y = decay(t, 2.5, 1.3, 0.5) + 0.1 * rng.standard_normal(t.size)
    found = [curve_fit(decay, t, y, chunks=7001, threads=threads) for threads in (1, 2, 5)]
    for popt, pcov in found[1:]:
        assert (popt == found[0][0]).all()
        assert (pcov == found[0][1]).all()


def test_threads_are_used():
    t = np.linspace(0, 5, 200_000)
    seen = set()

    def watched(t, a, b):
        seen.add(threading.get_ident())
        return a + b * t

    curve_fit(watched, t, 1 + 2 * t, threads=2)
    assert len(seen) > 1


def test_evaluations_are_counted_as_in_memory():
    t = np.linspace(0, 5, 1000)
    y = decay(t, 2.5, 1.3, 0.5)
    whole = curve_fit(decay, t, y, [1, 8, 1], full_output=True)[2]
    found = curve_fit(decay, t, y, [1, 8, 1], full_output=True, chunks=100)[2]
    assert found["nfev"] == whole["nfev"]


def test_the_callback_sees_each_step():
    rng = np.random.default_rng(32)
    t = np.linspace(0, 5, 300)
    y = decay(t, 2.5, 1.3, 0.5) + 0.1 * rng.standard_normal(t.size)
    seen = []

    def callback(intermediate_result):
        seen.append(intermediate_result)
        return len(seen) == 3

    def residuals(p, t, y):
        return decay(t, *p) - y

    parts = Parts(lambda i: (t[100 * i : 100 * i + 100], y[100 * i : 100 * i + 100]), 3)
    x, ier = leastsq(residuals, [1, 1, 1], args=(parts,), callback=callback)
    assert ier == 12
    assert [each.nit for each in seen] == [1, 2, 3]
    assert seen[-1].x == pytest.approx(x)
    assert seen[-1].fun is None
    assert seen[-1].cost == pytest.approx(residuals(x, t, y) @ residuals(x, t, y) / 2)


def test_the_time_limit_is_kept():
    t = np.linspace(0, 5, 300)
    y = decay(t, 2.5, 1.3, 0.5)
    calls = []

    def residuals(p, t, y):
        calls.append(1)
        return decay(t, *p) - y

    parts = Parts(lambda i: (t, y), 3)
    with pytest.warns(RuntimeWarning, match="max_time is over"):
        x, ier = leastsq(residuals, [1, 1, 1], args=(parts,), max_time=0)
    assert ier == 11
    assert x == pytest.approx([1, 1, 1])
    assert not calls


def test_an_exception_comes_with_the_best_point():
    t = np.linspace(0, 5, 300)
    y = decay(t, 2.5, 1.3, 0.5)
    calls = []

    def f(t, a, b, c):
        calls.append(1)
        if len(calls) > 60:
            raise KeyboardInterrupt
        return decay(t, a, b, c)

    with pytest.raises(KeyboardInterrupt) as raised:
        curve_fit(f, t, y, chunks=100)
    cost = np.sum((decay(t, *raised.value.x) - y) ** 2)
    assert cost < np.sum((decay(t, 1, 1, 1) - y) ** 2)


def test_jacobians_by_central_differences_and_complex_steps():
    rng = np.random.default_rng(32)
    t = np.linspace(0, 5, 300)
    y = decay(t, 2.5, 1.3, 0.5) + 0.1 * rng.standard_normal(t.size)
    for jac in ("3-point", "cs"):
        whole, cov = curve_fit(decay, t, y, jac=jac)
        assert far(whole, cov, curve_fit(decay, t, y, jac=jac, chunks=90))[0] < 1e-7


def test_a_scale_for_each_residual():
    rng = np.random.default_rng(32)
    t = np.linspace(0, 5, 300)
    y = decay(t, 2.5, 1.3, 0.5) + 0.1 * rng.standard_normal(t.size)
    options = {"loss": "soft_l1", "f_scale": 0.1 + t}
    whole, cov = curve_fit(decay, t, y, **options)
    assert far(whole, cov, curve_fit(decay, t, y, chunks=90, **options))[0] < 1e-5


def test_few_points_and_undetermined_parameters():
    with pytest.warns(OptimizeWarning, match="no more points"):
        popt, _ = curve_fit(line, [1.0, 2.0], [3.0, 5.0], chunks=1)
    assert popt == pytest.approx([1, 2])
    with pytest.raises(TypeError, match="must not be fewer"):
        curve_fit(decay, [1.0, 2.0], [3.0, 5.0], chunks=1)
    with pytest.warns(OptimizeWarning, match="act only together"):
        curve_fit(lambda t, a, b: a + b + 0 * t, np.arange(9.0), np.ones(9), chunks=2)
