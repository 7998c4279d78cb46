"""Lowering of softmax and its logarithm: oneDNN's softmax, with NumPy's NaN and a better logarithm."""

from __future__ import annotations

from dopegraph.backends.mxnet.lowering.context import Context, Entry, Rule
from dopegraph.backends.mxnet.lowering.reduction import as_float32, row_max
from dopegraph.ir.graph import Node


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


RULES: dict[str, Rule] = {"softmax": _softmax, "log_softmax": _log_softmax}
