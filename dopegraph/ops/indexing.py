"""Primitives that find elements by integer arrays: `take`, its transpose, writing and adding there, and `one_hot`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from dopegraph.ir.graph import Value
from dopegraph.ir.primitive import Acceptance, Primitive, not_differentiable, primitive
from dopegraph.ir.types import DType, Shape, TensorType
from dopegraph.ops.creation import full, iota
from dopegraph.ops.elementwise import equal, select
from dopegraph.ops.shape import reshape
from dopegraph.ops.typing import normalize_axis, require_kind, require_lengths, same_dtype
from dopegraph.runtime.errors import ShapeError


def _infer_take(x: TensorType, indices: TensorType, *, axis: int) -> TensorType:
    require_kind(indices, "iu", "integer indices")
    axis = normalize_axis(axis, x.ndim)
    return x.with_shape(x.shape[:axis] + indices.shape + x.shape[axis + 1 :])


def _positions(indices: Any) -> Any:
    """NumPy refuses unsigned 64-bit indices."""
    return indices if indices.dtype.kind == "i" else indices.astype(numpy.intp)


def _are_inside(types: Sequence[TensorType], indices: Any, *, axis: int, **_: Any) -> bool:
    """Whether all positions are on the axis of the first operand."""
    length = types[0].shape[normalize_axis(axis, types[0].ndim)]
    return not indices.size or bool(indices.max() < length and indices.min() >= -length)


inside = Acceptance((1,), _are_inside)
"""For primitives that find elements of the first operand, on an axis, by the second."""


# Indices count from the end when negative; outside the axis they are an IndexError, as in NumPy.
take = primitive(
    "take",
    _infer_take,
    lambda x, indices, *, axis: numpy.take(x, _positions(indices), axis),
    [lambda g, y, x, indices, *, axis: take_scatter(g, indices, axis=axis, shape=x.shape), None],
    accepts=inside,
)


def _infer_take_scatter(g: TensorType, indices: TensorType, *, axis: int, shape: Shape) -> TensorType:
    if _infer_take(g.with_shape(require_lengths(shape)), indices, axis=axis) != g:
        raise ShapeError(f"{g} is not what taking {indices} along axis {axis} of {shape} gives")
    return g.with_shape(shape)


def _take_scatter(g: Any, indices: Any, *, axis: int, shape: Shape) -> Any:
    result = numpy.zeros(shape, g.dtype)
    numpy.add.at(result, _along(axis, result, indices), g)
    return result


def _along(axis: int, x: Any, indices: Any) -> tuple[Any, ...]:
    """The key that takes positions along an axis."""
    return (slice(None),) * normalize_axis(axis, x.ndim) + (_positions(indices),)


# Adds each taken element back to its place: the transpose of `take`.
take_scatter: Primitive = primitive(
    "take_scatter",
    _infer_take_scatter,
    _take_scatter,
    [lambda g, y, x, indices, *, axis, shape: take(g, indices, axis=axis), None],
)


def _infer_scatter(x: TensorType, indices: TensorType, values: TensorType, *, axis: int) -> TensorType:
    same_dtype((x, values))
    taken = _infer_take(x, indices, axis=axis)
    if taken != values:
        raise ShapeError(f"values of shape {values.shape} do not fit: {taken.shape} is what the indices name")
    return x


def _scatter(x: Any, indices: Any, values: Any, *, axis: int) -> Any:
    result = numpy.array(x)
    result[_along(axis, result, indices)] = values
    return result


def _scatter_gradient(
    g: Value, z: Value, x: Value, indices: Value, values: Value, *, axis: int
) -> tuple[Value, None, Value]:
    nothing = full(value=0.0, shape=values.shape, dtype=g.type.dtype)
    kept = scatter(g, indices, nothing, axis=axis)
    return kept, None, select(_remains(x, indices, axis), take(g, indices, axis=axis), nothing)


def _remains(x: Value, indices: Value, axis: int) -> Value:
    """Which of the written values are still there: of those for one place the last."""
    axis = normalize_axis(axis, x.ndim)
    numbers = reshape(iota(size=indices.type.size, dtype=_INT64), shape=indices.shape)
    unwritten = full(value=-1, shape=(x.shape[axis],), dtype=_INT64)
    last = take(scatter(unwritten, indices, numbers, axis=0), indices, axis=0)
    return reshape(equal(last, numbers), shape=(*indices.shape, *(1,) * (x.ndim - axis - 1)))


_INT64 = numpy.dtype("int64")

# Writes values where `take` would read them; of several for one place the last remains, as in NumPy.
scatter: Primitive = primitive("scatter", _infer_scatter, _scatter, _scatter_gradient, accepts=inside)


def _scatter_add(x: Any, indices: Any, values: Any, *, axis: int) -> Any:
    result = numpy.array(x)
    numpy.add.at(result, _along(axis, result, indices), values)
    return result


# Adds values where `take` would read them, one after the other, as numpy.add.at does.
scatter_add = primitive(
    "scatter_add",
    _infer_scatter,
    _scatter_add,
    [lambda g, z, x, indices, values, *, axis: g, None,
     lambda g, z, x, indices, values, *, axis: take(g, indices, axis=axis)],
    accepts=inside,
)  # fmt: skip


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
