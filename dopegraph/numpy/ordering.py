"""Sorting along an axis, in whole or in part, and looking values up in what is sorted."""

from __future__ import annotations

import operator
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.ir.primitive import Primitive
from dopegraph.numpy.creation import integers
from dopegraph.numpy.elements import elements
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.promotion import FLOAT64, INT64, as_array, as_operand, complex_of, convert, promote
from dopegraph.numpy.shape import axis_of, ravel
from dopegraph.runtime.config import default_dtype
from dopegraph.runtime.errors import DTypeError, ShapeError
from dopegraph.runtime.location import here, located

__all__ = [
    "argpartition", "argsort", "digitize", "lexsort", "partition", "searchsorted", "sort", "sort_complex",
]  # fmt: skip

_KINDS = {
    "q": "quicksort", "quicksort": "quicksort", "h": "heapsort", "heapsort": "heapsort", "m": "stable",
    "mergesort": "stable", "s": "stable", "stable": "stable",
}  # fmt: skip


def _kind(name: str, kind: str | None, order: Any, stable: bool | None) -> str:
    if order is not None:
        raise ValueError(located(f"{name}: order= names fields; these arrays have none", here()))
    if kind is not None and stable is not None:
        raise ValueError(located(f"{name}: give kind or stable, not both", here()))
    if kind is None:
        return "stable" if stable else "quicksort"
    if not isinstance(kind, str):
        raise DTypeError(located(f"{name}: kind must be a string, not {type(kind).__name__}", here()))
    found = _KINDS.get(kind.lower())
    if found is None:
        shown = ", ".join(name for name in _KINDS if len(name) > 1)
        raise ValueError(located(f"{name}: kind must be one of {shown}, not {kind!r}", here()))
    return found


def _placed(name: str, a: Any, axis: Any) -> tuple[ndarray, int]:
    """The array (flattened for the axis None) and its axis from the front."""
    x = as_array(a)
    if axis is None:
        return ravel(x), 0
    return x, axis_of(axis, x.ndim, name)


def sort(
    a: Any, axis: int | None = -1, kind: str | None = None, order: Any = None, *, stable: bool | None = None,
    descending: bool = False,
) -> ndarray:  # fmt: skip
    """A copy with the elements along an axis in ascending (or descending) order, NaN last.

    Parameters
    ----------
    a : array_like
        Numbers or booleans; complex ones are ordered by the real, then the imaginary part.
    axis : int or None, optional
        None means the flattened array.
    kind : {"quicksort", "mergesort", "heapsort", "stable"}, optional
    order : None
        For NumPy's structured arrays only.
    stable : bool, optional
        Equal elements keep their order.
    descending : bool, optional
        The largest first, as NumPy has it since 2.5.

    Returns
    -------
    ndarray
        Derivatives go to the elements that were moved there, of equal ones in their order.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.sort(np.array([[3., 1., 2.], [0., 5., 4.]]))
    array([[1., 2., 3.],
           [0., 4., 5.]], dtype=float32)
    """
    how = _kind("sort", kind, order, stable)
    x, place = _placed("sort", a, axis)
    if descending:
        return _turned(apply(ops.sort, _turned(x), axis=place, kind=how))
    return apply(ops.sort, x, axis=place, kind=how)


def _turned(x: ndarray) -> ndarray:
    """Elements in the opposite order, NaN still last: negative floats; complements of integers do not overflow."""
    return call("negative" if x.dtype.kind in "fc" else "invert", (x,))


def argsort(
    a: Any, axis: int | None = -1, kind: str | None = None, order: Any = None, *, stable: bool | None = None,
    descending: bool = False,
) -> ndarray:  # fmt: skip
    """Positions (int64) that put the elements along an axis in ascending order; see `sort` for the parameters.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.argsort([3, 1, 2])
    array([1, 2, 0])
    """
    how = _kind("argsort", kind, order, stable)
    x = as_array(a)
    x, place = _placed("argsort", x, axis if x.ndim or axis not in (0, -1) else None)
    return apply(ops.argsort, _turned(x) if descending else x, axis=place, kind=how)


def sort_complex(a: Any) -> ndarray:
    """A sorted copy (along the last axis), made complex: of integers of up to 16 bits complex64, else complex128.

    When the default dtype is float32, so is the precision of what integers become.
    """
    x = sort(as_array(a))
    if x.dtype.kind == "c":
        return x
    if x.dtype.kind in "biu" and default_dtype() != FLOAT64:
        return convert(x, complex_of(default_dtype()))
    return convert(x, numpy.dtype("complex64" if x.dtype.kind in "iu" and x.itemsize < 4 else "complex128"))


def lexsort(keys: Any, axis: int = -1) -> ndarray:
    """Positions (int64) that sort by several keys, the last one first: where it ties the one before decides.

    Parameters
    ----------
    keys : sequence of array_like, or array_like
        Of one shape; an array counts as the sequence of its rows.
    axis : int, optional

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.lexsort(([2, 1, 0], [5, 4, 5]))
    array([1, 2, 0])
    """
    given = [as_array(key) for key in keys]
    if not given:
        raise DTypeError(located("lexsort: needs a key", here()))
    if len({key.shape for key in given}) != 1:
        shown = " and ".join(str(key.shape) for key in given)
        raise ShapeError(located(f"lexsort: the keys must have one shape, not {shown}", here()))
    if not given[0].ndim:
        return as_array(numpy.zeros((), INT64))
    place = axis_of(axis, given[0].ndim, "lexsort")
    result = apply(ops.argsort, given[0], axis=place, kind="stable")
    for key in given[1:]:
        arranged = apply(ops.take_along_axis, key, result, axis=place)
        again = apply(ops.argsort, arranged, axis=place, kind="stable")
        result = apply(ops.take_along_axis, result, again, axis=place)
    return result


def _partition(name: str, op: Primitive, a: Any, kth: Any, axis: Any, kind: str, order: Any) -> ndarray:
    if kind != "introselect":
        raise ValueError(located(f"{name}: kind must be 'introselect', not {kind!r}", here()))
    if order is not None:
        raise ValueError(located(f"{name}: order= names fields; these arrays have none", here()))
    x, place = _placed(name, a, axis)
    length = x.shape[place]
    places = integers(kth, f"{name}: kth")
    outside = [one for one in places if not -length <= one < length]
    if outside and x.size:
        raise ValueError(located(f"{name}: kth={outside[0]} lies outside the axis of length {length}", here()))
    return apply(op, x, axis=place, kth=tuple(sorted({one % length for one in places})) if x.size else ())


def partition(a: Any, kth: Any, axis: int | None = -1, kind: str = "introselect", order: Any = None) -> ndarray:
    """A copy in which the elements at some places are those of the sorted array, smaller ones before, others after.

    Parameters
    ----------
    a : array_like
    kth : int or sequence of int
        The places; negative ones count from the end.
    axis : int or None, optional
        None means the flattened array.
    kind : {"introselect"}, optional
    order : None
        For NumPy's structured arrays only.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.partition(np.array([7, 1, 5, 3]), 1)[1]
    array(3)
    """
    return _partition("partition", ops.partition, a, kth, axis, kind, order)


def argpartition(a: Any, kth: Any, axis: int | None = -1, kind: str = "introselect", order: Any = None) -> ndarray:
    """Positions (int64) that arrange the elements as `partition` describes."""
    return _partition("argpartition", ops.argpartition, a, kth, axis, kind, order)


def comparable(*given: Any) -> list[ndarray]:
    """Arrays of one dtype in which comparisons are exact."""
    taken = [as_operand(one) for one in given]
    exact = {bool: INT64, int: INT64, float: FLOAT64}
    arrays = [one if isinstance(one, ndarray) else as_array(one, exact.get(type(one))) for one in taken]
    kinds = {one.dtype.kind for one in arrays}
    mixed = "f" in kinds and kinds & set("iu")
    return promote(arrays, FLOAT64 if mixed and "c" not in kinds else None)


def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> ndarray:
    """Places (int64) in a sorted array before which values would have to be inserted to keep the order.

    Parameters
    ----------
    a : array_like
        One axis, ascending.
    v : array_like
    side : {"left", "right"}
        Before or after elements that are equal to a value.
    sorter : array_like of int, optional
        Positions that sort `a`.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.searchsorted([1, 3, 5], [0, 3, 4])
    array([0, 1, 2])
    """
    if not isinstance(side, str) or side[:1].lower() not in ("l", "r"):
        kind = ValueError if isinstance(side, str) else DTypeError
        raise kind(located(f"searchsorted: side must be 'left' or 'right', not {side!r}", here()))
    x, values = comparable(a, v)
    if x.ndim != 1:
        raise ShapeError(located(f"searchsorted: needs a sorted array of one axis, not of shape {x.shape}", here()))
    if sorter is not None:
        order = as_array(sorter)
        if order.dtype.kind not in "iu":
            raise DTypeError(located(f"searchsorted: sorter must be integers, not {order.dtype}", here()))
        if order.shape != x.shape:
            message = f"searchsorted: sorter of shape {order.shape} for an array of shape {x.shape}"
            raise ShapeError(located(message, here()))
        x = apply(ops.take, x, order, axis=0)
    return apply(ops.searchsorted, x, values, right=side[:1].lower() == "r")


def digitize(x: Any, bins: Any, right: bool = False) -> ndarray:
    """The number of the interval (int64) that each value lies in, 0 before the first edge.

    Parameters
    ----------
    x : array_like of real numbers
    bins : array_like
        Edges, ascending or descending; edges that a recording computes are looked at.
    right : bool, optional
        Intervals contain their right edge in place of their left one.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.digitize([0.5, 1.0, 9.0], [0, 1, 2])
    array([1, 2, 3])
    """
    values, edges = as_array(x), as_array(bins)
    if values.dtype.kind == "c":
        raise DTypeError(located("digitize: complex numbers lie in no interval; use x.real", here()))
    if edges.ndim != 1:
        raise ShapeError(located(f"digitize: bins must have one axis, not the shape {edges.shape}", here()))
    known = elements("digitize", edges)
    ascending = bool((known[:-1] <= known[1:]).all())
    if not ascending and not (known[:-1] >= known[1:]).all():
        raise ValueError(located("digitize: bins must increase or decrease throughout", here()))
    side = "left" if operator.truth(right) else "right"
    if ascending:
        return searchsorted(edges, values, side)
    return len(known) - searchsorted(edges[::-1], values, side)
