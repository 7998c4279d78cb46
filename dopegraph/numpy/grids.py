"""Grids of coordinates and positions: `meshgrid`, `indices`, `mgrid`, `ogrid`, `ix_`, and `r_` and `c_` that join."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy import host
from dopegraph.numpy.creation import array, dtype_or_default, shape_of
from dopegraph.numpy.joining import concatenate, stack
from dopegraph.numpy.layout import naming
from dopegraph.numpy.promotion import BOOL, SCALARS, as_array, convert, dtype_of, new, promote
from dopegraph.numpy.ranges import arange, linspace, number_of
from dopegraph.numpy.shape import broadcast_arrays, broadcast_to, reshape, swapaxes, transpose
from dopegraph.runtime.config import default_dtype
from dopegraph.runtime.direct import direct
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located
from dopegraph.runtime.unchanging import Unchanging

__all__ = ["c_", "fromfunction", "index_exp", "indices", "ix_", "meshgrid", "mgrid", "ogrid", "r_", "s_"]

index_exp, s_ = numpy.index_exp, numpy.s_


def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[ndarray, ...]:
    """Coordinates of the points of a grid, one array for each of its axes.

    Parameters
    ----------
    *xi : array_like
        The coordinates along each axis.
    copy : bool, optional
        With False, views are returned.
    sparse : bool, optional
        The arrays broadcast to the grid's shape instead of having it.
    indexing : {"xy", "ij"}, optional
        Whether the first coordinate runs along the second axis of the result, or along the first.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.meshgrid([1, 2], [3, 4])
    (array([[1, 2],
           [1, 2]]), array([[3, 3],
           [4, 4]]))
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(located(f"meshgrid: indexing must be 'xy' or 'ij', not {indexing!r}", here()))
    count = len(xi)
    arrays = [as_array(one) for one in xi]
    along = [reshape(x, (1,) * place + (x.size,) + (1,) * (count - 1 - place)) for place, x in enumerate(arrays)]
    if indexing == "xy" and count > 1:
        along = [swapaxes(x, 0, 1) for x in along]
    spread = along if sparse else broadcast_arrays(*along)
    return tuple([apply(ops.identity, x) if copy else x for x in spread])


def indices(dimensions: Any, dtype: Any = int, sparse: bool = False) -> Any:
    """The position along each axis for every element of an array of a shape.

    Returns
    -------
    ndarray or tuple of ndarray
        One row for each axis; with `sparse` arrays that broadcast to the shape.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.indices((2, 2))[1]
    array([[0, 1],
           [0, 1]])
    """
    shape, chosen = shape_of(dimensions), dtype_of(dtype)
    if not direct.held and not sparse:
        return new(numpy.indices(shape, chosen))
    along = [
        reshape(arange(length, dtype=chosen), (1,) * place + (length,) + (1,) * (len(shape) - 1 - place))
        for place, length in enumerate(shape)
    ]
    if sparse:
        return tuple(along)
    if not along:
        return reshape(arange(0, dtype=chosen), (0,))
    return stack([broadcast_to(one, shape) for one in along])


def fromfunction(
    function: Callable[..., Any], shape: Any, *, dtype: Any = None, like: Any = None, **kwargs: Any
) -> Any:
    """What a function returns for the positions along each axis: it is called once, with arrays of that shape.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.fromfunction(lambda i, j: i + 10 * j, (2, 2), dtype=int)
    array([[ 0, 10],
           [ 1, 11]])
    """
    return function(*indices(shape, dtype_or_default(dtype)), **kwargs)


def ix_(*args: Any) -> tuple[ndarray, ...]:
    """Positions along each axis as arrays that broadcast: ``x[ix_(rows, columns)]`` is a part of a matrix.

    Masks are looked at by NumPy, on the host.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.arange(9).reshape(3, 3)[np.ix_([0, 2], [1, 2])]
    array([[1, 2],
           [7, 8]])
    """
    result = []
    for place, one in enumerate(args):
        x = as_array(one)
        if x.ndim != 1:
            raise ShapeError(located(f"ix_: takes arrays of one axis, not of shape {x.shape}", here()))
        if not x.size and not isinstance(one, (ndarray, numpy.ndarray)):
            x = convert(x, numpy.dtype("int64"))
        if x.dtype == BOOL:
            (x,) = host.call("ix_", numpy.nonzero, x)
        result.append(reshape(x, (1,) * place + (x.size,) + (1,) * (len(args) - 1 - place)))
    return tuple(result)


class _Grid(Unchanging):
    """``mgrid[0:3, 0:1:5j]``: a slice for each axis; an imaginary step is a number of points, the last included."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getitem__(self, key: Any) -> Any:
        plain = tuple(map(_plain_slice, key)) if isinstance(key, tuple) else _plain_slice(key)
        with naming(self._name):
            found = getattr(numpy, self._name)[plain]
        return tuple(map(_lift, found)) if isinstance(found, (tuple, list)) else _lift(found)

    def __repr__(self) -> str:
        return f"<dopegraph.numpy.{self._name}>"


def _plain_slice(item: Any) -> Any:
    if not isinstance(item, slice):
        return item
    return slice(*[bound if bound is None else number_of(bound) for bound in (item.start, item.stop, item.step)])


def _lift(found: numpy.ndarray) -> ndarray:
    return new(found.astype(default_dtype()) if found.dtype.kind == "f" else found)


mgrid, ogrid = _Grid("mgrid"), _Grid("ogrid")


class _Joiner(Unchanging):
    """``r_[x, 0, 1:5]``: slices are counted, numbers become elements, all is joined; a first string says how."""

    def __init__(self, name: str, axis: int = 0, ndmin: int = 1, trans1d: int = -1) -> None:
        self._name, self._axis, self._ndmin, self._trans1d = name, axis, ndmin, trans1d

    def __getitem__(self, key: Any) -> ndarray:
        items = key if isinstance(key, tuple) else (key,)
        axis, ndmin, trans1d = self._axis, self._ndmin, self._trans1d
        if items and isinstance(items[0], str):
            axis, ndmin, trans1d = self._directive(items[0])
            items = items[1:]
        if any(isinstance(item, str) for item in items):
            raise ValueError(located(f"{self._name}: only the first item can be a string", here()))
        operands = [_counted(item) if isinstance(item, slice) else item for item in items]
        taken = [item if isinstance(item, SCALARS) else as_array(item) for item in operands]
        parts = promote(taken)
        return concatenate([_deepened(part, ndmin, trans1d) for part in parts], axis)

    def _directive(self, text: str) -> tuple[int, int, int]:
        if text in ("r", "c"):
            message = f"{self._name}: {text!r} asks for a numpy.matrix, which has no counterpart here; use '0,2'"
            raise ValueError(located(message, here()))
        try:
            given = [int(part) for part in text.split(",")]
            usual = [self._axis, self._ndmin, self._trans1d]
            axis, ndmin, trans1d = (*given, *usual[len(given) :])
        except ValueError:
            raise ValueError(located(f"{self._name}: does not know the directive {text!r}", here())) from None
        return axis, ndmin, trans1d

    def __len__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return f"<dopegraph.numpy.{self._name}>"


def _counted(item: slice) -> ndarray:
    start = 0 if item.start is None else item.start
    if isinstance(item.step, complex):
        return linspace(start, item.stop, int(abs(item.step)))
    return arange(start, item.stop, 1 if item.step is None else item.step)


def _deepened(x: ndarray, ndmin: int, trans1d: int) -> ndarray:
    """The part with `ndmin` axes; its own are put at the place `trans1d` among them."""
    own = x.ndim
    deep = array(x, copy=None, ndmin=ndmin)
    if trans1d == -1 or own >= ndmin:
        return deep
    new_axes, first = ndmin - own, trans1d
    if first < 0:
        first += new_axes + 1
    axes = list(range(ndmin))
    return transpose(deep, axes[:first] + axes[new_axes:] + axes[first:new_axes])


r_, c_ = _Joiner("r_"), _Joiner("c_", -1, 2, 0)
