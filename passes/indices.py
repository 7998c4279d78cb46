"""Positions of elements as linear functions of loop counters: how views and broadcasts become index arithmetic.

An index has one *affine* number for each axis of an array: the coefficients of the loop counters, then the constant.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dopegraph.ir.types import Shape

Affine = tuple[int, ...]
Index = tuple[Affine, ...]


def zero(axes: int) -> Affine:
    """The position 0 whatever the counters are."""
    return (0,) * (axes + 1)


def counter(axis: int, axes: int) -> Affine:
    """The counter of one of the loops."""
    return tuple(int(other == axis) for other in range(axes + 1))


def scaled(one: Affine, factor: int, constant: int = 0) -> Affine:
    """``factor * one + constant``."""
    return (*(factor * coefficient for coefficient in one[:-1]), factor * one[-1] + constant)


def total(parts: Sequence[Affine], axes: int) -> Affine:
    """The sum of affine numbers."""
    return tuple(map(sum, zip(*parts))) if parts else zero(axes)


def strides_of(shape: Shape) -> Shape:
    """How many elements apart neighbours along each axis are, in C order."""
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def linear(shape: Shape, index: Index, axes: int) -> Affine:
    """The position in memory of the element at an index, in C order."""
    return total([scaled(one, stride) for one, stride in zip(index, strides_of(shape))], axes)


def long_axes(shape: Shape) -> tuple[int, ...]:
    """The axes whose length is not 1: those that loops run over."""
    return tuple(axis for axis, length in enumerate(shape) if length != 1)


def squeezed(shape: Shape) -> Shape:
    """A shape without its axes of length 1."""
    return tuple(length for length in shape if length != 1)


def spread_over(shape: Shape, counters: Sequence[int], axes: int) -> Index:
    """The index whose long axes are counted by the given loops, one after another."""
    numbers = iter(counters)
    return tuple(zero(axes) if length == 1 else counter(next(numbers), axes) for length in shape)


def of_operand(shape: Shape, index: Index, axes: int) -> Index:
    """The index of an operand that was broadcast."""
    kept = index[len(index) - len(shape) :] if shape else ()
    return tuple(zero(axes) if length == 1 else one for length, one in zip(shape, kept))


def through_view(name: str, attrs: dict[str, Any], shape: Shape, index: Index, axes: int) -> Index:
    """The index in the operand (of a shape) of a transpose, slice, flip or broadcast."""
    if name == "transpose":
        found: list[Affine] = [zero(axes)] * len(shape)
        for axis, one in zip(attrs["axes"], index):
            found[axis] = one
        return tuple(found)
    if name == "strided_slice":
        return tuple(scaled(one, step, start) for one, start, step in zip(index, attrs["starts"], attrs["steps"]))
    if name == "flip":
        return tuple(
            scaled(one, -1, length - 1) if axis in attrs["axes"] else one
            for axis, (one, length) in enumerate(zip(index, shape))
        )
    return of_operand(shape, index, axes)


def through_reshape(old: Shape, new: Shape, index: Index, axes: int) -> Index | None:
    """The index before a reshape that only splits axes; None where axes are joined, which is no linear function."""
    rest = [(length, one) for length, one in zip(new, index) if length != 1]
    found = []
    for length in old:
        if length == 1:
            found.append(zero(axes))
            continue
        product, parts = 1, []
        while product < length and rest:
            parts.append(rest.pop(0))
            product *= parts[-1][0]
        if product != length:
            return None
        strides = strides_of(tuple(part for part, _ in parts))
        found.append(total([scaled(one, stride) for (_, one), stride in zip(parts, strides)], axes))
    return tuple(found)
