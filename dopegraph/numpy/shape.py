"""Changing shapes: views where NumPy gives views, copies elsewhere; joining and splitting."""

from __future__ import annotations

import builtins
import operator
from collections.abc import Sequence
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import apply, ndarray, view
from dopegraph.numpy.creation import shape_of
from dopegraph.numpy.promotion import as_array, convert, promote
from dopegraph.ops.typing import broadcast_shapes, normalize_axes, normalize_axis
from dopegraph.runtime.errors import AxisError, ShapeError
from dopegraph.runtime.location import here, located

__all__ = [
    "array_split", "atleast_1d", "atleast_2d", "broadcast_arrays", "broadcast_to", "concatenate", "expand_dims",
    "flip", "fliplr", "flipud", "hstack", "moveaxis", "ravel", "repeat", "reshape", "roll", "split", "squeeze",
    "stack", "swapaxes", "tile", "transpose", "vstack",
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
    wanted = [operator.index(n) for n in shape] if isinstance(shape, (builtins.list, tuple)) else [operator.index(shape)]
    lengths = _complete(wanted, x)
    if order == "F":
        reversed_axes = reshape(transpose(x), tuple(lengths[::-1]))
        return transpose(reversed_axes)
    if order not in ("C", "A", "K"):
        raise ValueError(located(f"reshape: order must be 'C', 'F' or 'A', not {order!r}", here()))
    if copy or not stays_view(x, lengths):
        x = apply(ops.identity, x)
    return view(x, ((ops.reshape, {"shape": lengths}),))


def _complete(wanted: list[int], x: ndarray) -> tuple[int, ...]:
    unknown = [place for place, length in enumerate(wanted) if length == -1]
    known = int(numpy.prod([length for length in wanted if length != -1], dtype=numpy.int64))
    if len(unknown) > 1 or (unknown and (known == 0 or x.size % known)) or builtins.min([*wanted, 0]) < -1:
        raise ShapeError(
            located(f"reshape: an array of shape {x.shape} ({x.size} elements) cannot get the shape {tuple(wanted)}", here())
        )
    if unknown:
        wanted[unknown[0]] = x.size // known
    return tuple(wanted)


def stays_view(x: ndarray, shape: tuple[int, ...]) -> bool:
    """Whether NumPy would reshape without a copy; a traced array is as contiguous as its root's layout says."""
    if x._buffer is not None and x._value is None:
        return x._buffer.device.is_host and _reshapes_in_place(x._buffer.array, shape)
    steps = []
    handle = x
    while handle._base is not None:
        steps.append(handle._steps)
        handle = handle._base
    layout = numpy.empty(handle.shape, handle.dtype)
    for each in reversed(steps):
        for op, attrs in each:
            layout = op.kernel(layout, **attrs)
    return _reshapes_in_place(layout, shape)


def _reshapes_in_place(array: numpy.ndarray, shape: tuple[int, ...]) -> bool:
    if array.flags.c_contiguous:
        return True
    if array.size == 0 or int(numpy.prod(shape, dtype=numpy.int64)) != array.size:
        return True
    return numpy.may_share_memory(array.reshape(shape), array)


def ravel(a: Any, order: str = "C") -> ndarray:
    """The elements in one axis; a view where possible."""
    return reshape(a, (-1,) if as_array(a).size else (0,), order)


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
        raise ValueError(located("moveaxis: source and destination must name the same number of different axes", here()))
    order = [axis for axis in range(x.ndim) if axis not in sources]
    for target, axis in sorted(zip(targets, sources)):
        order.insert(target, axis)
    return transpose(x, order)


def _sequence(x: Any) -> Sequence[int]:
    return x if isinstance(x, (builtins.list, tuple)) else [x]


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


def concatenate(arrays: Sequence[Any], axis: int | None = 0, out: ndarray | None = None, *, dtype: Any = None) -> ndarray:
    """Arrays joined along an axis that they have; with None they are flattened first.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.concatenate([np.zeros((1, 2)), np.ones((1, 2))])
    array([[0., 0.],
           [1., 1.]], dtype=float32)
    """
    from dopegraph.numpy.assign import finish

    parts = [as_array(one) for one in arrays]
    if not parts:
        raise ShapeError(located("concatenate: needs at least one array", here()))
    parts = promote(parts, None if dtype is None else numpy.dtype(dtype))
    if axis is None:
        parts, axis = [ravel(part) for part in parts], 0
    place = axis_of(axis, parts[0].ndim, "concatenate")
    return finish(apply(ops.concat, *parts, axis=place), out)


def stack(arrays: Sequence[Any], axis: int = 0) -> ndarray:
    """Arrays of one shape joined along a new axis.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.stack([np.zeros(2), np.ones(2)], axis=1)
    array([[0., 1.],
           [0., 1.]], dtype=float32)
    """
    parts = [as_array(one) for one in arrays]
    if not parts:
        raise ShapeError(located("stack: needs at least one array", here()))
    if len({part.shape for part in parts}) != 1:
        shown = " and ".join(str(part.shape) for part in parts)
        raise ShapeError(located(f"stack: all arrays must have one shape, not {shown}", here()))
    place = axis_of(axis, parts[0].ndim + 1, "stack")
    return concatenate([expand_dims(part, place) for part in parts], place)


def atleast_1d(a: Any) -> ndarray:
    """The array, with an axis if it has none."""
    x = as_array(a)
    return x if x.ndim else reshape(x, (1,))


def atleast_2d(a: Any) -> ndarray:
    """The array, with axes put in front until there are two."""
    x = as_array(a)
    return x if x.ndim >= 2 else reshape(x, (1,) * (2 - x.ndim) + x.shape)


def vstack(tup: Sequence[Any]) -> ndarray:
    """Arrays joined row after row."""
    return concatenate([atleast_2d(one) for one in tup], 0)


def hstack(tup: Sequence[Any]) -> ndarray:
    """Arrays joined column after column (along axis 0 when they have one axis)."""
    parts = [atleast_1d(one) for one in tup]
    return concatenate(parts, 0 if parts and parts[0].ndim == 1 else 1)


def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[ndarray]:
    """Views of consecutive parts: at positions, or in a number of parts that may differ in length by one."""
    x = as_array(ary)
    place = axis_of(axis, x.ndim, "split")
    length = x.shape[place]
    if isinstance(indices_or_sections, (builtins.list, tuple)):
        bounds = [0, *(slice(None, operator.index(at)).indices(length)[1] for at in indices_or_sections), length]
    else:
        sections = operator.index(indices_or_sections)
        if sections < 1:
            raise ValueError(located("split: the number of parts must be positive", here()))
        size, longer = builtins.divmod(length, sections)
        bounds = [part * size + builtins.min(part, longer) for part in range(sections + 1)]
    key = (slice(None),) * place
    return [x[(*key, slice(start, builtins.max(start, stop)))] for start, stop in zip(bounds, bounds[1:])]


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
    if not isinstance(indices_or_sections, (builtins.list, tuple)) and x.shape[place] % operator.index(indices_or_sections):
        raise ShapeError(
            located(f"split: axis {place} of length {x.shape[place]} has no {indices_or_sections} equal parts", here())
        )
    return array_split(x, indices_or_sections, place)


def tile(A: Any, reps: Any) -> ndarray:
    """The array repeated as a block, `reps` times along each axis."""
    x = as_array(A)
    counts = shape_of(reps)
    ndim = builtins.max(x.ndim, len(counts))
    counts = (1,) * (ndim - len(counts)) + counts
    shape = (1,) * (ndim - x.ndim) + x.shape
    spread = tuple(one for pair in zip(counts, shape) for one in pair)
    between = tuple(one for length in shape for one in (1, length))
    repeated = apply(ops.broadcast_to, reshape(x, between), shape=spread)
    return apply(ops.identity, reshape(repeated, tuple(n * m for n, m in zip(counts, shape))))


def repeat(a: Any, repeats: int, axis: int | None = None) -> ndarray:
    """Each element repeated in place a number of times along an axis (of the flattened array by default)."""
    x = as_array(a)
    if axis is None:
        x, axis = ravel(x), 0
    place = axis_of(axis, x.ndim, "repeat")
    count = operator.index(repeats)
    shape = x.shape
    column = reshape(x, (*shape[: place + 1], 1, *shape[place + 1 :]))
    spread = apply(ops.broadcast_to, column, shape=(*shape[: place + 1], count, *shape[place + 1 :]))
    return apply(ops.identity, reshape(spread, (*shape[:place], shape[place] * count, *shape[place + 1 :])))


def roll(a: Any, shift: int, axis: int | None = None) -> ndarray:
    """The elements moved along an axis; those that leave at the end come in at the start."""
    x = as_array(a)
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), x.shape)
    place = axis_of(axis, x.ndim, "roll")
    length = x.shape[place]
    if length == 0:
        return convert(x, x.dtype)
    cut = -operator.index(shift) % length
    key = (slice(None),) * place
    return concatenate([x[(*key, slice(cut, None))], x[(*key, slice(0, cut))]], place)
