"""Products that are done together or not at all: those that share an operand, and those with one-hot rows.

``x @ v`` and ``x @ w`` become ``x @ [v w]``, and ``v @ x`` and ``w @ x`` the rows of one product, where that pays: a
few columns take as long as a whole panel of registers, but putting operands together copies them. A row of a one-hot
matrix times a matrix is a row of it, whatever stands in the other rows (0 times NaN would be NaN); what its derivative
adds up are rows, too. Products over time are made with the loops (`dopegraph.passes.recurrence`).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from dopegraph.ir.builder import Builder
from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.ir.primitive import primitives
from dopegraph.ir.types import SHORT_NAMES
from dopegraph.passes.pass_ import Pass, rewrite_nodes
from dopegraph.passes.product_levels import merge_levels
from dopegraph.passes.product_sums import merge_sums
from dopegraph.passes.stacks import along

# Results are computed in blocks of so many rows and columns; an element costs so many operations to copy, or to pack.
ROWS, COLUMNS = 8, 32
COPY, PACK = 16, 8

# As much of the time of the single products may be left.
PAYS = 0.8


class BatchMatmul(Pass):
    name = "batch_matmul"

    def run(self, graph: Graph) -> bool:
        changed = rewrite_nodes(graph, _gathered)
        for shared in (0, 1):
            changed = _merge(graph, shared) or changed
        levels = merge_levels(
            graph, _is_product, functools.partial(_pays, shared=1), functools.partial(_together, shared=1)
        )
        sums = merge_sums(graph, _is_product)
        return changed or levels or sums


# One-hot ------------------------------------------------------------------------------------------------------------


def _gathered(node: Node) -> Value | None:
    """Rows that are read, or added up, in place of a product with a one-hot matrix."""
    if node.op.name != "matmul" or node.attrs["transpose_y"] or node.inputs[1].ndim != 2:
        return None
    found = _indices(node.inputs[0])
    if found is None:
        return None
    indices, depth = found
    y: Value = node.inputs[1]
    place = primitives["cast"](indices, dtype=_INDEX)
    valid = primitives["logical_and"](
        primitives["greater_equal"](place, _integer(0)), primitives["less"](place, _integer(depth))
    )
    inside = primitives["select"](valid, place, _integer(0))
    rows = primitives["reshape"](valid, shape=(*valid.shape, 1))
    nothing = primitives["full"](value=y.type.dtype.type(0).item(), shape=(), dtype=y.type.dtype)
    result: Value
    if node.attrs["transpose_x"]:
        kept = primitives["select"](rows, y, nothing)
        result = primitives["take_scatter"](kept, inside, axis=0, shape=(depth, y.shape[1]))
    else:
        taken = primitives["take"](y, inside, axis=0)
        result = primitives["select"](rows, taken, nothing)
    return result


_INDEX = SHORT_NAMES["i64"]


def _integer(number: int) -> Value:
    found: Value = primitives["full"](value=number, shape=(), dtype=_INDEX)
    return found


def _indices(value: Value) -> tuple[Value, int] | None:
    """The indices of a matrix of one-hot rows, as one axis, and how long the rows are."""
    node, columns = value.node, value.shape[-1]
    if node is not None and node.op.name == "reshape":
        node = node.inputs[0].node
    if node is None or node.op.name != "one_hot" or node.attrs["depth"] != columns or value.ndim != 2 or not columns:
        return None
    indices: Value = primitives["reshape"](node.inputs[0], shape=(value.shape[0],))
    return indices, columns


# One operand for several products -----------------------------------------------------------------------------------


def _is_product(node: Node) -> bool:
    return node.op.name == "matmul" and node.output.type.is_float and all(value.ndim == 2 for value in node.inputs)


def _merge(graph: Graph, shared: int) -> bool:
    """Do products together that have the same first (0) or second (1) operand."""
    position = {value: place for place, node in enumerate(graph.nodes) for value in node.outputs}
    groups: dict[tuple[Value, bool, bool], list[Node]] = {}
    for node in graph.nodes:
        if _is_product(node):
            key = node.inputs[shared], node.attrs["transpose_x"], node.attrs["transpose_y"]
            groups.setdefault(key, []).append(node)
    chosen: dict[Node, list[Node]] = {}
    for nodes in groups.values():
        first = position[nodes[0].output]
        ready = [node for node in nodes if position.get(node.inputs[1 - shared], -1) < first]
        if len(ready) > 1 and _pays(ready, shared):
            chosen[ready[0]] = ready
    if not chosen:
        return False
    builder = Builder()
    replacement: dict[Value, Value] = {}
    with builder:
        for node in graph.nodes:
            node.inputs = tuple([replacement.get(value, value) for value in node.inputs])
            if node in chosen:
                with builder.at(node.location):
                    replacement.update(_together(chosen[node], shared))
            elif node.outputs[0] not in replacement:
                builder.nodes.append(node)
    graph.nodes = builder.nodes
    graph.replace(replacement)
    return True


def _lengths(node: Node) -> tuple[int, int, int]:
    m, n = node.output.shape
    return m, node.inputs[0].shape[0 if node.attrs["transpose_x"] else 1], n


def _cost(m: int, k: int, n: int) -> int:
    rows, columns = -(-m // ROWS) * ROWS, -(-n // COLUMNS) * COLUMNS
    return 2 * rows * k * columns + PACK * k * n


def _pays(nodes: Sequence[Node], shared: int) -> bool:
    single = sum(_cost(*_lengths(node)) for node in nodes)
    m, k, n = _lengths(nodes[0])
    if shared == 0:
        n = sum(node.output.shape[1] for node in nodes)
    else:
        m = sum(node.output.shape[0] for node in nodes)
    copied = sum(node.inputs[1 - shared].type.size for node in nodes)
    return _cost(m, k, n) + COPY * copied < PAYS * single


def _together(nodes: Sequence[Node], shared: int) -> dict[Value, Value]:
    """One product, and the parts of its result."""
    attrs = nodes[0].attrs
    transposed = attrs["transpose_x" if shared else "transpose_y"]
    axis = (1 - shared) if not transposed else shared  # of what is put together, along the result's rows or columns
    operands = [node.inputs[1 - shared] for node in nodes]
    whole = primitives["concat"](*operands, axis=axis)
    pair = [nodes[0].inputs[0], whole] if shared == 0 else [whole, nodes[0].inputs[1]]
    product = primitives["matmul"](*pair, **attrs)
    found: dict[Value, Value] = {}
    start = 0
    for node in nodes:
        stop = start + node.output.shape[1 - shared]
        found[node.output] = along(product, 1 - shared, start, stop)
        start = stop
    return found
