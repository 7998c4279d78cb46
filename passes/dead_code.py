"""Removes the nodes that no result depends on; inputs stay, they are the caller's signature."""

from __future__ import annotations

from dopegraph.ir.graph import Graph, needed_nodes
from dopegraph.passes.pass_ import Pass


class DeadCode(Pass):
    name = "dce"

    def run(self, graph: Graph) -> bool:
        needed = needed_nodes(graph.nodes, graph.results)
        removed = len(needed) < len(graph.nodes)
        graph.nodes = needed
        return removed
