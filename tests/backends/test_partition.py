"""How a graph is split between NumPy and MXNet, and what running the parts gives."""

from __future__ import annotations

import numpy
import pytest

import dopegraph.ops  # noqa: F401  (declares the primitives)
from dopegraph.backends import compile_graph
from dopegraph.backends.mxnet import library
from dopegraph.backends.mxnet.lowering import lacking
from dopegraph.backends.partition import partition
from dopegraph.ir import parse, verify
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.errors import FallbackError

needs_mxnet = pytest.mark.skipif(not library.available(), reason="MXNet is not installed")

DROPOUT = """graph dropout(%x: f32[4,5], %key: u64[2]; state %w: f32[5,3]) {
  %0: f32[4,3] = matmul(%x, %w)
  %1: f32[4,3] = random_uniform(%key) {shape=(4, 3), dtype=f32}
  %2: f32[] = full() {value=0.5, shape=(), dtype=f32}
  %3: bool[4,3] = greater(%1, %2)
  %4: f32[4,3] = select(%3, %0, %2)
  %5: u64[2] = random_advance(%key)
  %6: f32[4,3] = random_normal(%5) {shape=(4, 3), dtype=f32}
  %7: f32[4,3] = add(%4, %6)
  return %7, %5
}"""

MIDDLE = """graph middle(%x: f32[3], %y: f32[3]) {
  %0: f32[3] = exp(%x)
  %1: u16[3] = cast(%0) {dtype=u16}
  %2: u16[3] = square(%1)
  %3: f32[3] = cast(%2) {dtype=f32}
  %4: f32[3] = tanh(%y)
  %5: f32[3] = add(%3, %4)
  return %5, %2, %0
}"""


def test_random_numbers_are_all_drawn_before_one_symbol() -> None:
    stages = partition(parse(DROPOUT), lacking)
    assert [stage.backend for stage in stages] == ["numpy", "mxnet"]
    assert [node.op.name for node in stages[0].graph.nodes] == ["random_uniform", "random_advance", "random_normal"]
    for stage in stages:
        verify(stage.graph)


def test_what_mxnet_lacks_in_the_middle_splits_the_graph() -> None:
    stages = partition(parse(MIDDLE), lacking)
    assert [stage.backend for stage in stages] == ["mxnet", "numpy", "mxnet"]
    assert [node.op.name for node in stages[1].graph.nodes] == ["cast", "square", "cast"]
    assert "tanh" in [node.op.name for node in stages[0].graph.nodes]  # at the earliest stage that it can run in


def test_everything_on_numpy_is_one_stage() -> None:
    assert [stage.backend for stage in partition(parse(MIDDLE), lambda node: True)] == ["numpy"]


@needs_mxnet
@pytest.mark.parametrize("text", [DROPOUT, MIDDLE], ids=["dropout", "middle"])
def test_the_parts_give_what_numpy_gives(text: str) -> None:
    graph = parse(text)
    random = numpy.random.default_rng(0)
    arguments = [
        Buffer(random.integers(0, 99, value.shape).astype("uint64") if value.type.dtype == "uint64"
               else random.standard_normal(value.shape).astype("float32"))
        for value in graph.arguments
    ]  # fmt: skip
    wanted = compile_graph(graph, "only_numpy").run(arguments)
    program = compile_graph(graph)
    for _ in range(2):
        for one, other in zip(program.run(arguments), wanted):
            assert one.array.dtype == other.array.dtype
            numpy.testing.assert_allclose(one.array, other.array, rtol=1e-6)


@needs_mxnet
def test_fallbacks_say_why() -> None:
    reasons = {(fallback.operation, fallback.reason) for fallback in compile_graph(parse(MIDDLE)).fallbacks}
    assert reasons == {("cast", "dtype"), ("square", "dtype")}
    program = compile_graph(parse(DROPOUT))
    assert {fallback.reason for fallback in program.fallbacks} == {"random-numbers"}
    assert program.symbols == 1


@needs_mxnet
def test_only_mxnet_refuses_them() -> None:
    with pytest.raises(FallbackError, match="cast has to run on NumPy"):
        compile_graph(parse(MIDDLE), "only_mxnet")
