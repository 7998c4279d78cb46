"""Counting: how often integers occur, and how many values lie between edges, of one variable or several.

Edges that are given are known to a recording, which then looks values up and adds; edges that hang on the data are
found by NumPy.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy import host
from dopegraph.numpy.elements import elements, warn
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.ordering import searchsorted
from dopegraph.numpy.promotion import BOOL, FLOAT64, INT64, as_array, beside, complex_of, convert, new, promote
from dopegraph.numpy.reduction import sum
from dopegraph.numpy.shape import ravel, reshape, transpose
from dopegraph.runtime.config import default_dtype
from dopegraph.runtime.errors import DTypeError, ShapeError
from dopegraph.runtime.location import here, located
from dopegraph.trace.active import active_recording

__all__ = ["bincount", "histogram", "histogram2d", "histogram_bin_edges", "histogramdd"]


def _of_whole(result: Any, *given: Any) -> Any:
    """Floats that come from integers alone have the default dtype."""
    if isinstance(result, (tuple, list)):
        return type(result)([_of_whole(one, *given) for one in result])
    if result.dtype.kind != "f" or any(x is not None and x.dtype.kind in "fc" for x in given):
        return result
    return convert(result, default_dtype())


def _counted(places: ndarray, weights: ndarray | None, length: int) -> ndarray:
    """How often each of 0, 1, ... length-1 occurs, or the sum of the weights of those that do."""
    flat = ravel(places)
    if weights is None:
        ones = apply(ops.full, value=1, shape=flat.shape, dtype=INT64)
        return apply(ops.scatter_add_along_axis, ones, flat, axis=0, length=length)
    wide = convert(ravel(weights), numpy.dtype("complex128") if weights.dtype.kind == "c" else FLOAT64)
    return apply(ops.scatter_add_along_axis, wide, flat, axis=0, length=length)


def bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> ndarray:
    """How often each integer from 0 to the largest occurs.

    Parameters
    ----------
    x : array_like of int
        One axis, nothing negative; the largest element of what a recording computes is looked at.
    weights : array_like, optional
        What each element counts, in float64; derivatives flow to them.
    minlength : int, optional
        The result is not shorter.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.bincount([0, 2, 2])
    array([1, 0, 2])
    """
    values = as_array(x)
    if values.ndim != 1:
        raise ShapeError(located(f"bincount: x must have one axis, not the shape {values.shape}", here()))
    if values.size and values.dtype.kind not in "biu":
        raise DTypeError(located(f"bincount: counts integers, not {values.dtype}; use astype", here()))
    values = convert(values, INT64)
    least = operator.index(minlength)
    if least < 0:
        raise ValueError(located(f"bincount: minlength must not be negative, it is {least}", here()))
    given = None if weights is None else as_array(weights)
    if given is not None and given.shape != values.shape:
        message = f"bincount: weights of shape {given.shape} for an array of shape {values.shape}"
        raise ShapeError(located(message, here()))
    if given is not None and given.dtype.kind == "c":
        raise DTypeError(located("bincount: weights must be real; use w.real", here()))
    known = elements("bincount", values)
    if known.size and known.min() < 0:
        raise ValueError(located("bincount: x must not be negative", here()))
    if not known.size:
        given = None  # NumPy counts nothing in integers
    if active_recording() is None:
        counts = host.call("bincount", numpy.bincount, values, given, least)
    else:
        counts = _counted(values, given, max(int(known.max()) + 1 if known.size else 0, least))
    return _of_whole(counts, *([] if given is None else [given]))


def _edges(name: str, a: ndarray, bins: Any, range: Any, weights: Any) -> numpy.ndarray:
    """The edges of the bins, known now: by NumPy, from the data if nothing else says where they are."""
    if not isinstance(bins, (str, int, float)):
        listed = isinstance(bins, (list, tuple))
        edges = elements(name, as_array(bins, FLOAT64 if listed and as_array(bins).dtype.kind == "f" else None))
        if edges.ndim == 1:
            data = numpy.empty(0, a.dtype)
            return _by_numpy(name, lambda: numpy.histogram_bin_edges(data, edges))
        bins = edges if edges.ndim else edges.item()
    if isinstance(bins, str) and weights is not None:
        raise DTypeError(located(f"{name}: the rule {bins!r} chooses no bins of weighted data", here()))
    needs_data = isinstance(bins, str) or range is None
    data = elements(name, a) if needs_data else numpy.empty(0, a.dtype)
    if range is not None:
        range = tuple(float(end) if not isinstance(end, int) else end for end in range)
    return _by_numpy(name, lambda: numpy.histogram_bin_edges(data, bins, range))


def _by_numpy(name: str, function: Any) -> Any:
    """What a NumPy function returns; its errors name the user's line."""
    try:
        return function()
    except (ValueError, TypeError) as cause:
        kind = DTypeError if isinstance(cause, TypeError) else ValueError
        raise kind(located(f"{name}: {cause}", here())) from cause


def _data(name: str, a: Any, weights: Any) -> tuple[ndarray, ndarray | None]:
    x = as_array(a)
    w = None if weights is None else as_array(weights)
    if w is not None and w.shape != x.shape:
        message = f"{name}: weights of shape {w.shape} for an array of shape {x.shape}"
        raise ShapeError(located(message, here()))
    if x.dtype == BOOL:
        warn(f"{name}: booleans are counted as uint8")
        x = convert(x, numpy.dtype("uint8"))
    return ravel(x), None if w is None else ravel(w)


def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> ndarray:
    """The edges between which `histogram` counts; see there for the parameters.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.histogram_bin_edges([1, 2, 5], bins=4)
    array([1., 2., 3., 4., 5.], dtype=float32)
    """
    x, w = _data("histogram_bin_edges", a, weights)
    return _shown(_edges("histogram_bin_edges", x, bins, range, w), x)


def _shown(edges: numpy.ndarray, *given: ndarray) -> ndarray:
    return _of_whole(new(numpy.array(edges)), *given)


def histogram(a: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None) -> Any:
    """How many values lie between edges, the last of which counts as inside.

    Parameters
    ----------
    a : array_like
        Flattened.
    bins : int, str or array_like, optional
        The number of bins of equal width, the name of NumPy's rule that chooses it, or the edges. Edges are traced
        data only if they are constants or `range` is given; otherwise a recording is looked into.
    range : (float, float), optional
        The outer edges, by default the smallest and largest value.
    density : bool, optional
        Give a density: counts divided by the width of their bin and their sum.
    weights : array_like, optional
        What each value counts; derivatives flow to them.

    Returns
    -------
    (ndarray, ndarray)
        The counts (int64, or the dtype of the weights) and the edges.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.histogram([1, 2, 1, 4], bins=[0, 2, 4])
    (array([2, 2]), array([0, 2, 4]))
    """
    x, w = _data("histogram", a, weights)
    edges = _edges("histogram", x, bins, range, w)
    count = len(edges) - 1
    if active_recording() is None:  # NumPy is faster where bins are of equal width
        how = (count, range) if isinstance(bins, (str, int)) else (edges, None)
        total = host.call("histogram", numpy.histogram, x, *how, weights=w)[0]
    else:
        total = _counted(_bin_of(x, edges), w, count + 2)[1:-1]
    total = convert(total, INT64 if w is None else w.dtype)
    if not density:
        return total, _shown(edges, x)
    widths = new(numpy.diff(edges).astype(FLOAT64))
    result = call("divide", (call("divide", (convert(total, _wide(total)), widths)), sum(total)))
    return _of_whole(result, x, *([] if w is None else [w])), _shown(edges, x)


def _wide(x: ndarray) -> numpy.dtype:
    return complex_of(FLOAT64) if x.dtype.kind == "c" else FLOAT64


def _bin_of(x: ndarray, edges: numpy.ndarray) -> ndarray:
    """The number of each value's bin counted from 1; 0 and the last number are those outside, and NaN."""
    inside = len(edges) - 1
    place = searchsorted(beside(x, edges), x, "right")
    on_edge = call("equal", (x, beside(x, edges[-1:]))) if len(edges) else call("not_equal", (x, x))
    return call("minimum", (call("subtract", (place, convert(on_edge, INT64))), inside + 1))


def histogramdd(
    sample: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None
) -> tuple[ndarray, list[ndarray]]:
    """How many points lie in the boxes between edges, of as many variables as a point has coordinates.

    Parameters
    ----------
    sample : array_like, shape (N, D), or sequence of D arrays
    bins : int or sequence, optional
        For all variables, or for each: the number of bins or the edges.
    range : sequence of (float, float) or None, optional
        The outer edges of each variable.
    density : bool, optional
        Give a density: counts divided by the volume of their box and their sum.
    weights : array_like, optional
        What each point counts; derivatives flow to them.

    Returns
    -------
    (ndarray, list of ndarray)
        The counts (float64, or the default dtype when the sample is of integers) and the edges of each variable.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> counts, edges = np.histogramdd(np.array([[0., 0.], [1., 1.], [1., 0.]]), bins=2)
    >>> counts.tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    points = as_array(sample)
    if points.ndim != 2 or isinstance(sample, (list, tuple)):
        points = transpose(points) if points.ndim == 2 else reshape(points, (-1, 1)) if points.ndim < 2 else points
    if points.ndim != 2:
        raise ShapeError(located(f"histogramdd: needs points of shape (N, D), not {points.shape}", here()))
    columns = [points[:, place] for place in numpy.arange(points.shape[1]).tolist()]
    if not columns:
        raise ShapeError(located("histogramdd: points of no coordinates lie nowhere", here()))
    return _boxes("histogramdd", columns, bins, range, density, weights)


def histogram2d(
    x: Any, y: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None
) -> tuple[ndarray, ndarray, ndarray]:
    """How many points of a plane lie in the boxes between edges; see `histogramdd`.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.histogram2d([0., 1., 1.], [0., 1., 0.], bins=2)[0].tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    first, second = as_array(x), as_array(y)
    if first.shape != second.shape:
        message = f"histogram2d: x and y must have one length, not the shapes {first.shape} and {second.shape}"
        raise ShapeError(located(message, here()))
    first, second = promote((first, second))
    several = isinstance(bins, (list, tuple)) or getattr(bins, "ndim", 0) > 0
    if several and len(bins) not in (1, 2):  # edges for both
        bins = [bins, bins]
    counts, edges = _boxes("histogram2d", [first, second], bins, range, density, weights)
    return counts, edges[0], edges[1]


def _boxes(
    name: str, columns: list[ndarray], bins: Any, range: Any, density: bool | None, weights: Any
) -> tuple[ndarray, list[ndarray]]:
    if isinstance(bins, str):
        raise DTypeError(located(f"{name}: bins must be numbers or edges, not a name", here()))
    each = list(bins) if isinstance(bins, (list, tuple)) or getattr(bins, "ndim", 0) else [bins] * len(columns)
    ranges: Sequence[Any] = [None] * len(columns) if range is None else range
    for what, given in (("bins", each), ("range", ranges)):
        if len(given) != len(columns):
            message = f"{name}: {what} has {len(given)} entries for {len(columns)} variables"
            raise ShapeError(located(message, here()))
    edges = [_wide_edges(name, *one) for one in zip(columns, each, ranges)]
    flat: Any = 0
    for column, between in zip(columns, edges):
        flat = _bin_of(column, between) + flat * (len(between) + 1)
    w = None if weights is None else as_array(weights)
    if w is not None and w.shape != columns[0].shape:
        message = f"{name}: weights of shape {w.shape} for {columns[0].size} points"
        raise ShapeError(located(message, here()))
    lengths = [len(between) + 1 for between in edges]
    counts = reshape(_counted(flat, w, int(numpy.prod(lengths))), tuple(lengths))
    counts = convert(counts[(slice(1, -1),) * len(lengths)], FLOAT64)
    if density:
        total = sum(counts)
        for place, between in enumerate(edges):
            shape = [-1 if place == axis else 1 for axis in numpy.arange(len(edges)).tolist()]
            counts = counts / new(numpy.diff(between).astype(FLOAT64).reshape(shape))
        counts = counts / total
    return _of_whole(counts, *columns), [_shown(one, *columns) for one in edges]


def _wide_edges(name: str, column: ndarray, bins: Any, range: Any) -> numpy.ndarray:
    """Edges that are counted off have double precision here, but between elements theirs."""
    if getattr(bins, "ndim", 0) or isinstance(bins, (list, tuple)):
        return _edges(name, column, bins, None, None)
    if range is not None:
        return _edges(name, as_array(numpy.empty(0)), bins, range, None)
    known = elements(name, column)
    ends = [known.min(), known.max()] if known.size else [0, 1]
    edges = _edges(name, as_array(numpy.empty(0)), bins, [float(end) for end in ends], None)
    if known.dtype.kind != "f":
        return edges
    low, high = (ends[0] - 0.5, ends[1] + 0.5) if known.size and ends[0] == ends[1] else ends
    return numpy.linspace(low, high, len(edges)).astype(known.dtype if known.size else edges.dtype, copy=False)
