"""Primitives with several results, from the text of a graph through autodiff, passes and backends to arrays."""

from __future__ import annotations

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import cpu, ops
from dopegraph.autodiff import pullback
from dopegraph.backends import compile_graph
from dopegraph.backends.mxnet import library
from dopegraph.backends.numpy import NumpyExecutable
from dopegraph.dispatch import apply
from dopegraph.ir import Builder, Graph, TensorType, Value, parse, verify
from dopegraph.ir.primitive import Primitive
from dopegraph.passes import optimize, plan_memory
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.errors import GraphError
from tests.reference import assert_gradient, evaluate

TEXT = """graph f(%x: f64[3,2]) {
  %0: f64[3,2], %1: f64[2,2] = qr(%x)
  %2: f64[2,2] = matmul(%1, %1)
  %3: f64[3,2] = exp(%0)
  return %3, %2, %1
}"""
X = numpy.array([[3.0, 1.0], [0.0, 2.0], [4.0, 5.0]])


def test_the_text_is_read_back() -> None:
    assert str(parse(TEXT)) == TEXT


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT.replace(", %1: f64[2,2] =", " ="), "gives f64\\[3,2\\], f64\\[2,2\\], not f64\\[3,2\\]"),
        (TEXT.replace("%1: f64[2,2] =", "%1: f64[3,2] ="), "gives f64\\[3,2\\], f64\\[2,2\\], not"),
        (TEXT.replace("%1: f64[2,2] =", "%0: f64[2,2] ="), "defined twice"),
    ],
)
def test_wrong_results_are_refused(text: str, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        parse(text)


def test_the_verifier_checks_every_result() -> None:
    graph = parse(TEXT)
    verify(graph)
    graph.nodes[0].outputs[1].type = TensorType("f64", (2, 3))
    with pytest.raises(GraphError, match="should give"):
        verify(graph)


def test_a_call_in_a_builder_gives_a_tuple() -> None:
    builder = Builder()
    x = builder.input(TensorType("f64", (3, 2)))
    with builder:
        q, r = ops.qr(x)
    assert (q.shape, r.shape, q.node is r.node, r.index) == ((3, 2), (2, 2), True, 1)
    with pytest.raises(GraphError, match="qr has 2 outputs"):
        q.node.output  # noqa: B018


def test_equal_nodes_are_merged_and_unused_ones_removed() -> None:
    text = """graph f(%x: f64[3,2]) {
      %0: f64[3,2], %1: f64[2,2] = qr(%x)
      %2: f64[3,2], %3: f64[2,2] = qr(%x)
      %4: f64[3,2], %5: f64[2,2] = qr(%0)
      %6: f64[3,2] = matmul(%2, %1)
      return %6, %3
    }"""
    graph = optimize(parse(text))
    verify(graph)
    assert [node.op.name for node in graph.nodes] == ["qr", "matmul"]
    assert graph.outputs[1] is graph.nodes[0].outputs[1]


def test_constants_are_not_folded_into_one_result() -> None:
    text = "graph f() { %0: f64[2,2] = full() {value=1.0, shape=(2, 2), dtype=f64} "
    graph = optimize(parse(text + "%1: f64[2,2], %2: f64[2,2] = qr(%0) return %2 }"))
    verify(graph)
    assert [node.op.name for node in graph.nodes][-1] == "qr"


def test_every_result_has_memory_of_its_own_as_long_as_it_is_read() -> None:
    graph = parse(TEXT)
    plan = plan_memory(graph)
    q, r = graph.nodes[0].outputs
    assert plan.slot_of[q] != plan.slot_of[r]
    assert plan.slot_of[graph.nodes[1].outputs[0]] not in (plan.slot_of[q], plan.slot_of[r])


@pytest.mark.parametrize("policy", ["only_numpy", "prefer_mxnet"])
def test_programs_give_what_the_kernels_give(policy: str) -> None:
    if policy == "prefer_mxnet" and not library.available():
        pytest.skip("MXNet is not installed")
    graph = parse(TEXT)
    expected = evaluate(graph, [X])
    for found in (
        NumpyExecutable(graph).run([X]),
        [buffer.array for buffer in compile_graph(graph, policy).run([Buffer(X)])],
    ):
        for one, other in zip(found, expected):
            numpy.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


def test_the_source_of_a_numpy_program_names_all_results() -> None:
    assert "v0, v1 = qr(x)" in NumpyExecutable(parse(TEXT)).source


@pytest.mark.parametrize("outputs", ["%0", "%1", "%0, %1", "%1, %1"])
def test_cotangents_of_some_or_all_results(outputs: str) -> None:
    text = f"graph f(%x: f64[3,2]) {{ %0: f64[3,2], %1: f64[2,2] = qr(%x) return {outputs} }}"
    gradient = assert_gradient(parse(text), [X], [0])
    assert_gradient(gradient, [X, numpy.array(1.0)], [0], rtol=1e-5, atol=1e-5)


def test_a_rule_gets_tuples_with_none_where_nothing_arrives() -> None:
    seen = []

    def rule(g: tuple[Value | None, ...], results: tuple[Value, ...], x: Value) -> tuple[Value | None]:
        seen.append((g, results))
        return (g[1],)

    twice = Primitive("twice", lambda x: (x, x), lambda x: (x, x), rule)
    builder = Builder()
    x, g = builder.input(TensorType("f64", (2,))), builder.input(TensorType("f64", (2,)))
    first, second = builder.emit(twice, [x], {})
    assert pullback(builder, {second: g}, [x]) == [g]
    assert pullback(builder, {first: g}, [x]) == [None]
    assert seen == [((None, g), (first, second)), ((g, None), (first, second))]


def test_one_rule_for_each_operand_gets_tuples_too() -> None:
    pair = Primitive(
        "pair", lambda x, y: (x, y), lambda x, y: (x, y), [lambda g, z, x, y: g[0], lambda g, z, x, y: g[1]]
    )
    builder = Builder()
    x, y, g = (builder.input(TensorType("f64", ())) for _ in range(3))
    first, second = builder.emit(pair, [x, y], {})
    assert pullback(builder, {first: g, second: g}, [x, y]) == [g, g]
    assert pullback(builder, {second: g}, [x, y]) == [None, g]


def test_apply_gives_a_tuple_at_once_and_recorded() -> None:
    x = np.asarray(X)
    q, r = apply(ops.qr, x)
    numpy.testing.assert_allclose((q @ r).asnumpy(), X)
    graph: Graph = dopegraph.trace(lambda x: np.linalg.qr(x))(x)
    assert [value.shape for value in graph.outputs] == [(3, 2), (2, 2)]


@pytest.mark.skipif(not library.installed(), reason="MXNet is not installed")
def test_results_stay_on_the_device_of_the_operand() -> None:
    x = np.array([[2.0, 0.0], [0.0, 3.0]]).to(cpu(1))
    u, s, vh = np.linalg.svd(x)
    assert {u.device, s.device, vh.device} == {cpu(1)}
    assert s.tolist() == [3, 2]


def test_pictures_show_a_node_once() -> None:
    graph = parse(TEXT)
    assert graph.to_dot().count('"qr') <= 1
    network = graph.to_networkx()
    (vertex,) = [name for name, data in network.nodes(data=True) if data.get("op") == "qr"]
    assert network.nodes[vertex]["types"] == ["f64[3,2]", "f64[2,2]"]
    assert network.out_degree(vertex) == 4
