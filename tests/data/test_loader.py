"""Batches: every row once an epoch, rows kept together, orders repeatable, and the last batch as asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dopegraph.data import batches


class Wrapped:
    """An array by protocol only, as `dopegraph.ndarray` is."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.array if dtype is None else self.array.astype(dtype)


X = np.arange(40.0).reshape(10, 4)
Y = np.arange(10)


def rows(epoch: Any) -> list[int]:
    return np.concatenate([y for _, y in epoch]).tolist()


@pytest.mark.parametrize(
    ("size", "batch_size", "last", "expected"),
    [
        (10, 3, "keep", [3, 3, 3, 1]),
        (10, 3, "discard", [3, 3, 3]),
        (10, 5, "keep", [5, 5]),
        (10, 5, "discard", [5, 5]),
        (10, 10, "keep", [10]),
        (10, 11, "keep", [10]),
        (10, 11, "discard", []),
        (0, 4, "keep", []),
        (0, 4, "discard", []),
    ],
)
@pytest.mark.parametrize("shuffle", [True, False])
def test_sizes(size: int, batch_size: int, last: Any, expected: list[int], shuffle: bool) -> None:
    loader = batches(X[:size], Y[:size], batch_size=batch_size, shuffle=shuffle, last=last)
    assert len(loader) == len(expected)
    for _ in range(2):
        assert [(len(x), len(y)) for x, y in loader] == [(n, n) for n in expected]


def test_in_order() -> None:
    assert rows(batches(X, Y, batch_size=3, shuffle=False)) == list(range(10))
    assert rows(batches(X, Y, batch_size=3, shuffle=False, last="discard")) == list(range(9))


def test_shuffled_epochs() -> None:
    loader = batches(X, Y, batch_size=3, seed=0)
    epochs = [rows(loader) for _ in range(3)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert [rows(batches(X, Y, batch_size=3, seed=0))] == epochs[:1]
    assert rows(batches(X, Y, batch_size=3, seed=1)) != epochs[0]
    # The batch size does not change the order.
    assert rows(batches(X, Y, batch_size=4, seed=0)) == epochs[0]
    assert epochs[0] == np.random.default_rng(0).permutation(10).tolist()


def test_rows_stay_together() -> None:
    for x, y in batches(X, Y, batch_size=3):
        np.testing.assert_array_equal(x, X[y])


def test_discard_leaves_out_other_rows_each_epoch() -> None:
    loader = batches(X, Y, batch_size=3, seed=0, last="discard")
    assert len({(set(range(10)) - set(rows(loader))).pop() for _ in range(20)}) > 3


def test_epochs_at_the_same_time() -> None:
    loader = batches(X, Y, batch_size=3, seed=0)
    first, second = iter(loader), iter(loader)
    late, early = rows(second), rows(first)
    again = batches(X, Y, batch_size=3, seed=0)
    assert (rows(again), rows(again)) == (early, late)


def test_global_random_state_is_left_alone() -> None:
    np.random.seed(0)
    expected = np.random.rand()
    np.random.seed(0)
    rows(batches(X, Y, batch_size=3, seed=7))
    assert np.random.rand() == expected
    assert rows(batches(np.zeros(200), np.arange(200), batch_size=9)) != rows(
        batches(np.zeros(200), np.arange(200), batch_size=9)
    )


def test_generator_as_seed() -> None:
    expected = rows(batches(X, Y, batch_size=3, seed=5))
    assert rows(batches(X, Y, batch_size=3, seed=np.random.default_rng(5))) == expected


@pytest.mark.parametrize("shuffle", [True, False])
def test_batches_are_contiguous_copies(shuffle: bool) -> None:
    source = np.asfortranarray(X)
    for x, y in batches(source, source[:, ::2], batch_size=4, shuffle=shuffle):
        assert x.flags.c_contiguous and y.flags.c_contiguous
        assert not np.shares_memory(x, source) and not np.shares_memory(y, source)
        x[:] = -1
    np.testing.assert_array_equal(source, X)


@pytest.mark.parametrize("array", [Wrapped(X), X.tolist(), X.astype(">f4"), X > 3, X.astype(str)])
def test_anything_array_like(array: Any) -> None:
    parts = [x for (x,) in batches(array, batch_size=4, shuffle=False)]
    assert all(type(part) is np.ndarray for part in parts)
    expected = np.asarray(array)
    np.testing.assert_array_equal(np.concatenate(parts), expected)
    assert parts[0].dtype == expected.dtype


def test_repr() -> None:
    assert repr(batches(X, Y, batch_size=3)) == "<4 batches of 3 from (10, 4), (10,)>"


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((), {"batch_size": 3}, TypeError, "at least one array"),
        ((X, Y[:9]), {"batch_size": 3}, ValueError, r"lengths differ: shapes \(10, 4\), \(9,\)"),
        ((X, 1.0), {"batch_size": 3}, ValueError, "array 1 is a scalar"),
        ((X,), {"batch_size": 0}, ValueError, "at least 1, not 0"),
        ((X,), {"batch_size": -2}, ValueError, "at least 1, not -2"),
        ((X,), {"batch_size": 2.5}, TypeError, "integer"),
        ((X,), {}, TypeError, "batch_size"),
        ((X,), {"batch_size": 3, "last": "drop"}, ValueError, '"keep" or "discard", not \'drop\''),
    ],
)
def test_errors(arguments: Any, options: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        batches(*arguments, **options)
