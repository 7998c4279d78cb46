"""Which node of a graph became what: in the copy that is a stage, and in the kernels of generated code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence

from dopegraph.backends.partition import Stage
from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.ir.types import attribute_key
from dopegraph.passes.cells import COSTS, Cell
from dopegraph.passes.kernels import Kernel
from dopegraph.passes.pipeline import optimize
from dopegraph.runtime.location import Location


def originals(stage: Stage) -> dict[Node, Node]:
    """For each node of a stage's graph the node of the whole graph that it is a copy of."""
    found: dict[Node, Node] = {}
    pending = list(zip(stage.graph.outputs, stage.outputs))
    while pending:
        copy, value = pending.pop()
        if copy.node is None or value.node is None or copy.node in found:
            continue
        found[copy.node] = value.node
        pending.extend(zip(copy.node.inputs, value.node.inputs))
    return found


def rewritten(before: Graph, after: Graph) -> dict[Node, Node]:
    """For each node of a graph that was rewritten a little the node of the graph before that it comes from.

    Nodes that are alike are paired in their order; what was written instead of a node has its line.
    """
    waiting: dict[Hashable, list[Node]] = defaultdict(list)
    for node in before.nodes:
        waiting[_key(node)].append(node)
    found: dict[Node, Node] = {}
    for node in after.nodes:
        same = waiting.get(_key(node))
        if same:
            found[node] = same.pop(0) if len(same) > 1 else same[0]
    taken = set(found.values())
    rest = defaultdict(list)
    for node in before.nodes:
        if node not in taken:
            rest[node.location].append(node)
    for node in after.nodes:
        if node not in found and rest.get(node.location):
            found[node] = rest[node.location][0]
    return found


def _key(node: Node) -> Hashable:
    attributes = tuple(sorted((key, attribute_key(value)) for key, value in node.attrs.items()))
    where = node.location
    place = (where, where.gradient) if where is not None else None
    return node.op.name, attributes, tuple([value.type for value in node.outputs]), place


def nodes_of(step: Kernel | Node) -> dict[Node, float]:
    """The nodes that a step of generated code computes, with what each costs, in additions."""
    if isinstance(step, Node):
        return {step: 1.0}
    found: dict[Node, float] = {}
    seen: set[Cell] = set()
    for root in step.roots:
        pending = [root.cell]
        while pending:
            cell = pending.pop()
            if cell in seen:
                continue
            seen.add(cell)
            pending.extend(cell.operands)
            if cell.node is not None and cell.kind in ("apply", "gather"):
                found[cell.node] = cost(cell.node)
        value: Value = root.request.source
        if "map" not in root.kind and value.node is not None:
            found[value.node] = cost(value.node)
    return found


def cost(node: Node) -> float:
    """What a node costs, in additions, and not nothing."""
    elements = max([value.type.size for value in (*node.inputs, *node.outputs)], default=0)
    return float(max(elements, 1) * COSTS.get(node.op.name, 1))


def shares(weights: Mapping[Node, float], origin: Mapping[Node, Node] | None = None) -> dict[Node, float]:
    """Weights as shares of 1, of the nodes that these come from."""
    whole = sum(weights.values())
    found: dict[Node, float] = {}
    for node, weight in weights.items():
        at = node if origin is None else origin.get(node)
        if at is not None:
            found[at] = found.get(at, 0.0) + weight / whole
    return found


def with_lines(graph: Graph, source: Graph, lines: Sequence[Location | None]) -> tuple[Graph, dict[Node, Node]] | None:
    """An optimized graph with the lines of an equal graph, and which node of it each node of `graph` is.

    Parameters
    ----------
    graph : Graph
        What `source` was optimized to.
    source : Graph
    lines : sequence of Location or None
        For each node of `source` another place.

    Returns
    -------
    (Graph, dict) or None
        None if the lines are those of `source`, or not as many as its nodes.
    """
    before = [node.location for node in source.nodes]
    if len(lines) != len(before) or before == list(lines):
        return None
    again = source.copy()
    for node, location in zip(again.nodes, lines):
        node.location = location
    made = optimize(again)  # does the same to equal graphs
    if [_kind(node) for node in made.nodes] != [_kind(node) for node in graph.nodes]:
        return None
    return made, dict(zip(graph.nodes, made.nodes))


def _kind(node: Node) -> Hashable:
    return node.op.name, tuple([value.type for value in node.outputs])
