"""Primitives between positions of a flattened array and positions along each axis; positions outside are errors."""

from __future__ import annotations

import math
from typing import Any

import numpy

from dopegraph.ir.primitive import not_differentiable, primitive
from dopegraph.ir.types import Shape, TensorType
from dopegraph.ops.typing import broadcast_shapes, require_kind, require_lengths
from dopegraph.runtime.errors import ShapeError

_INT64 = numpy.dtype("int64")
_POSITIONS = not_differentiable("the result is a position")


def _infer_unravel(indices: TensorType, *, shape: Shape, order: str = "C") -> TensorType:
    require_kind(indices, "iu", "integers")
    return TensorType(_INT64, (len(require_lengths(shape)), *indices.shape))


def _unravel(indices: Any, *, shape: Shape, order: str = "C") -> Any:
    if not shape and not (numpy.asarray(indices) == 0).all():
        raise ValueError("the one element of an array without axes has the position 0")
    found = numpy.unravel_index(numpy.asarray(indices).astype(numpy.intp), shape, order)
    return numpy.array(found, _INT64).reshape(len(shape), *numpy.shape(indices))


# Positions of the flattened array become one row for each axis.
unravel_index = primitive("unravel_index", _infer_unravel, _unravel, _POSITIONS, raises=True)


def _infer_ravel(*indices: TensorType, dims: Shape, modes: tuple[str, ...], order: str = "C") -> TensorType:
    for one in indices:
        require_kind(one, "iu", "integers")
    if not len(indices) == len(require_lengths(dims)) == len(modes):
        raise ShapeError(f"{len(indices)} arrays of positions for the {len(dims)} axes of {dims}")
    return TensorType(_INT64, broadcast_shapes(*(one.shape for one in indices)))


def _ravel(*indices: Any, dims: Shape, modes: tuple[str, ...], order: str = "C") -> Any:
    if math.prod(dims) > numpy.iinfo(numpy.intp).max:
        raise ValueError(f"an array of shape {dims} has more elements than can be counted")
    taken = tuple(numpy.asarray(one).astype(numpy.intp) for one in indices)
    return numpy.asarray(numpy.ravel_multi_index(taken, dims, modes, order), _INT64)


# One array of positions for each axis becomes positions of the flattened array.
ravel_multi_index = primitive("ravel_multi_index", _infer_ravel, _ravel, _POSITIONS, raises=True)
