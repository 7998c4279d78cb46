"""Lowering of reductions, products, softmax, convolution and pooling to ONNX."""

from __future__ import annotations

import math
from typing import Any

import numpy

from dopegraph.backends.onnx.context import BOOL, INT64, Context, Rule
from dopegraph.backends.onnx.lowering.elementwise import wide_of
from dopegraph.ir.graph import Node
from dopegraph.ir.types import Shape

# Reductions -------------------------------------------------------------------------------------------------------


def _reduction(kind: str) -> Rule:
    def rule(c: Context, node: Node) -> str:
        x, keepdims = node.inputs[0], int(node.attrs["keepdims"])
        wide = wide_of(x.type.dtype) if x.type.dtype != BOOL else numpy.dtype("int32")
        operand = c.cast(c[x], x.type.dtype, wide)
        made = operand
        if node.attrs["axes"]:
            axes = c.ints(node.attrs["axes"])
            made = c.op(kind, operand, axes, keepdims=keepdims)
            if kind in ("ReduceMax", "ReduceMin") and wide.kind == "f":
                # NaN is lost in ONNX's extremes.
                missing = c.cast(c.op("IsNaN", operand), BOOL, INT64)
                anywhere = c.op("Greater", c.op("ReduceMax", missing, axes, keepdims=keepdims), c.scalar(0, INT64))
                made = c.where(anywhere, c.scalar(math.nan, wide), made)
        return c.cast(made, wide, node.outputs[0].type.dtype)

    return rule


def _truth(kind: str) -> Rule:
    def rule(c: Context, node: Node) -> str:
        x = node.inputs[0]
        if not node.attrs["axes"]:
            return c[x]
        counted = c.cast(c[x], BOOL, INT64)
        made = c.op(kind, counted, c.ints(node.attrs["axes"]), keepdims=int(node.attrs["keepdims"]))
        return c.op("Greater", made, c.scalar(0, INT64))

    return rule


def _position(kind: str) -> Rule:
    def rule(c: Context, node: Node) -> str:
        x, axis = node.inputs[0], node.attrs["axis"] % len(node.inputs[0].shape)
        dtype = x.type.dtype
        wide = numpy.dtype("int32") if dtype.kind in "biu" and dtype.itemsize < 8 else wide_of(dtype)
        operand = c.cast(c[x], dtype, wide)
        found = c.op(kind, operand, axis=axis, keepdims=int(node.attrs["keepdims"]))
        if dtype.kind != "f":
            return found
        # The first NaN wins.
        missing = c.cast(c.op("IsNaN", operand), BOOL, INT64)
        first = c.op("ArgMax", missing, axis=axis, keepdims=int(node.attrs["keepdims"]))
        any_missing = c.op("ReduceMax", missing, c.ints([axis]), keepdims=int(node.attrs["keepdims"]))
        return c.where(c.op("Greater", any_missing, c.scalar(0, INT64)), first, found)

    return rule


def _cumsum(c: Context, node: Node) -> str:
    x = node.inputs[0]
    wide = wide_of(x.type.dtype)
    axis = c.constant(numpy.array(node.attrs["axis"] % len(x.shape), INT64), "axis")
    made = c.op("CumSum", c.cast(c[x], x.type.dtype, wide), axis, reverse=int(node.attrs["reverse"]))
    return c.cast(made, wide, x.type.dtype)


# Products and softmax ---------------------------------------------------------------------------------------------


def _matmul(c: Context, node: Node) -> str:
    x, y = node.inputs
    wide = wide_of(x.type.dtype)
    operands = []
    for value, transposed in ((x, node.attrs["transpose_x"]), (y, node.attrs["transpose_y"])):
        operand = c.cast(c[value], value.type.dtype, wide)
        axes = [*range(len(value.shape) - 2), len(value.shape) - 1, len(value.shape) - 2]
        operands.append(c.transpose(operand, axes) if transposed else operand)
    return c.cast(c.op("MatMul", *operands), wide, x.type.dtype)


def _det(c: Context, node: Node) -> str:
    return c.op("Det", c[node.inputs[0]])


def _composed_softmax(c: Context, kind: str, x: str, axis: int) -> str:
    shifted = c.op("Sub", x, c.op("ReduceMax", x, c.ints([axis])))
    unnormalized = c.op("Exp", shifted)
    total = c.op("ReduceSum", unnormalized, c.ints([axis]))
    return c.op("Div", unnormalized, total) if kind == "Softmax" else c.op("Sub", shifted, c.op("Log", total))


def _along_axis(kind: str) -> Rule:
    def rule(c: Context, node: Node) -> str:
        x = node.inputs[0]
        wide = wide_of(x.type.dtype)
        operand = c.cast(c[x], x.type.dtype, wide)
        if not x.shape:
            made = c.reshape(c.op(kind, c.reshape(operand, (1,)), axis=0), ())
        else:
            axis = node.attrs["axis"] % len(x.shape)
            # In double precision onnxruntime lets a NaN spoil only some elements of its row.
            doubles = wide.name == "float64"
            made = _composed_softmax(c, kind, operand, axis) if doubles else c.op(kind, operand, axis=axis)
        return c.cast(made, wide, x.type.dtype)

    return rule


# Convolution and pooling ------------------------------------------------------------------------------------------


def _how(attrs: dict[str, Any]) -> dict[str, Any]:
    return {"strides": list(attrs["stride"]), "dilations": list(attrs["dilate"]), "group": attrs["groups"],
            "pads": [*attrs["pad"], *attrs["pad"]]}  # fmt: skip


def _conv(c: Context, node: Node) -> str:
    return c.op("Conv", *[c[value] for value in node.inputs], **_how(node.attrs))


def _rest(shape: Shape, kernel: Shape, stride: Shape, pad: Shape, dilate: Shape) -> list[int]:
    """How much of the data behind the last window no window reached."""
    windows = zip(shape[2:], kernel, stride, pad, dilate)
    return [(n + 2 * p - d * (k - 1) - 1) % s for n, k, s, p, d in windows]


def _conv_grad_data(c: Context, node: Node) -> str:
    g, w = node.inputs
    attrs = node.attrs
    rest = _rest(attrs["shape"], w.shape[2:], attrs["stride"], attrs["pad"], attrs["dilate"])
    return c.op("ConvTranspose", c[g], c[w], output_padding=rest, **_how(attrs))


def _conv_grad_weight(c: Context, node: Node) -> str:
    """A convolution over the batch: batch and channels exchanged, stride and dilation too."""
    g, x = node.inputs
    attrs, groups, shape = node.attrs, node.attrs["groups"], node.attrs["shape"]
    swapped = [1, 0, *range(2, len(shape))]
    parts = []
    for group in range(groups):
        data, weight = (
            c.transpose(_channels(c, c[value], group, value.shape[1] // groups), swapped) for value in (x, g)
        )
        whole = c.op("Conv", data, weight, strides=list(attrs["dilate"]), dilations=list(attrs["stride"]),
                     pads=[*attrs["pad"], *attrs["pad"]])  # fmt: skip
        space = list(range(2, len(shape)))
        cut = c.op("Slice", whole, c.ints([0] * len(space)), c.ints(shape[2:]), c.ints(space))
        parts.append(c.transpose(cut, swapped))
    return parts[0] if groups == 1 else c.op("Concat", *parts, axis=0)


def _channels(c: Context, x: str, group: int, each: int) -> str:
    return c.op("Slice", x, c.ints([group * each]), c.ints([(group + 1) * each]), c.ints([1]))


def _windows(attrs: dict[str, Any]) -> dict[str, Any]:
    return {"kernel_shape": list(attrs["kernel"]), "strides": list(attrs["stride"]),
            "pads": [*attrs["pad"], *attrs["pad"]]}  # fmt: skip


def _max_pool(c: Context, node: Node) -> str:
    x = node.inputs[0]
    return c.ops("MaxPool", [c[x]], 2, _windows(node.attrs))[0]


def _places(c: Context, x: Any, attrs: dict[str, Any]) -> str:
    """Where each window has its first maximum, in the flattened data."""
    return c.reshape(c.ops("MaxPool", [c[x]], 2, _windows(attrs))[1], (-1,))


def _max_pool_grad(c: Context, node: Node) -> str:
    g, x = node.inputs
    zeros = c.op("Expand", c.scalar(0, x.type.dtype), c.ints([x.type.size]))
    places = _places(c, x, node.attrs)
    made = c.op("ScatterElements", zeros, places, c.reshape(c[g], (-1,)), axis=0, reduction="add")
    return c.reshape(made, x.shape)


def _max_pool_take(c: Context, node: Node) -> str:
    h, x = node.inputs
    taken = c.op("Gather", c.reshape(c[h], (-1,)), _places(c, x, node.attrs), axis=0)
    return c.reshape(taken, node.outputs[0].shape)


def _avg_pool(c: Context, node: Node) -> str:
    include = int(node.attrs["count_include_pad"])
    return c.op("AveragePool", c[node.inputs[0]], count_include_pad=include, **_windows(node.attrs))


def _avg_pool_grad(c: Context, node: Node) -> str:
    """Each cotangent, divided, goes to all of its window: a transposed convolution with ones, channel by channel."""
    g, attrs, shape = node.inputs[0], node.attrs, node.attrs["shape"]
    kernel, dtype = attrs["kernel"], node.inputs[0].type.dtype
    ones = (1,) * len(kernel)
    if attrs["count_include_pad"]:
        counts: Any = numpy.array(math.prod(kernel), dtype)
    else:
        from dopegraph.ir.primitive import primitives

        plain = {**attrs, "count_include_pad": True}
        plain.pop("shape")
        inside = primitives["avg_pool"].kernel(numpy.ones((1, 1, *shape[2:]), "float64"), **plain)
        counts = numpy.rint(inside * math.prod(kernel)).astype(dtype)
    divided = c.op("Div", c[g], c.constant(counts, "counts"))
    weight = c.constant(numpy.ones((shape[1], 1, *kernel), dtype), "ones")
    how = _how({**attrs, "dilate": ones, "groups": shape[1]})
    rest = _rest(shape, kernel, attrs["stride"], attrs["pad"], ones)
    return c.op("ConvTranspose", divided, weight, output_padding=rest, **how)


RULES: dict[str, Rule] = {
    "sum": _reduction("ReduceSum"),
    "prod": _reduction("ReduceProd"),
    "max": _reduction("ReduceMax"),
    "min": _reduction("ReduceMin"),
    "all": _truth("ReduceMin"),
    "any": _truth("ReduceMax"),
    "argmax": _position("ArgMax"),
    "argmin": _position("ArgMin"),
    "cumsum": _cumsum,
    "matmul": _matmul,
    "det": _det,
    "softmax": _along_axis("Softmax"),
    "log_softmax": _along_axis("LogSoftmax"),
    "conv": _conv,
    "conv_grad_data": _conv_grad_data,
    "conv_grad_weight": _conv_grad_weight,
    "max_pool": _max_pool,
    "max_pool_grad": _max_pool_grad,
    "max_pool_take": _max_pool_take,
    "avg_pool": _avg_pool,
    "avg_pool_grad": _avg_pool_grad,
}
