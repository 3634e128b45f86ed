"""Large Jacobians that several threads share."""

import signal
import threading
import warnings

import numpy as np
import pytest
from scipy import optimize

from leastsq import least_squares, leastsq

M, N = 20_000, 24


def problem(m=M, n=N, dtype=float, order="C", seed=0):
    """A problem that is almost linear, its Jacobian, and the solution by SciPy."""
    rng = np.random.default_rng(seed)
    A = np.asarray(rng.standard_normal((m, n)), dtype, order=order)
    b = A @ rng.standard_normal(n) + rng.standard_normal(m)

    def residuals(x):
        linear = A @ x - b
        return linear + 1e-3 * linear**2

    def jacobian(x):
        return (A * (1 + 2e-3 * (A @ x - b))[:, None]).astype(dtype, order=order)

    return residuals, jacobian


def bits(found):
    """All numbers of a result."""
    x, cov, info, _, ier = found
    rest = (info[name] for name in ("fvec", "fjac", "ipvt", "qtf", "nfev"))
    return [np.asarray(each).tobytes() for each in (x, cov, *rest, ier)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "dtype", "order"),
    [(N, float, "C"), (N, float, "F"), (N, np.float32, "C"), (8, float, "F"), (40, float, "C")],
)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"loss": "huber"},
        {"bounds": (-0.5, 0.5)},
        {"col_deriv": True},
        {"Dfun": None},
    ],
    ids=["plain", "loss", "bounds", "transposed", "differenced"],
)
def test_the_bits_do_not_depend_on_the_number_of_threads(n, dtype, order, options):
    residuals, jacobian = problem(n=n, dtype=dtype, order=order)
    options = {"Dfun": jacobian} | options
    if options.get("col_deriv"):
        options["Dfun"] = lambda x: jacobian(x).T
    x0 = np.full(n, 0.1)
    found = [
        leastsq(residuals, x0, full_output=True, threads=threads, **options)
        for threads in (None, 1, 2, 3, 100, -1)
    ]
    assert all(bits(each) == bits(found[0]) for each in found)
    if set(options) == {"Dfun"}:
        expected = optimize.leastsq(residuals, x0, Dfun=options["Dfun"])[0]
        np.testing.assert_allclose(found[0][0], expected, rtol=1e-5, atol=1e-6)


def test_columns_that_are_almost_dependent_need_the_triangles_of_all_chunks():
    rng = np.random.default_rng(3)
    A = rng.standard_normal((60_000, 10))
    A[:, 3] = A[:, 2] * (1 + 1e-7 * rng.standard_normal(len(A)))
    truth = rng.standard_normal(10)
    b = A @ truth
    found = [
        leastsq(lambda x: A @ x - b, np.ones(10), Dfun=lambda x: A, full_output=True, threads=count)
        for count in (1, 2, 5)
    ]
    assert all(bits(each) == bits(found[0]) for each in found)
    assert np.linalg.norm(found[0][2]["fvec"]) < 1e-8 * np.linalg.norm(b)
    np.testing.assert_allclose(found[0][0], truth, rtol=1e-5)


def test_a_value_that_is_not_finite_ends_the_fit_as_in_one_thread():
    residuals, jacobian = problem()

    def spoiled(x):
        J = jacobian(x)
        J[M // 2, 5] = np.nan
        return J

    for threads in (1, 2):
        found = leastsq(residuals, np.ones(N), Dfun=spoiled, full_output=True, threads=threads)
        assert found[-1] == 10


def test_compiled_functions_share_their_jacobian_too():
    numba = pytest.importorskip("numba")
    rng = np.random.default_rng(1)
    A = rng.standard_normal((M, N))
    b = rng.standard_normal(M)

    @numba.njit
    def residuals(x, A, b):
        return A @ x - b

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", numba.NumbaPerformanceWarning)
        found = [
            leastsq(residuals, np.ones(N), args=(A, b), full_output=True, threads=count)
            for count in (1, 2)
        ]
    assert bits(found[0]) == bits(found[1])
    np.testing.assert_allclose(found[0][0], np.linalg.lstsq(A, b, rcond=None)[0], atol=1e-7)


def test_fits_in_several_threads_may_each_have_threads():
    residuals, jacobian = problem()
    expected = bits(leastsq(residuals, np.ones(N), Dfun=jacobian, full_output=True))
    found = []

    def fit():
        found.append(leastsq(residuals, np.ones(N), Dfun=jacobian, full_output=True, threads=3))

    crowd = [threading.Thread(target=fit) for _ in range(6)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()
    assert len(found) == 6
    assert all(bits(each) == expected for each in found)


def test_signals_go_to_python_while_threads_work():
    residuals, jacobian = problem()
    heard = []
    before = signal.signal(signal.SIGALRM, lambda *_: heard.append(threading.current_thread()))
    try:
        signal.setitimer(signal.ITIMER_REAL, 1e-3, 1e-3)
        found = leastsq(residuals, np.ones(N), Dfun=jacobian, full_output=True, threads=2)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert found[-1] in (1, 2, 3)
    assert set(heard) <= {threading.main_thread()}


def test_other_numbers_of_threads_are_refused():
    for threads in (0, -2, 1.5, True, "all"):
        with pytest.raises((ValueError, TypeError), match="threads"):
            leastsq(lambda x: x - 1, [1, 2], threads=threads)


def test_least_squares_gives_the_same_solution():
    residuals, jacobian = problem()
    x = leastsq(residuals, np.ones(N), Dfun=jacobian, threads=2)[0]
    np.testing.assert_allclose(x, least_squares(residuals, np.ones(N), jacobian).x, rtol=1e-6)
