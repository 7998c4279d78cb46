"""The checks that type rules share: broadcasting, axes, and dtypes, each with an error that says what to do."""

from __future__ import annotations

from collections.abc import Iterable

from dopegraph.ir.types import DType, Shape, TensorType
from dopegraph.runtime.errors import AxisError, DTypeError, ShapeError


def broadcast_shapes(*shapes: Shape) -> Shape:
    """The shape that shapes broadcast to, by NumPy's rule."""
    ndim = max((len(shape) for shape in shapes), default=0)
    result = [1] * ndim
    for shape in shapes:
        offset = ndim - len(shape)
        for axis, length in enumerate(shape, offset):
            if length == 1 or length == result[axis]:
                continue
            if result[axis] != 1:
                shown = " and ".join(str(shape) for shape in shapes)
                raise ShapeError(
                    f"shapes {shown} do not broadcast: axis {axis - ndim} has lengths {result[axis]} and {length}"
                )
            result[axis] = length
    return tuple(result)


def normalize_axis(axis: int, ndim: int) -> int:
    """The axis counted from the front."""
    if not -ndim <= axis < ndim:
        raise AxisError(f"axis {axis} is out of bounds for an array of {ndim} dimensions")
    return axis + ndim if axis < 0 else axis


def normalize_axes(axes: Iterable[int], ndim: int) -> tuple[int, ...]:
    """Axes counted from the front, sorted; each may stand there once."""
    result = tuple(sorted(normalize_axis(axis, ndim) for axis in axes))
    if len(set(result)) != len(result):
        raise ShapeError(f"axis {result} names an axis twice")
    return result


def require_sorted_axes(axes: tuple[int, ...], ndim: int) -> None:
    """Raise unless axes stand in the one form that graphs have: sorted, each once, counted from the front."""
    normal = normalize_axes(axes, ndim)
    if axes != normal:
        raise ShapeError(f"axes {axes} must be a sorted tuple counted from the front, {normal}")


def require_lengths(shape: Shape) -> Shape:
    """Raise unless a shape given as an attribute has lengths of 0 or more."""
    if any(length < 0 for length in shape):
        raise ShapeError(f"the shape {shape} has a negative length")
    return shape


def same_dtype(types: Iterable[TensorType]) -> DType:
    """The one dtype of all operands; the front end has promoted them."""
    dtypes = list(dict.fromkeys(type.dtype for type in types))
    if len(dtypes) != 1:
        raise DTypeError(f"operands have dtypes {', '.join(map(str, dtypes))}; cast them to one with astype")
    return dtypes[0]


def require_kind(type: TensorType, kinds: str, what: str) -> None:
    """Raise unless the dtype's kind is among `kinds` (NumPy's letters)."""
    if type.dtype.kind not in kinds:
        raise DTypeError(f"takes {what}, not {type.dtype}")


def reduced_shape(shape: Shape, axes: tuple[int, ...], keepdims: bool) -> Shape:
    """The shape after reducing over normalized axes."""
    if keepdims:
        return tuple(1 if axis in axes else length for axis, length in enumerate(shape))
    return tuple(length for axis, length in enumerate(shape) if axis not in axes)
