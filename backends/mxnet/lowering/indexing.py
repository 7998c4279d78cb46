"""Lowering of lookups by integer arrays. Negative indices count from the end; others outside the axis are errors."""

from __future__ import annotations

import math

from dopegraph.backends.mxnet.lowering.context import (
    INT32,
    INT64,
    Context,
    Entry,
    Rule,
    carried_dtype,
    carried_shape,
    result_type,
)
from dopegraph.ir.graph import Node, Value
from dopegraph.ir.types import Shape


def _counted_from_front(c: Context, indices: Value, length: int) -> Entry:
    found = c[indices]
    if found.dtype.itemsize < 4:
        found = c.cast(found, INT32)  # so that adding the length cannot overflow
    if indices.type.dtype.kind == "u" or _never_negative(indices):
        return found
    wrapped = c.scalar("_mul_scalar", c.scalar("_lesser_scalar", found, 0), length)
    return c.op("elemwise_add", found, wrapped)


def _never_negative(indices: Value) -> bool:
    node = indices.node
    if node is None:
        return False
    if node.op.name in ("constant", "iota"):
        return bool((node.op.kernel(**node.attrs) >= 0).all())
    return node.op.name in ("argmax", "argmin")


def _take(c: Context, node: Node) -> Entry:
    x, axis = c[node.inputs[0]], node.attrs["axis"]
    indices = _counted_from_front(c, node.inputs[1], x.shape[axis])
    shape = x.shape[:axis] + indices.shape + x.shape[axis + 1 :]
    taken = c.op("take", x, indices, shape=shape, axis=axis, mode="raise")
    return c.reshape(taken, carried_shape(result_type(node).shape))


def _take_scatter(c: Context, node: Node) -> Entry:
    """Rows are added where their indices say."""
    shape = node.attrs["shape"]
    return _added(c, node, node.inputs[1], c[node.inputs[0]], node.attrs["axis"] % len(shape), shape)


def _added(c: Context, node: Node, positions: Value, g: Entry, axis: int, shape: Shape) -> Entry:
    length, outer, inner = shape[axis], math.prod(shape[:axis]), math.prod(shape[axis + 1 :])
    indices = _counted_from_front(c, positions, length)
    count = math.prod(indices.shape)
    # Scattering does not check its indices: taking each from 0, 1, 2, ... does.
    numbers = c.op("_arange", shape=(length,), dtype=INT64, attrs={"start": 0, "stop": length, "dtype": "int64"})
    checked = c.op("take", numbers, c.reshape(indices, (count,)), shape=(count,), axis=0, mode="raise")
    values = c.cast(g, INT32) if g.dtype.itemsize == 1 else g  # it does not take bytes
    rows = c.transpose(c.reshape(values, (outer, count, inner)), (1, 0, 2))
    added = _add_rows(c, node, c.reshape(rows, (count, outer * inner)), checked, (length, outer * inner))
    back = c.transpose(c.reshape(added, (length, outer, inner)), (1, 0, 2))
    return c.cast(c.reshape(back, carried_shape(shape)), g.dtype)


def _scatter_add(c: Context, node: Node) -> Entry:
    """What stands there, and the sum of what is added."""
    x = c[node.inputs[0]]
    shape = node.inputs[0].type.shape
    added = _added(c, node, node.inputs[1], c[node.inputs[2]], node.attrs["axis"] % len(shape), shape)
    return c.op("elemwise_add", x, c.reshape(added, x.shape))


def _add_rows(c: Context, node: Node, rows: Entry, indices: Entry, shape: Shape) -> Entry:
    if c.portable:
        # Needs no other operator beside it, but threads add in any order: the last digits vary.
        return c.op("_backward_gather_nd", rows, c.reshape(indices, (1, *indices.shape)), attrs={"shape": shape},
                    shape=shape)  # fmt: skip
    how = {"axis": 0, "mode": "clip"}
    forward = c.node("take", (_of_shape(c, node, shape, rows), indices), how)
    made = c.node("_backward_take", (rows, indices), how, [forward])
    other = c.writer.block(Entry(made, 1, indices.shape, indices.dtype))  # a CachedOp insists that it is read
    return Entry(c.node("BlockGrad", (Entry(made, 0, shape, rows.dtype),), {}, [other.node]), 0, shape, rows.dtype)


def _of_shape(c: Context, node: Node, shape: Shape, rows: Entry) -> Entry:
    """Any array of that shape, from which the backward operator takes the shape: best what the rows were taken from."""
    for user in c.users[node.inputs[1]]:
        if user.op.name == "take" and user.attrs["axis"] == node.attrs["axis"] == 0:
            x = user.inputs[0]
            if x.type == result_type(node) and (x.node is None or x in c.entries) and c[x].dtype == rows.dtype:
                return c.reshape(c[x], shape)
    return c.full(0, shape, rows.dtype)


def _one_hot(c: Context, node: Node) -> Entry:
    type = result_type(node)
    dtype = carried_dtype(type.dtype)
    indices, depth = c[node.inputs[0]], node.attrs["depth"]
    # MXNet looks at 32 bits of an index only.
    narrow = c.op("clip", indices, a_min=-1, a_max=depth) if indices.dtype == INT64 else indices
    found = c.op("one_hot", narrow, dtype=dtype, shape=(*indices.shape, depth),
                 attrs={"depth": depth, "dtype": dtype.name})  # fmt: skip
    return c.reshape(found, type.shape)


RULES: dict[str, Rule] = {
    "take": _take,
    "take_scatter": _take_scatter,
    "scatter_add": _scatter_add,
    "one_hot": _one_hot,
}
