"""Reductions: `axes` is a sorted tuple counted from the front; also `cumsum`, and the sum that undoes broadcasting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from dopegraph.ir.graph import Value
from dopegraph.ir.primitive import Primitive, not_differentiable, primitive
from dopegraph.ir.types import Shape, TensorType
from dopegraph.ops.creation import full
from dopegraph.ops.elementwise import cast, equal
from dopegraph.ops.shape import broadcast_to, concat, reshape, strided_slice
from dopegraph.ops.typing import normalize_axis, reduced_shape, require_kind, require_sorted_axes
from dopegraph.runtime.errors import ShapeError

Axes = tuple[int, ...]


def _reduction(kinds: str, what: str, empty: bool = True) -> Callable[..., TensorType]:
    def infer(x: TensorType, *, axes: Axes, keepdims: bool = False) -> TensorType:
        require_kind(x, kinds, what)
        require_sorted_axes(axes, x.ndim)
        if not empty and 0 in [x.shape[axis] for axis in axes]:
            raise ShapeError(f"an empty reduction of {x} has no value; give initial= or a non-empty axis")
        return x.with_shape(reduced_shape(x.shape, axes, keepdims))

    return infer


def _kernel(function: Any) -> Callable[..., Any]:
    def kernel(x: Any, *, axes: Axes, keepdims: bool = False) -> Any:
        return function(x, axis=axes, keepdims=keepdims)

    return kernel


def spread(g: Value, x: Value, axes: Axes, keepdims: bool) -> Value:
    """A reduced cotangent, with the reduced axes put back with length 1."""
    return g if keepdims else reshape(g, shape=reduced_shape(x.shape, axes, True))


def _max_gradient(g: Value, y: Value, x: Value, *, axes: Axes, keepdims: bool = False) -> Value:
    # Elements that tie for the extremum share the cotangent equally, as in JAX.
    attains = cast(equal(x, spread(y, x, axes, keepdims)), dtype=x.type.dtype)
    return spread(g, x, axes, keepdims) * attains / sum(attains, axes=axes, keepdims=True)


def _prod_gradient(g: Value, y: Value, x: Value, *, axes: Axes, keepdims: bool = False) -> Value:
    """The product of all the *other* elements, one axis after another; dividing by x would be wrong at zeros."""
    partial = [x]
    for axis in axes:
        partial.append(prod(partial[-1], axes=(axis,), keepdims=True))
    g = spread(g, x, axes, keepdims)
    for axis, before in zip(reversed(axes), reversed(partial[:-1])):
        g = g * _product_of_others(before, axis)
    return g


def _product_of_others(x: Value, axis: int) -> Value:
    """For each element along an axis the product of the others, by halving: log2(n) steps of pairwise products."""
    length = x.shape[axis]
    if length <= 1:
        return full(value=1.0, shape=x.shape, dtype=x.type.dtype)
    half = length // 2

    def part(value: Value, start: int, stop: int) -> Value:
        starts = tuple(start if i == axis else 0 for i in range(value.ndim))
        stops = tuple(stop if i == axis else n for i, n in enumerate(value.shape))
        return strided_slice(value, starts=starts, stops=stops, steps=(1,) * value.ndim)

    low, high = part(x, 0, half), part(x, half, 2 * half)
    pairs = low * high
    if length % 2:
        pairs = concat(pairs, part(x, length - 1, length), axis=axis)
    others = _product_of_others(pairs, axis)
    paired = part(others, 0, half)
    pieces = [paired * high, paired * low]
    if length % 2:
        pieces.append(part(others, half, half + 1))
    return concat(*pieces, axis=axis)


def _reduce(name: str, function: Any, gradient: Any, kinds: str, what: str, empty: bool = True) -> Primitive:
    return primitive(name, _reduction(kinds, what, empty), _kernel(function), gradient)


sum = primitive(
    "sum",
    _reduction("iufc", "numbers"),
    lambda x, *, axes, keepdims=False: numpy.sum(x, axis=axes, keepdims=keepdims, dtype=x.dtype),
    [lambda g, y, x, *, axes, keepdims=False: broadcast_to(spread(g, x, axes, keepdims), shape=x.shape)],
)
prod = primitive(
    "prod",
    _reduction("iufc", "numbers"),
    lambda x, *, axes, keepdims=False: numpy.prod(x, axis=axes, keepdims=keepdims, dtype=x.dtype),
    [_prod_gradient],
)
max = _reduce("max", numpy.max, [_max_gradient], "biufc", "numbers", empty=False)
min = _reduce("min", numpy.min, [_max_gradient], "biufc", "numbers", empty=False)
all = _reduce("all", numpy.all, not_differentiable("the result is a boolean"), "b", "booleans")
any = _reduce("any", numpy.any, not_differentiable("the result is a boolean"), "b", "booleans")

_INT64 = numpy.dtype("int64")


def _infer_arg(x: TensorType, *, axis: int, keepdims: bool = False) -> TensorType:
    axis = normalize_axis(axis, x.ndim)
    if x.shape[axis] == 0:
        raise ShapeError(f"the extremum along the empty axis {axis} of {x} has no position")
    return TensorType(_INT64, reduced_shape(x.shape, (axis,), keepdims))


def _arg_kernel(function: Any) -> Callable[..., Any]:
    def kernel(x: Any, *, axis: int, keepdims: bool = False) -> Any:
        position = function(x, axis=axis)
        return numpy.asarray(numpy.expand_dims(position, axis) if keepdims else position, _INT64)

    return kernel


_POSITION = not_differentiable("the result is a position")
argmax = primitive("argmax", _infer_arg, _arg_kernel(numpy.argmax), _POSITION)
argmin = primitive("argmin", _infer_arg, _arg_kernel(numpy.argmin), _POSITION)


def _infer_cumsum(x: TensorType, *, axis: int, reverse: bool = False) -> TensorType:
    require_kind(x, "iufc", "numbers")
    normalize_axis(axis, x.ndim)
    return x


def _cumsum(x: Any, *, axis: int, reverse: bool = False) -> Any:
    if reverse:
        return numpy.flip(numpy.cumsum(numpy.flip(x, axis), axis=axis, dtype=x.dtype), axis)
    return numpy.cumsum(x, axis=axis, dtype=x.dtype)


cumsum: Primitive = primitive(
    "cumsum",
    _infer_cumsum,
    _cumsum,
    [lambda g, y, x, *, axis, reverse=False: cumsum(g, axis=axis, reverse=not reverse)],
)


def sum_to_shape(value: Value, shape: Shape) -> Value:
    """Sum a value over the axes along which `shape` was broadcast to the value's."""
    if value.shape == shape:
        return value
    extra = value.ndim - len(shape)
    axes = tuple(range(extra)) + tuple(
        axis for axis, length in enumerate(shape, extra) if length == 1 and value.shape[axis] != 1
    )
    reduced = sum(value, axes=axes, keepdims=True) if axes else value
    return reduced if reduced.shape == shape else reshape(reduced, shape=shape)
