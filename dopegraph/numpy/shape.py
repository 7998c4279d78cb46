"""Changing shapes and the order of axes: views where NumPy gives views, copies elsewhere."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply, view
from dopegraph.numpy import short_way
from dopegraph.numpy.creation import integers, shape_of, zeros_like
from dopegraph.numpy.layout import chosen_order, is_contiguous, layout_of, stays_view, wants_fortran
from dopegraph.numpy.promotion import as_array
from dopegraph.ops.typing import broadcast_shapes as common_shape
from dopegraph.ops.typing import normalize_axes, normalize_axis
from dopegraph.runtime.errors import AxisError, DTypeError, ShapeError
from dopegraph.runtime.location import here, located

__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_arrays", "broadcast_shapes", "broadcast_to", "expand_dims",
    "flip", "fliplr", "flipud", "moveaxis", "ndim", "permute_dims", "ravel", "reshape", "resize", "rollaxis", "rot90",
    "shape", "size", "squeeze", "swapaxes", "transpose",
]  # fmt: skip


def axis_of(axis: Any, ndim: int, name: str) -> int:
    """An axis counted from the front, or an error that names the function."""
    try:
        return normalize_axis(operator.index(axis), ndim)
    except AxisError as cause:
        raise AxisError(located(f"{name}: {cause}", here())) from None
    except TypeError as cause:
        hint = "; several arrays are one list or tuple" if isinstance(axis, ndarray) else ""
        raise DTypeError(located(f"{name}: an axis must be an integer: {cause}{hint}", here())) from None


def reshape(a: Any, /, shape: Any, order: Any = "C", *, copy: bool | None = None) -> ndarray:
    """The same elements in another shape, of which one length may be -1; a view where possible.

    Parameters
    ----------
    a : array_like
    shape : int or sequence of int
    order : {"C", "F", "A"}, optional
        Which index changes fastest when elements are counted: the last, the first, or the first if memory has it so.
    copy : bool or None, optional
        True always copies; False makes it an error if the elements cannot stay where they are.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.reshape(np.arange(6), (2, -1))
    array([[0, 1, 2],
           [3, 4, 5]])
    """
    if order == "C" and copy is None:
        found = short_way.reshaped(a, shape)
        if found is not None:
            return found
    x = as_array(a)
    lengths = _complete(integers(shape, "reshape: the shape"), x)
    if wants_fortran(x, chosen_order(order, "reshape", "CFA")):
        return transpose(reshape(transpose(x), tuple(lengths[::-1]), copy=copy))
    stays = stays_view(x, lengths)
    if copy is False and not stays:
        message = f"reshape: an array of shape {x.shape} gets the shape {lengths} by a copy only, copy=False forbids it"
        raise ShapeError(located(message, here()))
    if copy or not stays:
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


def ravel(a: Any, order: Any = "C") -> ndarray:
    """The elements in one axis; a view of what is contiguous, otherwise a copy.

    Parameters
    ----------
    a : array_like
    order : {"C", "F", "A", "K"}, optional
        The order they are read in: last axis fastest, first axis fastest, the latter if memory has it so, or the
        order they have in memory.
    """
    if order == "C":
        found = short_way.reshaped(a, -1)
        if found is not None:
            return found
    x = as_array(a)
    order = chosen_order(order, "ravel")
    source = transpose(x) if wants_fortran(x, order) else _by_memory(x) if order == "K" else x
    return reshape(source, x.size, copy=None if is_contiguous(source) else True)


def _by_memory(x: ndarray) -> ndarray:
    """The axes sorted by how far apart their elements are."""
    layout = layout_of(x)
    axes = sorted(range(x.ndim), key=lambda axis: -abs(layout.strides[axis]) if x.shape[axis] != 1 else 0)
    return x if layout.flags.c_contiguous else transpose(x, axes)


def resize(a: Any, new_shape: Any) -> ndarray:
    """An array of another size: the elements over and over, as many as are needed; zeros if there are none.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.resize([1, 2, 3], (2, 4))
    array([[1, 2, 3, 1],
           [2, 3, 1, 2]])
    """
    lengths = shape_of(new_shape)
    flat, wanted = ravel(a), math.prod(lengths)
    if not flat.size:
        return zeros_like(flat, shape=lengths)
    times = -(-wanted // flat.size)
    if times != 1:
        flat = reshape(broadcast_to(flat, (times, flat.size)), times * flat.size)
    return reshape(apply(ops.identity, flat[:wanted]), lengths)


def transpose(a: Any, axes: Sequence[int] | None = None) -> ndarray:
    """A view with the axes in another order, reversed by default."""
    x = as_array(a)
    if axes is None:
        order = tuple(range(x.ndim - 1, -1, -1))
    else:
        ndim = x.ndim
        order = tuple(
            [axis if type(axis) is int and 0 <= axis < ndim else axis_of(axis, ndim, "transpose") for axis in axes]
        )
    return view(x, ((ops.transpose, {"axes": order}),))


permute_dims = transpose


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


def rollaxis(a: Any, axis: int, start: int = 0) -> ndarray:
    """A view with one axis moved to stand before the axis `start`; `moveaxis` is easier to read."""
    x = as_array(a)
    place = axis_of(axis, x.ndim, "rollaxis")
    target = operator.index(start)
    if not -x.ndim <= target <= x.ndim:
        raise AxisError(located(f"rollaxis: start {start} is not between {-x.ndim} and {x.ndim}", here()))
    target += x.ndim if target < 0 else 0
    order = [one for one in range(x.ndim) if one != place]
    order.insert(target - (place < target), place)
    return transpose(x, order)


def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> ndarray:
    """A view turned by k quarters from the first of two axes towards the second.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.rot90([[1, 2], [3, 4]])
    array([[2, 4],
           [1, 3]])
    """
    x = as_array(m)
    if len(axes) != 2:
        raise ShapeError(located(f"rot90: turns in a plane of two axes, not {len(axes)}", here()))
    first, second = (axis_of(one, x.ndim, "rot90") for one in axes)
    if first == second:
        raise ShapeError(located(f"rot90: the axes must differ, not be both {first}", here()))
    quarters = operator.index(k) % 4
    if quarters == 0:
        return view(x, ((ops.reshape, {"shape": x.shape}),))
    if quarters == 2:
        return flip(x, (first, second))
    return swapaxes(flip(x, second), first, second) if quarters == 1 else flip(swapaxes(x, first, second), second)


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
        dropped = [axis_of(one, x.ndim, "squeeze") for one in _sequence(axis) if x.ndim or one not in (0, -1)]
        long = [one for one in dropped if x.shape[one] != 1]
        if long:
            raise ShapeError(located(f"squeeze: axis {long[0]} of {x.shape} has a length other than 1", here()))
    shape = tuple(length for place, length in enumerate(x.shape) if place not in dropped)
    return view(x, ((ops.reshape, {"shape": shape}),))


def broadcast_to(array: Any, shape: Any, subok: bool = False) -> ndarray:
    """A read-only view with the elements repeated along new or short axes."""
    return view(as_array(array), ((ops.broadcast_to, {"shape": shape_of(shape)}),))


def broadcast_shapes(*args: Any) -> tuple[int, ...]:
    """The shape that arrays of these shapes broadcast to; an integer stands for a shape of one axis.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.broadcast_shapes((3, 1), 4)
    (3, 4)
    """
    shapes = [shape_of(one) for one in args]
    try:
        return common_shape(*shapes)
    except ShapeError as cause:
        raise ShapeError(located(f"broadcast_shapes: {cause}", here())) from None


def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[ndarray, ...]:
    """The arrays, all in the shape they broadcast to."""
    arrays = [as_array(one) for one in args]
    try:
        shape = common_shape(*(one.shape for one in arrays))
    except ShapeError as cause:
        raise ShapeError(located(f"broadcast_arrays: {cause}", here())) from None
    return tuple([broadcast_to(one, shape) for one in arrays])


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


def atleast_3d(*arys: Any) -> Any:
    """The array with three axes or more: one axis becomes the middle one, of two a third is put behind."""
    arrays = [as_array(one) for one in arys]
    shapes = {0: lambda x: (1, 1, 1), 1: lambda x: (1, *x.shape, 1), 2: lambda x: (*x.shape, 1)}
    deep = [reshape(x, shapes[x.ndim](x)) if x.ndim < 3 else x for x in arrays]
    return deep[0] if len(deep) == 1 else tuple(deep)


def shape(a: Any) -> tuple[int, ...]:
    """Lengths of the axes of anything that can be an array."""
    return as_array(a).shape


def ndim(a: Any) -> int:
    """Number of axes of anything that can be an array."""
    return as_array(a).ndim


def size(a: Any, axis: Any = None) -> int:
    """Number of elements, or length of an axis (the product for several), of anything that can be an array."""
    x = as_array(a)
    if axis is None:
        return x.size
    axes = {axis_of(one, x.ndim, "size") for one in _sequence(axis)}
    if len(axes) != len(_sequence(axis)):
        raise ShapeError(located(f"size: axis {axis} names an axis twice", here()))
    return math.prod([x.shape[one] for one in axes])
