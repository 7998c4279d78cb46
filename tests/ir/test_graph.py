from __future__ import annotations

import pytest
from hypothesis import given, settings

from dopegraph.ir import Graph, TensorType, Value, extract, parse, verify
from dopegraph.ir.graph import needed_nodes
from dopegraph.runtime.errors import GraphError
from tests.strategies import graphs

TEXT = """\
graph f(%x: f32[2]; state %w: f32[2]) {
  %0: f32[2] = exp(%x)
  %1: f32[2] = mul(%0, %w)
  %2: f32[2] = add(%1, %1)
  %3: f32[2] = neg(%0)
  return %3; %w <- %2
}"""


def test_arguments_are_inputs_then_state_and_results_are_outputs_then_updates() -> None:
    graph = parse(TEXT)
    assert graph.arguments == [*graph.inputs, *graph.state]
    assert graph.results == [graph.nodes[3].output, graph.nodes[2].output]


def test_uses_lists_each_reader_once() -> None:
    graph = parse(TEXT)
    exp, mul, add, neg = graph.nodes
    assert graph.uses() == {
        graph.inputs[0]: [exp],
        exp.output: [mul, neg],
        graph.state[0]: [mul],
        mul.output: [add],
    }


def test_replacing_follows_chains_in_nodes_outputs_and_updates() -> None:
    graph = parse(TEXT)
    exp, mul, add, neg = (node.output for node in graph.nodes)
    graph.replace({exp: mul, mul: graph.inputs[0], add: neg})
    assert str(graph) == TEXT.replace("add(%1, %1)", "add(%x, %x)").replace("mul(%0", "mul(%x").replace(
        "neg(%0)", "neg(%x)"
    ).replace("%w <- %2", "%w <- %3")


def test_replacing_nothing_changes_nothing() -> None:
    graph = parse(TEXT)
    graph.replace({})
    assert str(graph) == TEXT


def test_a_copy_is_equal_and_independent() -> None:
    graph = parse(TEXT)
    copy = graph.copy()
    assert str(copy) == TEXT
    assert not {*graph.arguments, *graph.results} & {*copy.arguments, *copy.results}
    copy.nodes[0].attrs["a"] = 1
    copy.nodes.pop()
    assert str(graph) == TEXT and graph.nodes[0].attrs == {}


def test_extracting_stops_at_inputs_even_if_nodes_made_them() -> None:
    graph = parse(TEXT)
    part = extract("part", graph.nodes, [graph.nodes[0].output], graph.state, [graph.nodes[1].output])
    verify(part)
    assert str(part) == ("graph part(%in0: f32[2]; state %w: f32[2]) {\n  %0: f32[2] = mul(%in0, %w)\n  return %0\n}")


def test_extracting_keeps_locations_and_drops_what_is_not_needed() -> None:
    graph = parse(TEXT)
    part = extract("part", graph.nodes, graph.inputs, (), [graph.nodes[3].output, graph.inputs[0]])
    assert [node.op.name for node in part.nodes] == ["exp", "neg"]
    assert part.outputs[1] is part.inputs[0]


@pytest.mark.parametrize("missing", ["operand", "output", "updated"])
def test_extracting_needs_everything_to_be_defined(missing: str) -> None:
    graph = parse(TEXT)
    stranger = Value(TensorType("f32", (2,)))
    outputs = {"operand": [graph.nodes[1].output], "output": [stranger], "updated": []}[missing]
    updates = [(stranger, graph.inputs[0])] if missing == "updated" else []
    with pytest.raises(GraphError, match=r"part: .* is neither an input nor computed"):
        extract("part", graph.nodes, graph.inputs, (), outputs, updates)


def test_needed_nodes_keep_their_order_and_do_not_look_behind_known_values() -> None:
    exp, mul, add, neg = parse(TEXT).nodes
    nodes = [exp, mul, add, neg]
    assert needed_nodes(nodes, [neg.output, add.output]) == nodes
    assert needed_nodes(nodes, [mul.output]) == [exp, mul]
    assert needed_nodes(nodes, [add.output], {mul.output}) == [add]
    assert needed_nodes(nodes, [mul.output], {mul.output}) == []


@given(graphs())
@settings(deadline=None)
def test_extracting_everything_gives_the_same_text(graph: Graph) -> None:
    assert str(graph.copy()) == str(graph)


def test_values_and_nodes_show_where_they_come_from() -> None:
    graph = parse(TEXT)
    assert repr(graph.inputs[0]) == "<f32[2] from input x>"
    assert repr(graph.nodes[0].output) == "<f32[2] from exp>"
    assert repr(graph.nodes[0]) == "<exp at None>"
    assert repr(graph) == "<Graph f: 2 inputs, 4 nodes>"


def test_values_are_equal_only_to_themselves() -> None:
    type = TensorType("f32", ())
    assert Value(type) != Value(type) and len({Value(type), Value(type)}) == 2


def test_memory_reports_bytes() -> None:
    assert parse(TEXT).memory().arguments == 16
