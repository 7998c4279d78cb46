"""The split of any graph into stages: what goes where, what passes between, and that nothing is lost."""

from __future__ import annotations

from collections.abc import Callable

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dopegraph.backends.partition import Stage, partition
from dopegraph.ir import Graph, Node, parse, verify
from tests.reference import evaluate, random_arguments
from tests.strategies import graphs


def staged(graph: Graph, stages: list[Stage], seed: int) -> list[numpy.ndarray]:
    """The results of a graph, one stage after another; what no stage makes is an argument or a constant."""
    known = dict(zip(graph.arguments, random_arguments(graph, seed)))
    for node in graph.nodes:
        if not node.inputs:
            known[node.output] = numpy.asarray(node.op.kernel(**node.attrs))
    for stage in stages:
        verify(stage.graph)
        known.update(zip(stage.outputs, evaluate(stage.graph, [known[value] for value in stage.inputs])))
    return [known[value] for value in graph.results]


@given(
    graphs(size=20),
    st.sets(st.sampled_from(["exp", "sum", "mul", "add", "reshape", "full", "neg", "matmul", "select"])),
)
@settings(deadline=None, max_examples=200)
def test_running_the_stages_one_after_another_is_running_the_graph(graph: Graph, names: set[str]) -> None:
    stages = partition(graph, lambda node: node.op.name in names)
    for found, expected in zip(staged(graph, stages, 0), evaluate(graph, random_arguments(graph, 0))):
        numpy.testing.assert_array_equal(found, expected)
    for stage in stages:
        assert {node.op.name in names for node in stage.graph.nodes if node.inputs} == {stage.backend == "numpy"}
    assert all(one.backend != other.backend for one, other in zip(stages, stages[1:]))


@given(graphs(size=20))
@settings(deadline=None)
def test_a_stage_takes_and_gives_only_what_it_must(graph: Graph) -> None:
    stages = partition(graph, lambda node: node.op.name in ("add", "exp"))
    for number, stage in enumerate(stages):
        wanted = {*graph.results, *(value for later in stages[number + 1 :] for value in later.inputs)}
        assert set(stage.outputs) <= wanted
        assert set(stage.graph.inputs) <= {value for node in stage.graph.nodes for value in node.inputs}


TEXT = """\
graph f(%x: f32[2], %key: u64[2]) {
  %0: f32[] = full() {value=2.0, shape=(), dtype=f32}
  %1: f32[2] = mul(%x, %0)
  %2: f32[2] = random_normal(%key) {shape=(2,), dtype=f32}
  %3: f32[2] = add(%1, %2)
  %4: f32[2] = erf(%3)
  %5: f32[2] = mul(%4, %0)
  return %5, %1, %0, %x
}"""


def shown(lacking: Callable[[Node], object]) -> list[str]:
    stages = partition(parse(TEXT), lacking)
    return [f"{stage.backend}: {' '.join(node.op.name for node in stage.graph.nodes)}" for stage in stages]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], ["mxnet: full mul random_normal add erf mul"]),
        (["random_normal"], ["numpy: random_normal", "mxnet: full mul add erf mul"]),
        (["erf"], ["mxnet: full mul random_normal add", "numpy: erf", "mxnet: full mul"]),
        (["random_normal", "erf"], ["numpy: random_normal", "mxnet: full mul add", "numpy: erf", "mxnet: full mul"]),
        (["random_normal", "mul"], ["numpy: full mul random_normal", "mxnet: add erf", "numpy: full mul"]),
        (["full"], ["mxnet: full mul random_normal add erf mul"]),
    ],
)
def test_nodes_go_to_the_earliest_stage_and_constants_to_every_reader(names: list[str], expected: list[str]) -> None:
    assert shown(lambda node: node.op.name in names) == expected


def test_without_mxnet_everything_is_one_stage() -> None:
    assert shown(lambda node: True) == ["numpy: full mul random_normal add erf mul"]


def test_a_graph_of_arguments_and_constants_has_no_stages() -> None:
    graph = parse("graph f(%x: f32[]) { %0: f32[] = full() {value=1.0, shape=(), dtype=f32} return %x, %0 }")
    assert partition(graph, lambda node: True) == []
