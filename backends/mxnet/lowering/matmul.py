"""Lowering of the matrix product: `dot`, `batch_dot`, or oneDNN's `FullyConnected` where that is faster."""

from __future__ import annotations

import math

from dopegraph.backends.mxnet.lowering.context import FLOAT32, Context, Entry, Rule, carried_shape, result_type
from dopegraph.ir.graph import Node
from dopegraph.ops.typing import broadcast_shapes

# Transposing operands for FullyConnected pays in products of so many multiplications, and so many for each element
# that is transposed (measured: 1.1 to 1.7 times as fast as `dot`).
_LARGE = 1 << 20
_PAYING = 64


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
    rows, inner = x.shape[::-1] if tx else x.shape
    columns = y.shape[0] if ty else y.shape[1]
    # FullyConnected wants its right operand transposed and its left one not.
    moved = rows * inner * tx + inner * columns * (not ty)
    work = rows * inner * columns
    if x.dtype == FLOAT32 and (not moved or (work >= _LARGE and work >= _PAYING * moved)):
        left = c.transpose(x, (1, 0)) if tx else x
        right = y if ty else c.transpose(y, (1, 0))
        return c.op("FullyConnected", left, right, shape=(rows, columns), num_hidden=columns, no_bias=True)
    return c.op("dot", x, y, shape=(rows, columns), transpose_a=tx, transpose_b=ty)


RULES: dict[str, Rule] = {"matmul": _matmul}
