"""Lowering of the matrix product: `dot`, `batch_dot`, or oneDNN's `FullyConnected` where that is faster."""

from __future__ import annotations

import math

from dopegraph.backends.mxnet.lowering.context import FLOAT32, Context, Entry, Rule, carried_shape, result_type
from dopegraph.ir.graph import Node
from dopegraph.ops.typing import broadcast_shapes

# From this size of the right operand on, transposing it for FullyConnected pays.
_LARGE = 1 << 14


def _matmul(c: Context, node: Node) -> Entry:
    x, y = (c[value] for value in node.inputs)
    tx, ty = node.attrs["transpose_x"], node.attrs["transpose_y"]
    shape = carried_shape(result_type(node).shape)
    if len(y.shape) == 2 and not tx:
        # A stack of matrices on the left is one tall matrix.
        x = c.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))
    if len(x.shape) == len(y.shape) == 2:
        return c.reshape(matrix_product(c, x, y, tx, ty), shape)
    batch = broadcast_shapes(x.shape[:-2], y.shape[:-2])
    count = math.prod(batch)
    x, y = (c.reshape(c.broadcast_to(one, batch + one.shape[-2:]), (count, *one.shape[-2:])) for one in (x, y))
    flat = (count, *shape[-2:])
    return c.reshape(c.op("batch_dot", x, y, shape=flat, transpose_a=tx, transpose_b=ty), shape)


def matrix_product(c: Context, x: Entry, y: Entry, tx: bool, ty: bool) -> Entry:
    rows = x.shape[1] if tx else x.shape[0]
    columns = y.shape[0] if ty else y.shape[1]
    if x.dtype == FLOAT32 and not tx and (ty or (rows >= 64 and math.prod(y.shape) >= _LARGE)):
        right = y if ty else c.transpose(y, (1, 0))
        return c.op("FullyConnected", x, right, shape=(rows, columns), num_hidden=columns, no_bias=True)
    return c.op("dot", x, y, shape=(rows, columns), transpose_a=tx, transpose_b=ty)


RULES: dict[str, Rule] = {"matmul": _matmul}
