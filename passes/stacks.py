"""Values that stand along axis 0 of one array: where they are, and how sequences are put together of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dopegraph.batching.call import example
from dopegraph.ir.graph import Value
from dopegraph.ir.primitive import primitives


class Stacks:
    """Where the values of a graph are after it was rewritten.

    Attributes
    ----------
    plain : dict of Value to Value
        Those that were replaced by another one.
    home : dict of Value to (Value, int)
        Those that are elements of another one, along its axis 0.
    """

    def __init__(self) -> None:
        self.plain: dict[Value, Value] = {}
        self.home: dict[Value, tuple[Value, int]] = {}
        self._made: dict[tuple[Value, ...], Value] = {}

    def put(self, value: Value, stack: Value, index: int) -> None:
        """Say where a value is."""
        self.home[value] = stack, index

    def knows(self, value: Value) -> bool:
        """Whether a value is an element of a stack."""
        return value in self.home

    def value(self, value: Value) -> Value:
        """A value by itself."""
        found = self.plain.get(value)
        if found is None:
            if value not in self.home:
                return value
            found = self.plain[value] = example(*self.home[value])
        return found

    def direction(self, pair: Sequence[Value]) -> int:
        """1 if two values are neighbours of a stack, -1 if they are in the other order, otherwise 0."""
        if not all(value in self.home for value in pair):
            return 0
        (first, one), (second, two) = self.home[pair[0]], self.home[pair[1]]
        return two - one if first is second and abs(two - one) == 1 else 0

    def stack(self, values: Sequence[Value]) -> Value:
        """Values along a new axis 0."""
        key = tuple(values)
        if key not in self._made:
            parts = [self._part(values[start:stop]) for start, stop in self._runs(values)]
            self._made[key] = parts[0] if len(parts) == 1 else primitives["concat"](*parts, axis=0)
        return self._made[key]

    def _runs(self, values: Sequence[Value]) -> list[tuple[int, int]]:
        """Where the values are neighbours of one stack."""
        found, start, step = [], 0, 0
        for place in range(1, len(values) + 1):
            now = self.direction(values[place - 1 : place + 1]) if place < len(values) else 0
            if now == 0 or step not in (0, now):
                found.append((start, place))
                start, step = place, 0
            else:
                step = now
        return found

    def _part(self, values: Sequence[Value]) -> Value:
        if values[0] not in self.home or (len(values) == 1 and values[0] in self.plain):
            (value,) = [self.value(one) for one in values]
            single: Value = primitives["reshape"](value, shape=(1, *value.shape))
            return single
        stack, one = self.home[values[0]]
        _, two = self.home[values[-1]]
        found = along(stack, 0, min(one, two), max(one, two) + 1)
        if two < one:
            found = primitives["flip"](found, axes=(0,))
        return found

    def slices(self, source: Value, attributes: Sequence[dict[str, Any]]) -> Value | None:
        """Slices of length 1, equally far apart along one axis of an array, as a stack; None if they are others."""
        axis = moving_axis(attributes)
        if axis is None:
            return None
        found: Value = primitives["strided_slice"](source, **_together(attributes, axis))
        if _gap(attributes, axis) < 0:
            found = primitives["flip"](found, axes=(axis,))
        if axis:
            order = (axis, *(other for other in range(source.ndim) if other != axis))
            found = primitives["transpose"](found, axes=order)
        shape = [length for place, length in enumerate(found.shape) if place]
        shape.insert(axis, 1)
        whole: Value = primitives["reshape"](found, shape=(len(attributes), *shape))
        return whole

    def unsliced(self, stack: Value, attributes: Sequence[dict[str, Any]]) -> Value:
        """The sum of what ``unslice`` with each of the attributes makes of the elements of a stack."""
        axis = moving_axis(attributes)
        assert axis is not None
        shape = [length for place, length in enumerate(stack.shape) if place != axis + 1]
        found: Value = primitives["reshape"](stack, shape=tuple(shape))
        if axis:
            order = (*range(1, axis + 1), 0, *range(axis + 1, len(shape)))
            found = primitives["transpose"](found, axes=order)
        if _gap(attributes, axis) < 0:
            found = primitives["flip"](found, axes=(axis,))
        whole: Value = primitives["unslice"](found, shape=attributes[0]["shape"], **_together(attributes, axis))
        return whole


def moving_axis(attributes: Sequence[dict[str, Any]]) -> int | None:
    """The axis along which slices of length 1 are equally far apart; None if they are others."""
    first, second = attributes[0]["starts"], attributes[1]["starts"]
    moving = [axis for axis, (one, two) in enumerate(zip(first, second)) if one != two]
    if len(moving) != 1:
        return None
    axis = moving[0]
    gap = second[axis] - first[axis]
    for place, one in enumerate(attributes):
        starts = (*first[:axis], first[axis] + place * gap, *first[axis + 1 :])
        stops = (*attributes[0]["stops"][:axis], starts[axis] + 1, *attributes[0]["stops"][axis + 1 :])
        if (one["starts"], one["stops"], one["steps"]) != (starts, stops, attributes[0]["steps"]):
            return None
    return axis


def _gap(attributes: Sequence[dict[str, Any]], axis: int) -> int:
    gap: int = attributes[1]["starts"][axis] - attributes[0]["starts"][axis]
    return gap


def _together(attributes: Sequence[dict[str, Any]], axis: int) -> dict[str, Any]:
    """The slice that has all of them."""
    ends = attributes[0]["starts"][axis], attributes[-1]["starts"][axis]
    starts, stops, steps = (list(attributes[0][name]) for name in ("starts", "stops", "steps"))
    starts[axis], stops[axis], steps[axis] = min(ends), max(ends) + 1, abs(_gap(attributes, axis))
    return {"starts": tuple(starts), "stops": tuple(stops), "steps": tuple(steps)}


def along(value: Value, axis: int, start: int, stop: int) -> Value:
    """A part along one axis; the value itself if that is all."""
    if (start, stop) == (0, value.shape[axis]):
        return value
    starts = tuple(start if one == axis else 0 for one in range(value.ndim))
    stops = tuple(stop if one == axis else length for one, length in enumerate(value.shape))
    found: Value = primitives["strided_slice"](value, starts=starts, stops=stops, steps=(1,) * value.ndim)
    return found
