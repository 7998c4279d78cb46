"""A sum of products is one product: operands side by side, along the axis that is summed over.

The gradient of weights that are used many times is such a sum. With few rows a product is no more than its result
written to memory, and read again to be added up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from dopegraph.ir.builder import Builder
from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.ir.primitive import primitives


def merge_sums(graph: Graph, is_product: Callable[[Node], bool]) -> bool:
    """Make one product of those that are only added up, where less is copied than need not be written."""
    uses = Counter(value for node in graph.nodes for value in node.inputs)
    uses.update(graph.results)
    inner: set[Node] = set()
    builder = Builder()
    replacement: dict[Value, Value] = {}
    found: dict[Node, list[Value]] = {}
    for node in reversed(graph.nodes):
        if node not in inner and _adds(node):
            terms = _terms(node, uses, inner)
            if len(terms) > 2 or all(_is_term(term, node, uses, is_product) for term in terms):
                found[node] = terms
    with builder:
        for node in graph.nodes:
            node.inputs = tuple([replacement.get(value, value) for value in node.inputs])
            if node in found:
                terms = [replacement.get(value, value) for value in found[node]]
                with builder.at(node.location):
                    whole = _sum_of(node, terms, uses, is_product)
                if whole is not None:
                    replacement[node.output] = whole
                    continue
            builder.nodes.append(node)
    if replacement:
        graph.nodes = builder.nodes
        graph.replace(replacement)
    return bool(replacement)


def _adds(node: Node) -> bool:
    return node.op.name == "add" and node.output.ndim == 2 and node.output.type.is_float


def _terms(root: Node, uses: Counter[Value], inner: set[Node]) -> list[Value]:
    """What a sum adds up, from the left; the additions inside of it are noted."""
    terms: list[Value] = []
    rest = [*reversed(root.inputs)]
    while rest:
        value = rest.pop()
        node = value.node
        if node is not None and _adds(node) and uses[value] == 1 and value.shape == root.output.shape:
            inner.add(node)
            rest += reversed(node.inputs)
        else:
            terms.append(value)
    return terms


def _is_term(value: Value, root: Node, uses: Counter[Value], is_product: Callable[[Node], bool]) -> bool:
    node = value.node
    return node is not None and uses[value] == 1 and value.shape == root.output.shape and is_product(node)


def _sum_of(root: Node, terms: list[Value], uses: Counter[Value], is_product: Callable[[Node], bool]) -> Value | None:
    """The sum with its products together, of the same kind each; None where that does not pay."""
    kinds: dict[tuple[bool, bool], list[Node]] = {}
    for value in terms:
        if value.node is not None and _is_term(value, root, uses, is_product):
            attrs = value.node.attrs
            kinds.setdefault((attrs["transpose_x"], attrs["transpose_y"]), []).append(value.node)
    chosen = {kind: nodes for kind, nodes in kinds.items() if len(nodes) > 1 and _pays(nodes)}
    if not chosen:
        return None
    gone = {node.output for nodes in chosen.values() for node in nodes}
    parts = [value for value in terms if value not in gone]
    for (transpose_x, transpose_y), nodes in chosen.items():
        x = primitives["concat"](*[node.inputs[0] for node in nodes], axis=0 if transpose_x else 1)
        y = primitives["concat"](*[node.inputs[1] for node in nodes], axis=1 if transpose_y else 0)
        parts.append(primitives["matmul"](x, y, transpose_x=transpose_x, transpose_y=transpose_y))
    whole = parts[0]
    for part in parts[1:]:
        whole = primitives["add"](whole, part)
    return whole


def _pays(nodes: list[Node]) -> bool:
    m, n = nodes[0].output.shape
    copied = sum(value.type.size for node in nodes for value in node.inputs)
    return copied < len(nodes) * m * n
