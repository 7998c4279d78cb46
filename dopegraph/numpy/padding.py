"""`pad` in all of NumPy's modes, axis after axis: copies, lookups and reductions, traced and differentiated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy import host, reduction, statistics
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.promotion import FLOAT64, as_array, beside, convert, has_arrays, new
from dopegraph.numpy.ranges import spaced_between
from dopegraph.numpy.shape import broadcast_to, flip, reshape
from dopegraph.runtime.errors import DTypeError, ShapeError
from dopegraph.runtime.location import here, located
from dopegraph.trace.scalar import DynamicFloat

__all__ = ["pad"]

# The keywords that each mode takes, with the value they have when they are not given.
_KEYWORDS: dict[str, dict[str, Any]] = {
    "constant": {"constant_values": 0},
    "edge": {},
    "empty": {},
    "linear_ramp": {"end_values": 0},
    "maximum": {"stat_length": None},
    "mean": {"stat_length": None},
    "median": {"stat_length": None},
    "minimum": {"stat_length": None},
    "reflect": {"reflect_type": "even"},
    "symmetric": {"reflect_type": "even"},
    "wrap": {},
}

Widths = tuple[int, int]


def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> ndarray:
    """The array with elements added before and behind along each axis.

    Parameters
    ----------
    array : array_like
    pad_width : int, (before, after), or a sequence or dict of those for each axis
        How many elements to add.
    mode : str or callable, optional
        Where they come from: "constant", "edge" (the outermost element), "linear_ramp" (evenly spaced to an end
        value), "maximum", "mean", "median", "minimum" (of elements along the axis), "reflect" and "symmetric" (mirrored
        without and with the outermost element), "wrap" (from the other end), "empty" (here zeros), or a function
        as in NumPy, which is called on the host.
    constant_values, end_values : array_like, optional
        One value, (before, after), or pairs for each axis; 0 by default.
    stat_length : int, optional
        Of how many outermost elements to take the maximum, mean, median or minimum; in the same forms.
    reflect_type : {"even", "odd"}, optional
        With "odd", mirrored elements are subtracted from twice the outermost one.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.pad([1, 2, 3], 1), np.pad([1, 2, 3], (0, 2), "reflect")
    (array([0, 1, 2, 3, 0]), array([1, 2, 3, 2, 1]))
    """
    x = as_array(array)
    widths = _widths(pad_width, x.ndim)
    if callable(mode):
        return host.call("pad", numpy.pad, x, widths, mode, **kwargs)
    if mode not in _KEYWORDS:
        raise ValueError(located(f"pad: there is no mode {mode!r}; modes are {', '.join(_KEYWORDS)}", here()))
    unknown = set(kwargs) - set(_KEYWORDS[mode])
    if unknown:
        raise ValueError(located(f"pad: mode {mode!r} does not take {', '.join(sorted(unknown))}", here()))
    taken = {**_KEYWORDS[mode], **kwargs}
    for axis, length in enumerate(x.shape):
        if length == 0 and any(widths[axis]) and mode not in ("constant", "empty"):
            raise ShapeError(located(f"pad: axis {axis} is empty: mode {mode!r} has nothing to extend it with", here()))
    if mode == "empty" or (mode == "constant" and type(taken["constant_values"]) is int and not kwargs):
        return _zeros_around(x, widths)
    for axis, pair in enumerate(_PAIRS[mode](x, taken)):
        if any(widths[axis]):
            x = _MODES[mode](x, axis, widths[axis], pair)
    return apply(ops.identity, x) if x is array or not any(map(any, widths)) else x


def _widths(given: Any, ndim: int) -> tuple[Widths, ...]:
    if isinstance(given, dict):
        spread: list[Any] = [(0, 0)] * ndim
        for axis, pair in given.items():
            spread[axis] = pair if isinstance(pair, tuple) else (pair, pair)
        given = spread
    asked = numpy.asarray(given)
    if asked.dtype.kind not in "iu":
        raise DTypeError(located(f"pad: pad_width must be integers, not {given!r}", here()))
    pairs = _as_pairs(asked, ndim, "pad_width")
    if any(one < 0 for pair in pairs for one in pair):
        raise ShapeError(located(f"pad: pad_width must not be negative: {given!r}", here()))
    return tuple([(int(before), int(after)) for before, after in pairs])


def _as_pairs(given: numpy.ndarray, ndim: int, what: str) -> list[tuple[Any, Any]]:
    """(before, after) for each axis, by broadcasting."""
    try:
        return [(before, after) for before, after in numpy.broadcast_to(given, (ndim, 2))]
    except ValueError as cause:
        message = f"pad: {what} of shape {given.shape} do not fit an array of {ndim} axes: (before, after) for each"
        raise ShapeError(located(message, here())) from cause


def _values(name: str) -> Callable[[ndarray, dict[str, Any]], list[tuple[ndarray, ndarray]]]:
    """Values before and behind each axis; they may be traced."""

    def pairs(x: ndarray, taken: dict[str, Any]) -> list[tuple[ndarray, ndarray]]:
        given = taken[name]
        traced = isinstance(given, (ndarray, DynamicFloat)) or has_arrays([given])
        # Numbers of Python are not rounded to the default dtype first.
        values = as_array(given) if traced else new(numpy.array(given))
        if name == "constant_values":
            values = convert(values, x.dtype)
        try:
            spread = broadcast_to(values, (x.ndim, 2))
        except ShapeError as cause:
            message = f"pad: {name} of shape {values.shape} do not fit an array of {x.ndim} axes"
            raise ShapeError(located(message, here())) from cause
        return [(spread[axis, 0], spread[axis, 1]) for axis in range(x.ndim)]

    return pairs


def _lengths(x: ndarray, taken: dict[str, Any]) -> list[tuple[Any, Any]]:
    given = taken["stat_length"]
    if given is None:
        return [(None, None)] * x.ndim
    pairs = _as_pairs(numpy.asarray(given), x.ndim, "stat_length")
    if any(one < 0 for pair in pairs for one in pair):
        raise ShapeError(located(f"pad: stat_length must not be negative: {given!r}", here()))
    return [(int(before), int(after)) for before, after in pairs]


def _kinds(x: ndarray, taken: dict[str, Any]) -> list[Any]:
    if taken["reflect_type"] not in ("even", "odd"):
        raise ValueError(located(f"pad: reflect_type must be 'even' or 'odd', not {taken['reflect_type']!r}", here()))
    return [taken["reflect_type"]] * x.ndim


_PAIRS: dict[str, Callable[[ndarray, dict[str, Any]], list[Any]]] = {
    "constant": _values("constant_values"),
    "linear_ramp": _values("end_values"),
    **dict.fromkeys(("edge", "wrap"), lambda x, taken: [None] * x.ndim),
    **dict.fromkeys(("maximum", "mean", "median", "minimum"), _lengths),
    **dict.fromkeys(("reflect", "symmetric"), _kinds),
}


def _zeros_around(x: ndarray, widths: tuple[Widths, ...]) -> ndarray:
    if not any(map(any, widths)):
        return apply(ops.identity, x)
    shape = tuple(before + length + after for (before, after), length in zip(widths, x.shape))
    starts = tuple(before for before, _ in widths)
    stops = tuple(before + length for (before, _), length in zip(widths, x.shape))
    return apply(ops.unslice, x, shape=shape, starts=starts, stops=stops, steps=(1,) * x.ndim)


def _part(x: ndarray, axis: int, start: int, stop: int) -> ndarray:
    return x[(*(slice(None),) * axis, slice(start, stop))]


def _around(before: ndarray, x: ndarray, after: ndarray, axis: int) -> ndarray:
    return apply(ops.concat, *[part for part in (before, x, after) if part.shape[axis]], axis=axis)


def _repeated(one: ndarray, x: ndarray, axis: int, count: int) -> ndarray:
    return broadcast_to(one, (*x.shape[:axis], count, *x.shape[axis + 1 :]))


def _constant(x: ndarray, axis: int, width: Widths, pair: tuple[ndarray, ndarray]) -> ndarray:
    before, after = (_repeated(value, x, axis, count) for value, count in zip(pair, width))
    return _around(before, x, after, axis)


def _ramp(x: ndarray, axis: int, width: Widths, pair: tuple[ndarray, ndarray]) -> ndarray:
    """From an end value to the outermost element, which is not repeated."""
    integral = x.dtype.kind not in "fc"
    parts = []
    for end, count, edge in zip(pair, width, (_part(x, axis, 0, 1), _part(x, axis, x.shape[axis] - 1, x.shape[axis]))):
        shape = x.shape[:axis] + x.shape[axis + 1 :]
        work = FLOAT64 if integral else x.dtype
        values, _ = spaced_between(convert(end, work), reshape(convert(edge, work), shape), count, False, axis)
        parts.append(convert(call("floor", (values,)) if integral else values, x.dtype))
    return _around(parts[0], x, flip(parts[1], axis), axis)


def _statistic(function: Callable[..., ndarray], extremum: bool) -> Callable[..., ndarray]:
    def padded(x: ndarray, axis: int, width: Widths, lengths: tuple[Any, Any]) -> ndarray:
        whole, parts = x.shape[axis], []
        for place, (length, count) in enumerate(zip(lengths, width)):
            taken = whole if length is None or length > whole else length
            if taken == 0 and extremum:
                raise ShapeError(located("pad: a stat_length of 0 yields no value for padding", here()))
            some = _part(x, axis, 0, taken) if place == 0 else _part(x, axis, whole - taken, whole)
            one = function(some if extremum or some.dtype.kind in "fc" else convert(some, FLOAT64), axis, keepdims=True)
            if x.dtype.kind in "iu" and not extremum:
                one = call("rint", (one,))
            parts.append(_repeated(convert(one, x.dtype), x, axis, count))
        return _around(parts[0], x, parts[1], axis)

    return padded


def _median(x: ndarray, axis: int, keepdims: bool) -> ndarray:
    from dopegraph import numpy as np  # whichever median there is

    return np.median(x, axis=axis, keepdims=keepdims)


def _looked_up(
    positions: Callable[[numpy.ndarray, int], numpy.ndarray], x: ndarray, axis: int, width: Widths
) -> ndarray:
    length = x.shape[axis]
    places = positions(numpy.arange(-width[0], length + width[1]), length)
    before = apply(ops.take, x, beside(x, places[: width[0]]), axis=axis)
    after = apply(ops.take, x, beside(x, places[width[0] + length :]), axis=axis)
    return _around(before, x, after, axis)


def _mirrored(places: numpy.ndarray, length: int) -> numpy.ndarray:
    period = max(2 * (length - 1), 1)
    folded = places % period
    return numpy.where(folded < length, folded, period - folded)


def _mirrored_with_edge(places: numpy.ndarray, length: int) -> numpy.ndarray:
    folded = places % (2 * length)
    return numpy.where(folded < length, folded, 2 * length - 1 - folded)


def _wrap(x: ndarray, axis: int, width: Widths, _: None) -> ndarray:
    return _looked_up(lambda places, length: places % length, x, axis, width)


def _edge(x: ndarray, axis: int, width: Widths, _: None) -> ndarray:
    length = x.shape[axis]
    before = _repeated(_part(x, axis, 0, 1), x, axis, width[0])
    return _around(before, x, _repeated(_part(x, axis, length - 1, length), x, axis, width[1]), axis)


def _mirror(positions: Callable[[numpy.ndarray, int], numpy.ndarray], skipped: int) -> Callable[..., ndarray]:
    def padded(x: ndarray, axis: int, width: Widths, kind: str) -> ndarray:
        period = x.shape[axis] - skipped
        if period == 0:  # one element alone is its own mirror image
            return _edge(x, axis, width, None)
        if kind == "even":
            return _looked_up(positions, x, axis, width)
        before, after = width
        while before or after:  # at most one period at a time: then the outermost element is a mirror again
            left, right, length = min(before, period), min(after, period), x.shape[axis]
            first, last = _part(x, axis, 0, 1), _part(x, axis, length - 1, length)
            low = flip(_part(x, axis, skipped, skipped + left), axis)
            high = flip(_part(x, axis, length - skipped - right, length - skipped), axis)
            x = _around(_twice_less(first, low), x, _twice_less(last, high), axis)
            before, after = before - left, after - right
        return x

    return padded


def _twice_less(edge: ndarray, x: ndarray) -> ndarray:
    return 2 * edge - x


_MODES: dict[str, Callable[..., ndarray]] = {
    "constant": _constant,
    "edge": _edge,
    "linear_ramp": _ramp,
    "maximum": _statistic(reduction.max, True),
    "mean": _statistic(statistics.mean, False),
    "median": _statistic(_median, False),
    "minimum": _statistic(reduction.min, True),
    "reflect": _mirror(_mirrored, 1),
    "symmetric": _mirror(_mirrored_with_edge, 0),
    "wrap": _wrap,
}
