"""Checks that a graph obeys the rules of the IR; the test suite runs it after every pass."""

from __future__ import annotations

from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.ir.printer import format_attribute
from dopegraph.runtime.errors import GraphError


def verify(graph: Graph) -> None:
    """Raise `GraphError` unless types, order, uses and attributes of a graph are right."""
    defined: set[Value] = set()
    for value in graph.arguments:
        if value.node is not None:
            raise GraphError(f"{graph.name}: the input {value!r} is the result of a node")
        if value in defined:
            raise GraphError(f"{graph.name}: the input {value!r} stands there twice")
        defined.add(value)
    for node in graph.nodes:
        _verify_node(graph, node, defined)
        for index, value in enumerate(node.outputs):
            if value.node is not node or value.index != index or value in defined:
                raise GraphError(f"{graph.name}: a result of {node!r} does not belong to it alone")
            defined.add(value)
    for value in graph.results:
        if value not in defined:
            raise GraphError(f"{graph.name}: the result {value!r} is not defined in the graph")
    _verify_updates(graph)


def _verify_node(graph: Graph, node: Node, defined: set[Value]) -> None:
    op = node.op
    for value in node.inputs:
        if value not in defined:
            raise GraphError(f"{graph.name}: {node!r} uses {value!r} before it is defined")
    if not op.variadic and len(node.inputs) != op.arity:
        raise GraphError(f"{graph.name}: {op.name} takes {op.arity} operands, not {len(node.inputs)}")
    unknown = set(node.attrs) - set(op.attributes)
    missing = {key for key, default in op.attributes.items() if default is op.required} - set(node.attrs)
    if unknown or missing:
        wrong = ", ".join(sorted(unknown | missing))
        raise GraphError(f"{graph.name}: {op.name} has wrong or missing attributes: {wrong}")
    for key, attribute in node.attrs.items():
        try:
            format_attribute(attribute)
        except TypeError as cause:
            raise GraphError(f"{graph.name}: {op.name}: attribute {key}: {cause}") from cause
    try:
        types = op.result_types([value.type for value in node.inputs], node.attrs)
    except (TypeError, ValueError) as cause:
        raise GraphError(f"{graph.name}: {node!r}: {cause}") from cause
    found = tuple(value.type for value in node.outputs)
    if types != found:
        right, wrong = (", ".join(map(str, one)) for one in (types, found))
        raise GraphError(f"{graph.name}: {node!r} should give {right}, not {wrong}")


def _verify_updates(graph: Graph) -> None:
    arguments = set(graph.arguments)
    updated: set[Value] = set()
    for old, new in graph.updates:
        if old not in arguments:
            raise GraphError(f"{graph.name}: {old!r} is updated but is not an input")
        if old in updated:
            raise GraphError(f"{graph.name}: {old!r} is updated twice")
        if old.type != new.type:
            raise GraphError(f"{graph.name}: {old!r} is updated with another type, {new.type}")
        updated.add(old)
