"""The diagonal of matrices: a primitive of its own because it is a view that no reshape of a slice is."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph.ir.graph import Value
from dopegraph.ir.primitive import Primitive, primitive
from dopegraph.ir.types import TensorType
from dopegraph.ops.shape import inverse_permutation, reshape, transpose, unslice
from dopegraph.ops.typing import normalize_axis
from dopegraph.runtime.errors import ShapeError


def _span(rows: int, columns: int, offset: int) -> tuple[int, int]:
    """Where the diagonal starts among the elements of a matrix, and how long it is."""
    length = max(0, min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns))
    return (offset if offset >= 0 else -offset * columns), length


def _infer_diagonal(x: TensorType, *, offset: int = 0, axis1: int = 0, axis2: int = 1) -> TensorType:
    first, second = normalize_axis(axis1, x.ndim), normalize_axis(axis2, x.ndim)
    if first == second:
        raise ShapeError(f"a diagonal runs along two axes, not twice along axis {first}")
    rest = tuple(length for axis, length in enumerate(x.shape) if axis not in (first, second))
    return x.with_shape((*rest, _span(x.shape[first], x.shape[second], offset)[1]))


def _gradient(g: Value, y: Value, x: Value, *, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Value:
    """Put on the diagonals of zeros: every (columns + 1)th element of a matrix whose rows stand one after another."""
    first, second = normalize_axis(axis1, x.ndim), normalize_axis(axis2, x.ndim)
    rest = [axis for axis in range(x.ndim) if axis not in (first, second)]
    rows, columns = x.shape[first], x.shape[second]
    start, length = _span(rows, columns, offset)
    if not length:
        start, stop = 0, 0
    else:
        stop = start + (length - 1) * (columns + 1) + 1
    outer = tuple(x.shape[axis] for axis in rest)
    flat = unslice(
        g,
        shape=(*outer, rows * columns),
        starts=(*[0] * len(outer), start),
        stops=(*outer, stop),
        steps=(*[1] * len(outer), columns + 1),
    )
    square = reshape(flat, shape=(*outer, rows, columns))
    return transpose(square, axes=inverse_permutation((*rest, first, second)))


def _diagonal(x: Any, *, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return numpy.diagonal(x, offset, axis1, axis2)


diagonal: Primitive = primitive("diagonal", _infer_diagonal, _diagonal, [_gradient], view=True)
