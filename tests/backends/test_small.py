"""Graphs that compute little run on NumPy, and say so; larger ones, and those with convolutions, on MXNet."""

from __future__ import annotations

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn
from dopegraph.backends import placement
from dopegraph.backends.mxnet import library

pytestmark = pytest.mark.skipif(not library.installed(), reason="MXNet is not installed")


@pytest.fixture(autouse=True)
def threshold(monkeypatch):
    monkeypatch.setattr(placement, "SMALL", 1000)
    dopegraph.programs.clear()
    yield
    dopegraph.programs.clear()


def explained(function, *arrays):
    with dopegraph.policy("prefer_mxnet"):
        return dopegraph.explain(function)(*arrays)


def test_a_small_graph_runs_on_numpy_and_says_why():
    found = explained(lambda x: np.exp(x) + 1, np.ones(100))
    assert found.replayed
    assert found.symbols == 0
    assert not found.fallbacks
    assert [(one.id, one.kind) for one in found.reasons] == [("small-graph", "on NumPy")]
    assert "small-graph" in str(found)
    numpy.testing.assert_allclose(found.result.asnumpy(), numpy.exp(1) + 1, rtol=1e-6)


def test_a_larger_graph_is_a_symbol():
    found = explained(lambda x: np.exp(x) + 1, np.ones(600))
    assert found.symbols == 1
    assert not found.reasons


def test_a_long_graph_of_tiny_arrays_runs_on_numpy_where_symbols_would_be_interrupted():
    def filtered(x, p):
        for _ in range(30):
            x = np.linalg.solve(p, np.tanh(x) + 1) * 2
        return x

    found = explained(filtered, np.ones((4, 4)), np.eye(4))
    assert found.replayed
    assert (found.symbols, [one.id for one in found.reasons]) == (0, ["small-graph"])
    assert explained(filtered, np.ones((40, 40)), np.eye(40)).symbols > 0


def test_a_convolution_is_a_symbol():
    found = explained(lambda x, w: nn.conv(x, w), np.ones((1, 1, 4, 4)), np.ones((1, 1, 2, 2)))
    assert found.symbols == 1


def test_only_mxnet_is_only_mxnet():
    with dopegraph.policy("only_mxnet"):
        assert dopegraph.explain(lambda x: np.exp(x) + 1)(np.ones(3)).symbols == 1


def test_derivatives_without_compile_use_it_too():
    with dopegraph.policy("prefer_mxnet"), dopegraph.op_stats() as stats:
        found = dopegraph.grad(lambda x: np.exp(x).sum())(np.zeros(3))
    assert found.tolist() == [1, 1, 1]
    assert stats.numpy["exp"] == 1
    assert not stats.mxnet
