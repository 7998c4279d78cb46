"""What NumPy's kernels of convolutions and pooling need for themselves: patches, rearranged operands."""

from __future__ import annotations

import math
from collections.abc import Callable

from dopegraph.ir.graph import Node


def workspace(node: Node) -> int:
    """Bytes that a node's kernel allocates besides its results."""
    rule = _RULES.get(node.op.name)
    return rule(node) if rule is not None else 0


def _padded(node: Node, data: tuple[int, ...]) -> int:
    pad = node.attrs["pad"]
    return math.prod((*data[:2], *(n + 2 * p for n, p in zip(data[2:], pad)))) if any(pad) else 0


def _patches(data: tuple[int, ...], out: tuple[int, ...], kernel: tuple[int, ...]) -> int:
    """Elements of the matrix of patches: for each result what its window sees."""
    return math.prod((data[0], data[1], *out[2:], *kernel))


def _size(node: Node) -> int:
    return node.outputs[0].type.dtype.itemsize


def _conv(node: Node) -> int:
    x, w, y = node.inputs[0].shape, node.inputs[1].shape, node.outputs[0].shape
    return (_padded(node, x) + _patches(x, y, w[2:]) + math.prod(y)) * _size(node)


def _conv_grad_weight(node: Node) -> int:
    g, x, w = node.inputs[0].shape, node.inputs[1].shape, node.outputs[0].shape
    return (_padded(node, x) + _patches(x, g, w[2:]) + math.prod(g)) * _size(node)


def _conv_grad_data(node: Node) -> int:
    """For one position of the kernel at a time: the cotangents rearranged, and their product."""
    g, x = node.inputs[0].shape, node.outputs[0].shape
    return (_padded(node, x) + math.prod(g) + math.prod((g[0], x[1], *g[2:]))) * _size(node)


def _pool(node: Node) -> int:
    x, y = node.inputs[0].shape, node.outputs[0].shape
    return (_padded(node, x) + _patches(x, y, node.attrs["kernel"])) * _size(node)


_RULES: dict[str, Callable[[Node], int]] = {
    "conv": _conv,
    "conv_grad_weight": _conv_grad_weight,
    "conv_grad_data": _conv_grad_data,
    "max_pool": _pool,
    "avg_pool": _pool,
}
