"""Basic indices (integers, slices, None, Ellipsis) as steps of primitives: how a view sees its base."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from typing import Any

from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.ops import flip, identity, reshape, strided_slice
from dopegraph.runtime.errors import IndexingError
from dopegraph.runtime.location import here, located
from dopegraph.trace.active import active_recording
from dopegraph.trace.views import AtPosition, Steps


def basic_steps(key: Any, shape: tuple[int, ...]) -> Steps | None:
    """Steps from an array of a shape to ``x[key]``; None when the key is not a basic one."""
    items = key if type(key) is tuple else (key,)
    plain = tuple([_plain(item) for item in items])
    if _NOT_PLAIN not in plain:
        return _remembered(plain, shape)
    if active_recording() is not None and any([_is_computed(item) for item in items]):
        return _steps_at_positions(items, shape)
    return _steps_to(items, shape)


def _is_computed(item: Any) -> bool:
    """Whether an integer is an array's, which a recording must not look at."""
    return isinstance(item, ndarray) and not item.shape and item.dtype.kind in "iu"


def _steps_at_positions(items: Sequence[Any], shape: tuple[int, ...]) -> Steps | None:
    """Slices first, with whole axes where positions are computed; then one position after the other."""
    whole = [slice(None) if _is_computed(item) else item for item in items]
    expanded, steps = _expand(whole, shape), _steps_to(whole, shape)
    if expanded is None or steps is None:
        return None
    computed = {id(one): item for one, item in zip(whole, items) if one is not item}
    axes = [item for item in expanded if item is None or isinstance(item, slice)]
    found = [(axis, computed[id(item)]) for axis, item in enumerate(axes) if id(item) in computed]
    taken = [(AtPosition(apply(identity, position)), {"axis": axis}) for axis, position in reversed(found)]
    return (*steps, *taken)


_NOT_PLAIN = "not plain"


def _plain(item: Any) -> Any:
    """A hashable stand-in for the items that most indices consist of: slices become tuples."""
    kind = type(item)
    if kind is int or item is None or item is Ellipsis:
        return item
    if kind is slice:
        bounds = (item.start, item.stop, item.step)
        if all([bound is None or type(bound) is int for bound in bounds]):
            return bounds
    return _NOT_PLAIN


@functools.lru_cache(maxsize=4096)
def _remembered(plain: tuple[Any, ...], shape: tuple[int, ...]) -> Steps | None:
    return _steps_to([slice(*item) if type(item) is tuple else item for item in plain], shape)


def _steps_to(items: Sequence[Any], shape: tuple[int, ...]) -> Steps | None:
    expanded = _expand(items, shape)
    if expanded is None:
        return None
    starts, stops, strides, flipped = [], [], [], []
    result: list[int] = []
    axis = 0
    for item in expanded:
        if item is None:
            result.append(1)
            continue
        length = shape[axis]
        if isinstance(item, slice):
            places = range(*item.indices(length))
            result.append(len(places))
            if len(places) == 0:
                bounds = (0, 0, 1)
            elif places.step > 0:
                bounds = (places[0], places[-1] + 1, places.step)
            else:
                bounds = (places[-1], places[0] + 1, -places.step)
                flipped.append(axis)
        else:
            place = _position(item, axis, length)
            bounds = (place, place + 1, 1)
        for target, bound in zip((starts, stops, strides), bounds):
            target.append(bound)
        axis += 1
    return _steps(shape, (tuple(starts), tuple(stops), tuple(strides)), tuple(flipped), tuple(result))


def _expand(items: Sequence[Any], shape: tuple[int, ...]) -> list[Any] | None:
    """One item for each axis (and None for new ones), or None when an item is not basic."""
    basic = []
    for item in items:
        if item is None or item is Ellipsis or isinstance(item, slice):
            basic.append(item)
            continue
        if isinstance(item, bool) or (hasattr(item, "shape") and item.shape != ()):
            return None
        if hasattr(item, "dtype") and item.dtype.kind not in "iu":
            return None
        try:
            basic.append(operator.index(item))
        except TypeError:
            if isinstance(item, (list, tuple, range)) or hasattr(item, "__array__"):
                return None
            kind = type(item).__name__
            raise IndexingError(
                located(f"an index must be integers, slices, None, ... or arrays of them, not {kind}", here())
            ) from None
    used = sum(item is not None and item is not Ellipsis for item in basic)
    if used > len(shape):
        raise IndexingError(located(f"{used} indices for an array of {len(shape)} axes", here()))
    dots = [place for place, item in enumerate(basic) if item is Ellipsis]
    if len(dots) > 1:
        raise IndexingError(located("an index can have one '...' only", here()))
    place = dots[0] if dots else len(basic)
    return [*basic[:place], *[slice(None)] * (len(shape) - used), *basic[place + 1 :]]


def _position(index: int, axis: int, length: int) -> int:
    if not -length <= index < length:
        raise IndexingError(located(f"index {index} is out of bounds for axis {axis} of length {length}", here()))
    return index + length if index < 0 else index


def _steps(shape: tuple[int, ...], bounds: Any, flipped: tuple[int, ...], result: tuple[int, ...]) -> Steps:
    starts, stops, strides = bounds
    sliced = tuple(len(range(*each)) for each in zip(starts, stops, strides))
    steps: list[Any] = [(strided_slice, {"starts": starts, "stops": stops, "steps": strides})]
    if flipped:
        steps.append((flip, {"axes": flipped}))
    if result != sliced:
        steps.append((reshape, {"shape": result}))
    return tuple(steps)


def is_element(key: Any) -> bool:
    """Whether NumPy gives a scalar, which does not share memory: only ``...`` makes a 0-d array."""
    return not any(item is Ellipsis for item in (key if isinstance(key, tuple) else (key,)))
