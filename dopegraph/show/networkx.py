"""A graph as a ``networkx.MultiDiGraph``, for its algorithms: paths, levels, cuts."""

from __future__ import annotations

import networkx

from dopegraph.ir.graph import Graph
from dopegraph.ir.printer import value_names


def to_networkx(graph: Graph) -> networkx.MultiDiGraph:
    """Inputs, nodes and results as vertices; one edge for every operand.

    Returns
    -------
    networkx.MultiDiGraph
        Vertices have ``kind`` (``input``, ``state``, ``node`` or ``result``), nodes also ``op``, ``attrs``, ``types``,
        ``file``, ``line`` and ``function``; edges have ``value``, ``type`` and ``position``.
    """
    names = value_names(graph)
    result = networkx.MultiDiGraph(name=graph.name)
    for values, kind in ((graph.inputs, "input"), (graph.state, "state")):
        for value in values:
            result.add_node(names[value], kind=kind, types=[str(value.type)])
    vertex = {value: names[value] for value in graph.arguments}
    for node in graph.nodes:
        own = names[node.outputs[0]]
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
        )
        for position, value in enumerate(node.inputs):
            result.add_edge(vertex[value], own, value=names[value], type=str(value.type), position=position)
    for number, value in enumerate(graph.outputs):
        result.add_node(f"result {number}", kind="result", types=[str(value.type)])
        result.add_edge(vertex[value], f"result {number}", value=names[value], type=str(value.type), position=0)
    for old, new in graph.updates:
        own = f"new {names[old]}"
        result.add_node(own, kind="result", types=[str(new.type)])
        result.add_edge(vertex[new], own, value=names[new], type=str(new.type), position=0)
    return result
