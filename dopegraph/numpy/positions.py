"""Where elements are: positions of those that are not zero, and what conditions pick out."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy.assign import finish
from dopegraph.numpy.elements import found_in
from dopegraph.numpy.promotion import INT64, as_array, beside
from dopegraph.numpy.shape import axis_of, ravel
from dopegraph.runtime.errors import IndexingError, ShapeError
from dopegraph.runtime.location import here, located

__all__ = ["argwhere", "compress", "extract", "flatnonzero", "nonzero"]


def _nonzero(name: str, x: ndarray) -> list[Any]:
    """Positions along each axis; traced ones in a recording, where the shape they have now is guarded."""
    return found_in(name, x, _positions, "mask-index")


def _positions(array: numpy.ndarray) -> list[numpy.ndarray]:
    return [found.astype(INT64, copy=False) for found in numpy.nonzero(array)]


def _rows(array: numpy.ndarray) -> list[numpy.ndarray]:
    return [numpy.stack(_positions(array), axis=1)]


def nonzero(a: Any) -> tuple[ndarray, ...]:
    """Positions of the elements that are not zero, in C order: an int64 array for each axis.

    How many there are hangs on the elements, so that a recording is looked into.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.nonzero(np.array([0, 3, 0, 5]))
    (array([1, 3]),)
    """
    x = as_array(a)
    if not x.ndim:
        raise ValueError(located("nonzero: an array without axes has no positions; use atleast_1d(x)", here()))
    return tuple([beside(x, found) for found in _nonzero("nonzero", x)])


def flatnonzero(a: Any) -> ndarray:
    """Positions, in the flattened array, of the elements that are not zero."""
    x = ravel(a)
    return beside(x, _nonzero("flatnonzero", x)[0])


def argwhere(a: Any) -> ndarray:
    """Positions of the elements that are not zero, one row for each: int64, shape (number, axes)."""
    x = as_array(a)
    if not x.ndim:
        return beside(x, numpy.zeros((int(bool(x)), 0), INT64))
    return beside(x, found_in("argwhere", x, _rows, "mask-index")[0])


def compress(condition: Any, a: Any, axis: int | None = None, out: ndarray | None = None) -> ndarray:
    """The parts along an axis (of the flattened array by default) for which a condition of one axis is true.

    A condition that is a list or a constant makes a traced, differentiable lookup; one that is computed is looked at.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.compress([False, True], np.array([[1., 2.], [3., 4.]]), axis=0)
    array([[3., 4.]], dtype=float32)
    """
    x, chosen = as_array(a), as_array(condition)
    if chosen.ndim != 1:
        raise ShapeError(located(f"compress: the condition must have one axis, not the shape {chosen.shape}", here()))
    if axis is None or (not x.ndim and axis in (0, -1)):
        x, axis = ravel(x), 0
    place = axis_of(axis, x.ndim, "compress")
    (positions,) = _nonzero("compress", chosen)
    longer = chosen.shape[0] > x.shape[place]
    if longer and positions.size and positions[-1] >= x.shape[place]:
        message = f"compress: the condition is true at {positions[-1]}, the axis {place} has length {x.shape[place]}"
        raise IndexingError(located(message, here()))
    return finish(apply(ops.take, x, beside(x, positions), axis=place), out)


def extract(condition: Any, arr: Any) -> ndarray:
    """The elements of the flattened array for which a condition of as many elements is true; see `compress`."""
    x = ravel(arr)
    (positions,) = _nonzero("extract", ravel(condition))
    return apply(ops.take, x, beside(x, positions), axis=0)
