"""``np.lib.stride_tricks``: windows that slide over an array."""

from __future__ import annotations

import operator
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy.creation import integers
from dopegraph.numpy.promotion import as_array, beside
from dopegraph.numpy.shape import axis_of, broadcast_arrays, broadcast_shapes, broadcast_to, moveaxis
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located

__all__ = ["broadcast_arrays", "broadcast_shapes", "broadcast_to", "sliding_window_view"]


def sliding_window_view(
    x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> ndarray:
    """All windows of a shape, as further axes behind those that count the windows.

    A copy here, not a view, as the graph has no overlapping views; NumPy's is read-only by default.

    Parameters
    ----------
    x : array_like
    window_shape : int or tuple of int
    axis : int or tuple of int, optional
        Along which axes the windows slide, one for each length; all by default.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.lib.stride_tricks.sliding_window_view(np.arange(4), 3)
    array([[0, 1, 2],
           [1, 2, 3]])
    """
    array = as_array(x)
    lengths = integers(window_shape, "sliding_window_view: window_shape")
    if any(length < 0 for length in lengths):
        raise ShapeError(located(f"sliding_window_view: negative lengths in {lengths}", here()))
    if axis is None:
        axes = list(range(array.ndim))
    else:
        given = axis if isinstance(axis, (tuple, list)) else [axis]
        axes = [axis_of(operator.index(one), array.ndim, "sliding_window_view") for one in given]
    if len(axes) != len(lengths):
        message = f"sliding_window_view: {len(lengths)} lengths for {len(axes)} axes"
        raise ShapeError(located(message, here()))
    result = array
    for place, length in zip(axes, lengths):
        count = result.shape[place] - length + 1
        if count < 0 or (count == 0 and length > result.shape[place]):
            message = f"sliding_window_view: a window of {length} is longer than axis {place} of {array.shape}"
            raise ShapeError(located(message, here()))
        positions = numpy.arange(count)[:, None] + numpy.arange(length)
        result = moveaxis(apply(ops.take, result, beside(result, positions), axis=place), place + 1, -1)
    return result
