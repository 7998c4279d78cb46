"""A view that Python looked at is still a part of its base for a derivative."""

import dopegraph
import dopegraph.numpy as np


def test_the_derivative_by_an_array_of_which_a_view_was_looked_at():
    def loss(x):
        part = x[:2]
        part.tolist()
        return (part**2).sum()

    assert dopegraph.grad(loss)(np.array([1.0, 2.0, 3.0])).tolist() == [2, 4, 0]


def test_the_derivative_through_a_result_of_which_a_view_was_looked_at():
    def loss(x):
        part = (x * 3)[1:]
        float(part[0])
        return (part**2).sum()

    assert dopegraph.grad(loss)(np.array([1.0, 2.0])).tolist() == [0, 36]
