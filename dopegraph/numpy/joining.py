"""Joining, splitting and repeating arrays."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy.assign import finish
from dopegraph.numpy.creation import integers, shape_of
from dopegraph.numpy.promotion import as_array, dtype_of, new, promote
from dopegraph.numpy.shape import atleast_1d, atleast_2d, axis_of, expand_dims, ravel, reshape
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located

__all__ = ["array_split", "concatenate", "hstack", "repeat", "roll", "split", "stack", "tile", "vstack"]


def concatenate(
    arrays: Sequence[Any], /, axis: int | None = 0, out: ndarray | None = None, *, dtype: Any = None
) -> ndarray:
    """Arrays joined along an axis that they have; with None they are flattened first.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.concatenate([np.zeros((1, 2)), np.ones((1, 2))])
    array([[0., 0.],
           [1., 1.]], dtype=float32)
    """
    parts = [as_array(one) for one in arrays]
    if not parts:
        raise ShapeError(located("concatenate: needs at least one array", here()))
    parts = promote(parts, None if dtype is None else dtype_of(dtype))
    if axis is None:
        parts, axis = [ravel(part) for part in parts], 0
    place = axis_of(axis, parts[0].ndim, "concatenate")
    return finish(apply(ops.concat, *parts, axis=place), out)


def stack(arrays: Sequence[Any], axis: int = 0, out: ndarray | None = None, *, dtype: Any = None) -> ndarray:
    """Arrays of one shape joined along a new axis.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.stack([np.zeros(2), np.ones(2)], axis=1)
    array([[0., 1.],
           [0., 1.]], dtype=float32)
    """
    parts = [as_array(one) for one in arrays]
    if len({part.shape for part in parts}) != 1:
        shown = " and ".join(str(part.shape) for part in parts) or "no array"
        raise ShapeError(located(f"stack: needs arrays of one shape, not {shown}", here()))
    place = axis_of(axis, parts[0].ndim + 1, "stack")
    return concatenate([expand_dims(part, place) for part in parts], place, out, dtype=dtype)


def vstack(tup: Sequence[Any]) -> ndarray:
    """Arrays joined row after row."""
    return concatenate([atleast_2d(one) for one in tup], 0)


def hstack(tup: Sequence[Any]) -> ndarray:
    """Arrays joined column after column (along axis 0 when they have one axis)."""
    parts = [atleast_1d(one) for one in tup]
    return concatenate(parts, 0 if parts and parts[0].ndim == 1 else 1)


def _are_positions(x: Any) -> bool:
    return isinstance(x, (list, tuple)) or getattr(x, "ndim", 0) > 0


def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[ndarray]:
    """Views of consecutive parts: at positions, or in a number of parts that may differ in length by one."""
    x = as_array(ary)
    place = axis_of(axis, x.ndim, "split")
    length = x.shape[place]
    if _are_positions(indices_or_sections):
        places = integers(indices_or_sections, "split: the positions")
        bounds = [0, *(slice(None, at).indices(length)[1] for at in places), length]
    else:
        sections = operator.index(indices_or_sections)
        if sections < 1:
            raise ShapeError(located("split: the number of parts must be positive", here()))
        size, longer = divmod(length, sections)
        bounds = [part * size + min(part, longer) for part in range(sections + 1)]
    key = (slice(None),) * place
    return [x[(*key, slice(start, max(start, stop)))] for start, stop in zip(bounds, bounds[1:])]


def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[ndarray]:
    """Views of consecutive parts along an axis: at positions, or in a number of equal parts.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.split(np.arange(4), 2)
    [array([0, 1]), array([2, 3])]
    """
    x = as_array(ary)
    place = axis_of(axis, x.ndim, "split")
    sections = 1 if _are_positions(indices_or_sections) else operator.index(indices_or_sections)
    if sections > 0 and x.shape[place] % sections:
        raise ShapeError(
            located(f"split: axis {place} of length {x.shape[place]} has no {indices_or_sections} equal parts", here())
        )
    return array_split(x, indices_or_sections, place)


def tile(A: Any, reps: Any) -> ndarray:
    """The array repeated as a block, `reps` times along each axis."""
    x = as_array(A)
    counts = shape_of(reps)
    ndim = max(x.ndim, len(counts))
    counts = (1,) * (ndim - len(counts)) + counts
    shape = (1,) * (ndim - x.ndim) + x.shape
    spread = tuple(one for pair in zip(counts, shape) for one in pair)
    between = tuple(one for length in shape for one in (1, length))
    repeated = apply(ops.broadcast_to, reshape(x, between), shape=spread)
    return apply(ops.identity, reshape(repeated, tuple(n * m for n, m in zip(counts, shape))))


def repeat(a: Any, repeats: Any, axis: int | None = None) -> ndarray:
    """Each element repeated in place along an axis (of the flattened array by default).

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.repeat([1, 2], 2), np.repeat([1, 2], [1, 3])
    (array([1, 1, 2, 2]), array([1, 2, 2, 2]))
    """
    x = as_array(a)
    if axis is None:
        x, axis = ravel(x), 0
    place = axis_of(axis, x.ndim, "repeat")
    counts = integers(repeats, "repeat: repeats")
    length = x.shape[place]
    if len(counts) not in (1, length) or min(counts, default=0) < 0:
        raise ShapeError(located(f"repeat: needs one number of 0 or more for each of {length}, not {counts}", here()))
    positions = numpy.repeat(numpy.arange(length), counts)
    return apply(ops.take, x, new(positions), axis=place)


def roll(a: Any, shift: Any, axis: Any = None) -> ndarray:
    """The elements moved along axes; those that leave at the end come in at the start.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.roll([1, 2, 3], 1)
    array([3, 1, 2])
    """
    x = as_array(a)
    if axis is None:
        return reshape(roll(ravel(x), sum(integers(shift, "roll: shift")), 0), x.shape)
    axes, shifts = integers(axis, "roll: axis"), integers(shift, "roll: shift")
    if len(axes) != len(shifts) and 1 not in (len(axes), len(shifts)):
        raise ShapeError(located(f"roll: {len(shifts)} shifts for {len(axes)} axes", here()))
    count = max(len(axes), len(shifts))
    result = x
    for one, by in zip(axes * (count // len(axes)), shifts * (count // len(shifts))):
        place = axis_of(one, x.ndim, "roll")
        cut = -by % x.shape[place] if x.shape[place] else 0
        key = (slice(None),) * place
        result = concatenate([result[(*key, slice(cut, None))], result[(*key, slice(0, cut))]], place)
    return result
