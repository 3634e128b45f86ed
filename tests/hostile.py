"""What users' functions and arguments can do to a solver, good and bad."""

import gc
import threading

import numpy as np

from leastsq import leastsq

M = 5
"""How many residuals a well-behaved function here returns."""


class FuncError(Exception):
    """Raised by a user's function."""


class Liar:
    """Says that it is an array, and is none."""

    def __array__(self, dtype=None, copy=None):
        raise FuncError("no array")

    def __len__(self):
        return M


class Subclass(np.ndarray):
    """An array of the user's own kind."""


def residuals(x):
    """Well-behaved residuals of any number of parameters."""
    return np.resize(x, M) ** 2 + x.sum() - np.arange(M)


def jacobian(x):
    """A well-behaved Jacobian, if not the one of the residuals."""
    return np.eye(M, x.size) + x


def reenter(x):
    leastsq(lambda p: p - 1, np.array(x))


def solve_in_thread(x):
    thread = threading.Thread(target=reenter, args=(x,))
    thread.start()
    thread.join()


def throw(error):
    raise error


READS = {
    "as it is": lambda values: values,
    "list": lambda values: values.tolist(),
    "tuple of arrays": lambda values: tuple(np.asarray(v) for v in values),
    "float32": lambda values: values.astype(np.float32),
    "float16": lambda values: values.astype(np.float16),
    "swapped": lambda values: values.astype(">f8"),
    "objects": lambda values: values.astype(object),
    "integers": lambda values: np.nan_to_num(values).clip(-9, 9).astype(np.int8),
    "read-only": lambda values: np.broadcast_to(values, values.shape),
    "strided": lambda values: np.repeat(values, 2, axis=0)[::2],
    "reversed": lambda values: values[::-1].copy()[::-1],
    "Fortran order": np.asfortranarray,
    "unaligned": lambda values: np.frombuffer(b"." + values.tobytes(), offset=1).reshape(
        values.shape
    ),
    "masked": np.ma.array,
    "subclass": lambda values: values.view(Subclass),
    "one axis more": lambda values: values[..., np.newaxis],
}
"""Forms of the same numbers."""

RETURNS = {
    "None": lambda values: None,
    "text": lambda values: "text",
    "texts": lambda values: values.astype(str),
    "complex": lambda values: values + 0j,
    "times": lambda values: np.zeros(values.shape, "M8[s]"),
    "records": lambda values: np.zeros(values.shape, "f8,f8"),
    "ragged": lambda values: [values, [1.0]],
    "Nones": lambda values: np.full(values.shape, None),
    "scalar": lambda values: 1.0,
    "nothing": lambda values: np.empty(0),
    "one more": lambda values: np.concatenate([values, values[:1]]),
    "one less": lambda values: values[:-1],
    "liar": lambda values: Liar(),
    "generator": lambda values: (v for v in values),
    "itself": lambda values: leastsq,
    "NaN": lambda values: values * np.nan,
    "infinity": lambda values: values + np.inf,
    "huge": lambda values: values * 1e308,
    "tiny": lambda values: values * 5e-324,
    "a huge integer": lambda values: [10**400] * M,
}
"""What is not what was asked for."""

ACTS = {
    "resizes": lambda x, kept: x.resize(0, refcheck=False),
    "grows": lambda x, kept: x.resize(99, refcheck=False),
    "reshapes": lambda x, kept: setattr(x, "shape", (-1, 1)),
    "overwrites": lambda x, kept: x.fill(np.nan),
    "makes read-only": lambda x, kept: x.setflags(write=False),
    "keeps": lambda x, kept: kept.append(x),
    "resizes what it returned": lambda x, kept: kept and kept[-1].resize(1, refcheck=False),
    "overwrites what it returned": lambda x, kept: kept and kept[-1].fill(7),
    "fits": lambda x, kept: reenter(x),
    "fits in a thread": lambda x, kept: solve_in_thread(x),
    "collects garbage": lambda x, kept: gc.collect(0),
    "raises": lambda x, kept: throw(FuncError()),
    "stops iterating": lambda x, kept: throw(StopIteration()),
    "is interrupted": lambda x, kept: throw(KeyboardInterrupt()),
    "exits": lambda x, kept: throw(SystemExit()),
}
"""What happens to x, to arrays of earlier calls and to the program before a function returns."""


class Function:
    """A function that at each call does the next thing of a list, and in the end behaves."""

    def __init__(self, values, turns):
        self.values = values
        self.turns = list(turns)
        self.kept = []
        self.calls = 0

    def __call__(self, x, *args):
        self.calls += 1
        turn = self.turns.pop(0) if self.turns else "as it is"
        values = self.values(x)
        if turn in ACTS:
            ACTS[turn](x, self.kept)
            returned = values
        else:
            returned = {**READS, **RETURNS}[turn](values)
        if type(returned) is np.ndarray and returned.flags.owndata:
            self.kept.append(returned)
        return returned


POINTS = [
    [1.0, 2.0],
    (1, 2, 3),
    1.5,
    np.float32(2),
    [True],
    np.ones((2, 2)),
    np.arange(3),
    np.ones(3, ">f8"),
    np.ones(6)[::-2],
    np.broadcast_to(1.0, 3),
    np.ma.array([1.0, 2.0], mask=[0, 1]),
    np.array([1, 2], object),
    [np.nan, 1],
    [np.inf, 1],
    [1e308, -1e308],
    [5e-324],
    np.ones(M),
    np.ones(M + 1),
    [],
    None,
    "text",
    ["1", "2"],
    [None],
    [1j],
    {"a": 1},
    [[1], [1, 2]],
    [10**400],
    np.zeros(2, "M8[s]"),
    np.zeros(2, "f8,f8"),
    Liar(),
    object(),
    lambda: 1,
]
NUMBERS = [0.0, 1e-8, 1, True, np.float32(0.1), -1, np.nan, np.inf, -np.inf, 5e-324, 1e308]
THINGS = [None, "text", [], [1], 1j, 10**400, object(), np.ones(1), np.ones(2), np.array(None)]
