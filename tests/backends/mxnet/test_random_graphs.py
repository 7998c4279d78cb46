"""Random graphs give the same on MXNet as on NumPy."""

from __future__ import annotations

import numpy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dopegraph.backends import compile_graph
from dopegraph.backends.mxnet import library
from dopegraph.backends.mxnet.executable import MXNetExecutable
from dopegraph.backends.mxnet.lowering import lacking
from dopegraph.backends.numpy.executable import NumpyExecutable
from dopegraph.ir import Graph
from dopegraph.runtime.buffer import Buffer
from tests.reference import random_arguments
from tests.strategies import graphs

pytestmark = pytest.mark.skipif(not library.available(), reason="MXNet is not installed")

MANY = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@MANY
@given(graphs(), st.integers(0, 2**16))
def test_float_graphs(graph: Graph, seed: int) -> None:
    arguments = random_arguments(graph, seed)
    wanted = NumpyExecutable(graph).run(arguments)
    assert not any(lacking(node) for node in graph.nodes)
    executable = MXNetExecutable(graph)
    for _ in range(2):
        found = executable([Buffer(array) for array in arguments], [None] * len(wanted))
        for one, other in zip(found, wanted):
            assert one.array.dtype == other.dtype
            numpy.testing.assert_allclose(one.array, other, rtol=1e-9, atol=1e-9)


@MANY
@given(graphs(integers=True), st.integers(0, 2**16))
def test_integer_graphs_in_parts(graph: Graph, seed: int) -> None:
    """MXNet has no integer matrix product: those parts run on NumPy."""
    arguments = [Buffer(array) for array in random_arguments(graph, seed)]
    wanted = compile_graph(graph, "only_numpy").run(arguments)
    found = compile_graph(graph, "prefer_mxnet").run(arguments)
    for one, other in zip(found, wanted):
        numpy.testing.assert_array_equal(one.array, other.array)
        assert one.array.dtype == other.array.dtype
