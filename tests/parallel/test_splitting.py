"""Batches cut into parts for devices."""

from __future__ import annotations

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.backends.mxnet import library
from dopegraph.parallel import broadcast, split_and_load, split_data

on_two = pytest.mark.skipif(not library.installed(), reason="further devices are MXNet's")


def test_parts_follow_one_another():
    parts = split_data(np.arange(12).reshape((6, 2)), 3)
    assert [part.tolist() for part in parts] == [[[0, 1], [2, 3]], [[4, 5], [6, 7]], [[8, 9], [10, 11]]]


def test_along_another_axis():
    assert [part.shape for part in split_data(np.ones((2, 6)), 3, batch_axis=1)] == [(2, 2)] * 3


def test_uneven_parts_are_asked_for():
    with pytest.raises(ValueError, match=r"5 examples, an array of shape \(5,\), are not 2 equal parts"):
        split_data(np.arange(5), 2)
    assert [part.tolist() for part in split_data(np.arange(5), 2, even_split=False)] == [[0, 1, 2], [3, 4]]


@pytest.mark.parametrize("count", [0, 4])
def test_there_are_as_many_parts_as_examples_at_most(count):
    with pytest.raises(ValueError, match="cannot be"):
        split_data(np.arange(3), count)


def test_an_axis_that_is_not_there():
    with pytest.raises(ValueError, match="has no axis 1"):
        split_data(np.arange(3), 1, batch_axis=1)


@on_two
def test_parts_are_on_their_devices():
    data = numpy.arange(16.0).reshape(4, 4)
    parts = split_and_load(data, [dopegraph.cpu(0), "cpu(1)"])
    assert [part.device for part in parts] == ["cpu(0)", "cpu(1)"]
    numpy.testing.assert_array_equal(numpy.concatenate([part.asnumpy() for part in parts]), data)


@on_two
def test_a_copy_on_each_device():
    x = np.array([1.0, 2.0])
    copies = broadcast(x, ["cpu(0)", "cpu(1)"])
    assert [copy.device for copy in copies] == ["cpu(0)", "cpu(1)"]
    x[0] = 5
    assert [copy.tolist() for copy in copies] == [[1, 2], [1, 2]]
