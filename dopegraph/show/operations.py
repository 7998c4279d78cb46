"""What a graph computes, in numbers: nodes by primitive, arithmetic operations, bytes read and written."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from dopegraph.ir.graph import Graph, Node

_REDUCTIONS = frozenset(["sum", "prod", "max", "min", "argmax", "argmin", "cumsum", "cumprod", "any", "all"])


@dataclass(frozen=True)
class Operations:
    """What a graph computes.

    Attributes
    ----------
    counts : dict of str to int
        Nodes by primitive, the most frequent first; constants are not counted.
    flops : int
        Arithmetic operations of elementwise nodes, reductions, products of matrices and convolutions; one for each
        element, two for each term of a product.
    bytes : int
        Bytes that nodes read and write, without views.
    uncounted : dict of str to int
        Nodes whose arithmetic `flops` leaves out.
    """

    counts: dict[str, int] = field(default_factory=dict)
    flops: int = 0
    bytes: int = 0
    uncounted: dict[str, int] = field(default_factory=dict)


def operations(graph: Graph) -> Operations:
    """Count what a graph computes."""
    return operations_of(graph.nodes)


def operations_of(nodes: Iterable[Node]) -> Operations:
    """Count what nodes compute."""
    counts: Counter[str] = Counter()
    uncounted: Counter[str] = Counter()
    total = moved = 0
    for node in nodes:
        if not node.inputs:
            continue
        name = node.op.name
        counts[name] += 1
        if node.op.view:
            continue
        moved += sum(value.type.nbytes for value in (*node.inputs, *node.outputs))
        found = _flops(node)
        if found is None:
            uncounted[name] += 1
        else:
            total += found
    return Operations(dict(counts.most_common()), total, moved, dict(uncounted.most_common()))


def _flops(node: Node) -> int | None:
    name, inputs, result = node.op.name, node.inputs, node.outputs[0]
    if node.op.elementwise:
        return result.type.size
    if name in _REDUCTIONS:
        return inputs[0].type.size
    if name == "matmul":
        return 2 * result.type.size * inputs[0].shape[-2 if node.attrs.get("transpose_x") else -1]
    if name in ("conv", "conv_grad_data"):  # every element of the (given) result is a sum over the window
        return 2 * (result if name == "conv" else inputs[0]).type.size * math.prod(inputs[1].shape[1:])
    if name == "conv_grad_weight":
        return 2 * inputs[0].type.size * math.prod(node.attrs["shape"][1:])
    return None
