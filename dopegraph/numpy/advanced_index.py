"""Indices with integer arrays and masks: reading, writing and adding while recording, or on another device.

A key becomes one item for each axis; masks become the positions of their true elements, which has to look at the mask.
"""

from __future__ import annotations

import math
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray, owned
from dopegraph.dispatch import apply
from dopegraph.numpy.elements import found_in
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.promotion import BOOL, INT64, as_array, beside, convert, scalar
from dopegraph.numpy.shape import moveaxis, reshape, transpose
from dopegraph.ops.typing import broadcast_shapes
from dopegraph.runtime.errors import IndexingError, ShapeError
from dopegraph.runtime.location import here, located

Items = list[Any]


def items_of(key: Any, x: ndarray) -> Items:
    """None, a slice, an integer or an array of integers for each axis of the result, in order."""
    shape = x.shape
    items = [_array_in(item, x) for item in (key if isinstance(key, tuple) else (key,))]
    used = sum([_axes_used(item) for item in items])
    dots = [place for place, item in enumerate(items) if item is Ellipsis]
    if used > len(shape) or len(dots) > 1:
        what = f"{used} indices for an array of {len(shape)} axes" if used > len(shape) else "more than one '...'"
        raise IndexingError(located(f"index: {what}", here()))
    place = dots[0] if dots else len(items)
    items = [*items[:place], *[slice(None)] * (len(shape) - used), *items[place + 1 :]]
    result: Items = []
    axis = 0
    for item in items:
        if isinstance(item, ndarray) and item.dtype == BOOL:
            result += _positions_of(item, axis, x)
        else:
            result.append(_checked(item, axis, shape))
        axis += _axes_used(item)
    return result


def _array_in(item: Any, x: ndarray) -> Any:
    """Sequences, masks and NumPy's arrays as ours; integers, slices, None and ... as they are."""
    if item is None or item is Ellipsis or isinstance(item, slice):
        return item
    if isinstance(item, (bool, numpy.bool_)):
        return as_array(numpy.array(item))
    if isinstance(item, (list, tuple, range)):
        item = beside(x, as_array(item) if len(item) else numpy.zeros(0, INT64))
    elif not isinstance(item, ndarray) and hasattr(item, "__array__") and not isinstance(item, numpy.generic):
        item = beside(x, as_array(item))
    if isinstance(item, ndarray) and item.dtype.kind not in "iub":
        raise IndexingError(located(f"index: arrays of {item.dtype} are no indices; integers and booleans are", here()))
    return item


def _axes_used(item: Any) -> int:
    if item is None or item is Ellipsis:
        return 0
    return item.ndim if isinstance(item, ndarray) and item.dtype == BOOL else 1


def _checked(item: Any, axis: int, shape: tuple[int, ...]) -> Any:
    if item is None or isinstance(item, (slice, ndarray)):
        return item
    try:
        place = item.__index__()
    except (AttributeError, TypeError):
        raise IndexingError(located(f"index: a {type(item).__name__} is no index", here())) from None
    if not -shape[axis] <= place < shape[axis]:
        message = f"index {place} is out of bounds for axis {axis} of length {shape[axis]}"
        raise IndexingError(located(message, here()))
    return place


def _positions_of(mask: ndarray, axis: int, x: ndarray) -> Items:
    """The positions of a mask's true elements, along each of its axes; of a single boolean, on a new axis."""
    lengths = x.shape[axis : axis + mask.ndim]
    # NumPy takes an axis of length 0 for no positions, whatever the length of the array's axis.
    if len(lengths) != mask.ndim or any([0 != n != length for n, length in zip(mask.shape, lengths)]):
        raise IndexingError(located(f"index: a mask of shape {mask.shape} for axes of lengths {lengths}", here()))
    if mask.shape != lengths:
        return [beside(x, owned(numpy.zeros(0, numpy.int64))) for _ in lengths]
    if mask.ndim == 0:
        chosen = mask._outcome("a mask", bool, "mask-index")
        return [OnNewAxis(beside(x, owned(numpy.zeros(int(chosen), numpy.int64))))]
    # Inputs of the graph, not parts of it: other positions need no other graph.
    found = found_in("a mask", mask, numpy.nonzero, "mask-index")
    return [beside(x, one if isinstance(one, ndarray) else owned(one)) for one in found]


class OnNewAxis:
    """Positions on an axis of length 1 that the array does not have yet: what a single boolean means."""

    def __init__(self, positions: ndarray) -> None:
        self.positions = positions


def is_apart(items: Items) -> bool:
    """Whether a slice or None stands between the integers: their axes are the first of the result then."""
    chosen = [not (item is None or isinstance(item, slice)) for item in items]
    first, last = chosen.index(True), len(chosen) - chosen[::-1].index(True)
    return not all(chosen[first:last])


def gather(x: ndarray, items: Items) -> ndarray:
    """The elements that items name, as a copy."""
    # The basic part first; what is left are whole axes and, at some, integers or arrays of them.
    places = [place for place, item in enumerate(items) if not (item is None or isinstance(item, slice))]
    x = x[tuple([_basic_part(item) for item in items])]
    indices = [
        as_array(item.positions if isinstance(item, OnNewAxis) else item) for item in map(items.__getitem__, places)
    ]
    if len(indices) == 1:
        return apply(ops.take, x, indices[0], axis=places[0])
    gathered = _gather(x, places, indices)
    if is_apart(items):
        return gathered
    depth = gathered.ndim - x.ndim + len(places)
    return moveaxis(gathered, tuple(range(depth)), tuple(range(places[0], places[0] + depth)))


def _basic_part(item: Any) -> Any:
    if item is None or isinstance(item, slice):
        return item
    return None if isinstance(item, OnNewAxis) else slice(None)


def _gather(x: ndarray, places: list[int], indices: list[ndarray]) -> ndarray:
    """The elements at positions along several axes, which come first in the result, the other axes after them."""
    try:
        broadcast_shapes(*(positions.shape for positions in indices))
    except ShapeError as cause:
        raise IndexingError(located(f"index: {cause}", here())) from None
    lengths = [x.shape[place] for place in places]
    rest = [axis for axis in range(x.ndim) if axis not in places]
    rows = reshape(transpose(x, places + rest), (math.prod(lengths), *(x.shape[axis] for axis in rest)))
    flat: Any = 0
    inside: Any = True
    for positions, length in zip(indices, lengths):
        positions = convert(positions, INT64)
        inside = call("logical_and", (inside, call("logical_and", (positions >= -length, positions < length))))
        wrapped = apply(ops.select, positions < 0, positions + length, positions)
        flat = flat * length + wrapped
    # A position outside its axis must not become one inside another row.
    outside = scalar(math.prod(lengths), INT64)
    return apply(ops.take, rows, apply(ops.select, inside, flat, outside), axis=0)


def positions_in(x: ndarray, key: Any) -> tuple[ndarray, int | None]:
    """Where a key's elements are: positions along one axis, or (None) in the flattened array."""
    items = items_of(key, x)
    arrays = [place for place, item in enumerate(items) if isinstance(item, ndarray)]
    others = [item for place, item in enumerate(items) if place not in arrays]
    if len(arrays) == 1 and all([isinstance(item, slice) and item == slice(None) for item in others]):
        return items[arrays[0]], arrays[0]
    numbers = apply(ops.iota, size=x.size, dtype=INT64)
    return gather(reshape(numbers, x.shape), items), None
