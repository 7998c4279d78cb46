"""Products by one matrix that do not wait for each other, wherever they stand, become one product: rows of it each.

A recursion over a tree multiplies a few rows at a time by the same weights. Products with as many products before them
(or behind them) cannot depend on each other, so they can be done together, as in Looks, Herreshoff, Hutchins and
Norvig, *Deep Learning with Dynamic Computation Graphs*, 2017. What cannot come of it is a cycle: all that reads a
product has more of them before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dopegraph.ir.builder import Builder
from dopegraph.ir.graph import Graph, Node, Value

Together = Callable[[Sequence[Node]], "dict[Value, Value]"]


def merge_levels(
    graph: Graph, is_product: Callable[[Node], bool], pays: Callable[[Sequence[Node]], bool], together: Together
) -> bool:
    """Merge products of equal first level, then those of equal last level, that share their second operand.

    Parameters
    ----------
    is_product : callable
        Whether a node may be merged.
    pays : callable
        Whether some products are worth it.
    together : callable
        Emits the one product, and gives what becomes of the results of the single ones.
    """
    merged = False
    for levels in (_from_the_start, _from_the_end):
        groups: dict[tuple[Value, bool, bool, int], list[Node]] = {}
        for node, level in levels(graph, is_product).items():
            key = node.inputs[1], node.attrs["transpose_x"], node.attrs["transpose_y"], level
            groups.setdefault(key, []).append(node)
        chosen = [nodes for nodes in groups.values() if len(nodes) > 1 and pays(nodes)]
        if chosen:
            _rewrite(graph, {node: nodes for nodes in chosen for node in nodes}, together)
            merged = True
    return merged


def _from_the_start(graph: Graph, is_product: Callable[[Node], bool]) -> dict[Node, int]:
    """How many products a product waits for at most, one after the other."""
    before: dict[Value, int] = {}
    found = {}
    for node in graph.nodes:
        level = max((before.get(value, 0) for value in node.inputs), default=0)
        if is_product(node):
            found[node] = level
            level += 1
        before.update(dict.fromkeys(node.outputs, level))
    return found


def _from_the_end(graph: Graph, is_product: Callable[[Node], bool]) -> dict[Node, int]:
    """How many products wait for a product at most, one after the other."""
    behind: dict[Value, int] = {}
    found = {}
    for node in reversed(graph.nodes):
        level = max((behind.get(value, 0) for value in node.outputs), default=0)
        if is_product(node):
            found[node] = level
            level += 1
        for value in node.inputs:
            behind[value] = max(behind.get(value, 0), level)
    # In the order of the graph, as the rows of what is put together will be.
    return dict(reversed(found.items()))


def _rewrite(graph: Graph, chosen: dict[Node, list[Node]], together: Together) -> None:
    """The same nodes, operands before who reads them, each group in place of its first product."""
    builder = Builder()
    replacement: dict[Value, Value] = {}
    done: set[Node] = set()
    with builder:
        for first in graph.nodes:
            waiting = [first]
            while waiting:
                node = waiting[-1]
                members = chosen.get(node, [node])
                makers = [value.node for member in members for value in member.inputs]
                missing = [maker for maker in makers if maker is not None and maker not in done]
                if node not in done and missing:
                    waiting += missing
                    continue
                waiting.pop()
                if node in done:
                    continue
                done.update(members)
                for member in members:
                    member.inputs = tuple([replacement.get(value, value) for value in member.inputs])
                if len(members) == 1:
                    builder.nodes.append(node)
                    continue
                with builder.at(node.location):
                    made = len(builder.nodes)
                    replacement.update(together(members))
                    done.update(builder.nodes[made:])
    graph.nodes = builder.nodes
    graph.replace(replacement)
