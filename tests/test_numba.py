"""njit functions: the same fits as in Python, in compiled code."""

import ast
import inspect
import textwrap

import numba
import numpy as np
import pytest
from measures import compilations
from numba import njit
from problems import mgh, nist
from problems.curve import (
    curve,
    curve_jacobian,
    curve_transpose,
    njit_curve,
    njit_jacobian,
    njit_transpose,
)

from leastsq import NativeFunction, leastsq


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


@pytest.mark.slow
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


@pytest.mark.slow
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
    assert digits.parameters > max(pythons.parameters - 2.5, 3.5)  # rounding decides when to stop


def test_signatures_given_ahead_serve(native_only, fit):
    ahead = njit("float64[:](float64[:], float64[:], float64[:])")(curve)
    x, _ = leastsq(ahead, fit.start, args=(fit.x, fit.y))
    np.testing.assert_allclose(x, leastsq(njit_curve, fit.start, args=(fit.x, fit.y))[0])
