"""Changing shapes and the order of axes: views where NumPy gives views, copies elsewhere."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply, view
from dopegraph.numpy.creation import integers, shape_of
from dopegraph.numpy.promotion import as_array
from dopegraph.ops.typing import broadcast_shapes, normalize_axes, normalize_axis
from dopegraph.runtime.errors import AxisError, ShapeError
from dopegraph.runtime.location import here, located

__all__ = [
    "atleast_1d", "atleast_2d", "broadcast_arrays", "broadcast_to", "expand_dims", "flip", "fliplr", "flipud",
    "moveaxis", "ravel", "reshape", "squeeze", "swapaxes", "transpose",
]  # fmt: skip


def axis_of(axis: Any, ndim: int, name: str) -> int:
    """An axis counted from the front, or an error that names the function."""
    try:
        return normalize_axis(operator.index(axis), ndim)
    except AxisError as cause:
        raise AxisError(located(f"{name}: {cause}", here())) from None


def reshape(a: Any, /, shape: Any, order: str = "C", *, copy: bool | None = None) -> ndarray:
    """The same elements in another shape, of which one length may be -1; a view where possible.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.reshape(np.arange(6), (2, -1))
    array([[0, 1, 2],
           [3, 4, 5]])
    """
    x = as_array(a)
    lengths = _complete(integers(shape, "reshape: the shape"), x)
    if order == "F":
        reversed_axes = reshape(transpose(x), tuple(lengths[::-1]))
        return transpose(reversed_axes)
    if order not in ("C", "A", "K"):
        raise ValueError(located(f"reshape: order must be 'C', 'F' or 'A', not {order!r}", here()))
    if copy or not stays_view(x, lengths):
        x = apply(ops.identity, x)
    return view(x, ((ops.reshape, {"shape": lengths}),))


def _complete(wanted: tuple[int, ...], x: ndarray) -> tuple[int, ...]:
    """The shape with the length that -1 stands for."""
    unknown, size = wanted.count(-1), math.prod(x.shape)
    known = abs(math.prod(wanted))
    fits = size == known if not unknown else unknown == 1 and known and size % known == 0
    if not fits or min(wanted, default=0) < -1:
        raise ShapeError(
            located(f"reshape: an array of shape {x.shape} ({size} elements) cannot get the shape {wanted}", here())
        )
    return tuple([size // known if length == -1 else length for length in wanted]) if unknown else wanted


def stays_view(x: ndarray, shape: tuple[int, ...]) -> bool:
    """Whether NumPy would reshape without a copy."""
    layout = _layout(x)
    return layout is not None and (layout.flags.c_contiguous or numpy.may_share_memory(layout.reshape(shape), layout))


def layout_of(x: ndarray) -> numpy.ndarray:
    """An array with the strides of `x`; on other devices, and of what is traced, it is in C order."""
    found = _layout(x)
    return found if found is not None else numpy.empty(x.shape, x.dtype)


def _layout(x: ndarray) -> numpy.ndarray | None:
    """An array with the strides of `x`; what is traced will be in C order. None on other devices."""
    steps = []
    handle = x
    while handle._buffer is None and handle._base is not None:
        steps.append(handle._steps)
        handle = handle._base
    if handle._buffer is None:
        layout = numpy.empty(handle.shape, handle.dtype)
    elif handle._buffer.device.is_host:
        layout = handle._buffer.array
    else:
        return None
    for each in reversed(steps):
        for op, attrs in each:
            layout = op.kernel(layout, **attrs)
    return layout


def ravel(a: Any, order: str = "C") -> ndarray:
    """The elements in one axis; a view of what is contiguous, otherwise a copy."""
    x = as_array(a)
    source = transpose(x) if order == "F" else x
    layout = _layout(source)
    return reshape(source, x.size, copy=layout is None or not layout.flags.c_contiguous)


def transpose(a: Any, axes: Sequence[int] | None = None) -> ndarray:
    """A view with the axes in another order, reversed by default."""
    x = as_array(a)
    if axes is None:
        order = tuple(reversed(range(x.ndim)))
    else:
        order = tuple(axis_of(axis, x.ndim, "transpose") for axis in axes)
    return view(x, ((ops.transpose, {"axes": order}),))


def swapaxes(a: Any, axis1: int, axis2: int) -> ndarray:
    """A view with two axes exchanged."""
    x = as_array(a)
    order = list(range(x.ndim))
    first, second = axis_of(axis1, x.ndim, "swapaxes"), axis_of(axis2, x.ndim, "swapaxes")
    order[first], order[second] = order[second], order[first]
    return transpose(x, order)


def moveaxis(a: Any, source: Any, destination: Any) -> ndarray:
    """A view with axes moved to other places; the rest keep their order."""
    x = as_array(a)
    sources = [axis_of(axis, x.ndim, "moveaxis") for axis in _sequence(source)]
    targets = [axis_of(axis, x.ndim, "moveaxis") for axis in _sequence(destination)]
    if len(sources) != len(targets) or len(set(sources)) != len(sources) or len(set(targets)) != len(targets):
        raise ValueError(
            located("moveaxis: source and destination must name the same number of different axes", here())
        )
    order = [axis for axis in range(x.ndim) if axis not in sources]
    for target, axis in sorted(zip(targets, sources)):
        order.insert(target, axis)
    return transpose(x, order)


def _sequence(x: Any) -> Sequence[int]:
    return x if isinstance(x, (list, tuple)) else [x]


def expand_dims(a: Any, axis: Any) -> ndarray:
    """A view with new axes of length 1 at these places."""
    x = as_array(a)
    axes = _sequence(axis)
    try:
        places = normalize_axes((operator.index(one) for one in axes), x.ndim + len(axes))
    except (AxisError, ShapeError) as cause:
        raise type(cause)(located(f"expand_dims: {cause}", here())) from None
    lengths = iter(x.shape)
    shape = tuple(1 if place in places else next(lengths) for place in range(x.ndim + len(axes)))
    return view(x, ((ops.reshape, {"shape": shape}),))


def squeeze(a: Any, axis: Any = None) -> ndarray:
    """A view without axes of length 1, all of them by default."""
    x = as_array(a)
    if axis is None:
        dropped = [place for place, length in enumerate(x.shape) if length == 1]
    else:
        dropped = [axis_of(one, x.ndim, "squeeze") for one in _sequence(axis)]
        long = [one for one in dropped if x.shape[one] != 1]
        if long:
            raise ShapeError(located(f"squeeze: axis {long[0]} of {x.shape} has a length other than 1", here()))
    shape = tuple(length for place, length in enumerate(x.shape) if place not in dropped)
    return view(x, ((ops.reshape, {"shape": shape}),))


def broadcast_to(array: Any, shape: Any) -> ndarray:
    """A read-only view with the elements repeated along new or short axes."""
    return view(as_array(array), ((ops.broadcast_to, {"shape": shape_of(shape)}),))


def broadcast_arrays(*args: Any) -> list[ndarray]:
    """The arrays, all in the shape they broadcast to."""
    arrays = [as_array(one) for one in args]
    try:
        shape = broadcast_shapes(*(one.shape for one in arrays))
    except ShapeError as cause:
        raise ShapeError(located(f"broadcast_arrays: {cause}", here())) from None
    return [broadcast_to(one, shape) for one in arrays]


def flip(m: Any, axis: Any = None) -> ndarray:
    """A view with the order of elements reversed along axes, all of them by default."""
    x = as_array(m)
    axes = tuple(range(x.ndim)) if axis is None else tuple(axis_of(one, x.ndim, "flip") for one in _sequence(axis))
    return view(x, ((ops.flip, {"axes": tuple(sorted(axes))}),))


def fliplr(m: Any) -> ndarray:
    """A view reversed along axis 1."""
    return flip(m, 1)


def flipud(m: Any) -> ndarray:
    """A view reversed along axis 0."""
    return flip(m, 0)


def _at_least(ndim: int, arys: tuple[Any, ...]) -> Any:
    arrays = [as_array(one) for one in arys]
    deep = [x if x.ndim >= ndim else reshape(x, (1,) * (ndim - x.ndim) + x.shape) for x in arrays]
    return deep[0] if len(deep) == 1 else tuple(deep)


def atleast_1d(*arys: Any) -> Any:
    """The array, with an axis if it has none; of several arrays a tuple."""
    return _at_least(1, arys)


def atleast_2d(*arys: Any) -> Any:
    """The array, with axes put in front until there are two; of several arrays a tuple."""
    return _at_least(2, arys)
