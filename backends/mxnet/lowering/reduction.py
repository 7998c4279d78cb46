"""Lowering of the reductions. Large floating sums are matrix products with ones: MXNet's own reductions are slow."""

from __future__ import annotations

import math
from typing import Any

import numpy

from dopegraph.backends.mxnet.lowering.context import (
    FLOAT32,
    INT64,
    Context,
    Entry,
    Rule,
    carried_shape,
    result_type,
)
from dopegraph.ir.graph import Node
from dopegraph.ir.types import Shape

# Below this many elements MXNet's sum is as fast as a product with ones.
_SMALL = 128
# Longer rows are summed in pieces, so that the error does not grow with the length.
_LONG = 4096


def _reduction(name: str) -> Rule:
    def rule(c: Context, node: Node) -> Entry:
        return _reduce(c, name, c[node.inputs[0]], node)

    return rule


def _reduce(c: Context, name: str, x: Entry, node: Node) -> Entry:
    shape = carried_shape(result_type(node).shape)
    axes = node.attrs["axes"]
    if not any(x.shape[axis] != 1 for axis in axes):
        return c.reshape(x, shape)
    if x.dtype.name == "float16" and name in ("sum", "prod"):
        half = x.dtype
        x = c.cast(x, FLOAT32)  # NumPy accumulates in single precision as well
        return c.cast(c.reshape(_reduced(c, name, x, axes), shape), half)
    return c.reshape(_reduced(c, name, x, axes), shape)


def _reduced(c: Context, name: str, x: Entry, axes: Shape) -> Entry:
    if name == "sum" and x.dtype.kind == "f" and math.prod(x.shape) >= _SMALL:
        return sum_by_products(c, x, axes)
    kept = tuple(1 if axis in axes else length for axis, length in enumerate(x.shape))
    return c.op(name, x, shape=kept, axis=axes, keepdims=True)


def grouped(shape: Shape, axes: Shape) -> list[tuple[int, bool]]:
    """The shape with neighbouring axes joined that are all reduced or all kept: lengths, and whether reduced."""
    groups: list[tuple[int, bool]] = []
    for axis, length in enumerate(shape):
        if length == 1:
            continue
        reduced = axis in axes
        if groups and groups[-1][1] == reduced:
            groups[-1] = (groups[-1][0] * length, reduced)
        else:
            groups.append((length, reduced))
    return groups


def sum_by_products(c: Context, x: Entry, axes: Shape) -> Entry:
    groups = grouped(x.shape, axes)
    if len(groups) > 1 and groups[-1][1]:
        length = groups.pop()[0]
        x = _row_sums(c, x, length)
    if len(groups) == 2 and groups[0][1]:
        rows, columns = groups[0][0], groups[1][0]
        ones = c.full(1, (1, rows), x.dtype)
        return c.op("dot", ones, c.reshape(x, (rows, columns)), shape=(1, columns))
    if groups == [(math.prod(x.shape), True)]:
        return _row_sums(c, x, groups[0][0])
    if any(reduced for _, reduced in groups):
        lengths = tuple(length for length, _ in groups)
        inner = tuple(axis for axis, (_, reduced) in enumerate(groups) if reduced)
        kept = tuple(length for length, reduced in groups if not reduced)
        return c.op("sum", c.reshape(x, lengths), shape=carried_shape(kept), axis=inner)
    return x


def _row_sums(c: Context, x: Entry, length: int) -> Entry:
    rows = math.prod(x.shape) // length
    if length > _LONG:
        piece = next((d for d in range(_LONG, 31, -1) if length % d == 0), None)
        if piece is None:
            return c.op("sum", c.reshape(x, (rows, length)), shape=(rows,), axis=(1,))
        return _row_sums(c, _row_sums(c, x, piece), length // piece)
    ones = c.full(1, (length,), x.dtype)
    return c.op("dot", c.reshape(x, (rows, length)), ones, shape=(rows,))


def _position(name: str) -> Rule:
    def rule(c: Context, node: Node) -> Entry:
        x, axis = c[node.inputs[0]], node.attrs["axis"]
        kept = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
        found = c.op(name, x, shape=kept, dtype=INT64, axis=axis, keepdims=True)
        return c.reshape(found, carried_shape(result_type(node).shape))

    return rule


def _cumsum(c: Context, node: Node) -> Entry:
    x, axis = c[node.inputs[0]], node.attrs["axis"]
    if not node.attrs["reverse"]:
        return c.op("cumsum", x, axis=axis)
    backwards = c.op("reverse", x, attrs={"axis": (axis,)})
    return c.op("reverse", c.op("cumsum", backwards, axis=axis), attrs={"axis": (axis,)})


def row_max(c: Context, x: Entry, axis: int) -> Entry:
    """The largest element along an axis, which is kept with length 1."""
    kept = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
    return c.op("max", x, shape=kept, axis=(axis,), keepdims=True)


def as_float32(c: Context, x: Entry) -> tuple[Entry, numpy.dtype[Any]]:
    """Half precision is widened for what MXNet does badly in it; also the dtype to return to."""
    return (c.cast(x, FLOAT32), x.dtype) if x.dtype.name == "float16" else (x, x.dtype)


RULES: dict[str, Rule] = {
    "sum": _reduction("sum"),
    "prod": _reduction("prod"),
    "max": _reduction("max"),
    "min": _reduction("min"),
    "all": _reduction("min"),
    "any": _reduction("max"),
    "argmax": _position("_npi_argmax"),
    "argmin": _position("_npi_argmin"),
    "cumsum": _cumsum,
}
