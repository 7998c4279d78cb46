"""Joining, splitting and repeating arrays."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy.assign import finish
from dopegraph.numpy.creation import integers, shape_of
from dopegraph.numpy.layout import naming
from dopegraph.numpy.promotion import DType, as_array, beside, convert, dtype_of, has_arrays, promote
from dopegraph.numpy.shape import (
    atleast_1d,
    atleast_2d,
    atleast_3d,
    axis_of,
    broadcast_to,
    expand_dims,
    moveaxis,
    ravel,
    reshape,
)
from dopegraph.runtime.errors import DTypeError, ShapeError
from dopegraph.runtime.location import here, located

__all__ = [
    "array_split", "block", "column_stack", "concat", "concatenate", "dsplit", "dstack", "hsplit", "hstack", "repeat",
    "roll", "row_stack", "split", "stack", "tile", "unstack", "vsplit", "vstack",
]  # fmt: skip


def concatenate(
    arrays: Sequence[Any], /, axis: int | None = 0, out: ndarray | None = None, *, dtype: Any = None,
    casting: str = "same_kind",
) -> ndarray:  # fmt: skip
    """Arrays joined along an axis that they have; with None they are flattened first.

    Parameters
    ----------
    arrays : sequence of array_like
    axis : int or None, optional
    out : ndarray, optional
        Receives the result.
    dtype : dtype, optional
        The dtype of the result; the promoted one by default.
    casting : {"no", "equiv", "safe", "same_kind", "unsafe"}, optional
        Which casts to that dtype are allowed.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.concatenate([np.zeros((1, 2)), np.ones((1, 2))])
    array([[0., 0.],
           [1., 1.]], dtype=float32)
    """
    return _concatenate("concatenate", arrays, axis, out, dtype, casting)


def _concatenate(name: str, arrays: Any, axis: int | None, out: Any, dtype: Any, casting: str) -> ndarray:
    arrays = list(arrays)
    parts = together(arrays) if out is None and dtype is None else [as_array(one) for one in arrays]
    if not parts:
        raise ShapeError(located(f"{name}: needs at least one array", here()))
    if out is not None and dtype is not None:
        raise DTypeError(located(f"{name}: give out or dtype, not both", here()))
    if out is not None or dtype is not None:
        wanted = dtype_of(dtype) if dtype is not None else out.dtype
        parts = [cast(part, wanted, casting, name) for part in parts]
    if axis is None:
        parts, axis = [ravel(part) for part in parts], 0
    place = axis_of(axis, parts[0].ndim, name)
    return finish(apply(ops.concat, *parts, axis=place), out)


def is_new(x: Any) -> bool:
    """Whether an operand is numbers of Python, alone or in lists, whose floats become the default dtype."""
    return not isinstance(x, (ndarray, numpy.ndarray, numpy.generic)) and not has_arrays([x])


def together(operands: Sequence[Any]) -> list[ndarray]:
    """Arrays of one dtype; lists and numbers of Python that are floats have the default dtype beside integers."""
    arrays = [as_array(one) for one in operands]
    new_floats = [x.dtype for x, one in zip(arrays, operands) if x.dtype.kind in "fc" and is_new(one)]
    if len(new_floats) == sum(x.dtype.kind in "fc" for x in arrays) > 0:
        return promote(arrays, functools.reduce(numpy.promote_types, new_floats))
    return promote(arrays)


def cast(x: ndarray, dtype: DType, casting: str, name: str) -> ndarray:
    """The array in a dtype, if the casting allows it."""
    with naming(name):
        allowed = numpy.can_cast(x.dtype, dtype, casting)
    if not allowed:
        message = f"{name}: cannot cast from {x.dtype} to {dtype} by the rule {casting!r}; use casting='unsafe'"
        raise DTypeError(located(message, here()))
    return convert(x, dtype)


def _parts(arrays: Sequence[Any], dtype: Any) -> list[ndarray]:
    return together(list(arrays)) if dtype is None else [as_array(one) for one in arrays]


concat = concatenate


def stack(
    arrays: Sequence[Any], axis: int = 0, out: ndarray | None = None, *, dtype: Any = None, casting: str = "same_kind"
) -> ndarray:
    """Arrays of one shape joined along a new axis; see `concatenate` for the other parameters.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.stack([np.zeros(2), np.ones(2)], axis=1)
    array([[0., 1.],
           [0., 1.]], dtype=float32)
    """
    parts = _parts(arrays, dtype)
    if len({part.shape for part in parts}) != 1:
        shown = " and ".join(str(part.shape) for part in parts) or "no array"
        raise ShapeError(located(f"stack: needs arrays of one shape, not {shown}", here()))
    place = axis_of(axis, parts[0].ndim + 1, "stack")
    return _concatenate("stack", [expand_dims(part, place) for part in parts], place, out, dtype, casting)


def unstack(x: Any, /, *, axis: int = 0) -> tuple[ndarray, ...]:
    """Views of the parts of an array along an axis, as a tuple: what `stack` joins again.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.unstack(np.array([[1, 2], [3, 4]]), axis=1)
    (array([1, 3]), array([2, 4]))
    """
    whole = as_array(x)
    if whole.ndim == 0:
        raise ShapeError(located("unstack: an array without axes has no parts", here()))
    parts = moveaxis(whole, axis_of(axis, whole.ndim, "unstack"), 0)
    return tuple([parts[place] for place in range(parts.shape[0])])


def vstack(tup: Sequence[Any], *, dtype: Any = None, casting: str = "same_kind") -> ndarray:
    """Arrays joined row after row; an array of one axis is a row."""
    return _concatenate("vstack", [atleast_2d(one) for one in _parts(tup, dtype)], 0, None, dtype, casting)


row_stack = vstack


def hstack(tup: Sequence[Any], *, dtype: Any = None, casting: str = "same_kind") -> ndarray:
    """Arrays joined column after column (along axis 0 when they have one axis)."""
    parts = [atleast_1d(one) for one in _parts(tup, dtype)]
    return _concatenate("hstack", parts, 0 if parts and parts[0].ndim == 1 else 1, None, dtype, casting)


def dstack(tup: Sequence[Any]) -> ndarray:
    """Arrays joined along the third axis, which they get if they lack it."""
    return _concatenate("dstack", [atleast_3d(one) for one in together(list(tup))], 2, None, None, "same_kind")


def column_stack(tup: Sequence[Any]) -> ndarray:
    """Arrays joined column after column; an array of one axis is a column.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.column_stack([[1, 2], [3, 4]])
    array([[1, 3],
           [2, 4]])
    """
    parts = together(list(tup))
    columns = [reshape(part, (part.size, 1)) if part.ndim < 2 else part for part in parts]
    return _concatenate("column_stack", columns, 1, None, None, "same_kind")


def block(arrays: Any) -> ndarray:
    """An array of blocks, given as nested lists: the innermost lists are joined along the last axis, and so on.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.block([[np.zeros((1, 1)), np.ones((1, 2))], [2 * np.ones((1, 3))]])
    array([[0., 1., 1.],
           [2., 2., 2.]], dtype=float32)
    """
    depths: list[int] = []
    leaves: list[Any] = []

    def collect(item: Any, depth: int) -> Any:
        if isinstance(item, tuple):
            raise DTypeError(located("block: blocks are given in lists, not in tuples", here()))
        if isinstance(item, list):
            if not item:
                raise ShapeError(located("block: a list of blocks is empty", here()))
            return [collect(one, depth + 1) for one in item]
        depths.append(depth)
        leaves.append(item)
        return len(leaves) - 1

    nested = collect(arrays, 0)
    if len(set(depths)) != 1:
        raise ShapeError(located(f"block: blocks stand {sorted(set(depths))} lists deep, not all alike", here()))
    parts = together(leaves)
    ndim = max(depths[0], *[part.ndim for part in parts])
    parts = [reshape(part, (1,) * (ndim - part.ndim) + part.shape) if part.ndim < ndim else part for part in parts]

    def joined(item: Any, depth: int) -> ndarray:
        if not isinstance(item, list):
            return parts[item]
        inner = [joined(one, depth + 1) for one in item]
        return _concatenate("block", inner, ndim - depths[0] + depth, None, None, "same_kind")

    result = joined(nested, 0)
    return apply(ops.identity, result) if depths[0] == 0 else result


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


def _split_along(name: str, ary: Any, indices_or_sections: Any, axis: int, least: int) -> list[ndarray]:
    x = as_array(ary)
    if x.ndim < least:
        raise ShapeError(located(f"{name}: needs an array of {least} or more axes, not of shape {x.shape}", here()))
    return split(x, indices_or_sections, axis)


def hsplit(ary: Any, indices_or_sections: Any) -> list[ndarray]:
    """Views of consecutive columns (of elements, for one axis); see `split`."""
    x = as_array(ary)
    return _split_along("hsplit", x, indices_or_sections, 0 if x.ndim == 1 else 1, 1)


def vsplit(ary: Any, indices_or_sections: Any) -> list[ndarray]:
    """Views of consecutive rows; see `split`."""
    return _split_along("vsplit", ary, indices_or_sections, 0, 2)


def dsplit(ary: Any, indices_or_sections: Any) -> list[ndarray]:
    """Views of consecutive parts along the third axis; see `split`."""
    return _split_along("dsplit", ary, indices_or_sections, 2, 3)


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
    return reshape(repeated, tuple(n * m for n, m in zip(counts, shape)), copy=True)


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
    if len(counts) not in (1, length) or (x.size and min(counts, default=0) < 0):
        raise ShapeError(located(f"repeat: needs one number of 0 or more for each of {length}, not {counts}", here()))
    if len(counts) == 1 and length and counts[0] >= 0:
        before, after = x.shape[:place], x.shape[place + 1 :]
        spread = broadcast_to(expand_dims(x, place + 1), (*before, length, counts[0], *after))
        return reshape(spread, (*before, length * counts[0], *after), copy=True)
    positions = numpy.repeat(numpy.arange(length), counts)
    return apply(ops.take, x, beside(x, positions), axis=place)


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
