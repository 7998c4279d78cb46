"""Pickles and copies of arrays."""

import copy
import pickle

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.numpy.promotion import SUPPORTED


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("dtype", sorted(dtype.name for dtype in SUPPORTED))
def test_every_protocol_keeps_dtype_shape_and_elements(protocol, dtype):
    for array in (numpy.arange(6).reshape(2, 3), numpy.asarray(1), numpy.zeros((0, 2)), numpy.arange(6)[::-2]):
        x = np.asarray(array.astype(dtype))
        found = pickle.loads(pickle.dumps(x, protocol))
        assert type(found) is np.ndarray and (found.dtype, found.shape) == (x.dtype, x.shape)
        assert found.tolist() == x.tolist()
        found[...] = 0
        assert x.tolist() == array.astype(dtype).tolist()


def test_memory_travels_out_of_band():
    x = np.zeros(100000)
    buffers = []
    data = pickle.dumps(x, 5, buffer_callback=buffers.append)
    assert len(data) < 500 and len(buffers) == 1
    found = pickle.loads(data, buffers=buffers)
    x[0] = 7
    assert found[0].item() == 7  # the same memory
    read_only = pickle.loads(data, buffers=[bytes(one) for one in buffers])
    with pytest.raises(ValueError, match="read-only"):
        read_only[0] = 1


def test_old_pickles_are_read():
    from dopegraph.array import from_numpy

    class Old:
        def __reduce__(self):
            return from_numpy, (numpy.arange(3),)

    assert pickle.loads(pickle.dumps(Old())).tolist() == [0, 1, 2]


def test_copies_have_memory_of_their_own_and_sharing_is_kept():
    x = np.arange(4.0)
    first, second, part = copy.deepcopy([x, x, x[1:]])
    assert first is second
    first[1] = 9
    assert (x.tolist(), part.tolist()) == ([0, 1, 2, 3], [1, 2, 3])
    assert part.base is None
    for made in (copy.copy(x), copy.copy(x[::2]), copy.deepcopy(x.reshape(2, 2).T)):
        made += 1
    assert x.tolist() == [0, 1, 2, 3]
    again = pickle.loads(pickle.dumps([x, x]))
    assert again[0] is again[1]


def test_copies_are_traced():
    doubled = dopegraph.compile(lambda x: copy.deepcopy(x) + copy.copy(x))
    assert [doubled(np.array([n])).tolist() for n in (1.0, 2.0, 3.0)] == [[2], [4], [6]]
    assert dopegraph.grad(lambda x: (copy.deepcopy(x) * x).sum())(np.array([3.0])).tolist() == [6]


def test_a_pickle_in_compiled_code_has_the_values_of_each_call():
    kept = []
    compiled = dopegraph.compile(lambda x: kept.append(pickle.dumps(x * 2)))
    for number in (1.0, 2.0):
        compiled(np.array([number]))
    assert [pickle.loads(one).tolist() for one in kept] == [[2], [4]]


def test_dumps_are_pickles(tmp_path):
    x = np.arange(3.0)
    x.dump(tmp_path / "x")
    with open(tmp_path / "y", "wb") as file:
        x.dump(file)
    for data in (x.dumps(), (tmp_path / "x").read_bytes(), (tmp_path / "y").read_bytes()):
        assert pickle.loads(data).tolist() == [0, 1, 2]
    assert np.load(tmp_path / "x", allow_pickle=True).tolist() == [0, 1, 2]
