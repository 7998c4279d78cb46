"""Lowering of convolution and its gradients to oneDNN's operators; the gradients share one where they can."""

from __future__ import annotations

from typing import Any

from dopegraph.backends.mxnet.lowering.context import FLOAT32, Context, Entry, Rule, result_type
from dopegraph.backends.mxnet.lowering.shape import concat, placed
from dopegraph.backends.mxnet.symbol_writer import SymbolNode
from dopegraph.ir.graph import Node, Value
from dopegraph.ir.types import Shape


def _how(node: Node, kernel: Shape) -> dict[str, Any]:
    attrs = node.attrs
    return {"kernel": kernel, "stride": attrs["stride"], "pad": attrs["pad"], "dilate": attrs["dilate"],
            "num_group": attrs["groups"], "no_bias": True}  # fmt: skip


def _conv(c: Context, node: Node) -> Entry:
    x, w = (c[value] for value in node.inputs)
    attrs = {**_how(node, w.shape[2:]), "num_filter": w.shape[0]}
    return c.op("Convolution", x, w, shape=result_type(node).shape, attrs=attrs)


def _forward(c: Context, node: Node, x: Value | None, w: Value | None) -> Node | None:
    """The convolution that a gradient belongs to, if it is in the graph before it: same attributes, same operands."""
    how = {key: value for key, value in node.attrs.items() if key != "shape"}
    for user in c.users.get(x if x is not None else w, ()):  # type: ignore[arg-type]
        if user.op.name != "conv" or user.attrs != how or user.outputs[0] not in c.entries:
            continue
        if (x is not None and user.inputs[0] is not x) or (w is not None and user.inputs[1] is not w):
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
    return deconvolution(c, g, w, node.attrs["shape"], _how(node, w.shape[2:]))


def _weight_wanted(c: Context, node: Node, forward: Node) -> bool:
    """Whether the graph also asks for the weight's gradient of this convolution: one operator computes both."""
    return any(
        user.op.name == "conv_grad_weight" and user.inputs == (node.inputs[0], forward.inputs[0])
        for user in c.users.get(node.inputs[0], ())
    )


def deconvolution(c: Context, g: Entry, w: Entry, shape: Shape, how: dict[str, Any]) -> Entry:
    """The transposed convolution; `adj` is the end of the data that no window reached."""
    if g.dtype != FLOAT32 and (len(shape) > 4 or set(how["dilate"]) != {1}):
        return _deconvolution_by_convolution(c, g, w, shape, how)  # only oneDNN can, and it has float32
    rest = tuple(
        (n + 2 * p - d * (k - 1) - 1) % s
        for n, p, d, k, s in zip(shape[2:], how["pad"], how["dilate"], w.shape[2:], how["stride"])
    )
    attrs = {**how, "adj": rest, "num_filter": shape[1]}
    # Outside training mode a convolution leaves its weight in oneDNN's own layout, which Deconvolution refuses.
    return c.op("Deconvolution", g, c.op("_copy", w) if c.portable else w, shape=shape, attrs=attrs)


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
    spread = placed(c, part, (*g.shape[:2], *canvas), (0, 0, *begin), (*g.shape[:2], *end), (1, 1, *strides))
    split = c.reshape(w, (groups, w.shape[0] // groups, *w.shape[1:]))
    turned = c.transpose(split, (0, 2, 1, *range(3, len(w.shape) + 1)))
    turned = c.reshape(turned, (shape[1], w.shape[0] // groups, *w.shape[2:]))
    flipped = c.op("reverse", turned, attrs={"axis": tuple(range(2, len(shape)))})
    attrs = {"kernel": w.shape[2:], "dilate": how["dilate"], "num_group": groups, "num_filter": shape[1],
             "no_bias": True}  # fmt: skip
    return c.op("Convolution", spread, flipped, shape=shape, attrs=attrs)


RULES: dict[str, Rule] = {
    "conv": _conv,
    "conv_grad_data": _conv_grad_data,
    "conv_grad_weight": _conv_grad_weight,
}
