"""patch_scipy: this library under SciPy's names, and SciPy's again afterwards."""

import importlib.util
import inspect
import pickle
import subprocess
import sys
import threading
import types
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import optimize
from scipy.optimize import curve_fit as imported_by_name
from scipy.optimize import leastsq as under_another_name

import leastsq
from leastsq import _patch

ORIGINALS = optimize.leastsq, optimize.curve_fit


@pytest.fixture(autouse=True)
def unpatched():
    yield
    leastsq.unpatch_scipy()
    assert (optimize.leastsq, optimize.curve_fit) == ORIGINALS


def is_patched(function):
    return inspect.unwrap(function) in (leastsq.leastsq, leastsq.curve_fit)


def test_names_in_every_module_are_replaced_and_given_back():
    before = dict(globals())
    leastsq.patch_scipy()
    for function in (optimize.leastsq, under_another_name, optimize.curve_fit, imported_by_name):
        assert is_patched(function)
    leastsq.unpatch_scipy()
    for function in (optimize.leastsq, under_another_name, optimize.curve_fit, imported_by_name):
        assert not is_patched(function)
    assert globals().keys() == before.keys()
    assert all(globals()[name] is value for name, value in before.items())


def test_context_manager_undoes_itself_also_after_an_error():
    def fails(p):
        assert is_patched(optimize.leastsq)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), leastsq.patch_scipy():
        optimize.leastsq(fails, [1])
    assert not is_patched(optimize.leastsq)


def test_inner_context_leaves_the_outer_patch():
    leastsq.patch_scipy()
    with leastsq.patch_scipy():
        pass
    assert is_patched(optimize.leastsq)
    leastsq.unpatch_scipy()
    leastsq.unpatch_scipy()
    assert not is_patched(optimize.leastsq)


def test_the_last_of_overlapping_patches_undoes_them():
    first, second = leastsq.patch_scipy(), leastsq.patch_scipy()
    first.__exit__()
    assert is_patched(optimize.leastsq)
    first.__exit__()
    assert is_patched(optimize.leastsq)
    second.__exit__()
    assert not is_patched(optimize.leastsq)
    with leastsq.patch_scipy():
        second.__exit__()
        assert is_patched(optimize.leastsq)


def test_patches_in_many_threads_are_undone_at_once():
    barrier = threading.Barrier(8)

    def patch(_):
        barrier.wait()
        leastsq.patch_scipy()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(patch, range(8)))
    assert is_patched(optimize.leastsq)
    leastsq.unpatch_scipy()
    assert not is_patched(optimize.leastsq)


def test_error_while_patching_leaves_nothing_patched(monkeypatch):
    def fails(*_):
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr(_patch, "with_fallback", fails)
        with pytest.raises(MemoryError):
            leastsq.patch_scipy()
    assert not is_patched(optimize.leastsq)
    leastsq.patch_scipy()
    assert is_patched(optimize.curve_fit)


def test_strange_modules_are_left_alone(monkeypatch):
    class Odd:
        fit = optimize.leastsq

    lazy_spec = importlib.util.find_spec("colorsys")
    lazy_spec.loader = importlib.util.LazyLoader(lazy_spec.loader)
    lazy = importlib.util.module_from_spec(lazy_spec)
    lazy_spec.loader.exec_module(lazy)
    monkeypatch.setitem(sys.modules, "odd", Odd)
    monkeypatch.setitem(sys.modules, "lazy", lazy)
    monkeypatch.setitem(sys.modules, "none", None)
    with leastsq.patch_scipy():
        assert is_patched(optimize.leastsq)
    assert "rgb_to_hsv" not in object.__getattribute__(lazy, "__dict__")


def test_what_was_imported_meanwhile_is_given_back_and_ours_stays_ours():
    late = types.ModuleType("late")
    sys.modules["late"] = late
    try:
        with leastsq.patch_scipy():
            exec("from scipy.optimize import leastsq, curve_fit as fit", vars(late))
            exec("from leastsq import leastsq as ours, curve_fit as our_fit", vars(late))
            assert is_patched(late.leastsq)
        assert (late.leastsq, late.fit) == ORIGINALS
        assert (late.ours, late.our_fit) == (leastsq.leastsq, leastsq.curve_fit)
    finally:
        del sys.modules["late"]


def test_root_is_solved_by_this_library():
    calls = []

    def circle(p):
        calls.append(tuple(p))
        return [p[0] ** 2 + p[1] ** 2 - 2, p[0] - p[1]]

    with leastsq.patch_scipy():
        solution = optimize.root(circle, [2.0, 0.5], method="lm")
    np.testing.assert_allclose(solution.x, [1, 1])
    assert len(calls) == solution.nfev == len(set(calls))


def test_warnings_are_scipys_while_patched():
    def indeterminate(fit):
        fit(lambda x, a, b: a * x, [1, 2, 3], [1, 2, 3])

    with leastsq.patch_scipy(), pytest.warns(optimize.OptimizeWarning) as caught:
        indeterminate(optimize.curve_fit)
    assert caught[0].filename == __file__
    assert issubclass(caught[0].category, leastsq.OptimizeWarning)
    assert not issubclass(leastsq.OptimizeWarning, optimize.OptimizeWarning)
    with pytest.warns(leastsq.OptimizeWarning):
        indeterminate(leastsq.curve_fit)


@pytest.mark.parametrize("options", [{"tr_solver": "lsmr", "method": "trf"}, {"tr_solver": "lsmr"}])
def test_options_of_least_squares_alone_are_left_to_scipy(fit, options):
    def model(x, a, b, c):
        return a * np.exp(-b * x) + c

    arguments = (model, fit.x, fit.y, fit.start, None, False, None, (0, 10))
    expected = optimize.curve_fit(*arguments, **options)
    with leastsq.patch_scipy():
        found = optimize.curve_fit(*arguments, **options)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_patched_functions_can_be_pickled():
    with leastsq.patch_scipy():
        for function in (optimize.leastsq, optimize.curve_fit):
            assert pickle.loads(pickle.dumps(function)) is function


def test_without_scipy_there_is_a_clear_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(ImportError, match="patch_scipy needs SciPy, and SciPy is not installed"):
        leastsq.patch_scipy()


def test_package_does_not_import_scipy():
    code = "import sys, leastsq; assert not {'scipy', 'numba'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


SCRIPT = """
import pickle, sys
import helper
from scipy.optimize import curve_fit

class Mine:
    pass

assert __name__ == "__main__"
assert type(pickle.loads(pickle.dumps(Mine()))) is Mine
print(sys.argv, curve_fit.__wrapped__.__module__, helper.value)
sys.exit(3)
"""


@pytest.fixture
def script(tmp_path):
    (tmp_path / "helper.py").write_text("value = 'beside the script'")
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    return path


def run(*arguments, **options):
    command = [sys.executable, "-m", "leastsq", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def test_script_is_run_as_by_python_itself(script):
    ran = run("--patch-scipy", script, "--patch-scipy", "-m", "x")
    assert ran.returncode == 3, ran.stderr
    arguments = [str(script), "--patch-scipy", "-m", "x"]
    assert ran.stdout == f"{arguments} leastsq._curve_fit beside the script\n"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["script", "folder", "zip"])
def test_script_finds_itself_as_by_python_itself(kind, tmp_path):
    code = "import sys; print(__file__, sys.path[:2], sys.argv)"
    path = tmp_path / "made" / "__main__.py"
    path.parent.mkdir()
    path.write_text(code)
    if kind == "script":
        given = "made/__main__.py"
    elif kind == "folder":
        given = "made"
    else:
        given = "made.zip"
        with zipfile.ZipFile(tmp_path / given, "w") as archive:
            archive.write(path, "__main__.py")
    outputs = [
        subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, check=True, cwd=tmp_path
        ).stdout
        for arguments in ([given, "x"], ["-m", "leastsq", "--patch-scipy", given, "x"])
    ]
    file, *rest = outputs[0].split(maxsplit=1)
    ours, *our_rest = outputs[1].split(maxsplit=1)
    assert (tmp_path / file) == (tmp_path / ours)
    assert our_rest[0].replace(str(tmp_path) + "/", "") == rest[0].replace(str(tmp_path) + "/", "")


def test_module_is_run_as_by_python_itself(script):
    ran = run("--patch-scipy", "-m", "script", "--verbose", cwd=script.parent)
    assert ran.returncode == 3, ran.stderr
    arguments = [str(script), "--verbose"]
    assert ran.stdout == f"{arguments} leastsq._curve_fit beside the script\n"


@pytest.mark.parametrize("arguments", [[], ["--patch-scipy"], ["script.py"]])
def test_wrong_command_line_is_explained(arguments):
    ran = run(*arguments)
    assert ran.returncode == 2
    assert "usage: python -m leastsq --patch-scipy (script.py | -m module)" in ran.stderr


def test_error_in_a_script_comes_out(tmp_path):
    path = tmp_path / "script.py"
    path.write_text("raise SystemError('mine')")
    ran = run("--patch-scipy", path)
    assert ran.returncode == 1
    assert ran.stderr.endswith("SystemError: mine\n")
