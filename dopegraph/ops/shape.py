"""Primitives that move or repeat elements, not looking at them: reshape, transpose, broadcast, slice, concat, flip."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph.ir.graph import Value
from dopegraph.ir.primitive import Primitive, not_differentiable, primitive
from dopegraph.ir.types import DType, Shape, TensorType
from dopegraph.ops.creation import full
from dopegraph.ops.typing import normalize_axis, require_lengths, require_sorted_axes, same_dtype
from dopegraph.runtime.errors import ShapeError

Axes = tuple[int, ...]


def _infer_reshape(x: TensorType, *, shape: Shape) -> TensorType:
    result = x.with_shape(require_lengths(shape))
    if result.size != x.size:
        raise ShapeError(f"an array of shape {x.shape} has {x.size} elements and cannot be reshaped to {shape}")
    return result


reshape: Primitive = primitive(
    "reshape",
    _infer_reshape,
    lambda x, *, shape: x.reshape(shape),
    [lambda g, y, x, *, shape: reshape(g, shape=x.shape)],
    view=True,
)


def _infer_transpose(x: TensorType, *, axes: Axes) -> TensorType:
    if sorted(axes) != list(range(x.ndim)):
        raise ShapeError(f"axes {axes} are not a permutation of the {x.ndim} axes of {x}")
    return x.with_shape(tuple(x.shape[axis] for axis in axes))


def inverse_permutation(axes: Axes) -> Axes:
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


transpose: Primitive = primitive(
    "transpose",
    _infer_transpose,
    lambda x, *, axes: x.transpose(axes),
    [lambda g, y, x, *, axes: transpose(g, axes=inverse_permutation(axes))],
    view=True,
)


def _infer_broadcast_to(x: TensorType, *, shape: Shape) -> TensorType:
    extra = len(require_lengths(shape)) - x.ndim
    if extra < 0 or any(n not in (1, m) for n, m in zip(x.shape, shape[extra:])):
        raise ShapeError(f"an array of shape {x.shape} cannot be broadcast to {shape}")
    return x.with_shape(shape)


def _broadcast_gradient(g: Value, y: Value, x: Value, *, shape: Shape) -> Value:
    from dopegraph.ops.reduction import sum_to_shape

    return sum_to_shape(g, x.shape)


broadcast_to = primitive(
    "broadcast_to",
    _infer_broadcast_to,
    lambda x, *, shape: numpy.broadcast_to(x, shape),
    [_broadcast_gradient],
    view=True,
)


def _infer_slice(x: TensorType, *, starts: Axes, stops: Axes, steps: Axes) -> TensorType:
    if not len(starts) == len(stops) == len(steps) == x.ndim:
        raise ShapeError(f"starts, stops and steps need one number for each of the {x.ndim} axes of {x}")
    if any(step < 1 for step in steps):
        raise ShapeError("steps must be positive; flip the array for negative ones")
    if any(not 0 <= start <= stop <= n for start, stop, n in zip(starts, stops, x.shape)):
        raise ShapeError(f"starts {starts} and stops {stops} leave the shape {x.shape}")
    return x.with_shape(tuple(len(range(*bounds)) for bounds in zip(starts, stops, steps)))


def slices(starts: Axes, stops: Axes, steps: Axes) -> tuple[slice, ...]:
    """The attributes of a slice as a NumPy index."""
    return tuple(slice(*bounds) for bounds in zip(starts, stops, steps))


strided_slice = primitive(
    "strided_slice",
    _infer_slice,
    # The dots make it a view, not a number, where there are no axes.
    lambda x, *, starts, stops, steps: x[(*slices(starts, stops, steps), ...)],
    [lambda g, y, x, *, starts, stops, steps: unslice(g, shape=x.shape, starts=starts, stops=stops, steps=steps)],
    view=True,
)


def _infer_unslice(x: TensorType, *, shape: Shape, starts: Axes, stops: Axes, steps: Axes) -> TensorType:
    whole = x.with_shape(require_lengths(shape))
    if _infer_slice(whole, starts=starts, stops=stops, steps=steps) != x:
        raise ShapeError(f"the slice of {whole} does not have the shape {x.shape}")
    return whole


def _unslice(x: Any, *, shape: Shape, starts: Axes, stops: Axes, steps: Axes) -> Any:
    result = numpy.zeros(shape, x.dtype)
    result[slices(starts, stops, steps)] = x
    return result


# Zeros everywhere but in a slice: the transpose of `strided_slice`.
unslice: Primitive = primitive(
    "unslice",
    _infer_unslice,
    _unslice,
    [
        lambda g, y, x, *, shape, starts, stops, steps: strided_slice(g, starts=starts, stops=stops, steps=steps),
    ],
)


def _infer_slice_update(x: TensorType, y: TensorType, *, starts: Axes, stops: Axes, steps: Axes) -> TensorType:
    same_dtype((x, y))
    region = _infer_slice(x, starts=starts, stops=stops, steps=steps)
    if region != y:
        raise ShapeError(f"cannot put values of shape {y.shape} into a slice of shape {region.shape}")
    return x


def _slice_update(x: Any, y: Any, *, starts: Axes, stops: Axes, steps: Axes) -> Any:
    result = numpy.array(x)
    result[slices(starts, stops, steps)] = y
    return result


def _slice_update_gradient(g: Value, z: Value, x: Value, y: Value, **where: Any) -> tuple[Value, Value]:
    region = strided_slice(g, **where)
    nothing = full(value=0.0, shape=region.shape, dtype=g.type.dtype)
    return slice_update(g, nothing, **where), region


slice_update = primitive("slice_update", _infer_slice_update, _slice_update, _slice_update_gradient)


def _infer_concat(*parts: TensorType, axis: int) -> TensorType:
    if not parts:
        raise ShapeError("needs at least one array to concatenate")
    first = parts[0]
    axis = normalize_axis(axis, first.ndim)
    for part in parts[1:]:
        if part.ndim != first.ndim or any(n != m for i, (n, m) in enumerate(zip(part.shape, first.shape)) if i != axis):
            shown = " and ".join(str(part.shape) for part in parts)
            raise ShapeError(f"shapes {shown} differ elsewhere than on axis {axis}")
    length = sum(part.shape[axis] for part in parts)
    return TensorType(same_dtype(parts), (*first.shape[:axis], length, *first.shape[axis + 1 :]))


def _concat_gradient(g: Value, y: Value, *parts: Value, axis: int) -> tuple[Value, ...]:
    axis, result, start = normalize_axis(axis, g.ndim), [], 0
    for part in parts:
        stop = start + part.shape[axis]
        starts = tuple(start if i == axis else 0 for i in range(g.ndim))
        stops = tuple(stop if i == axis else n for i, n in enumerate(g.shape))
        result.append(strided_slice(g, starts=starts, stops=stops, steps=(1,) * g.ndim))
        start = stop
    return tuple(result)


concat = primitive("concat", _infer_concat, lambda *parts, axis: numpy.concatenate(parts, axis), _concat_gradient)


def _infer_bitcast(x: TensorType, *, dtype: DType) -> TensorType:
    old, new = x.dtype.itemsize, dtype.itemsize
    if old == new:
        return x.with_dtype(dtype)
    if not x.ndim or x.shape[-1] * old % new:
        raise ShapeError(f"the bytes of the last axis of {x} are no whole number of {dtype}")
    return TensorType(dtype, (*x.shape[:-1], x.shape[-1] * old // new))


# The same bytes read as another dtype; the last axis becomes longer or shorter where elements have other sizes.
bitcast = primitive(
    "bitcast",
    _infer_bitcast,
    lambda x, *, dtype: x.view(dtype),
    not_differentiable("bytes are read as something else"),
    view=True,
)


def _infer_flip(x: TensorType, *, axes: Axes) -> TensorType:
    require_sorted_axes(axes, x.ndim)
    return x


flip: Primitive = primitive(
    "flip",
    _infer_flip,
    lambda x, *, axes: numpy.flip(x, axes),
    [lambda g, y, x, *, axes: flip(g, axes=axes)],
    view=True,
)
