"""Arrays as sets. How many elements a result has hangs on the elements: a recording is looked into for these."""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy import host
from dopegraph.numpy.elements import elements
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.joining import concatenate
from dopegraph.numpy.ordering import comparable, searchsorted, sort
from dopegraph.numpy.promotion import BOOL, INT64, as_array, convert, same_kind
from dopegraph.numpy.shape import axis_of, broadcast_to, ravel
from dopegraph.runtime.errors import DTypeError
from dopegraph.runtime.location import here, located
from dopegraph.trace.active import active_recording

__all__ = [
    "ediff1d", "intersect1d", "isin", "setdiff1d", "setxor1d", "trim_zeros", "union1d", "unique", "unique_all",
    "unique_counts", "unique_inverse", "unique_values",
]  # fmt: skip


class UniqueAll(NamedTuple):
    """What `unique_all` returns."""

    values: ndarray
    indices: ndarray
    inverse_indices: ndarray
    counts: ndarray


class UniqueCounts(NamedTuple):
    """What `unique_counts` returns."""

    values: ndarray
    counts: ndarray


class UniqueInverse(NamedTuple):
    """What `unique_inverse` returns."""

    values: ndarray
    inverse_indices: ndarray


def unique(
    ar: Any, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False,
    axis: int | None = None, *, equal_nan: bool = True, sorted: bool = True,
) -> Any:  # fmt: skip
    """The different elements in ascending order, or along an axis the different parts.

    Parameters
    ----------
    ar : array_like
    return_index : bool, optional
        Give the position (int64) at which each first occurs.
    return_inverse : bool, optional
        Give for each element of `ar`, in its shape, the position of its like in the result; along an axis for each
        part.
    return_counts : bool, optional
        Give how often each occurs.
    axis : int, optional
        The flattened array by default.
    equal_nan : bool, optional
        Whether NaN counts as equal to NaN.
    sorted : bool, optional
        With False the order may be another one; here it is not.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.unique([3, 1, 3], return_counts=True)
    (array([1, 3]), array([1, 2]))
    """
    x = as_array(ar)
    place = None if axis is None else axis_of(axis, x.ndim, "unique")
    flags = {"return_index": return_index, "return_inverse": return_inverse, "return_counts": return_counts}
    found = host.call("unique", numpy.unique, x, axis=place, equal_nan=equal_nan, **flags)
    if not isinstance(found, tuple):
        return found
    parts = list(found)
    if return_inverse:  # whose shape is another one in older NumPys
        number = 2 if return_index else 1
        parts[number] = parts[number].reshape(x.shape if place is None else (x.shape[place],))
    return tuple([parts[0], *[convert(one, INT64) for one in parts[1:]]])


def unique_all(x: Any) -> UniqueAll:
    """The different elements, where each first occurs, which of them each element is, and how often they occur.

    NaN counts as different from NaN.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.unique_all([3, 1, 3]).counts
    array([1, 2])
    """
    return UniqueAll(*unique(x, True, True, True, equal_nan=False))


def unique_counts(x: Any) -> UniqueCounts:
    """The different elements and how often they occur; see `unique_all`."""
    return UniqueCounts(*unique(x, return_counts=True, equal_nan=False))


def unique_inverse(x: Any) -> UniqueInverse:
    """The different elements and which of them each element is; see `unique_all`."""
    return UniqueInverse(*unique(x, return_inverse=True, equal_nan=False))


def unique_values(x: Any) -> ndarray:
    """The different elements, NaN being different from NaN; they are in ascending order here."""
    return unique(x, equal_nan=False)


def union1d(ar1: Any, ar2: Any) -> ndarray:
    """The elements of either of two arrays, each once, in ascending order."""
    return unique(concatenate((ar1, ar2), None))


def intersect1d(ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False) -> Any:
    """The elements of both of two arrays, in ascending order; with `return_indices` their positions in both too.

    With `assume_unique` the arrays must hold no element twice.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.intersect1d([1, 3, 4, 3], [3, 1, 2])
    array([1, 3])
    """
    return host.call("intersect1d", numpy.intersect1d, as_array(ar1), as_array(ar2), assume_unique, return_indices)


def setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> ndarray:
    """The elements of just one of two arrays, in ascending order; see `intersect1d` for `assume_unique`."""
    return host.call("setxor1d", numpy.setxor1d, as_array(ar1), as_array(ar2), assume_unique)


def setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> ndarray:
    """The elements of the first array that the second does not hold, each once, in ascending order.

    With `assume_unique` they stay as they are.
    """
    return host.call("setdiff1d", numpy.setdiff1d, as_array(ar1), as_array(ar2), assume_unique)


def isin(
    element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False, *, kind: str | None = None
) -> ndarray:
    """Whether each element is among those of another array.

    Parameters
    ----------
    element, test_elements : array_like
    assume_unique : bool, optional
        A hint, for NumPy.
    invert : bool, optional
        Whether each element is *not* among them.
    kind : {None, "sort", "table"}, optional
        The algorithm that NumPy uses; a recording sorts.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.isin([1, 2, 3], [3, 1])
    array([ True, False,  True])
    """
    if kind not in (None, "sort", "table"):
        raise ValueError(located(f"isin: kind must be None, 'sort' or 'table', not {kind!r}", here()))
    x, among = as_array(element), as_array(test_elements)
    if kind == "table" and {x.dtype.kind, among.dtype.kind} & set("fc"):
        raise ValueError(located("isin: kind='table' takes integers and booleans", here()))
    if active_recording() is None:
        return host.call("isin", numpy.isin, x, among, assume_unique, invert, kind=kind)
    if not among.size:
        return broadcast_to(as_array(bool(invert)), x.shape)
    x, among = comparable(x, ravel(among))
    among = sort(among)
    place = call("minimum", (searchsorted(among, x), among.size - 1))
    return call("not_equal" if invert else "equal", (apply(ops.take, among, place, axis=0), x))


def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> ndarray:
    """Differences between neighbours of the flattened array, with elements put before and after them.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.ediff1d([1, 4, 9], to_begin=0)
    array([0, 3, 5])
    """
    x = ravel(ary)
    if x.dtype == BOOL:
        raise DTypeError(located("ediff1d: booleans have no differences; use astype(int)", here()))
    parts = [call("subtract", (x[1:], x[:-1]))]
    for given, at in ((to_begin, 0), (to_end, len(parts) + 1)):
        if given is not None:
            parts.insert(at, ravel(same_kind(as_array(given), x.dtype, "ediff1d")))
    return concatenate(parts) if len(parts) > 1 else parts[0]


def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    """The array without the zeros at its ends: a view of the part that holds all other elements; of a list a list.

    Parameters
    ----------
    filt : array_like
    trim : str, optional
        With "f" at the front, with "b" at the back.
    axis : int or tuple of int, optional
        All axes by default.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.trim_zeros(np.array([0, 0, 1, 0, 2, 0])), np.trim_zeros([0, 3])
    (array([1, 0, 2]), [3])
    """
    if trim.lower() not in ("f", "b", "fb", "bf"):
        raise ValueError(located(f"trim_zeros: trim must be of the letters f and b, not {trim!r}", here()))
    x = as_array(filt)
    given = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = {axis_of(operator.index(one), x.ndim, "trim_zeros") for one in given}
    if not axes:
        return x
    found = numpy.nonzero(elements("trim_zeros", x))
    key = []
    for place, where in enumerate(found):
        if place not in axes:
            key.append(slice(None))
        elif not where.size:
            key.append(slice(0, 0))
        else:
            start = int(where.min()) if "f" in trim.lower() else None
            key.append(slice(start, int(where.max()) + 1 if "b" in trim.lower() else None))
    # NumPy cuts a sequence as it is.
    return filt[key[0]] if isinstance(filt, (list, tuple)) and x.ndim == 1 else x[tuple(key)]
