"""Random graphs give the same as generated code as they do node by node."""

from __future__ import annotations

import os

import numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dopegraph.ir import Graph
from tests.backends.codegen.programs import both, needs_compiler
from tests.reference import random_arguments
from tests.strategies import graphs

pytestmark = needs_compiler

# Each takes a compilation.
MANY = settings(
    max_examples=int(os.environ.get("DOPEGRAPH_EXAMPLES", 40)),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)


@MANY
@given(graphs(size=20), st.integers(0, 2**16))
def test_float_graphs(graph: Graph, seed: int) -> None:
    found, wanted = both(graph, random_arguments(graph, seed))
    for one, other in zip(found, wanted):
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        numpy.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


@MANY
@given(graphs(integers=True, size=20), st.integers(0, 2**16))
def test_integer_graphs(graph: Graph, seed: int) -> None:
    arguments = random_arguments(graph, seed)
    if any(node.op.name == "matmul" for node in graph.nodes):  # NumPy runs integer products
        return
    found, wanted = both(graph, arguments)
    for one, other in zip(found, wanted):
        assert one.dtype == other.dtype
        numpy.testing.assert_array_equal(one, other)
