"""Calling functions along axes and for elements, and positions in shapes.

The functions are called with our arrays, so what they do is traced like everything else.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy import host
from dopegraph.numpy.creation import integers, shape_of
from dopegraph.numpy.joining import stack
from dopegraph.numpy.promotion import as_array, convert
from dopegraph.numpy.shape import axis_of, broadcast_arrays, expand_dims, moveaxis, reshape, transpose
from dopegraph.runtime.errors import DTypeError, ShapeError
from dopegraph.runtime.location import here, located
from dopegraph.trace.active import active_recording

__all__ = [
    "apply_along_axis", "apply_over_axes", "iterable", "ravel_multi_index", "unravel_index", "vectorize",
]  # fmt: skip


def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> ndarray:
    """Call a function with every one-dimensional part along an axis; what it returns takes the axis' place.

    Parameters
    ----------
    func1d : callable
        ``func1d(part, *args, **kwargs)``; all results must have one shape.
    axis : int
    arr : array_like

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.apply_along_axis(lambda row: row[0] - row[-1], 1, np.array([[1, 2, 3], [9, 8, 5]]))
    array([-2,  4])
    """
    x = as_array(arr)
    place = axis_of(axis, x.ndim, "apply_along_axis")
    parts = moveaxis(x, place, -1)
    outer = parts.shape[:-1]
    if 0 in outer:
        raise ShapeError(located(f"apply_along_axis: no part along axis {place} of {x.shape} to call it with", here()))
    results = [as_array(func1d(parts[index], *args, **kwargs)) for index in numpy.ndindex(*outer)]
    first = results[0]
    if len({one.shape for one in results}) != 1:
        shown = " and ".join(str(shape) for shape in dict.fromkeys(one.shape for one in results))
        raise ShapeError(located(f"apply_along_axis: the function returned arrays of shapes {shown}", here()))
    found = reshape(stack([convert(one, first.dtype) for one in results]), (*outer, *first.shape))
    depth = len(outer)
    axes = [*range(place), *range(depth, depth + first.ndim), *range(place, depth)]
    return transpose(found, axes)


def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> ndarray:
    """Call ``func(array, axis)`` for one axis after the other; an axis it drops is put back with length 1.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.apply_over_axes(np.sum, np.ones((2, 3)), [0, 1])
    array([[6.]], dtype=float32)
    """
    x = as_array(a)
    ndim = x.ndim
    for one in integers(axes, "apply_over_axes: axes"):
        place = one + ndim if one < 0 else one
        result = as_array(func(x, place))
        if result.ndim != x.ndim:
            result = expand_dims(result, place)
            if result.ndim != x.ndim:
                message = f"apply_over_axes: the function made an array of {result.ndim - 1} axes of one of {x.ndim}"
                raise ShapeError(located(message, here()))
        x = result
    return x


def iterable(y: Any) -> bool:
    """Whether one can iterate over an object: over arrays that have an axis."""
    return y.ndim > 0 if isinstance(y, ndarray) else bool(numpy.iterable(y))


class vectorize(numpy.vectorize):
    """A function of numbers as a function of arrays: it is called for every element.

    Outside a recording NumPy does it. In one the function is called with arrays without axes, so that it is traced
    and differentiated, unless it has a `signature` or excluded arguments; its branches are those taken then.

    Parameters
    ----------
    pyfunc : callable
    otypes : str or list of dtype, optional
        The dtypes of the results.
    doc : str, optional
    excluded : set of str or int, optional
        Arguments that are passed as they are.
    cache : bool, optional
        Keep the first call's result.
    signature : str, optional
        Such as ``"(n)->()"``: call it with parts instead of elements.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.vectorize(lambda a, b: a - b if a > b else a + b)([1, 2, 3, 4], 2)
    array([3, 4, 1, 2])
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The function of every element of the operands, which broadcast."""
        given = [*args, *kwargs.values()]
        recorded = active_recording() is not None and any(isinstance(one, ndarray) for one in given)
        if not recorded or kwargs or self.excluded or self.signature is not None:
            return host.call("vectorize", super().__call__, *args, **kwargs)
        arrays = broadcast_arrays(*args)
        shape = arrays[0].shape
        if not math.prod(shape):
            return host.call("vectorize", super().__call__, *args)
        flat = [reshape(one, one.size) for one in arrays]
        results = [self.pyfunc(*[one[place] for one in flat]) for place in range(math.prod(shape))]
        if not isinstance(results[0], tuple):
            return self._joined([results], shape)[0]
        return tuple(self._joined(list(zip(*results)), shape))

    def _joined(self, columns: list[Any], shape: tuple[int, ...]) -> list[ndarray]:
        joined = [reshape(stack([as_array(one) for one in column]), shape) for column in columns]
        dtypes = [numpy.dtype(one) for one in self.otypes] if self.otypes else [one.dtype for one in joined]
        return [convert(one, dtype) for one, dtype in zip(joined, dtypes)]


def unravel_index(indices: Any, shape: Any, order: str = "C") -> tuple[ndarray, ...]:
    """Positions of the flattened array as positions along each axis of a shape.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.unravel_index([1, 5], (2, 3))
    (array([0, 1]), array([1, 2]))
    """
    lengths = shape_of(shape)
    if order not in ("C", "F"):
        raise ValueError(located(f"unravel_index: order must be 'C' or 'F', not {order!r}", here()))
    found = apply(ops.unravel_index, _whole("unravel_index", indices), shape=lengths, order=order)
    return tuple([found[place] for place in range(len(lengths))])


def _whole(name: str, x: Any) -> ndarray:
    positions = as_array(x)
    if positions.dtype.kind not in "iu":
        raise DTypeError(located(f"{name}: positions must be integers, not {positions.dtype}", here()))
    return positions


def ravel_multi_index(multi_index: Any, dims: Any, mode: Any = "raise", order: str = "C") -> ndarray:
    """Positions along each axis of a shape as positions of the flattened array.

    Parameters
    ----------
    multi_index : sequence of array_like of int
        One for each axis; they broadcast.
    dims : sequence of int
        The shape.
    mode : {"raise", "wrap", "clip"} or a tuple of them, optional
        What happens to positions outside.
    order : {"C", "F"}, optional

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.ravel_multi_index(([0, 1], [1, 2]), (2, 3))
    array([1, 5])
    """
    lengths = shape_of(dims)
    positions = [_whole("ravel_multi_index", one) for one in multi_index]
    modes = tuple(mode) if isinstance(mode, (tuple, list)) else (mode,) * len(lengths)
    if order not in ("C", "F") or any(one not in ("raise", "wrap", "clip") for one in modes):
        message = (
            f"ravel_multi_index: modes are 'raise', 'wrap' and 'clip', orders 'C' and 'F'; not {mode!r}, {order!r}"
        )
        raise ValueError(located(message, here()))
    if len(positions) != len(lengths):
        message = f"ravel_multi_index: {len(positions)} arrays of positions for a shape of {len(lengths)} axes"
        raise ShapeError(located(message, here()))
    return apply(ops.ravel_multi_index, *positions, dims=lengths, modes=modes, order=order)
