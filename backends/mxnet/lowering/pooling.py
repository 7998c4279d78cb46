"""Lowering of pooling and its gradients."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy

from dopegraph.backends.mxnet.lowering.context import INT64, Context, Entry, Rule, carried_shape, result_type
from dopegraph.backends.mxnet.lowering.convolution import deconvolution
from dopegraph.backends.mxnet.lowering.shape import concat, placed
from dopegraph.ir.graph import Node
from dopegraph.ir.types import Shape
from dopegraph.ops.nn import _counts


def _pool_how(node: Node, kind: str) -> dict[str, object]:
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
        x = placed(c, x, (*x.shape[:2], *inner), (0, 0, *pad), stops, (1,) * len(x.shape), fill)
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
        put = placed(c, part, padded, (0, 0, *start), (*padded[:2], *stop), (1, 1, *stride))
        total = put if total is None else c.add(total, put)
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
    kernel, stride, pad = (node.attrs[key] for key in ("kernel", "stride", "pad"))
    counts = numpy.asarray(_counts(shape, kernel, stride, pad, node.attrs["count_include_pad"], g.dtype))
    shared = c.scalar("_div_scalar", g, counts.item()) if counts.size == 1 else c.div(g, c.constant(counts))
    single = c.reshape(shared, (math.prod(g.shape[:2]), 1, *g.shape[2:]))
    how = {"kernel": kernel, "stride": stride, "pad": pad, "dilate": (1,) * len(kernel), "num_group": 1,
           "no_bias": True}  # fmt: skip
    whole = (math.prod(shape[:2]), 1, *shape[2:])
    spread = deconvolution(c, single, c.full(1, (1, 1, *kernel), g.dtype), whole, how)
    return c.reshape(spread, carried_shape(shape))


RULES: dict[str, Rule] = {
    "max_pool": _max_pool,
    "max_pool_grad": _max_pool_grad,
    "max_pool_take": _max_pool_take,
    "avg_pool": _avg_pool,
    "avg_pool_grad": _avg_pool_grad,
}
