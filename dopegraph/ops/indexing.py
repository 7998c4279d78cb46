"""Primitives that look elements up by integer arrays: `take`, its transpose `take_scatter`, and `one_hot`."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph.ir.primitive import Primitive, not_differentiable, primitive
from dopegraph.ir.types import DType, Shape, TensorType
from dopegraph.ops.typing import normalize_axis, require_kind, require_lengths
from dopegraph.runtime.errors import ShapeError


def _infer_take(x: TensorType, indices: TensorType, *, axis: int) -> TensorType:
    require_kind(indices, "iu", "integer indices")
    axis = normalize_axis(axis, x.ndim)
    return x.with_shape(x.shape[:axis] + indices.shape + x.shape[axis + 1 :])


def _positions(indices: Any) -> Any:
    """NumPy refuses unsigned 64-bit indices."""
    return indices if indices.dtype.kind == "i" else indices.astype(numpy.intp)


# Indices count from the end when negative; outside the axis they are an IndexError, as in NumPy.
take = primitive(
    "take",
    _infer_take,
    lambda x, indices, *, axis: numpy.take(x, _positions(indices), axis),
    [lambda g, y, x, indices, *, axis: take_scatter(g, indices, axis=axis, shape=x.shape), None],
    raises=True,
)


def _infer_take_scatter(g: TensorType, indices: TensorType, *, axis: int, shape: Shape) -> TensorType:
    if _infer_take(g.with_shape(require_lengths(shape)), indices, axis=axis) != g:
        raise ShapeError(f"{g} is not what taking {indices} along axis {axis} of {shape} gives")
    return g.with_shape(shape)


def _take_scatter(g: Any, indices: Any, *, axis: int, shape: Shape) -> Any:
    result = numpy.zeros(shape, g.dtype)
    where = (slice(None),) * normalize_axis(axis, len(shape)) + (_positions(indices),)
    numpy.add.at(result, where, g)
    return result


# Adds each taken element back to its place: the transpose of `take`.
take_scatter: Primitive = primitive(
    "take_scatter",
    _infer_take_scatter,
    _take_scatter,
    [lambda g, y, x, indices, *, axis, shape: take(g, indices, axis=axis), None],
)


def _infer_one_hot(indices: TensorType, *, depth: int, dtype: DType) -> TensorType:
    require_kind(indices, "iu", "integer indices")
    return TensorType(dtype, require_lengths((*indices.shape, depth)))


# An index outside 0..depth-1 gives a row of zeros, as in MXNet and JAX.
one_hot = primitive(
    "one_hot",
    _infer_one_hot,
    lambda indices, *, depth, dtype: (indices[..., None] == numpy.arange(depth)).astype(dtype),
    not_differentiable("the operand is an integer"),
)
