"""The array handle: memory, views, exports, conversions."""

import copy
import pickle

import numpy
import pytest

import dopegraph.numpy as np


def test_a_numpy_array_is_wrapped_without_a_copy() -> None:
    memory = numpy.ones(3, "float32")
    x = np.asarray(memory)
    x[0] = 5
    assert memory[0] == 5


def test_an_export_is_the_memory_itself() -> None:
    x = np.ones(3)
    numpy.asarray(x)[1] = 5
    assert x.tolist() == [1, 5, 1]


def test_a_copy_is_asked_for() -> None:
    x = np.ones(3)
    numpy.array(x, copy=True)[1] = 5
    x.asnumpy()[0] = 5
    assert x.tolist() == [1, 1, 1]


def test_a_view_writes_to_its_base_and_sees_its_writes() -> None:
    x = np.zeros((2, 3))
    row, column = x[1], x.T[0]
    row += 1
    x[0, 0] = 7
    assert column.tolist() == [7, 1]
    assert row.base is x


def test_an_index_array_makes_a_copy() -> None:
    x = np.zeros(3)
    y = x[np.array([0, 1])]
    y += 1
    assert x.tolist() == [0, 0, 0]


def test_a_read_only_array_refuses_writes_with_the_line() -> None:
    memory = numpy.ones(3, "float32")
    memory.flags.writeable = False
    x = np.asarray(memory)
    with pytest.raises(ValueError, match=r"(?s)read-only.*test_array.py"):
        x[0] = 1


def test_arrays_are_not_hashable_and_have_no_length_without_axes() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(np.ones(2))
    with pytest.raises(TypeError, match="without axes"):
        len(np.array(1.0))
    with pytest.raises(TypeError, match="without axes"):
        iter(np.array(1.0))


def test_numbers_of_an_array() -> None:
    x = np.array(2.5)
    assert (float(x), int(x), bool(x), x.item(), complex(x), f"{x:.1f}") == (2.5, 2, True, 2.5, 2.5 + 0j, "2.5")
    assert [10, 20, 30][np.array(1)] == 20


def test_pickles_and_deep_copies_have_memory_of_their_own() -> None:
    x = np.arange(3.0)
    for other in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x), copy.copy(x)):
        other[0] = 9
        assert x.tolist() == [0, 1, 2]
        assert other.tolist() == [9, 1, 2]


def test_numpy_arrays_on_the_left_give_our_arrays() -> None:
    assert isinstance(numpy.ones(2, "float32") + np.ones(2), np.ndarray)


def test_writes_into_overlapping_parts_of_one_array() -> None:
    x = np.arange(5.0)
    x[1:] = x[:-1]
    assert x.tolist() == [0, 0, 1, 2, 3]
