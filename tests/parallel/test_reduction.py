"""Sums over devices."""

from __future__ import annotations

import pytest

import dopegraph.numpy as np
from dopegraph.backends.mxnet import library
from dopegraph.parallel import KVStoreError, all_reduce, create_store
from dopegraph.parallel.reduction import Together

DEVICES = ["cpu(0)", "cpu(1)", "cpu(2)"] if library.installed() else ["cpu(0)"] * 3


def on_devices(*values):
    return [np.array(value).to(device) for value, device in zip(values, DEVICES)]


def test_the_books_ones_and_twos_become_threes():
    arrays = on_devices([[1.0, 1.0]], [[2.0, 2.0]])
    all_reduce(arrays)
    assert [array.tolist() for array in arrays] == [[[3, 3]]] * 2
    assert [array.device for array in arrays] == DEVICES[:2]


def test_three_devices_and_one():
    arrays = on_devices([1.0], [10.0], [100.0])
    all_reduce(arrays)
    assert [array.tolist() for array in arrays] == [[111]] * 3
    alone = np.array([1.0])
    all_reduce([alone])
    assert alone.tolist() == [1]


def test_arrays_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match="all_reduce: arrays of one shape and dtype"):
        all_reduce(on_devices([1.0], [1.0, 2.0]))


def test_many_arrays_go_together():
    groups = [
        [one.to(device) for one in (np.full((2, 3), number + 1.0), np.array(10.0 * (number + 1)), np.array([1, 2]))]
        for number, device in enumerate(DEVICES)
    ]
    seen = []
    Together()(groups, lambda name, flat: seen.append((name, flat.shape)) or flat)
    for group, device in zip(groups, DEVICES):
        assert group[0].tolist() == [[6, 6, 6]] * 2 and float(group[1]) == 60 and group[2].tolist() == [3, 6]
        assert all(array.device == device for array in group)
    assert seen == [("float32", (7,)), ("int64", (2,))]


@pytest.mark.parametrize("name", ["local", "device"])
def test_the_books_store(name):
    store = create_store(name)
    x = np.array([[0.54881352, 0.59284461, 0.71518934], [0.84426576, 0.60276335, 0.85794562]])
    store.init("weight", x)
    out = on_devices(np.zeros((2, 3)), np.zeros((2, 3)))
    store.pull("weight", out=out)
    assert all((array.asnumpy() == x.asnumpy()).all() for array in out)
    store.push("weight", on_devices(np.ones((2, 3)), np.ones((2, 3)) + 1))
    store.pull("weight", out=out)
    assert [array.tolist() for array in out] == [[[3, 3, 3]] * 2] * 2
    store.push("weight", np.ones((2, 3)))  # replaces
    store.pull("weight", out=out[0])
    assert out[0].tolist() == [[1, 1, 1]] * 2
    assert (store.rank, store.num_workers) == (0, 1)
    assert f"{name!r}, rank 0 of 1" in repr(store)


def test_pushpull_into_the_same_arrays():
    store = create_store()
    arrays = on_devices([1.0], [2.0])
    store.init(3, arrays)
    store.pushpull(3, arrays)
    assert [array.tolist() for array in arrays] == [[3], [3]]


def test_what_a_store_refuses():
    store = create_store()
    with pytest.raises(KVStoreError, match=r"'w' is not in the store; begin with init\('w', value\)"):
        store.push("w", np.ones(2))
    store.init("w", np.ones(2))
    with pytest.raises(KVStoreError, match="in the store already"):
        store.init("w", np.ones(2))
    with pytest.raises(KVStoreError, match="an array or a list of arrays"):
        store.push("w", [])
    with pytest.raises(KVStoreError, match="there is no store 'nccl'"):
        create_store("nccl")


def test_a_push_keeps_what_was_pushed():
    store = create_store()
    x = np.ones(2)
    store.init(0, x)
    store.push(0, [x])
    x[:] = 5
    out = np.zeros(2)
    store.pull(0, out=out)
    assert out.tolist() == [1, 1]
