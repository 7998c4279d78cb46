"""Calls of NumPy's functions, mapped over all their arrays, equal a loop, unless Python must look at values."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.runtime.errors import BatchingError
from dopegraph.trace.tree import flatten
from tests.numpy.calls import inputs
from tests.numpy.test_calls import ERRORS, EXPRESSIONS, WRONG, Call

# What has a shape that depends on values, gives Python a number or a boolean, or runs in NumPy.
REFUSED = [
    "x[r", "x[b", "x[~r", "x[x", "np.where(b)", "np.where(i", "compress", "extract", "nonzero", "flatnonzero",
    "argwhere", "unique", "union1d", "intersect1d", "setxor1d", "setdiff1d", "bincount", "histogram", "allclose",
    "array_equal", "array_equiv", "real_if_close", "polymul", "polydiv", "poly(", "polyfit", "vectorize",
    "asarray_chkfinite", "geomspace", "packbits", "unpackbits", "delete", "insert", "lstsq", "trim_zeros",
]  # fmt: skip

SCALES = (1.0, 0.5, 1.25)
TOLERANCE = {"float16": 4e-3, "float32": 2e-4, "complex64": 2e-4, "float64": 1e-9, "complex128": 1e-9}


def varied(array: numpy.ndarray, number: int) -> numpy.ndarray:
    """Another example: of floating numbers in the same order, of others in another."""
    if array.dtype.kind in "fc":
        return (array * array.dtype.type(SCALES[number])).astype(array.dtype)
    return numpy.roll(array, number, -1) if array.ndim else array


def outcome(function: Any, *args: Any) -> Any:
    try:
        with numpy.errstate(all="ignore"), dopegraph.policy("only_numpy"):
            return function(*args)
    except Exception as error:
        return error


def check(expression: str) -> str:
    call = Call(expression)
    if not call.names:
        return "no arrays"
    function = call.function(np)
    examples = [[varied(inputs()[name], number) for name in call.names] for number in range(len(SCALES))]
    expected = [outcome(function, *map(np.array, one)) for one in examples]
    if all(isinstance(one, Exception) for one in expected):
        found = outcome(dopegraph.vmap(function), *[np.array(numpy.stack(parts)) for parts in zip(*examples)])
        assert isinstance(found, (*ERRORS, type(expected[0])))
        return "error"
    if any(isinstance(one, Exception) for one in expected):
        return "error of some"
    leaves, structures = [], []
    for one in expected:
        found, structure = flatten(one)
        leaves.append([leaf for _, leaf in found])
        structures.append(structure)
    if any(one != structures[0] for one in structures) or any(
        not isinstance(leaf, (np.ndarray, numpy.ndarray, numpy.generic, int, float, complex)) for leaf in leaves[0]
    ):
        return "no arrays"
    whole = [np.array(numpy.stack(parts)) for parts in zip(*examples)]
    found = outcome(dopegraph.vmap(function), *whole)
    if isinstance(found, BatchingError):
        assert any(name in expression for name in REFUSED), found
        return "refused"
    if isinstance(found, Exception):
        raise found
    found_leaves, structure = flatten(found)
    assert structure == structures[0]
    for (_, one), parts in zip(found_leaves, zip(*leaves)):
        arrays = [numpy.asarray(np.asarray(part)) for part in parts]
        assert len({part.shape for part in arrays}) == 1
        stacked = numpy.stack(arrays)
        assert (one.shape, one.dtype) == (stacked.shape, stacked.dtype)
        scale = TOLERANCE.get(stacked.dtype.name, 0)
        with numpy.errstate(all="ignore"):
            numpy.testing.assert_allclose(numpy.asarray(one), stacked, scale, scale)
    return "same"


ALL = list(dict.fromkeys([*EXPRESSIONS, *WRONG]))
PARTS = 40


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("part", range(PARTS))
def test_calls_equal_loops(part: int) -> None:
    wrong: dict[str, BaseException] = {}
    for expression in ALL[part::PARTS]:
        try:
            check(expression)
        except (AssertionError, *ERRORS) as error:
            wrong[expression] = error
    assert not wrong


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_most_of_the_calls_are_mapped() -> None:
    outcomes = [check(expression) for expression in EXPRESSIONS[::20]]
    assert outcomes.count("same") > 0.7 * len(outcomes)
    assert outcomes.count("refused") < 0.05 * len(outcomes)
