"""Lowering of softmax, convolution and pooling to MXNet's tuned operators; their gradients share a node where they can."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any, Optional

import numpy

from dopegraph.backends.mxnet.lowering.context import FLOAT32, INT64, Context, Entry, Rule, carried_shape, result_type
from dopegraph.backends.mxnet.lowering.reduction import as_float32, row_max
from dopegraph.backends.mxnet.lowering.shape import concat
from dopegraph.backends.mxnet.symbol_writer import SymbolNode
from dopegraph.ir.graph import Node, Value
from dopegraph.ir.types import Shape

# Softmax ----------------------------------------------------------------------------------------------------------


def _softmax(c: Context, node: Node) -> Entry:
    x, dtype = as_float32(c, c[node.inputs[0]])
    axis = node.attrs["axis"] % max(len(node.inputs[0].shape), 1)
    largest = row_max(c, x, axis)
    # oneDNN lets a NaN spoil only some elements of its row; NumPy all of them.
    return c.cast(c.add(c.op("softmax", x, axis=axis), c.sub(largest, largest)), dtype)


def _log_softmax(c: Context, node: Node) -> Entry:
    """``(x - max x) + log(max softmax(x))``: oneDNN's own logarithm is off by 4e-6, and 3% near 0."""
    x, dtype = as_float32(c, c[node.inputs[0]])
    axis = node.attrs["axis"] % max(len(node.inputs[0].shape), 1)
    shifted = c.sub(x, row_max(c, x, axis))
    normalizer = c.op("log", row_max(c, c.op("softmax", x, axis=axis), axis))
    return c.cast(c.add(shifted, normalizer), dtype)


# Convolution ------------------------------------------------------------------------------------------------------


def _how(node: Node, kernel: Shape) -> dict[str, Any]:
    attrs = node.attrs
    return {"kernel": kernel, "stride": attrs["stride"], "pad": attrs["pad"], "dilate": attrs["dilate"],
            "num_group": attrs["groups"], "no_bias": True}  # fmt: skip


def _conv(c: Context, node: Node) -> Entry:
    x, w = (c[value] for value in node.inputs)
    attrs = {**_how(node, w.shape[2:]), "num_filter": w.shape[0]}
    return c.op("Convolution", x, w, shape=result_type(node).shape, attrs=attrs)


def _forward(c: Context, node: Node, x: Optional[Value], w: Optional[Value]) -> Node | None:
    """The convolution that a gradient belongs to, if it is in the graph before it: same attributes, same operands."""
    how = {key: value for key, value in node.attrs.items() if key != "shape"}
    for user in c.users.get(x if x is not None else w, ()):  # type: ignore[arg-type]
        if user.op.name != "conv" or user.attrs != how or user.outputs[0] not in c.entries:
            continue
        if x is not None and user.inputs[0] is not x or w is not None and user.inputs[1] is not w:
            continue
        if user.outputs[0].type == node.inputs[0].type:
            return user
    return None


def _backward(c: Context, node: Node, forward: Node, index: int) -> Entry:
    """One result of MXNet's own backward operator, which gives the gradients of data, weight and bias at once."""
    value = forward.outputs[0]
    ahead = c.biased.get(value, c.entries[value]).node
    made = c.node("_backward_Convolution", (c[node.inputs[0]], *ahead.inputs), ahead.attrs, [ahead])
    # A CachedOp insists that all results are read: reading one pulls the others in.
    read: list[SymbolNode] = []
    for position, operand in enumerate(ahead.inputs):
        result = Entry(made, position, operand.shape, operand.dtype)
        read.append(c.node("BlockGrad", (result,), {}, read[-1:]))
    wanted = Entry(read[index], 0, ahead.inputs[index].shape, ahead.inputs[index].dtype)
    return Entry(c.node("BlockGrad", (wanted,), {}, read[-1:]), 0, wanted.shape, wanted.dtype)


def _conv_grad_weight(c: Context, node: Node) -> Entry:
    forward = None if c.portable else _forward(c, node, node.inputs[1], None)
    if forward is not None and forward.inputs[1].shape == node.attrs["shape"]:
        return _backward(c, node, forward, 1)
    # A convolution over the batch: data and cotangent with batch and channels exchanged, stride and dilation too.
    g, x, shape, groups = c[node.inputs[0]], c[node.inputs[1]], node.attrs["shape"], node.attrs["groups"]
    swapped = (1, 0, *range(2, len(shape)))
    parts = []
    for group in range(groups):
        data = c.transpose(_channels(c, x, group, groups), swapped)
        weight = c.transpose(_channels(c, g, group, groups), swapped)
        stride, dilate, pad = (node.attrs[key] for key in ("stride", "dilate", "pad"))
        space = tuple(
            (n + 2 * p - s * (k - 1) - 1) // d + 1
            for n, p, s, k, d in zip(data.shape[2:], pad, stride, weight.shape[2:], dilate)
        )
        attrs = {"kernel": weight.shape[2:], "stride": dilate, "dilate": stride, "pad": pad,
                 "num_filter": weight.shape[0], "no_bias": True}  # fmt: skip
        whole = c.op("Convolution", data, weight, shape=(data.shape[0], weight.shape[0], *space), attrs=attrs)
        stops = (*whole.shape[:2], *shape[2:])
        found = whole if whole.shape == stops else c.slice(whole, (0,) * len(stops), stops, (1,) * len(stops))
        parts.append(c.transpose(found, swapped))
    return concat(c, parts, 0)


def _channels(c: Context, x: Entry, group: int, groups: int) -> Entry:
    if groups == 1:
        return x
    each = x.shape[1] // groups
    starts = (0, group * each, *(0 for _ in x.shape[2:]))
    return c.slice(x, starts, (x.shape[0], (group + 1) * each, *x.shape[2:]), (1,) * len(x.shape))


def _conv_grad_data(c: Context, node: Node) -> Entry:
    forward = None if c.portable else _forward(c, node, None, node.inputs[1])
    if forward is not None and forward.inputs[0].shape == node.attrs["shape"] and _weight_wanted(c, node, forward):
        return _backward(c, node, forward, 0)
    g, w = (c[value] for value in node.inputs)
    return _deconvolution(c, g, w, node.attrs["shape"], _how(node, w.shape[2:]))


def _weight_wanted(c: Context, node: Node, forward: Node) -> bool:
    """Whether the graph also asks for the weight's gradient of this convolution: one operator computes both."""
    return any(
        user.op.name == "conv_grad_weight" and user.inputs == (node.inputs[0], forward.inputs[0])
        for user in c.users.get(node.inputs[0], ())
    )


def _deconvolution(c: Context, g: Entry, w: Entry, shape: Shape, how: dict[str, Any]) -> Entry:
    """The transposed convolution; `adj` is the end of the data that no window reached."""
    if g.dtype != FLOAT32 and (len(shape) > 4 or set(how["dilate"]) != {1}):
        return _deconvolution_by_convolution(c, g, w, shape, how)  # only oneDNN can, and it has float32
    rest = tuple(
        (n + 2 * p - d * (k - 1) - 1) % s
        for n, p, d, k, s in zip(shape[2:], how["pad"], how["dilate"], w.shape[2:], how["stride"])
    )
    attrs = {**how, "adj": rest, "num_filter": shape[1]}
    return c.op("Deconvolution", g, w, shape=shape, attrs=attrs)


def _deconvolution_by_convolution(c: Context, g: Entry, w: Entry, shape: Shape, how: dict[str, Any]) -> Entry:
    """The cotangent with `stride - 1` zeros between its elements, convolved with the flipped kernel."""
    strides, groups = how["stride"], how["num_group"]
    reach = tuple(d * (k - 1) for d, k in zip(how["dilate"], w.shape[2:]))
    canvas = tuple(n + r for n, r in zip(shape[2:], reach))
    first = tuple(r - p for r, p in zip(reach, how["pad"]))
    # Element j of the cotangent stands at first + stride * j; those beside the canvas meet no data.
    low = tuple(max(0, -(f // s)) for f, s in zip(first, strides))
    high = tuple(min(n, (m - 1 - f) // s + 1) for n, m, f, s in zip(g.shape[2:], canvas, first, strides))
    part = c.slice(g, (0, 0, *low), (*g.shape[:2], *high), (1,) * len(shape))
    begin = tuple(f + s * i for f, s, i in zip(first, strides, low))
    end = tuple(f + s * (i - 1) + 1 for f, s, i in zip(first, strides, high))
    where = {"begin": (0, 0, *begin), "end": (*g.shape[:2], *end), "step": (1, 1, *strides)}
    spread = c.op("_slice_assign", c.full(0, (*g.shape[:2], *canvas), g.dtype), part, attrs=where)
    split = c.reshape(w, (groups, w.shape[0] // groups, *w.shape[1:]))
    turned = c.transpose(split, (0, 2, 1, *range(3, len(w.shape) + 1)))
    turned = c.reshape(turned, (shape[1], w.shape[0] // groups, *w.shape[2:]))
    flipped = c.op("reverse", turned, attrs={"axis": tuple(range(2, len(shape)))})
    attrs = {"kernel": w.shape[2:], "dilate": how["dilate"], "num_group": groups, "num_filter": shape[1],
             "no_bias": True}  # fmt: skip
    return c.op("Convolution", spread, flipped, shape=shape, attrs=attrs)


# Pooling ----------------------------------------------------------------------------------------------------------


def _pool_how(node: Node, kind: str) -> dict[str, Any]:
    attrs = node.attrs
    return {"kernel": attrs["kernel"], "stride": attrs["stride"], "pad": attrs["pad"], "pool_type": kind,
            "count_include_pad": attrs.get("count_include_pad", True)}  # fmt: skip


def _max_pool(c: Context, node: Node) -> Entry:
    x, shape = c[node.inputs[0]], result_type(node).shape
    found = c.op("Pooling", x, shape=shape, attrs=_pool_how(node, "max"))
    # MXNet's maximum passes over NaN and -inf; an average does not.
    mean = c.op("Pooling", x, shape=shape, attrs=_pool_how(node, "avg"))
    usual = c.op("elemwise_mul", c.op("_equal", mean, mean),
                 c.scalar("_greater_scalar", found, float(numpy.finfo(x.dtype).min)))  # fmt: skip
    return c.where(usual, found, mean)


def _max_pool_grad(c: Context, node: Node) -> Entry:
    g, x = (c[value] for value in node.inputs)
    how = _pool_how(node, "max")
    if c.portable:
        return _portable_max_pool_grad(c, node, g, x)
    forward = c.node("Pooling", (x,), how)
    pooled, where = (Entry(forward, index, g.shape, x.dtype) for index in (0, 1))
    zeros = c.full(0, g.shape, g.dtype)
    made = c.node("_backward_Pooling", (g, zeros, x, pooled, where), how, [forward])
    return c.writer.block(Entry(made, 0, x.shape, x.dtype))


def window_parts(c: Context, x: Entry, node: Node, out: Shape, fill: float) -> list[Entry]:
    """For each position in the window the elements that it meets, each of the pooled shape."""
    kernel, stride, pad = (node.attrs[key] for key in ("kernel", "stride", "pad"))
    if any(pad):
        inner = tuple(n + 2 * p for n, p in zip(x.shape[2:], pad))
        stops = (*x.shape[:2], *(p + n for p, n in zip(pad, x.shape[2:])))
        where = {"begin": (0, 0, *pad), "end": stops, "step": (1,) * len(x.shape)}
        x = c.op("_slice_assign", c.full(fill, (*x.shape[:2], *inner), x.dtype), x, attrs=where)
    return [c.slice(x, (0, 0, *first), (*x.shape[:2], *last), (1, 1, *stride))
            for first, last in _bounds(kernel, stride, out)]  # fmt: skip


def _bounds(kernel: Shape, stride: Shape, out: Shape) -> Iterator[tuple[Shape, Shape]]:
    for offset in itertools.product(*map(range, kernel)):
        yield offset, tuple(o + s * (n - 1) + 1 for o, s, n in zip(offset, stride, out))


def _first_maximum(c: Context, x: Entry, node: Node, out: Shape) -> Entry:
    """The position in the window of its first maximum."""
    rows = [c.reshape(part, (1, math.prod(part.shape))) for part in window_parts(c, x, node, out, -numpy.inf)]
    stack = concat(c, rows, 0)
    return c.op("_npi_argmax", stack, shape=stack.shape[1:], dtype=INT64, axis=0)


def _max_pool_take(c: Context, node: Node) -> Entry:
    h, x = (c[value] for value in node.inputs)
    shape = result_type(node).shape
    first = _first_maximum(c, x, node, shape[2:])
    rows = [c.reshape(part, (1, math.prod(part.shape))) for part in window_parts(c, h, node, shape[2:], 0.0)]
    taken = c.op("pick", concat(c, rows, 0), first, shape=first.shape, axis=0, mode="clip")
    return c.reshape(taken, shape)


def _portable_max_pool_grad(c: Context, node: Node, g: Entry, x: Entry) -> Entry:
    first = c.reshape(_first_maximum(c, x, node, g.shape[2:]), g.shape)
    kernel, stride, pad = (node.attrs[key] for key in ("kernel", "stride", "pad"))
    padded = (*x.shape[:2], *(n + 2 * p for n, p in zip(x.shape[2:], pad)))
    total: Entry | None = None
    for number, (start, stop) in enumerate(_bounds(kernel, stride, g.shape[2:])):
        part = c.mul(g, c.cast(c.scalar("_equal_scalar", first, number), g.dtype))
        where = {"begin": (0, 0, *start), "end": (*padded[:2], *stop), "step": (1, 1, *stride)}
        placed = c.op("_slice_assign", c.full(0, padded, g.dtype), part, attrs=where)
        total = placed if total is None else c.add(total, placed)
    assert total is not None
    if not any(pad):
        return total
    stops = (*padded[:2], *(p + n for p, n in zip(pad, x.shape[2:])))
    return c.slice(total, (0, 0, *pad), stops, (1,) * len(padded))


def _avg_pool(c: Context, node: Node) -> Entry:
    return c.op("Pooling", c[node.inputs[0]], shape=result_type(node).shape, attrs=_pool_how(node, "avg"))


def _avg_pool_grad(c: Context, node: Node) -> Entry:
    g, shape = c[node.inputs[0]], node.attrs["shape"]
    if not c.portable:
        # The gradient reads only the shape of the pooled array: any pooling of that kind will do.
        how = {key: value for key, value in node.attrs.items() if key != "shape"}
        for value, entry in c.entries.items():
            other = value.node
            if other is not None and other.op.name == "avg_pool" and other.attrs == how \
                    and other.inputs[0].type == result_type(node):  # fmt: skip
                deps = [entry.node]
                made = c.node("_backward_Pooling", (g, c[other.inputs[0]], entry), _pool_how(node, "avg"), deps)
                return c.writer.block(Entry(made, 0, shape, g.dtype))
    # Every element of a window gets its share: a transposed convolution with ones.
    from dopegraph.ops.nn import _counts

    kernel, stride, pad = (node.attrs[key] for key in ("kernel", "stride", "pad"))
    counts = numpy.asarray(_counts(shape, kernel, stride, pad, node.attrs["count_include_pad"], g.dtype))
    shared = c.scalar("_div_scalar", g, counts.item()) if counts.size == 1 else c.div(g, c.constant(counts))
    single = c.reshape(shared, (math.prod(g.shape[:2]), 1, *g.shape[2:]))
    how = {"kernel": kernel, "stride": stride, "pad": pad, "dilate": (1,) * len(kernel), "num_group": 1,
           "no_bias": True}  # fmt: skip
    whole = (math.prod(shape[:2]), 1, *shape[2:])
    spread = _deconvolution(c, single, c.full(1, (1, 1, *kernel), g.dtype), whole, how)
    return c.reshape(spread, carried_shape(shape))


RULES: dict[str, Rule] = {
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "conv": _conv,
    "conv_grad_data": _conv_grad_data,
    "conv_grad_weight": _conv_grad_weight,
    "max_pool": _max_pool,
    "max_pool_grad": _max_pool_grad,
    "max_pool_take": _max_pool_take,
    "avg_pool": _avg_pool,
    "avg_pool_grad": _avg_pool_grad,
}
