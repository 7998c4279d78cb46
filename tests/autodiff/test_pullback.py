from __future__ import annotations

import math
from typing import Any

import numpy
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dopegraph import ops
from dopegraph.autodiff import pullback
from dopegraph.ir import Builder, Graph, TensorType, Value, extract, parse, verify
from dopegraph.ir.primitive import Primitive, primitives
from dopegraph.runtime.errors import GradientError
from dopegraph.runtime.location import Location
from tests.reference import assert_gradient, evaluate, evaluate_all, gradient_graph, random_arguments
from tests.strategies import graphs


def f64(*shape: int) -> TensorType:
    return TensorType("f64", shape)


def one(builder: Builder, value: Value) -> Value:
    with builder:
        return ops.full(value=1.0, shape=value.shape, dtype=value.type.dtype)


def gradients(text: str, *arguments: Any) -> list[Any]:
    """The gradients of the sum of the only result of ``graph f(text)`` by all inputs."""
    graph = parse(f"graph f({text} }}")
    inputs = range(len(graph.inputs))
    graph = gradient_graph(graph, inputs)
    verify(graph)
    arrays = [numpy.asarray(one, value.type.dtype) for one, value in zip(arguments, graph.inputs)]
    seed = numpy.ones(graph.inputs[-1].shape, graph.inputs[-1].type.dtype)
    return [array.tolist() for array in evaluate(graph, [*arrays, seed])]


def test_a_value_used_several_times_gathers_its_cotangents() -> None:
    text = "%x: f64[]) { %0: f64[] = square(%x) %1: f64[] = mul(%0, %x) %2: f64[] = add(%1, %0) return %2"
    assert gradients(text, 3.0) == [3 * 9 + 2 * 3]


def test_an_operand_that_stands_there_twice_gathers_both() -> None:
    assert gradients("%x: f64[]) { %0: f64[] = mul(%x, %x) return %0", 3.0) == [6]
    assert gradients("%x: f64[1]) { %0: f64[3] = concat(%x, %x, %x) {axis=0} return %0", [3.0]) == [[3]]


def test_a_shared_subexpression_is_pulled_back_once() -> None:
    builder = Builder()
    x = builder.input(f64())
    with builder:
        y = ops.exp(x)
        z = y * y + y
    pullback(builder, {z: one(builder, z)}, [x])
    assert [node.op.name for node in builder.nodes].count("exp") == 1
    products_with_exp = [node for node in builder.nodes if node.op is ops.mul and node.inputs[1] is y]
    assert len(products_with_exp) == 4  # y * y forward, two for its operands, one for exp


def test_the_gradient_of_what_a_result_does_not_depend_on_is_none() -> None:
    builder = Builder()
    x, y, unused = (builder.input(f64(2)) for _ in range(3))
    with builder:
        result, other = ops.exp(x), ops.exp(y)
    found = pullback(builder, {result: one(builder, result)}, [x, y, unused, other])
    assert found[0] is not None and found[1:] == [None, None, None]


def test_cotangents_of_several_results_add_up() -> None:
    builder = Builder()
    x, g, h = (builder.input(f64()) for _ in range(3))
    with builder:
        y = ops.exp(x)
        z = y * 3.0
    (found,) = pullback(builder, {y: g, z: h}, [x])
    assert found is not None
    graph = extract("f", builder.nodes, [x, g, h], (), [found])
    assert evaluate(graph, [numpy.array(n) for n in (0.0, 2.0, 5.0)]) == [2 + 3 * 5]


def test_a_result_can_be_differentiated_by_itself_and_by_what_stands_in_the_middle() -> None:
    builder = Builder()
    x, g = builder.input(f64()), builder.input(f64())
    with builder:
        y = ops.square(x)
        z = y * 3.0
    by_z, by_y, by_x = pullback(builder, {z: g}, [z, y, x])
    assert by_z is g and by_y is not None and by_x is not None
    graph = extract("f", builder.nodes, [x, g], (), [by_y, by_x])
    assert evaluate(graph, [numpy.array(2.0), numpy.array(1.0)]) == [3, 12]


def test_an_input_that_is_a_result_has_the_cotangent_as_gradient() -> None:
    builder = Builder()
    x, g = builder.input(f64()), builder.input(f64())
    assert pullback(builder, {x: g}, [x]) == [g]
    assert builder.nodes == []


def test_nothing_flows_through_stop_gradient() -> None:
    text = "%x: f64[]) { %0: f64[] = stop_gradient(%x) %1: f64[] = mul(%0, %x) return %1"
    assert gradients(text, 3.0) == [3]


@pytest.mark.parametrize("middle", ["i32", "bool", "u8"])
def test_nothing_flows_through_integers_and_booleans(middle: str) -> None:
    text = f"%x: f64[]) {{ %0: {middle}[] = cast(%x) {{dtype={middle}}} %1: f64[] = cast(%0) {{dtype=f64}} return %1"
    assert gradients(text, 1.5) == [0]
    builder = Builder()
    x = builder.input(f64())
    with builder:
        y = ops.cast(ops.cast(x, dtype=numpy.dtype(TensorType(middle, ()).dtype)), dtype=x.type.dtype)
    assert pullback(builder, {y: one(builder, y)}, [x]) == [None]


def test_integers_have_no_gradient_even_if_asked_for() -> None:
    builder = Builder()
    x = builder.input(TensorType("i32", ()))
    with builder:
        y = ops.cast(x, dtype=numpy.dtype("float64"))
    assert pullback(builder, {y: one(builder, y)}, [x]) == [None]


def test_a_cast_between_floats_casts_the_cotangent_back() -> None:
    text = "%x: f32[2]) { %0: f64[2] = cast(%x) {dtype=f64} %1: f64[2] = square(%0) return %1"
    assert gradients(text, [1.0, 3.0]) == [[2, 6]]


@pytest.mark.parametrize(
    ("x", "y", "result"),
    [
        ("2,3", "3", "2,3"),
        ("3", "2,3", "2,3"),
        ("2,1", "1,3", "2,3"),
        ("", "2", "2"),
        ("1", "0", "0"),
        ("1,1", "2", "1,2"),
    ],
)
def test_cotangents_are_summed_where_operands_were_broadcast(x: str, y: str, result: str) -> None:
    graph = parse(f"graph f(%x: f64[{x}], %y: f64[{y}]) {{ %0: f64[{result}] = mul(%x, %y) return %0 }}")
    assert_gradient(graph, random_arguments(graph, 0), [0, 1])


@pytest.mark.parametrize(
    ("op", "at", "third"),
    [
        ("integer_pow", 2.0, 24 * 2.0),
        ("sin", 0.5, -math.cos(0.5)),
        ("exp", 0.5, math.exp(0.5)),
        ("log", 2.0, 2 / 8.0),
    ],
)
def test_third_derivatives(op: str, at: float, third: float) -> None:
    attrs = {"exponent": 4} if op == "integer_pow" else {}
    builder = Builder()
    x = builder.input(f64())
    with builder:
        value = primitives[op](x, **attrs)
    for _ in range(3):
        (found,) = pullback(builder, {value: one(builder, value)}, [x])
        assert found is not None
        value = found
    graph = extract("f", builder.nodes, [x], (), [value])
    verify(graph)
    assert evaluate(graph, [numpy.array(at)])[0] == pytest.approx(third, rel=1e-12)


def test_the_nodes_of_a_gradient_have_the_location_of_the_node_they_differentiate() -> None:
    places = [Location("net.py", line, "f") for line in (1, 2)]
    builder = Builder(locate=lambda: Location("elsewhere.py", 9, "g"))
    x = builder.input(f64(2, 3))
    with builder:
        with builder.at(places[0]):
            y = ops.exp(x)
        with builder.at(places[1]):
            z = ops.sum(y, axes=(0, 1))
    g = one(builder, z)
    before = len(builder.nodes)
    pullback(builder, {z: g}, [x])
    after = builder.nodes[before:]
    assert [node.location for node in after if node.op is ops.broadcast_to] == [places[1]]
    assert [node.location for node in after if node.op is ops.mul] == [places[0]]
    assert all(node.location in places for node in after)


def test_no_rules_run_that_nobody_asked_for() -> None:
    builder = Builder()
    x, y = builder.input(f64()), builder.input(f64())
    with builder:
        z = ops.pow(x, y)
    pullback(builder, {z: one(builder, z)}, [x])
    assert "log" not in [node.op.name for node in builder.nodes]


def test_a_primitive_with_too_few_rules_is_an_error_at_its_line() -> None:
    odd = Primitive("odd", lambda x, y: x, lambda x, y: x, lambda g, z, x, y: (g,))
    builder = Builder(locate=lambda: Location("net.py", 3, "f"))
    x = builder.input(f64())
    z = builder.emit(odd, [x, x], {})
    with pytest.raises(GradientError, match=r"odd has gradient rules for 1 operands\n  at net.py:3"):
        pullback(builder, {z: x}, [x])


@given(graphs(), st.integers(0, 10))
@settings(deadline=None, max_examples=150)
def test_gradients_of_random_graphs_are_those_of_central_differences(graph: Graph, seed: int) -> None:
    graph.updates, graph.inputs, graph.state = [], graph.arguments, []
    assume(not {node.op.name for node in graph.nodes} & {"stop_gradient"})
    arguments = random_arguments(graph, seed)
    largest = max((abs(array).max(initial=0) for array in evaluate_all(graph, arguments).values()), default=0)
    assume(largest < 1e3)
    gradient = assert_gradient(graph, arguments, range(len(arguments)), rtol=1e-4, atol=1e-5 * max(1.0, largest))
    verify(gradient)
