"""Linear maps and regions on graphs: forward mode of every primitive, rules that reverse mode meets on its way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy
import pytest

from dopegraph import ops
from dopegraph.autodiff import close_region, forward_map, needed, pullback, reads, reverse_map
from dopegraph.ir import Builder, Graph, TensorType, Value, extract, verify
from dopegraph.ir.primitive import NotDifferentiable, primitives
from dopegraph.runtime.errors import GradientError
from tests.ops.cases import CASES, Case
from tests.reference import Array, evaluate, random_array

SMOOTH = [case for case in CASES if case.smooth]
F64 = TensorType("f64", ())


def pushforward(graph: Graph, wrt: Sequence[int]) -> Graph:
    """The tangents of a graph's results; takes the graph's arguments and tangents of the arguments `wrt`."""
    graph = graph.copy()
    builder = Builder()
    builder.nodes = list(graph.nodes)
    inputs = [graph.inputs[position] for position in wrt]
    results = list(graph.outputs)
    start = len(builder.nodes)
    pushed = forward_map(builder, inputs, results, lambda heads: pullback(builder, dict(zip(results, heads)), inputs))
    assert len(builder.nodes) == start
    tangents = [builder.input(value.type) for value in inputs]
    found = pushed(builder, tangents)
    with builder:
        outputs = [
            ops.full(value=0.0, shape=of.shape, dtype=of.type.dtype) if t is None else t
            for t, of in zip(found, results)
        ]
    return extract("pushforward", builder.nodes, [*graph.inputs, *tangents], (), outputs)


def test_forward_mode_refuses_rules_of_the_users_own_that_may_not_be_linear() -> None:
    case = next(case for case in SMOOTH if case.op == "host_call")
    with pytest.raises(GradientError, match="linear in the cotangent"):
        pushforward(case.graph(), case.smooth)


@pytest.mark.parametrize("case", [case for case in SMOOTH if case.op != "host_call"], ids=str)
def test_forward_mode_of_every_primitive_is_the_central_difference(case: Case) -> None:
    graph, arrays, wrt = case.graph(), case.arrays(), case.smooth
    forward = pushforward(graph, wrt)
    verify(forward)
    random = numpy.random.default_rng(1)
    tangents = [random_array(graph.inputs[position].type, random) for position in wrt]
    found = evaluate(forward, [*arrays, *tangents])

    def moved(step: float) -> list[Array]:
        there = list(arrays)
        for position, t in zip(wrt, tangents):
            there[position] = arrays[position] + step * t
        return evaluate(graph, there)

    for tangent, above, below in zip(found, moved(1e-6), moved(-1e-6)):
        expected = (above - below) / 2e-6
        scale = max(1.0, float(numpy.max(numpy.abs(expected), initial=0)))
        numpy.testing.assert_allclose(tangent, expected, 1e-5, 1e-6 * scale)


def test_a_linear_map_leaves_the_builder_and_comes_back_as_often_as_it_is_called() -> None:
    builder = Builder()
    x = builder.input(F64)
    with builder:
        y = ops.sin(x)
        unrelated = None

        def pull(heads: Sequence[Value]) -> list[Value | None]:
            nonlocal unrelated
            unrelated = ops.exp(x)
            return pullback(builder, {y: heads[0]}, [x])

        pulled = reverse_map(builder, [y], pull, lambda: [unrelated])
    assert [node.op.name for node in builder.nodes] == ["sin", "exp"]  # what somebody holds stays
    assert pulled.reads == [x]
    a, b = builder.input(F64), builder.input(F64)
    ((first,), (second,)) = pulled(builder, [a]), pulled(builder, [b])
    graph = extract("f", builder.nodes, [x, a, b], (), [first, second])
    assert evaluate(graph, [numpy.array(n) for n in (0.0, 2.0, 5.0)]) == [2, 5]


def test_a_map_takes_constants_along() -> None:
    builder = Builder()
    x = builder.input(F64)
    with builder:
        three = ops.full(value=3.0, shape=(), dtype=x.type.dtype)
        y = ops.mul(x, three)
    pulled = reverse_map(builder, [y], lambda heads: pullback(builder, {y: heads[0]}, [x]))
    assert pulled.reads == [three]
    pulled.include_constants()
    assert pulled.reads == []
    other = Builder()
    head = other.input(F64)
    (found,) = pulled(other, [head])
    assert evaluate(extract("f", other.nodes, [head], (), [found]), [numpy.array(2.0)]) == [6]


def tripled(builder: Builder, residuals: Sequence[Value], cotangents: Sequence[Value | None]) -> list[Value | None]:
    """A rule: three times the sum of what arrives, times the first residual."""
    total = None
    for g in cotangents:
        if g is not None:
            total = g if total is None else total + g
    return [total * 3.0 * residuals[0]]


def test_reverse_mode_goes_through_the_rule_of_a_region_not_through_its_nodes() -> None:
    builder = Builder()
    x, g = builder.input(F64), builder.input(F64)
    with builder:
        inside = ops.exp(ops.square(x))
        y, z = close_region(builder, [x], [inside, x], [x], tripled)
        result = y * z + x
    (found,) = pullback(builder, {result: g}, [x])
    graph = extract("f", builder.nodes, [x, g], (), [found])
    at = 0.5
    assert evaluate(graph, [numpy.array(at), numpy.array(1.0)])[0] == pytest.approx(
        1 + 3 * at * (at + numpy.exp(at**2))
    )
    (unreached,) = pullback(builder, {inside: g}, [x])  # the inside itself has the rules of its primitives
    assert unreached is not None


def test_copies_of_a_region_have_its_rule() -> None:
    builder = Builder()
    x = builder.input(F64)

    def pull(heads: Sequence[Value]) -> list[Value | None]:
        with builder:
            return list(close_region(builder, [heads[0]], [heads[0] * 2.0], [x], tripled))

    pulled = reverse_map(builder, [x], pull)
    head, g = builder.input(F64), builder.input(F64)
    (found,) = pulled(builder, [head])
    assert found is not None
    (slope,) = pullback(builder, {found: g}, [head])
    graph = extract("f", builder.nodes, [x, head, g], (), [found, slope])
    assert evaluate(graph, [numpy.array(n) for n in (5.0, 7.0, 1.0)]) == [14, 15]


def test_what_a_region_needs_is_kept_with_it() -> None:
    builder = Builder()
    x = builder.input(F64)
    with builder:
        residual, dead = ops.exp(x), ops.sin(x)
        (y,) = close_region(builder, [x], [ops.square(x)], [residual], tripled)
    kept = needed(builder.nodes, [y], builder.regions)
    assert [node.op.name for node in kept] == ["exp", "square", "identity"]
    assert dead.node not in kept
    assert reads(kept[1:], [y], builder.regions) == [x, residual]


def test_forward_mode_refuses_rules_that_are_not_linear() -> None:
    builder = Builder()
    x = builder.input(F64)

    def square(heads: Sequence[Value]) -> list[Value | None]:
        with builder:
            return [ops.square(heads[0])]

    with pytest.raises(GradientError, match="linear in the cotangent"):
        forward_map(builder, [x], [x], square)


def test_every_differentiable_primitive_is_covered() -> None:
    differentiable = {op.name for op in primitives.values() if not isinstance(op.gradient, NotDifferentiable)}
    assert len({case.op for case in SMOOTH} & differentiable) > 100
