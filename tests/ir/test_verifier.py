from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dopegraph import ops
from dopegraph.ir import Graph, Node, TensorType, Value, parse, verify
from dopegraph.runtime.errors import GraphError

VECTOR = TensorType("f32", (2,))


def graph() -> Graph:
    return parse("""\
graph f(%x: f32[2]; state %w: f32[2]) {
  %0: f32[2] = exp(%x)
  %1: f32[] = sum(%0) {axes=(0,)}
  return %1; %w <- %0
}""")


def stranger() -> Value:
    return Value(VECTOR, None, 0, "stranger")


def _set(**attrs: Any) -> Callable[[Graph], None]:
    return lambda graph: graph.nodes[1].attrs.update(attrs)


def _operands(*number: int) -> Callable[[Graph], None]:
    def change(graph: Graph) -> None:
        graph.nodes[0].inputs = tuple(graph.arguments[one] for one in number)

    return change


def _forge_output(graph: Graph) -> None:
    graph.nodes[0].outputs = (Value(VECTOR, graph.nodes[1]),)


BROKEN: dict[str, tuple[Callable[[Graph], Any], str]] = {
    "an input that a node makes": (lambda g: g.inputs.append(g.nodes[0].output), "is the result of a node"),
    "an input twice": (lambda g: g.inputs.append(g.inputs[0]), "<f32.2. from input x> stands there twice"),
    "an input that is state too": (lambda g: g.state.append(g.inputs[0]), "stands there twice"),
    "a use before the definition": (lambda g: g.nodes.reverse(), "<sum at None> uses <f32.2. from exp> before"),
    "an operand from elsewhere": (lambda g: g.nodes.append(Node(ops.exp, [stranger()], {}, [VECTOR])), "stranger"),
    "a node twice": (lambda g: g.nodes.append(g.nodes[0]), "a result of <exp at None> does not belong to it alone"),
    "a result of another node": (_forge_output, "does not belong to it alone"),
    "an operand too many": (_operands(0, 0), "exp takes 1 operands, not 2"),
    "an operand too few": (_operands(), "exp takes 1 operands, not 0"),
    "an unknown attribute": (_set(shape=()), "sum has wrong or missing attributes: shape"),
    "a missing attribute": (lambda g: g.nodes[1].attrs.clear(), "sum has wrong or missing attributes: axes"),
    "an attribute that has no text": (_set(axes=[0]), "sum: attribute axes: a node attribute cannot be a list"),
    "an attribute of the wrong kind": (_set(axes=None), "sum does not take"),
    "an attribute that the type rule rejects": (_set(axes=(1,)), "axis 1 is out of bounds"),
    "a wrong type": (_set(keepdims=True), r"<sum at None> should give f32\[1\], not f32\[\]"),
    "an operand type that the rule rejects": (lambda g: setattr(g.inputs[0], "type", TensorType("i32", (2,))),
        "floating"),
    "an undefined output": (lambda g: g.outputs.append(stranger()), "stranger> is not defined in the graph"),
    "an undefined update": (lambda g: g.updates.append((g.inputs[0], stranger())), "is not defined in the graph"),
    "an update of what is no input": (lambda g: g.updates.append((g.nodes[0].output, g.inputs[0])), "is not an input"),
    "an update twice": (lambda g: g.updates.append(g.updates[0]), "is updated twice"),
    "an update of another type": (lambda g: g.updates.append((g.inputs[0], g.outputs[0])), r"another type, f32\[\]"),
}  # fmt: skip


def test_the_graph_that_is_broken_below_is_right() -> None:
    verify(graph())


@pytest.mark.parametrize(("change", "message"), BROKEN.values(), ids=BROKEN)
def test_the_verifier_rejects(change: Callable[[Graph], Any], message: str) -> None:
    broken = graph()
    change(broken)
    with pytest.raises(GraphError, match=message):
        verify(broken)


def test_a_variadic_primitive_takes_any_number_of_operands() -> None:
    for operands in ("%x", "%x, %x", "%x, %x, %x"):
        count = 2 * len(operands.split())
        verify(parse(f"graph f(%x: f32[2]) {{ %0: f32[{count}] = concat({operands}) {{axis=0}} return %0 }}"))
