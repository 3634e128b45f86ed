"""njit functions: the same fits as in Python, in compiled code; what it takes and what it says."""

import ast
import ctypes
import gc
import inspect
import subprocess
import sys
import textwrap
import weakref
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import pytest
from numba import njit
from numba.core import event
from problems import mgh, nist

from leastsq import NativeFunction, _minpack, leastsq


def curve(p, x, y):
    return p[0] * np.exp(-p[1] * x) + p[2] - y


def curve_jacobian(p, x, y):
    decay = np.exp(-p[1] * x)
    return np.column_stack((decay, -p[0] * x * decay, np.ones_like(x)))


def curve_transpose(p, x, y):
    return curve_jacobian(p, x, y).T.copy()


njit_curve = njit(curve)
njit_jacobian = njit(curve_jacobian)


@njit
def njit_transpose(p, x, y):
    return njit_jacobian(p, x, y).T.copy()


@pytest.fixture
def native_only(monkeypatch):
    """Whatever calls Python in a fit fails."""
    monkeypatch.setattr(_minpack, "lmdif", None)
    monkeypatch.setattr(_minpack, "lmder", None)


def assert_same_fit(ours, theirs):
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-7)
    if theirs[1] is None:
        assert ours[1] is None
    else:
        np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-5)
    assert list(ours[2]) == list(theirs[2])
    np.testing.assert_allclose(ours[2]["fvec"], theirs[2]["fvec"], rtol=1e-5, atol=1e-9)
    assert ours[2]["nfev"] == theirs[2]["nfev"]
    assert ours[2].get("njev") == theirs[2].get("njev")
    assert ours[3:] == theirs[3:]


OPTIONS = [
    {},
    {"maxfev": 4},
    {"diag": [1, 2, 3], "factor": 1},
    {"epsfcn": 1e-10},
    {"ftol": 1e-3, "xtol": 1e-3, "gtol": 1e-3},
    {"ftol": -1},
]
JACOBIANS = [
    (None, None, False),
    (njit_jacobian, curve_jacobian, False),
    (njit_transpose, curve_transpose, True),
]


@pytest.mark.usefixtures("native_only")
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize(("Dfun", "python_Dfun", "col_deriv"), JACOBIANS)
def test_fit_is_the_one_in_python(fit, options, Dfun, python_Dfun, col_deriv, monkeypatch):
    options = {"args": (fit.x, fit.y), "col_deriv": col_deriv, "full_output": True, **options}
    ours = leastsq(njit_curve, fit.start, Dfun=Dfun, **options)
    monkeypatch.undo()
    assert_same_fit(ours, leastsq(curve, fit.start, Dfun=python_Dfun, **options))


MIXED = {
    "python": (curve, curve_jacobian),
    "njit": (njit_curve, njit_jacobian),
}


@pytest.mark.parametrize(("func", "Dfun"), [("njit", "python"), ("python", "njit")])
def test_mixed_with_python(fit, func, Dfun):
    options = {"args": (fit.x, fit.y), "full_output": True}
    ours = leastsq(MIXED[func][0], fit.start, Dfun=MIXED[Dfun][1], **options)
    assert_same_fit(ours, leastsq(curve, fit.start, Dfun=curve_jacobian, **options))


@numba.cfunc("int32(voidptr, int32, int32, CPointer(float64), CPointer(float64), int32)")
def to_count(data, m, n, x, fvec, iflag):
    for i in range(m):
        fvec[i] = x[i] - (i + 1)
    return 0


@njit
def identity(x):
    return np.eye(x.size)


@njit
def njit_to_count(x):
    return x - np.arange(1, x.size + 1)


@numba.cfunc(
    "int32(voidptr, int32, int32, CPointer(float64), CPointer(float64), CPointer(float64), int32, "
    "int32)"
)
def native_identity(data, m, n, x, fvec, fjac, ldfjac, iflag):
    for i in range(m):
        for j in range(n):
            fjac[i + ldfjac * j] = 1.0 if i == j else 0.0
    return 0


@pytest.mark.usefixtures("native_only")
def test_cfunc_and_its_mixture_with_njit():
    func, Dfun = NativeFunction(to_count, 4), NativeFunction(native_identity, 4)
    assert (func.role, Dfun.role) == ("residual", "Jacobian")
    for pair in [(func, None), (func, Dfun), (func, identity), (njit_to_count, Dfun)]:
        x, _ = leastsq(pair[0], np.zeros(4), Dfun=pair[1])
        np.testing.assert_allclose(x, [1, 2, 3, 4])


def test_cfunc_of_other_types_is_refused():
    @numba.cfunc("int64(voidptr, int64, int64, CPointer(float64), CPointer(float64), int64)")
    def wide(data, m, n, x, fvec, iflag):
        return 0

    with pytest.raises(ValueError, match="a native function must be"):
        NativeFunction(wide, 4)


def compilations(call):
    with event.install_recorder("numba:compile") as recorder:
        call()
    return len(recorder.buffer)


@pytest.mark.usefixtures("native_only")
def test_other_data_of_the_same_types_compile_nothing(fit):
    func, Dfun = njit(curve), njit(curve_jacobian)

    def solve(count):
        leastsq(func, fit.start, args=(fit.x[:count], fit.y[:count]), Dfun=Dfun)

    assert compilations(lambda: solve(50)) > 0
    assert compilations(lambda: solve(40)) == 0


class ProblemParts(ast.NodeTransformer):
    """Take a problem's residuals, or the Jacobian in its lambda, out of what it returns."""

    def __init__(self, part):
        self.part = part

    def visit_Return(self, node):
        f, jacobian = node.value.elts
        if self.part == "residuals":
            return ast.Return(f)
        return ast.Return(jacobian.body) if isinstance(jacobian, ast.Lambda) else node

    def visit_FunctionDef(self, node):
        node.body = [
            self.visit(line) if isinstance(line, ast.Return) else line
            for line in node.body
            if not isinstance(line, ast.FunctionDef)
        ]
        return node


class NumbasLists(ast.NodeTransformer):
    """Stack tuples, and make lists of floats alone, as Numba wants them."""

    def visit_Call(self, node):
        self.generic_visit(node)
        if ast.unparse(node.func) in ("np.column_stack", "np.hstack", "np.vstack"):
            node.args = [ast.Tuple(arg.elts, ast.Load()) for arg in node.args]
        return node

    def visit_List(self, node):
        self.generic_visit(node)
        node.elts = [
            ast.Constant(float(e.value)) if isinstance(e, ast.Constant) else e for e in node.elts
        ]
        return node


def njit_part(problem, part):
    tree = ProblemParts(part).visit(ast.parse(textwrap.dedent(inspect.getsource(problem))))
    tree = NumbasLists().visit(tree)
    names = {**vars(mgh), "count": njit(mgh.count)}
    exec(compile(ast.fix_missing_locations(tree), problem.__name__, "exec"), names)
    return njit(names[problem.__name__])


def compiled_part(problem, part, case):
    """The part, or None if Numba cannot compile it."""
    function = njit_part(problem, part)
    try:
        function(case.start, case.m)
    except Exception:
        return None
    return function


MGH_STANDARD = {case.name: case for case in mgh.CASES if case.factor == 1}
NO_RESIDUALS = {"Powell singular", "Chebyquad"}
NO_JACOBIAN = {"Brown almost-linear"}


@pytest.mark.parametrize("name", mgh.PROBLEMS)
def test_mgh_problem_ends_where_it_does_in_python(name):
    case = MGH_STANDARD[name]
    problem = mgh.PROBLEMS[name][1]
    func = compiled_part(problem, "residuals", case)
    assert (func is None) == (name in NO_RESIDUALS)
    if func is None:
        return
    Dfun = compiled_part(problem, "jacobian", case)
    assert (Dfun is None) == (name in NO_JACOBIAN)
    for one, analytic in [(None, None), *([] if Dfun is None else [(Dfun, case.jacobian)])]:
        ours = leastsq(func, case.start, args=(case.m,), Dfun=one, full_output=True)
        theirs = leastsq(case.residuals, case.start, Dfun=analytic, full_output=True)
        norm, pythons = (np.linalg.norm(result[2]["fvec"]) for result in (ours, theirs))
        assert norm == pytest.approx(pythons, rel=1e-5, abs=1e-9)


def njit_residuals(problem):
    arguments = ", ".join(f"b[{i}]" for i in range(problem.certified.size))
    names = {"model": njit(problem.model)}
    exec(f"def residuals(b, x, y): return model(x, {arguments}) - y", names)
    return njit(names["residuals"])


@pytest.mark.parametrize("name", nist.PROBLEMS)
def test_nist_problem_has_the_digits_it_has_in_python(name, native_only, monkeypatch):
    problem = nist.PROBLEMS[name]
    start = problem.starts[1]
    func = njit_residuals(problem)
    options = {"ftol": 1e-13, "xtol": 1e-13, "maxfev": 5000, "full_output": True}
    ours = leastsq(func, start, args=(problem.x, problem.y), **options)
    monkeypatch.undo()
    theirs = leastsq(problem.residuals, start, **options)
    digits, pythons = (nist.digits_of(problem, result) for result in (ours, theirs))
    assert digits.parameters > min(pythons.parameters, 8) - 1


class UnexpectedError(Exception):
    pass


@njit
def raises_later(p, x, y, limit):
    if p[1] > limit:
        raise UnexpectedError("p[1] is too large", 42)
    return p[0] * np.exp(-p[1] * x) + p[2] - y


@njit
def jacobian_raises(p, x, y, limit):
    if p[1] != 1:
        raise UnexpectedError("no Jacobian")
    return np.ones((x.size, 3))


@njit
def divides_by_zero(p, x, y):
    return (p[0] * np.exp(-p[1] * x) + p[2] - y) * (1 // (1 - int(p[1] > 1.1)))


@pytest.mark.parametrize("limit", [0.5, 1.0, 1.2])
def test_exception_comes_out(fit, limit):
    with pytest.raises(UnexpectedError) as caught:
        leastsq(raises_later, fit.start, args=(fit.x, fit.y, limit))
    assert caught.value.args == ("p[1] is too large", 42)


def test_exception_of_the_jacobian_comes_out(fit):
    with pytest.raises(UnexpectedError, match="no Jacobian"):
        leastsq(raises_later, fit.start, args=(fit.x, fit.y, 9.0), Dfun=jacobian_raises)
    with pytest.raises(UnexpectedError, match="no Jacobian"):
        leastsq(
            lambda p, *args: curve(p, *args[:2]),
            fit.start,
            args=(fit.x, fit.y, 9.0),
            Dfun=jacobian_raises,
        )


def test_arithmetic_error_comes_out(fit):
    with pytest.raises(ZeroDivisionError):
        leastsq(divides_by_zero, fit.start, args=(fit.x, fit.y))


def test_nothing_is_printed_when_compiled_code_fails(fit, capfd):
    with pytest.raises(UnexpectedError):
        leastsq(raises_later, fit.start, args=(fit.x, fit.y, 1.2))
    assert capfd.readouterr() == ("", "")


def test_failure_that_does_not_come_again_is_told():
    attempts = np.zeros(1)

    @njit
    def fails_once(p, attempts):
        attempts[0] += 1
        if attempts[0] == 3:
            raise UnexpectedError
        return p - 1

    with pytest.raises(RuntimeError, match="fails_once failed in compiled code"):
        leastsq(fails_once, [3.0, 4.0], args=(attempts,))


def test_changed_number_of_residuals_is_an_error():
    @njit
    def shrinking(p):
        return np.ones(5 if p[0] == 1 else 4) * p[0]

    with pytest.raises(ValueError, match="5 residuals at x0, but 4 later"):
        leastsq(shrinking, [1.0])


def test_jacobian_of_another_shape_is_an_error(fit):
    with pytest.raises(TypeError, match=r"Shape should be \(50, 3\) but it is \(3, 50\)"):
        leastsq(njit_curve, fit.start, args=(fit.x, fit.y), Dfun=njit_transpose)
    with pytest.raises(TypeError, match=r"Shape should be \(3, 50\) but it is \(50, 3\)"):
        leastsq(njit_curve, fit.start, args=(fit.x, fit.y), Dfun=njit_jacobian, col_deriv=True)


Setting = namedtuple("Setting", ["scale", "shift"])


@njit
def plus(a, b):
    return a + b


@njit
def general(p, data, setting=Setting(1.0, 0.0), *more):  # noqa: B008
    return p[: data.size] * setting.scale + setting.shift - data.ravel()


@njit
def with_default(p, y, scale=1.0):
    return p * scale - y


@njit
def with_tuple(p, arrays):
    return p * arrays[0] - arrays[1][0]


@njit
def with_text(p, y, kind):
    return p - y if kind == "linear" else p**3 - y


@njit
def with_none(p, y, weights):
    return p - y if weights is None else (p - y) * weights


@njit
def with_function(p, y, function):
    return function(p, -y)


@njit
def with_numbers(p, flag, count, number, turned):
    return p - (count + number if flag else 0.0) - turned.imag


@njit
def with_matrix(p, a):
    return a @ p - 1


@njit
def ends_in_args(p, *more):
    return p - more[0] - more[1]


Y = np.array([1.0, 2.0, 3.0])
ARGUMENTS = {
    "float32 array": (with_default, (Y.astype(np.float32),)),
    "integer array": (with_default, (Y.astype(np.int64),)),
    "strided array": (with_default, (np.repeat(Y, 2)[::2],)),
    "reversed array": (with_default, (Y[::-1],)),
    "default": (with_default, (Y,)),
    "default given": (with_default, (Y, 2)),
    "tuple of tuples": (with_tuple, ((Y, (Y,)),)),
    "string": (with_text, (Y, "cubic")),
    "None": (with_none, (Y, None)),
    "array where None may be": (with_none, (Y, Y)),
    "njit function": (with_function, (Y, plus)),
    "scalars": (with_numbers, (True, 3, 0.5, 2j)),
    "NumPy scalars": (
        with_numbers,
        (np.bool_(True), np.int8(3), np.float32(0.5), np.complex64(2j)),
    ),
    "Fortran order": (with_matrix, (np.asfortranarray(np.vander(Y)),)),
    "strided matrix": (with_matrix, (np.vander(np.repeat(Y, 2))[::2, ::2],)),
    "named tuple": (general, (Y, Setting(2.0, 0.5))),
    "stars": (ends_in_args, (Y, 1)),
}


@pytest.mark.filterwarnings("ignore:'@' is faster on contiguous")
@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_of_every_kind_are_passed(name, native_only, monkeypatch):
    func, args = ARGUMENTS[name]
    ours, ier = leastsq(func, np.ones(3), args=args)
    monkeypatch.undo()
    theirs, _ = leastsq(func.py_func, np.ones(3), args=args)
    assert ier in (1, 2, 3, 4)
    np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-12)


def test_read_only_arguments_are_passed(native_only):
    y = Y.copy()
    y.flags.writeable = False
    np.testing.assert_allclose(leastsq(with_default, np.ones(3), args=(y,))[0], Y)


@njit
def returns_matrix(p):
    return np.ones((2, 3)) * (p[0] - 2)


@njit
def returns_strided(p):
    return (np.ones((2, 3)) * (p[0] - 2)).T[::2]


@njit
def returns_float32(p):
    return (np.ones(3) * (p[0] - 2)).astype(np.float32)


@njit
def returns_integers(p):
    return np.array([int(p[0] * 1000) - 2000])


@njit
def returns_tuple(p):
    return p[0] - 2, 0.5 * (p[0] - 2)


@njit
def returns_list(p):
    return [p[0] - 2, 0.5 * (p[0] - 2)]


@njit
def returns_number(p):
    return p[0] - 2


@njit
def returns_nothing_dimensional(p):
    return np.array(p[0] - 2)


@njit
def returns_its_point(p):
    p -= 2
    return p


@pytest.mark.usefixtures("native_only")
@pytest.mark.parametrize(
    ("func", "options"),
    [
        (returns_matrix, {}),
        (returns_strided, {}),
        (returns_float32, {"xtol": 1e-4}),
        (returns_integers, {"epsfcn": 1e-4}),
        (returns_tuple, {}),
        (returns_list, {}),
        (returns_number, {}),
        (returns_nothing_dimensional, {}),
        (returns_its_point, {}),
    ],
)
def test_residuals_of_every_kind_are_taken(func, options):
    x, ier = leastsq(func, [1.0], **options)
    assert ier in (1, 2, 3, 4)
    np.testing.assert_allclose(x, 2, rtol=1e-3)


@pytest.mark.usefixtures("native_only")
def test_jacobian_of_one_parameter_may_be_a_vector():
    @njit
    def ones(p):
        return np.ones(6)

    for col_deriv in (False, True):
        assert leastsq(returns_matrix, [1.0], Dfun=ones, col_deriv=col_deriv)[0] == 2


@pytest.mark.usefixtures("native_only")
def test_argument_itself_may_be_returned():
    @njit
    def constant(p, y):
        return y

    assert leastsq(constant, [1.0, 2.0], args=(Y,), full_output=True)[-1] == 4
    np.testing.assert_array_equal(Y, [1, 2, 3])


@pytest.mark.usefixtures("native_only")
def test_nan_has_its_exit_codes(fit):
    y = fit.y.copy()
    y[3] = np.nan
    assert leastsq(njit_curve, fit.start, args=(fit.x, y), full_output=True)[-1] == 9

    @njit
    def nan(p, x, y):
        return np.full((x.size, 3), np.nan)

    options = {"args": (fit.x, fit.y), "full_output": True}
    assert leastsq(njit_curve, fit.start, Dfun=nan, **options)[-1] == 10


def test_signatures_given_ahead_serve(native_only, fit):
    ahead = njit("float64[:](float64[:], float64[:], float64[:])")(curve)
    x, _ = leastsq(ahead, fit.start, args=(fit.x, fit.y))
    np.testing.assert_allclose(x, leastsq(njit_curve, fit.start, args=(fit.x, fit.y))[0])


def object_mode(p, y):
    return p - np.asarray([value for value in y if isinstance(value, float)])


def beyond_numba(p, y):
    return p - np.loadtxt([" ".join(map(str, y))])


FALLBACKS = {
    "object mode": (numba.jit(forceobj=True)(object_mode), (Y,), "object mode"),
    "no nopython mode": (njit(beyond_numba), (Y,), "loadtxt"),
    "what Numba has no type for": (with_none, (Y, object()), "type of"),
    "a typed dictionary": (
        njit(lambda p, d: p - d[0]),
        (numba.typed.Dict.empty(numba.int64, numba.float64[::1]),),
        "cannot be passed",
    ),
    "complex tuple": (njit(lambda p, y: (p[0] - y[0], (p[1], p[2]))), (Y,), "not taken"),
}
FALLBACKS["a typed dictionary"][1][0][0] = Y


@pytest.mark.parametrize("name", ["object mode", "no nopython mode", "a typed dictionary"])
def test_what_cannot_run_natively_is_called_from_python_with_one_warning(name):
    func, args, reason = FALLBACKS[name]
    for _ in range(2):
        with pytest.warns(RuntimeWarning, match="called from Python") as caught:
            x, _ = leastsq(func, np.ones(3), args=args)
        np.testing.assert_allclose(x, Y)
        assert len(caught) == 1
        assert reason in str(caught[0].message)
        assert caught[0].filename == __file__


def test_reason_is_found_once(fit):
    func = njit(lambda p, d: p - d[0])
    args = FALLBACKS["a typed dictionary"][1]

    def solve():
        with pytest.warns(RuntimeWarning, match="cannot be passed"):
            leastsq(func, np.ones(3), args=args)

    solve()
    assert compilations(solve) == 0


@pytest.mark.parametrize("dispatcher", [njit, numba.jit(forceobj=True)])
def test_jacobian_that_cannot_run_natively_is_called_from_python(dispatcher, fit):
    def beyond(p, x, y):
        return np.loadtxt([" ".join(map(str, row)) for row in curve_jacobian(p, x, y)])

    with pytest.warns(RuntimeWarning, match="beyond is called from Python") as caught:
        x, _ = leastsq(njit_curve, fit.start, args=(fit.x, fit.y), Dfun=dispatcher(beyond))
    assert len(caught) == 1
    assert caught[0].filename == __file__
    np.testing.assert_allclose(x, leastsq(curve, fit.start, args=(fit.x, fit.y))[0], rtol=1e-6)


def test_two_threads_are_inside_at_the_same_time(library):
    class Meeting(ctypes.Structure):
        _fields_ = (("inside", ctypes.c_int), ("iflag", ctypes.c_int))

    meet = library.meet
    meet.argtypes, meet.restype = [ctypes.c_void_p], ctypes.c_int
    meeting = Meeting()

    @njit
    def meets_beyond_the_start(p, place):
        if p[0] != 1 and meet(place) < 0:
            raise UnexpectedError("nobody came")
        return p - 3

    place = np.array([ctypes.addressof(meeting)])

    @njit
    def residuals(p, place):
        return meets_beyond_the_start(p, place[0])

    leastsq(njit_to_count, np.zeros(2))
    residuals(np.ones(2), place)
    with ThreadPoolExecutor(2) as pool:
        fits = [pool.submit(leastsq, residuals, np.ones(2), (place,)) for _ in range(2)]
        for done in fits:
            np.testing.assert_allclose(done.result()[0], 3)


def test_functions_that_run_in_parallel_are_called_by_one_thread_at_a_time(fit, monkeypatch):
    parallel = njit(parallel=True)(curve)
    args = (fit.x, fit.y)
    monkeypatch.setattr(_minpack, "lmdif_native", None)
    np.testing.assert_allclose(
        leastsq(parallel, fit.start, args=args)[0], leastsq(curve, fit.start, args=args)[0]
    )


def test_eight_threads_of_200_fits_give_the_serial_answers(fit):
    starts = np.random.default_rng(1).uniform(0.5, 2, (8, 200, 3))

    def solve_all(rows):
        return [
            leastsq(njit_curve, start, args=(fit.x, fit.y), Dfun=njit_jacobian)[0] for start in rows
        ]

    with ThreadPoolExecutor(8) as pool:
        threaded = list(pool.map(solve_all, starts))
    np.testing.assert_array_equal(threaded, [solve_all(rows) for rows in starts])


def test_functions_and_arguments_that_go_away_are_not_read(fit):
    expected = leastsq(njit_curve, fit.start, args=(fit.x, fit.y))[0]
    for _ in range(3):
        func = njit(lambda p, x, y: p[0] * np.exp(-p[1] * x) + p[2] - y)
        for _ in range(3):
            x, _ = leastsq(func, fit.start, args=(fit.x * 1.0, fit.y * 1.0))
            np.testing.assert_allclose(x, expected)
            gc.collect()
        gone = weakref.ref(func)
        del func
        gc.collect()
        assert gone() is None


@pytest.mark.parametrize("limit", [9.0, 1.05])
def test_ten_thousand_fits_take_no_memory(limit, fit):
    resource = pytest.importorskip("resource")
    x = np.linspace(0, 5, 2000)
    y = 2.5 * np.exp(-1.3 * x) + 0.5

    def fits(count):
        for _ in range(count):
            try:
                leastsq(raises_later, fit.start, args=(x * 1.0, y, limit), maxfev=8, full_output=1)
            except UnexpectedError:
                assert limit < 9

    fits(500)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    fits(10_000)
    growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    # One leaked residual vector a fit would be 160 MB.
    assert growth < 8_000


def run_python(code, folder):
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    return done.stdout.split()


def test_without_numba_everything_else_works(tmp_path):
    code = """
        import sys
        sys.modules["numba"] = sys.modules["llvmlite"] = None
        import leastsq
        print(leastsq.leastsq(lambda p: p - 3, [1.0, 1.0])[1] in (1, 2, 3, 4))
    """
    assert run_python(code, tmp_path) == ["True"]


def test_code_from_numbas_cache_is_called(tmp_path):
    (tmp_path / "cached.py").write_text(
        "import numba\n\n@numba.njit(cache=True)\ndef residuals(p, y):\n    return p - y\n"
    )
    code = """
        import numpy as np
        from cached import residuals
        from leastsq import _minpack, leastsq
        _minpack.lmdif = None
        print(leastsq(residuals, np.ones(2), args=(np.array([3.0, 4.0]),))[0].round(6).tolist())
        print(sum(residuals.stats.cache_hits.values()))
    """
    assert run_python(code, tmp_path)[-1] == "0"
    assert run_python(code, tmp_path) == ["[3.0,", "4.0]", "1"]
