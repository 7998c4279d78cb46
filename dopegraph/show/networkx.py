"""A graph as a ``networkx.MultiDiGraph``, for its algorithms (paths, levels, cuts), and back."""

from __future__ import annotations

from typing import Any

import networkx

from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.ir.parser import parse
from dopegraph.ir.primitive import primitives
from dopegraph.ir.printer import value_names
from dopegraph.ir.types import TensorType
from dopegraph.ir.verifier import verify
from dopegraph.runtime.errors import GraphError
from dopegraph.runtime.location import Location


def to_networkx(graph: Graph) -> networkx.MultiDiGraph:
    """Inputs, nodes and results as vertices; one edge for every operand.

    Returns
    -------
    networkx.MultiDiGraph
        Vertices have ``kind`` (``input``, ``state``, ``node`` or ``result``) and ``types``; inputs and state ``name``,
        the place in the source; nodes ``op``, ``attrs``, ``file``, ``line``, ``function`` and ``gradient`` (whether it
        is part of the derivative of its line); results ``position``, and ``replaces``, the vertex of the state that
        they are new values of, or None. Edges have ``value``, ``type``, ``output`` (which result of the vertex) and
        ``position`` (which operand).
    """
    names = value_names(graph)
    result = networkx.MultiDiGraph(name=graph.name)
    for values, kind in ((graph.inputs, "input"), (graph.state, "state")):
        for value in values:
            result.add_node(names[value], kind=kind, name=value.name, types=[str(value.type)])
    vertex = {value: names[value] for value in graph.arguments}

    def connect(value: Value, target: str, position: int) -> None:
        edge = {"value": names[value], "type": str(value.type), "output": value.index, "position": position}
        result.add_edge(vertex[value], target, **edge)

    for number, node in enumerate(graph.nodes):
        own = names[node.outputs[0]] if node.outputs else f"node {number}"
        vertex.update((value, own) for value in node.outputs)
        where = node.location
        result.add_node(
            own,
            kind="node",
            op=node.op.name,
            attrs=dict(node.attrs),
            types=[str(value.type) for value in node.outputs],
            file=where.file if where else None,
            line=where.line if where else None,
            function=where.function if where else None,
            gradient=where.gradient if where else False,
        )
        for position, value in enumerate(node.inputs):
            connect(value, own, position)
    results: list[tuple[str, Value, str | None]] = [
        (f"result {number}", value, None) for number, value in enumerate(graph.outputs)
    ]
    results += [(f"new {names[old]}", new, names[old]) for old, new in graph.updates]
    for number, (own, value, replaces) in enumerate(results):
        result.add_node(own, kind="result", types=[str(value.type)], position=number, replaces=replaces)
        connect(value, own, 0)
    return result


def from_networkx(network: networkx.MultiDiGraph) -> Graph:
    """The graph that `to_networkx` gave, or one that was made or changed in its form.

    Vertices may be added and taken away as long as operands and types fit; what does not is an error.

    Raises
    ------
    GraphError
        When the vertices or edges are no graph.

    Examples
    --------
    >>> from dopegraph.ir import parse
    >>> graph = parse("graph f(%x: f32[3]) { %0: f32[3] = tanh(%x) return %0 }")
    >>> str(from_networkx(graph.to_networkx())) == str(graph)
    True
    """
    graph = Graph(str(network.graph.get("name", "graph")))
    try:
        order = list(networkx.lexicographical_topological_sort(network, key=_places(network).__getitem__))
        made: dict[Any, tuple[Value, ...]] = {}
        results: list[tuple[int, Any, Value]] = []
        for vertex in order:
            facts = network.nodes[vertex]
            edges = sorted(network.in_edges(vertex, data=True), key=lambda edge: edge[2]["position"])
            if [edge[2]["position"] for edge in edges] != list(range(len(edges))):
                raise GraphError(f"from_networkx: the operands of {vertex} are not numbered from 0")
            operands = [made[source][edge["output"]] for source, _, edge in edges]
            kind = facts["kind"]
            if kind in ("input", "state"):
                made[vertex] = (Value(_type(facts["types"][0]), None, 0, facts.get("name")),)
                (graph.inputs if kind == "input" else graph.state).append(made[vertex][0])
            elif kind == "node":
                made[vertex] = _node(graph, facts, operands).outputs
            elif kind == "result":
                results.append((facts["position"], facts.get("replaces"), operands[0]))
            else:
                raise GraphError(f"from_networkx: {vertex} is of the unknown kind {kind!r}")
        for _, replaces, value in sorted(results, key=lambda one: one[0]):
            if replaces is None:
                graph.outputs.append(value)
            else:
                graph.updates.append((made[replaces][0], value))
    except networkx.NetworkXUnfeasible:
        raise GraphError("from_networkx: a vertex depends on itself") from None
    except (KeyError, IndexError, TypeError) as cause:
        raise GraphError(f"from_networkx: a vertex or an edge lacks {cause}") from cause
    verify(graph)
    return graph


def _places(network: networkx.MultiDiGraph) -> dict[Any, int]:
    """Vertices keep the order in which they were added, where operands allow it."""
    return {vertex: place for place, vertex in enumerate(network.nodes)}


def _type(text: str) -> TensorType:
    return parse(f"graph f(%x: {text}) {{ return %x }}").inputs[0].type


def _node(graph: Graph, facts: dict[str, Any], operands: list[Value]) -> Node:
    if facts["op"] not in primitives:
        raise GraphError(f"from_networkx: {facts['op']!r} is not a primitive")
    op = primitives[facts["op"]]
    where = None
    if facts.get("file") is not None:
        where = Location(facts["file"], facts["line"], facts["function"], bool(facts.get("gradient")))
    types = op.result_types([operand.type for operand in operands], facts["attrs"])
    node = Node(op, operands, facts["attrs"], types, where)
    graph.nodes.append(node)
    return node
