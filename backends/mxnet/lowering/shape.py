"""Lowering of the primitives that move elements. MXNet stops at six axes: those that move together are joined."""

from __future__ import annotations

import math

import numpy

from dopegraph.backends.mxnet.lowering.context import Context, Entry, Rule, carried_shape, result_type
from dopegraph.ir.graph import Node
from dopegraph.ir.types import Shape


def _reshape(c: Context, node: Node) -> Entry:
    return c.reshape(c[node.inputs[0]], carried_shape(result_type(node).shape))


def _transpose(c: Context, node: Node) -> Entry:
    x = c[node.inputs[0]]
    return c.transpose(x, node.attrs["axes"]) if node.inputs[0].shape else x


def _broadcast_to(c: Context, node: Node) -> Entry:
    return c.broadcast_to(c[node.inputs[0]], carried_shape(node.attrs["shape"]))


def sliced_axes(shape: Shape, starts: Shape, stops: Shape, steps: Shape) -> tuple[Shape, Shape, Shape, Shape]:
    """Shape and bounds with every run of whole axes joined to one."""
    joined: list[tuple[int, int, int, int]] = []
    whole_before = False
    for length, start, stop, step in zip(shape, starts, stops, steps):
        whole = start == 0 and stop == length and step == 1
        if whole and whole_before:
            length *= joined.pop()[0]
            stop = length
        joined.append((length, start, stop, step))
        whole_before = whole
    if not joined:
        return (1,), (0,), (1,), (1,)
    lengths, first, last, by = (tuple(column) for column in zip(*joined))
    return lengths, first, last, by


def _region(node: Node, shape: Shape) -> tuple[Shape, Shape, Shape, Shape]:
    return sliced_axes(shape, node.attrs["starts"], node.attrs["stops"], node.attrs["steps"])


def _slice(c: Context, node: Node) -> Entry:
    shape, starts, stops, steps = _region(node, node.inputs[0].shape)
    taken = c.slice(c.reshape(c[node.inputs[0]], shape), starts, stops, steps)
    return c.reshape(taken, carried_shape(result_type(node).shape))


def placed(c: Context, part: Entry, shape: Shape, starts: Shape, stops: Shape, steps: Shape, fill: float = 0) -> Entry:
    """An array of one number with `part` in a slice of it."""
    if not c.portable:
        where = {"begin": starts, "end": stops, "step": steps}
        return c.op("_slice_assign", c.full(fill, shape, part.dtype), part, attrs=where)
    # MXNet has no gradient of _slice_assign, which those who load a symbol may ask for.
    for axis, (start, stop, step) in enumerate(zip(starts, stops, steps)):
        if (start, stop, step) == (0, shape[axis], 1):
            continue
        before, count, after = part.shape[:axis], part.shape[axis], part.shape[axis + 1 :]
        if step > 1:
            gaps = c.full(fill, (*before, count, step - 1, *after), part.dtype)
            spread = concat(c, [c.reshape(part, (*before, count, 1, *after)), gaps], axis + 1)
            part = c.reshape(spread, (*before, count * step, *after))
            count = (count - 1) * step + 1
            ends = (*before, count, *after)
            part = c.slice(part, (0,) * len(ends), ends, (1,) * len(ends))
        sides = [(start, True), (shape[axis] - start - count, False)]
        parts = [part]
        for length, ahead in sides:
            if length:
                slab = c.full(fill, (*before, length, *after), part.dtype)
                parts = [slab, *parts] if ahead else [*parts, slab]
        part = concat(c, parts, axis)
    return part


def _slice_update(c: Context, node: Node) -> Entry:
    target, part = c[node.inputs[0]], c[node.inputs[1]]
    shape, starts, stops, steps = _region(node, result_type(node).shape)
    region = tuple(len(range(*bounds)) for bounds in zip(starts, stops, steps))
    target, part = c.reshape(target, shape), c.reshape(part, region)
    if c.portable:
        inside = numpy.zeros(shape, "float32")
        inside[tuple(slice(*bounds) for bounds in zip(starts, stops, steps))] = 1
        put = c.where(c.constant(inside, "inside"), placed(c, part, shape, starts, stops, steps), target)
    else:
        put = c.op("_slice_assign", target, part, attrs={"begin": starts, "end": stops, "step": steps})
    return c.reshape(put, carried_shape(result_type(node).shape))


def _unslice(c: Context, node: Node) -> Entry:
    type = result_type(node)
    shape, starts, stops, steps = _region(node, type.shape)
    region = tuple(len(range(*bounds)) for bounds in zip(starts, stops, steps))
    put = placed(c, c.reshape(c[node.inputs[0]], region), shape, starts, stops, steps)
    return c.reshape(put, carried_shape(type.shape))


def _concat(c: Context, node: Node) -> Entry:
    return concat(c, [c[value] for value in node.inputs], node.attrs["axis"])


def concat(c: Context, parts: list[Entry], axis: int) -> Entry:
    """Parts side by side; as matrices, since everything behind the axis stays together."""
    if len(parts) == 1:
        return parts[0]
    before = math.prod(parts[0].shape[:axis])
    after = math.prod(parts[0].shape[axis + 1 :])
    length = sum(part.shape[axis] for part in parts)
    flat = [c.reshape(part, (before, part.shape[axis] * after)) for part in parts]
    joined = c.op("Concat", *flat, shape=(before, length * after), dim=1, num_args=len(parts))
    return c.reshape(joined, (*parts[0].shape[:axis], length, *parts[0].shape[axis + 1 :]))


def _flip(c: Context, node: Node) -> Entry:
    x, axes = c[node.inputs[0]], node.attrs["axes"]
    return c.op("reverse", x, attrs={"axis": axes}) if axes else x


def _diagonal(c: Context, node: Node) -> Entry:
    attrs = {"k": node.attrs["offset"], "axis1": node.attrs["axis1"], "axis2": node.attrs["axis2"]}
    return c.op("diag", c[node.inputs[0]], attrs=attrs, shape=carried_shape(result_type(node).shape))


RULES: dict[str, Rule] = {
    "diagonal": _diagonal,
    "reshape": _reshape,
    "transpose": _transpose,
    "broadcast_to": _broadcast_to,
    "strided_slice": _slice,
    "unslice": _unslice,
    "slice_update": _slice_update,
    "concat": _concat,
    "flip": _flip,
}
