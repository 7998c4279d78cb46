"""Lowering of what moves elements to ONNX: reshaping, cutting, joining, taking by positions, sorting."""

from __future__ import annotations

import numpy

from dopegraph.backends.onnx.context import BOOL, INT64, Context, DType, Rule
from dopegraph.backends.onnx.lowering.elementwise import wide_of
from dopegraph.ir.graph import Node
from dopegraph.ir.types import Shape

# Beyond every axis: how a slice with a negative step says that it goes to the very beginning.
_BEFORE_ALL = -(2**31)


def _reshape(c: Context, node: Node) -> str:
    return c.reshape(c[node.inputs[0]], node.attrs["shape"])


def _transpose(c: Context, node: Node) -> str:
    return c.transpose(c[node.inputs[0]], node.attrs["axes"])


def _broadcast_to(c: Context, node: Node) -> str:
    return c.op("Expand", c[node.inputs[0]], c.ints(node.attrs["shape"]))


def _slice(c: Context, node: Node) -> str:
    attrs = node.attrs
    shape = node.inputs[0].shape
    bounds = zip(attrs["starts"], attrs["stops"], attrs["steps"])
    cut = [axis for axis, (bound, n) in enumerate(zip(bounds, shape)) if bound != (0, n, 1)]
    if not cut:
        return c[node.inputs[0]]
    starts, stops, steps = (c.ints([attrs[key][axis] for axis in cut]) for key in ("starts", "stops", "steps"))
    return c.op("Slice", c[node.inputs[0]], starts, stops, c.ints(cut), steps)


def _spread(c: Context, x: str, dtype: DType, shape: Shape, whole: Shape, bounds: list[Shape]) -> str:
    """Zeros everywhere but in a slice: along each axis the elements, or a slab of zeros behind them, are taken."""
    lengths = list(shape)
    for axis, (start, stop, step) in enumerate(bounds):
        if (start, stop, step) == (0, whole[axis], 1):
            continue
        slab = [*lengths[:axis], 1, *lengths[axis + 1 :]]
        zeros = c.op("Expand", c.scalar(0, dtype), c.ints(slab))
        places = numpy.full(whole[axis], lengths[axis], INT64)
        places[slice(start, stop, step)] = numpy.arange(lengths[axis])
        x = c.op("Gather", c.op("Concat", x, zeros, axis=axis), c.constant(places, "places"), axis=axis)
        lengths[axis] = whole[axis]
    return x


def _bounds(node: Node) -> list[Shape]:
    return list(zip(node.attrs["starts"], node.attrs["stops"], node.attrs["steps"]))


def _unslice(c: Context, node: Node) -> str:
    x = node.inputs[0]
    return _spread(c, c[x], x.type.dtype, x.shape, node.attrs["shape"], _bounds(node))


def _slice_update(c: Context, node: Node) -> str:
    x, part = node.inputs
    spread = _spread(c, c[part], part.type.dtype, part.shape, x.shape, _bounds(node))
    condition = c.constant(numpy.ones((1,) * len(x.shape), bool), "inside")
    for axis, bound in enumerate(_bounds(node)):
        if bound != (0, x.shape[axis], 1):
            inside = numpy.zeros(x.shape[axis], bool)
            inside[slice(*bound)] = True
            shaped = inside.reshape([-1 if one == axis else 1 for one in range(len(x.shape))])
            condition = c.op("And", condition, c.constant(shaped, "inside"))
    wide = wide_of(x.type.dtype) if x.type.dtype != BOOL else BOOL
    made = c.where(condition, c.cast(spread, x.type.dtype, wide), c.cast(c[x], x.type.dtype, wide))
    return c.cast(made, wide, x.type.dtype)


def _concat(c: Context, node: Node) -> str:
    if len(node.inputs) == 1:
        return c[node.inputs[0]]
    return c.op("Concat", *[c[value] for value in node.inputs], axis=node.attrs["axis"])


def _flip(c: Context, node: Node) -> str:
    axes = node.attrs["axes"]
    if not axes:
        return c[node.inputs[0]]
    count = len(axes)
    first, last, step = c.ints([-1] * count), c.ints([_BEFORE_ALL] * count), c.ints([-1] * count)
    return c.op("Slice", c[node.inputs[0]], first, last, c.ints(axes), step)


def _diagonal(c: Context, node: Node) -> str:
    x = node.inputs[0]
    first, second = (node.attrs[key] % len(x.shape) for key in ("axis1", "axis2"))
    rest = [axis for axis in range(len(x.shape)) if axis not in (first, second)]
    rows, columns = x.shape[first], x.shape[second]
    grid = numpy.arange(rows * columns, dtype=INT64).reshape(rows, columns)
    places = numpy.diagonal(grid, node.attrs["offset"])
    flat = c.reshape(c.transpose(c[x], [*rest, first, second]), (*[x.shape[axis] for axis in rest], rows * columns))
    return c.op("Gather", flat, c.constant(places, "places"), axis=len(rest))


# By positions ---------------------------------------------------------------------------------------------------------


def _indices(c: Context, node: Node, operand: int) -> str:
    value = node.inputs[operand]
    return c.cast(c[value], value.type.dtype, INT64)


def _take(c: Context, node: Node) -> str:
    return c.op("Gather", c[node.inputs[0]], _indices(c, node, 1), axis=node.attrs["axis"] % len(node.inputs[0].shape))


def _added(c: Context, x: str, dtype: DType, shape: Shape, indices: str, index_shape: Shape, g: str, axis: int) -> str:
    """`x` with the elements of `g` added where `take` along an axis would read them."""
    axis %= len(shape)
    ahead = [axis, *[one for one in range(len(shape)) if one != axis]]
    behind = numpy.argsort(ahead).tolist()
    taken = list(range(axis, axis + len(index_shape)))
    others = [one for one in range(len(shape) - 1 + len(index_shape)) if one not in taken]
    count = int(numpy.prod(index_shape, dtype=int))
    updates = c.reshape(c.transpose(g, [*taken, *others]), (count, *[shape[one] for one in ahead[1:]]))
    places = c.reshape(indices, (count, 1))
    wide = wide_of(dtype)
    x, updates = c.cast(c.transpose(x, ahead), dtype, wide), c.cast(updates, dtype, wide)
    made = c.op("ScatterND", x, places, updates, reduction="add")
    return c.cast(c.transpose(made, behind), wide, dtype)


def _take_scatter(c: Context, node: Node) -> str:
    g, indices = node.inputs
    zeros = c.op("Expand", c.scalar(0, g.type.dtype), c.ints(node.attrs["shape"]))
    places = _indices(c, node, 1)
    return _added(c, zeros, g.type.dtype, node.attrs["shape"], places, indices.shape, c[g], node.attrs["axis"])


def _scatter_add(c: Context, node: Node) -> str:
    x, indices, values = node.inputs
    places = _indices(c, node, 1)
    return _added(c, c[x], x.type.dtype, x.shape, places, indices.shape, c[values], node.attrs["axis"])


def _one_hot(c: Context, node: Node) -> str:
    indices = node.inputs[0]
    counted = c.reshape(_indices(c, node, 0), (*indices.shape, 1))
    met = c.op("Equal", counted, c.constant(numpy.arange(node.attrs["depth"], dtype=INT64), "places"))
    return c.cast(met, BOOL, node.attrs["dtype"])


def _take_along_axis(c: Context, node: Node) -> str:
    x, indices = node.inputs
    axis = node.attrs["axis"] % len(x.shape)
    expanded = [n if one == axis else max(n, m) for one, (n, m) in enumerate(zip(x.shape, indices.shape))]
    data, places = c[x], _indices(c, node, 1)
    if tuple(expanded) != x.shape:
        data = c.op("Expand", data, c.ints(expanded))
    return c.op("GatherElements", data, places, axis=axis)


def _scatter_add_along_axis(c: Context, node: Node) -> str:
    g = node.inputs[0]
    zeros = c.op("Expand", c.scalar(0, g.type.dtype), c.ints(node.outputs[0].shape))
    axis = node.attrs["axis"] % len(g.shape)
    return c.op("ScatterElements", zeros, _indices(c, node, 1), c[g], axis=axis, reduction="add")


def _ordered(output: int) -> Rule:
    """All elements as the smallest ones; equal ones keep their order. NaN has no place in ONNX's order."""

    def rule(c: Context, node: Node) -> str:
        x, axis = node.inputs[0], node.attrs["axis"] % len(node.inputs[0].shape)
        dtype = x.type.dtype
        wide = numpy.dtype("int32") if dtype == BOOL else wide_of(dtype)
        count = c.ints([x.shape[axis]])
        found = c.ops("TopK", (c.cast(c[x], dtype, wide), count), 2, {"axis": axis, "largest": 0, "sorted": 1})
        return c.cast(found[0], wide, dtype) if output == 0 else found[1]

    return rule


RULES: dict[str, Rule] = {
    "reshape": _reshape,
    "transpose": _transpose,
    "broadcast_to": _broadcast_to,
    "strided_slice": _slice,
    "unslice": _unslice,
    "slice_update": _slice_update,
    "concat": _concat,
    "flip": _flip,
    "diagonal": _diagonal,
    "take": _take,
    "take_scatter": _take_scatter,
    "scatter_add": _scatter_add,
    "one_hot": _one_hot,
    "take_along_axis": _take_along_axis,
    "scatter_add_along_axis": _scatter_add_along_axis,
    "sort": _ordered(0),
    "argsort": _ordered(1),
}
