"""Primitives that order elements along an axis, or look them up and write them there by indices of the same rank.

NaN sorts last, complex numbers by the real and then the imaginary part, as NumPy has it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from dopegraph.ir.graph import Value
from dopegraph.ir.primitive import Acceptance, Primitive, not_differentiable, primitive
from dopegraph.ir.types import TensorType
from dopegraph.ops.creation import full, iota
from dopegraph.ops.elementwise import cast, equal, greater, less, select
from dopegraph.ops.indexing import _positions, inside
from dopegraph.ops.reduction import cumsum
from dopegraph.ops.shape import broadcast_to, concat, reshape, strided_slice
from dopegraph.ops.typing import normalize_axis, require_kind, same_dtype
from dopegraph.runtime.errors import ShapeError

INT64 = numpy.dtype("int64")
KINDS = ("quicksort", "stable", "heapsort")

_POSITIONS = not_differentiable("the result is positions")


def _along(value: Value, axis: int, start: int, stop: int) -> Value:
    """A part of an axis."""
    starts = tuple(start if place == axis else 0 for place in range(value.ndim))
    stops = tuple(stop if place == axis else length for place, length in enumerate(value.shape))
    return strided_slice(value, starts=starts, stops=stops, steps=(1,) * value.ndim)


# Lookup and writing along an axis -----------------------------------------------------------------------------------


def _require_beside(x: TensorType, indices: TensorType, axis: int) -> int:
    """The axis from the front; indices differ from the array's shape there only."""
    require_kind(indices, "iu", "integer indices")
    axis = normalize_axis(axis, x.ndim)
    if indices.ndim != x.ndim or any(
        n != m for place, (n, m) in enumerate(zip(x.shape, indices.shape)) if place != axis
    ):
        raise ShapeError(f"indices of shape {indices.shape} do not fit {x.shape}: they may differ on axis {axis} only")
    return axis


def along_axis(indices: Any, axis: int) -> tuple[Any, ...]:
    """The NumPy index that names, along one axis, the elements at `indices`."""
    axis = normalize_axis(axis, indices.ndim)
    places = list(numpy.ogrid[tuple(slice(length) for length in indices.shape)])
    places[axis] = _positions(indices)
    return tuple(places)


def _infer_take_along_axis(x: TensorType, indices: TensorType, *, axis: int) -> TensorType:
    _require_beside(x, indices, axis)
    return x.with_shape(indices.shape)


# Indices count from the end when negative; outside the axis they are an IndexError.
take_along_axis: Primitive = primitive(
    "take_along_axis",
    _infer_take_along_axis,
    lambda x, indices, *, axis: numpy.asarray(x)[along_axis(numpy.asarray(indices), axis)],
    [lambda g, y, x, i, *, axis: scatter_add_along_axis(g, i, axis=axis, length=x.shape[axis]), None],
    accepts=inside,
)


def _infer_scatter(g: TensorType, indices: TensorType, *, axis: int, length: int) -> TensorType:
    require_kind(g, "iufc", "numbers")
    if g.shape != indices.shape:
        raise ShapeError(f"values of shape {g.shape} for indices of shape {indices.shape}")
    axis = _require_beside(g, indices, axis)
    if length < 0:
        raise ShapeError(f"the axis has a negative length, {length}")
    return g.with_shape((*g.shape[:axis], length, *g.shape[axis + 1 :]))


def _scatter(g: Any, indices: Any, *, axis: int, length: int) -> Any:
    shape = list(g.shape)
    shape[axis] = length
    result = numpy.zeros(shape, g.dtype)
    if g.dtype.kind == "f" and g.size and result.size:
        key = along_axis(indices, axis)
        at = numpy.broadcast_to(numpy.arange(result.size).reshape(shape)[key], g.shape)
        # Much faster than add.at; sums in double precision.
        return numpy.bincount(at.ravel(), g.ravel(), result.size).reshape(shape).astype(g.dtype)
    numpy.add.at(result, along_axis(indices, axis), g)
    return result


# Adds each value to its place in zeros: the transpose of `take_along_axis`.
scatter_add_along_axis: Primitive = primitive(
    "scatter_add_along_axis",
    _infer_scatter,
    _scatter,
    [lambda g, y, x, indices, *, axis, length: take_along_axis(g, indices, axis=axis), None],
    raises=True,
)


def _infer_put(x: TensorType, indices: TensorType, values: TensorType, *, axis: int) -> TensorType:
    same_dtype((x, values))
    _require_beside(x, indices, axis)
    if values.shape != indices.shape:
        raise ShapeError(f"values of shape {values.shape} for indices of shape {indices.shape}")
    return x


def _put(x: Any, indices: Any, values: Any, *, axis: int) -> Any:
    result = numpy.array(x)
    result[along_axis(indices, axis)] = values
    return result


def _put_gradient_x(g: Value, y: Value, x: Value, indices: Value, values: Value, *, axis: int) -> Value:
    return put_along_axis(g, indices, full(value=0.0, shape=values.shape, dtype=g.type.dtype), axis=axis)


def _put_gradient_values(g: Value, y: Value, x: Value, indices: Value, values: Value, *, axis: int) -> Value:
    """Where two values are written to one place the later one stays."""
    number = reshape(iota(size=values.type.size, dtype=INT64), shape=values.shape)
    written = put_along_axis(full(value=-1, shape=x.shape, dtype=INT64), indices, number, axis=axis)
    stays = equal(take_along_axis(written, indices, axis=axis), number)
    return select(stays, take_along_axis(g, indices, axis=axis), 0.0)


put_along_axis: Primitive = primitive(
    "put_along_axis", _infer_put, _put, [_put_gradient_x, None, _put_gradient_values], accepts=inside
)


# Order --------------------------------------------------------------------------------------------------------------


def _ordered(dtype: Any = None) -> Callable[..., TensorType]:
    def infer(x: TensorType, *, axis: int, kind: str = "quicksort") -> TensorType:
        normalize_axis(axis, x.ndim)
        if kind not in KINDS:
            raise ShapeError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
        return x if dtype is None else x.with_dtype(dtype)

    return infer


def _sort_gradient(g: Value, y: Value, x: Value, *, axis: int, kind: str = "quicksort") -> Value:
    return scatter_add_along_axis(g, argsort(x, axis=axis, kind="stable"), axis=axis, length=x.shape[axis])


sort = primitive(
    "sort",
    _ordered(),
    lambda x, *, axis, kind="quicksort": numpy.sort(x, axis, kind),
    [_sort_gradient],
)
argsort: Primitive = primitive(
    "argsort",
    _ordered(INT64),
    lambda x, *, axis, kind="quicksort": numpy.asarray(numpy.argsort(x, axis, kind), INT64),
    _POSITIONS,
)


def _partitioned(dtype: Any = None) -> Callable[..., TensorType]:
    def infer(x: TensorType, *, axis: int, kth: tuple[int, ...]) -> TensorType:
        length = x.shape[normalize_axis(axis, x.ndim)]
        outside = [place for place in kth if not 0 <= place < length]
        if outside:
            raise ShapeError(f"the place {outside[0]} lies outside the axis {axis} of {x}")
        return x if dtype is None else x.with_dtype(dtype)

    return infer


def _partition_gradient(g: Value, y: Value, x: Value, *, axis: int, kth: tuple[int, ...]) -> Value:
    """Sorting both, what is equal in the operand and in the result stands at the same place."""
    given, found = argsort(x, axis=axis, kind="stable"), argsort(y, axis=axis, kind="stable")
    in_order = take_along_axis(g, found, axis=axis)
    return scatter_add_along_axis(in_order, given, axis=axis, length=x.shape[axis])


# The elements at the places `kth` are those of the sorted array; smaller ones stand before, others after them.
partition = primitive(
    "partition",
    _partitioned(),
    lambda x, *, axis, kth: numpy.partition(x, list(kth), axis) if kth else numpy.array(x),
    [_partition_gradient],
)
argpartition = primitive(
    "argpartition",
    _partitioned(INT64),
    lambda x, *, axis, kth: numpy.asarray(numpy.argpartition(x, list(kth) if kth else 0, axis), INT64),
    _POSITIONS,
)


def _infer_searchsorted(a: TensorType, v: TensorType, *, right: bool = False) -> TensorType:
    same_dtype((a, v))
    if a.ndim != 1:
        raise ShapeError(f"looks values up in a sorted array of one axis, not in {a}")
    return v.with_dtype(INT64)


searchsorted = primitive(
    "searchsorted",
    _infer_searchsorted,
    lambda a, v, *, right=False: numpy.asarray(numpy.searchsorted(a, v, "right" if right else "left"), INT64),
    _POSITIONS,
)


# Accumulation -------------------------------------------------------------------------------------------------------


def _accumulated(kinds: str, what: str) -> Callable[..., TensorType]:
    def infer(x: TensorType, *, axis: int) -> TensorType:
        require_kind(x, kinds, what)
        normalize_axis(axis, x.ndim)
        return x

    return infer


def _cumprod_gradient(g: Value, y: Value, x: Value, *, axis: int) -> Value:
    """``P[i-1] * S[i]`` with ``S[i] = g[i] + x[i+1] S[i+1]``, so that nothing is divided by a zero.

    The recurrence is solved by doubling: after step k it reaches 2**k elements ahead (Blelloch, Prefix sums and their
    applications, 1990, section 1.4).
    """
    length = x.shape[axis]
    if length < 2:
        return g
    total, factor, reach = g, _along(x, axis, 1, length), 1
    while reach < length:
        rest = length - reach
        near = _along(total, axis, 0, rest) + factor * _along(total, axis, reach, length)
        total = concat(near, _along(total, axis, rest, length), axis=axis)
        if rest > reach:
            factor = _along(factor, axis, 0, rest - reach) * _along(factor, axis, reach, rest)
        reach *= 2
    first = full(value=1.0, shape=_along(x, axis, 0, 1).shape, dtype=x.type.dtype)
    return concat(first, _along(y, axis, 0, length - 1), axis=axis) * total


cumprod = primitive(
    "cumprod",
    _accumulated("iufc", "numbers"),
    lambda x, *, axis: numpy.cumprod(x, axis, dtype=x.dtype),
    [_cumprod_gradient],
)


def _extremum_gradient(beats: Primitive) -> Callable[..., Value]:
    def gradient(g: Value, y: Value, x: Value, *, axis: int) -> Value:
        """The cotangent goes to the first element that attained the extremum so far."""
        length = x.shape[axis]
        if length < 2:
            return g
        ahead = beats(_along(x, axis, 1, length), _along(y, axis, 0, length - 1))
        start = full(value=False, shape=_along(x, axis, 0, 1).shape, dtype=numpy.dtype("bool"))
        steps = cast(concat(start, ahead, axis=axis), dtype=INT64)
        # Records are numbered; the place of each record is the number of elements up to it.
        numbers = cumsum(steps, axis=axis)
        lengths = tuple(length if place == axis else 1 for place in range(x.ndim))
        place = broadcast_to(reshape(iota(size=length, dtype=INT64), shape=lengths), shape=x.shape)
        where = scatter_add_along_axis(select(equal(steps, 1), place, 0), numbers, axis=axis, length=length)
        return scatter_add_along_axis(g, take_along_axis(where, numbers, axis=axis), axis=axis, length=length)

    return gradient


cummax = primitive(
    "cummax",
    _accumulated("biuf", "numbers that have an order"),
    lambda x, *, axis: numpy.maximum.accumulate(x, axis, dtype=x.dtype),
    [_extremum_gradient(greater)],
)
cummin = primitive(
    "cummin",
    _accumulated("biuf", "numbers that have an order"),
    lambda x, *, axis: numpy.minimum.accumulate(x, axis, dtype=x.dtype),
    [_extremum_gradient(less)],
)


# Refusal of values --------------------------------------------------------------------------------------------------

_ERRORS: dict[str, type[Exception]] = {"ValueError": ValueError, "ZeroDivisionError": ZeroDivisionError}


def _infer_checked(x: TensorType, condition: TensorType, *, error: str, message: str) -> TensorType:
    require_kind(condition, "b", "a boolean condition")
    if error not in _ERRORS:
        raise ShapeError(f"error must be one of {', '.join(_ERRORS)}, not {error!r}")
    return x


def _checked(x: Any, condition: Any, *, error: str, message: str) -> Any:
    if not numpy.all(condition):
        raise _ERRORS[error](message)
    return numpy.array(x)


_holds = Acceptance((1,), lambda types, condition, **_: bool(condition.all()))

# The operand as it is, or an error if a condition does not hold.
checked = primitive(
    "checked", _infer_checked, _checked, [lambda g, y, x, c, *, error, message: g, None], accepts=_holds
)
