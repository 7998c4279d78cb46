"""Eager operations take a short way to NumPy when nothing needs to see them: to the same bits as the long way."""

from __future__ import annotations

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.numpy import short_way
from dopegraph.runtime.direct import direct, hold, release

CALLS = {
    "x + y": lambda x, y: x + y,
    "x - 2": lambda x, y: x - 2,
    "x * 2.5": lambda x, y: x * 2.5,
    "x / y": lambda x, y: x / y,
    "x < y": lambda x, y: x < y,
    "x.T + y.T": lambda x, y: x.T + y.T,
    "exp": lambda x, y: np.exp(x),
    "maximum": lambda x, y: np.maximum(x, 0.5),
    "sum": lambda x, y: x.sum(),
    "sum of an axis": lambda x, y: np.sum(x, axis=0),
    "sum of two axes": lambda x, y: np.sum(x, axis=(-1, 0), keepdims=True),
    "max": lambda x, y: x.max(axis=-1),
    "min": lambda x, y: np.min(x),
    "mean": lambda x, y: x.mean(),
    "mean of an axis": lambda x, y: np.mean(x, axis=1, keepdims=True),
    "matmul": lambda x, y: x @ y.T,
    "a part": lambda x, y: x[1:, ::2],
    "reshape": lambda x, y: x.T.reshape(-1),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int8", "bool", "float16", "complex64"])
@pytest.mark.parametrize("shape", [(37, 53), (1, 1), (3, 300)])
def test_both_ways_give_the_same_bits(name, dtype, shape):
    random = numpy.random.default_rng(0)
    x, y = (np.array((random.normal(size=shape) * 3).astype(dtype)) for _ in range(2))

    def result():
        with numpy.errstate(all="ignore"):
            try:
                found = CALLS[name](x, y)
            except TypeError as error:
                return type(error)
        return found.dtype, found.shape, found.tolist() if dtype == "bool" else found.tobytes()

    short = result()
    hold()
    try:
        assert result() == short
    finally:
        release()


def test_nothing_takes_the_short_way_while_something_records_or_forbids_numpy():
    x = np.ones((2, 2))
    assert short_way.product(x, x) is not None and direct.held == 0
    with dopegraph.record():
        assert short_way.product(x, x) is None
        y = x * 2
    assert short_way.reduction(numpy.add.reduce, y, None, False) is None  # `y` is not yet computed
    assert y.tolist() == [[2, 2], [2, 2]]
    with dopegraph.policy("only_mxnet"):
        assert short_way.product(x, x) is None
    with dopegraph.op_stats():
        assert short_way.mean(x, None, False) is None
    assert short_way.product(np.ones((2, 3)), np.ones((2, 3))) is None
    assert short_way.product(x, np.ones((2, 2), dtype="float64")) is None


def test_a_refused_in_place_operation_writes_nothing_and_names_the_line():
    x = np.ones(3)
    with pytest.raises(ValueError, match="test_short_way"):
        x += np.ones(4)
    x.setflags(write=False)
    with pytest.raises(ValueError, match="read-only"):
        x += 1
    assert x.tolist() == [1, 1, 1]
    i = np.array([1, 2], dtype="int8")
    with pytest.raises(OverflowError):
        i += 1000
    with pytest.raises(TypeError, match="cast"):
        i += 1.5
    assert i.tolist() == [1, 2]


@pytest.mark.parametrize("function", [np.clip, np.concatenate, np.take, np.argmax])
def test_out_by_position_is_what_is_returned(function):
    x = np.array([[3.0, 1.0], [2.0, 4.0]])
    args = {np.clip: (x, 0, 3), np.concatenate: ([x, x], 0), np.take: (x, np.array([1]), 0), np.argmax: (x, 0)}[
        function
    ]
    out = np.zeros_like(function(*args))
    assert function(*args, out) is out
    assert out.tolist() == function(*args).tolist()


def test_floats_that_come_from_integers_alone_have_the_default_dtype():
    signed, unsigned = np.array([1]), np.array([1], dtype="uint64")
    for found in (signed + unsigned, 2 / signed, signed / 2, np.concatenate([signed, unsigned])):
        assert found.dtype == "float32"
        dopegraph.set_default_dtype("float64")
        try:
            assert (signed / 2).dtype == (signed + unsigned).dtype == "float64"
        finally:
            dopegraph.set_default_dtype("float32")


def test_integers_that_the_dtype_does_not_hold_are_compared():
    x = np.array([1, 2], dtype="int8")
    assert (x < 300).all() and (x > -1000).all() and not (x == 300).any()
