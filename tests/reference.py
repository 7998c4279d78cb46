"""What the tests compare with: graphs evaluated node by node, random arguments, derivatives by central differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy

import dopegraph.ops  # noqa: F401  (declares the primitives)
from dopegraph.ir import Builder, Graph, TensorType, Value, parse, verify
from dopegraph.ir.graph import extract
from dopegraph.ir.primitive import Primitive, primitives
from dopegraph.passes.pass_ import Pass

Array = numpy.ndarray


def types(text: str) -> list[TensorType]:
    """The types written in a text such as ``f32[2,3] i64[]``."""
    header = ", ".join(f"%x{number}: {type}" for number, type in enumerate(text.split()))
    return [value.type for value in parse(f"graph f({header}) {{ return }}").inputs]


def evaluate_all(graph: Graph, arguments: Sequence[Array]) -> dict[Value, Array]:
    """Every value of a graph, computed by the kernels one node at a time."""
    known = dict(zip(graph.arguments, arguments))
    with numpy.errstate(all="ignore"):
        for node in graph.nodes:
            computed = node.op.kernel(*(known[value] for value in node.inputs), **node.attrs)
            results = computed if isinstance(computed, tuple) else (computed,)
            known.update(zip(node.outputs, map(numpy.asarray, results)))
    return known


def evaluate(graph: Graph, arguments: Sequence[Array]) -> list[Array]:
    """The results of a graph, computed by the kernels one node at a time."""
    known = evaluate_all(graph, arguments)
    return [known[value] for value in graph.results]


def random_array(type: TensorType, random: numpy.random.Generator) -> Array:
    """Numbers in (-2, 2), or small integers of a type."""
    kind = type.dtype.kind
    if kind == "b":
        return random.integers(0, 2, type.shape).astype(bool)
    if kind in "iu":
        return random.integers(0 if kind == "u" else -4, 5, type.shape).astype(type.dtype)
    numbers = random.uniform(-2, 2, type.shape)
    if kind == "c":
        numbers = numbers + 1j * random.uniform(-2, 2, type.shape)
    return numpy.asarray(numbers).astype(type.dtype)


def random_arguments(graph: Graph, seed: int) -> list[Array]:
    random = numpy.random.default_rng(seed)
    return [random_array(value.type, random) for value in graph.arguments]


def single(op: Primitive, operands: Sequence[TensorType], attrs: dict[str, Any]) -> Graph:
    """The graph of one node."""
    builder = Builder()
    inputs = [builder.input(type) for type in operands]
    node = builder.emit_node(op, inputs, attrs)
    return extract("f", builder.nodes, inputs, (), node.outputs)


def gradient_graph(graph: Graph, wrt: Sequence[int]) -> Graph:
    """The gradient of <v, result> by the arguments `wrt`: takes the graph's arguments and v, gives one array for each.

    An argument on which the result does not depend smoothly gets zeros.
    """
    from dopegraph.autodiff import pullback

    graph = graph.copy()
    builder = Builder()
    builder.nodes = graph.nodes
    (output,) = graph.outputs
    direction = builder.input(output.type, "v")
    targets = [graph.inputs[position] for position in wrt]
    found = pullback(builder, {output: direction}, targets)
    with builder:
        gradients = [
            primitives["full"](value=0.0, shape=target.shape, dtype=target.type.dtype) if one is None else one
            for one, target in zip(found, targets)
        ]
    return extract("gradient", builder.nodes, [*graph.inputs, direction], (), gradients)


def functional_of(graph: Graph, seed: int) -> Graph:
    """A graph with one result: the (real part of the) sum of the products of all results with fixed random numbers."""
    graph = graph.copy()
    builder = Builder()
    builder.nodes = graph.nodes
    random = numpy.random.default_rng(seed)
    with builder:
        total = None
        for output in graph.outputs:
            weights = primitives["constant"](value=random_array(output.type, random))
            part = primitives["sum"](output * weights, axes=tuple(range(output.ndim)))
            part = primitives["real"](part) if output.type.dtype.kind == "c" else part
            total = part if total is None else total + part
    assert total is not None
    return extract(graph.name, builder.nodes, graph.inputs, graph.state, [total])


def numerical_gradient(function: Callable[[Array], Any], x: Array, step: float = 1e-5) -> Array:
    """The derivative of a function that gives one number, by central differences, element by element.

    By a complex number x + iy it is df/dx - i df/dy.
    """
    of_complex = x.dtype.kind == "c"
    result = numpy.zeros(x.shape, complex if of_complex else float)
    for index in numpy.ndindex(*x.shape):
        for direction in (1, 1j) if of_complex else (1,):
            values = []
            for sign in (1, -1):
                moved = numpy.array(x)
                moved[index] += sign * step * direction
                values.append(float(function(moved)))
            result[index] += (values[0] - values[1]) / (2 * step) / direction
    return result


def central_difference(graph: Graph, arguments: Sequence[Array], position: int, step: float = 1e-5) -> Array:
    """The derivative of a graph's only, scalar result by one argument."""

    def value(moved: Array) -> Array:
        return evaluate(graph, [*arguments[:position], moved, *arguments[position + 1 :]])[0]

    return numerical_gradient(value, arguments[position], step)


def assert_gradient(
    graph: Graph, arguments: Sequence[Array], wrt: Sequence[int], rtol: float = 1e-6, atol: float = 1e-6
) -> Graph:
    """Compare the gradient of a random functional of a graph's results with central differences; the gradient graph."""
    scalar = functional_of(graph, seed=1)
    gradient = gradient_graph(scalar, wrt)
    found = evaluate(gradient, [*arguments, numpy.array(1.0)])
    for one, position in zip(found, wrt):
        expected = central_difference(scalar, arguments, position)
        numpy.testing.assert_allclose(one, expected, rtol, atol)
    return gradient


def body(text: str) -> str:
    """A graph of float arguments of shape [2], written as its nodes only: ``%0: ... return ...``."""
    return f"graph f(%x: f32[2], %y: f32[2]) {{ {text} }}"


def after(one: Pass, text: str) -> str:
    """The text of a graph after a pass, which must be right in what it says about changes."""
    graph = parse(text)
    before = str(graph)
    changed = one.run(graph)
    verify(graph)
    assert changed == (str(graph) != before)
    return str(graph)


def lines(text: str) -> list[str]:
    """The nodes and the results of a printed graph."""
    return [line.strip() for line in text.split("\n")[1:-1]]
