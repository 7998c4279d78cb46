"""Looking up and writing along one axis by indices that have the array's rank, and choices among arrays."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy.assign import assign, finish, on_host
from dopegraph.numpy.creation import zeros_like
from dopegraph.numpy.elementwise import call, truth
from dopegraph.numpy.logic import where
from dopegraph.numpy.promotion import BOOL, INT64, SCALARS, as_array, as_operand, convert, promote, scalar
from dopegraph.numpy.shape import axis_of, broadcast_to, expand_dims, ravel, reshape
from dopegraph.ops.sorting import along_axis
from dopegraph.ops.typing import broadcast_shapes
from dopegraph.runtime.errors import DTypeError, IndexingError, ShapeError
from dopegraph.runtime.location import here, located
from dopegraph.trace.active import active_recording

__all__ = ["choose", "piecewise", "put_along_axis", "select", "take_along_axis"]


def _beside(name: str, x: ndarray, indices: Any, axis: int, both: bool) -> tuple[ndarray, ndarray, int]:
    """The array and the indices, of one shape elsewhere than along the axis, and that axis from the front."""
    positions = as_array(indices)
    if positions.dtype.kind not in "iu":
        raise IndexingError(located(f"{name}: indices must be integers, not {positions.dtype}", here()))
    place = axis_of(axis, x.ndim, name)
    if positions.ndim != x.ndim:
        message = f"{name}: the indices have {positions.ndim} axes, the array {x.ndim}; they must have as many"
        raise ShapeError(located(message, here()))
    try:
        others = broadcast_shapes(_without(x.shape, place), _without(positions.shape, place))
        if not both and others != _without(x.shape, place):
            raise ShapeError(f"indices of shape {positions.shape} do not fit an array of shape {x.shape}")
    except ShapeError as cause:
        raise IndexingError(located(f"{name}: {cause}", here())) from None
    lengths = [*others[:place], 0, *others[place + 1 :]]
    x, positions = (
        one if _without(one.shape, place) == others
        else broadcast_to(one, (*lengths[:place], one.shape[place], *lengths[place + 1 :]))
        for one in (x, positions)
    )  # fmt: skip
    return x, positions, place


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    """The shape with length 1 in place of an axis."""
    return (*shape[:axis], 1, *shape[axis + 1 :])


def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> ndarray:
    """Elements at positions along an axis, each row of indices for its own row of the array.

    Parameters
    ----------
    arr : array_like
    indices : array_like of int
        Has as many axes as `arr`; both broadcast elsewhere than on the axis. Negative ones count from the end.
    axis : int or None
        None means the flattened array.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> x = np.array([[3., 1., 2.], [4., 6., 5.]])
    >>> np.take_along_axis(x, np.argsort(x), axis=1)
    array([[1., 2., 3.],
           [4., 5., 6.]], dtype=float32)
    """
    x = as_array(arr)
    if axis is None:
        positions = as_array(indices)
        if positions.ndim != 1:
            message = "take_along_axis: with axis=None the indices must have one axis"
            raise ShapeError(located(message, here()))
        x, axis = ravel(x), 0
    x, positions, place = _beside("take_along_axis", x, indices, axis, both=True)
    return apply(ops.take_along_axis, x, positions, axis=place)


def put_along_axis(arr: Any, indices: Any, values: Any, axis: int | None) -> None:
    """Write values into an array at positions along an axis, in place; see `take_along_axis`."""
    if not isinstance(arr, ndarray):
        numpy.put_along_axis(arr, numpy.asarray(indices), numpy.asarray(values), axis)
        return
    x = arr if axis is not None else reshape(arr, -1)
    x, positions, place = _beside("put_along_axis", x, indices, 0 if axis is None else axis, both=False)
    (given,) = promote([values], x.dtype)
    try:
        given = broadcast_to(given, positions.shape)
    except ShapeError as cause:
        message = f"put_along_axis: values of shape {given.shape} for indices of shape {positions.shape}"
        raise ShapeError(located(message, here())) from cause
    if active_recording() is None and arr.device.is_host and axis is not None:
        try:
            at = along_axis(on_host(positions, "put_along_axis"), place)
            arr._write(at, on_host(given, "put_along_axis"))
        except IndexError as cause:
            raise IndexingError(located(f"put_along_axis: {cause}", here())) from cause
        return
    assign(arr, reshape(apply(ops.put_along_axis, x, positions, given, axis=place), arr.shape), "put_along_axis")


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> ndarray:
    """Each element from the first choice whose condition is true there, from `default` where none is.

    Parameters
    ----------
    condlist : list of bool arrays
    choicelist : list of array_like
        As many as conditions; all of them broadcast.
    default : scalar or array_like, optional

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> x = np.array([-2., 0.5, 3.])
    >>> np.select([x < 0, x > 1], [-1.0, 1.0], x)
    array([-1. ,  0.5,  1. ], dtype=float32)
    """
    if len(condlist) != len(choicelist):
        message = f"select: {len(condlist)} conditions for {len(choicelist)} choices; there must be as many"
        raise ShapeError(located(message, here()))
    if not len(condlist):
        raise ShapeError(located("select: needs a condition", here()))
    conditions = [as_array(condition) for condition in condlist]
    for number, condition in enumerate(conditions):
        if condition.dtype != BOOL:
            raise DTypeError(located(f"select: the condition {number} is of {condition.dtype}, not bool", here()))
    *choices, result = promote([*choicelist, default])
    for condition, choice in zip(conditions[::-1], choices[::-1]):
        result = apply(ops.select, condition, choice, result)
    return result


def choose(a: Any, choices: Any, out: ndarray | None = None, mode: str = "raise") -> ndarray:
    """Each element from the choice that an integer names there; the integers and the choices broadcast.

    Parameters
    ----------
    a : array_like of int
        From 0 to n-1 for n choices.
    choices : sequence of array_like
        An array counts as the sequence of its rows.
    mode : {"raise", "wrap", "clip"}
        What happens to other integers.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.choose([0, 1, 0], [[1., 2., 3.], [10., 20., 30.]])
    array([ 1., 20.,  3.], dtype=float32)
    """
    chosen = as_array(a)
    if chosen.dtype.kind not in "biu":
        raise DTypeError(located(f"choose: takes integers, not {chosen.dtype}", here()))
    if chosen.dtype == numpy.uint64:
        raise DTypeError(located("choose: integers of uint64 do not fit into int64; use astype", here()))
    chosen = convert(chosen, INT64)
    given = promote(list(choices))
    count = len(given)
    if not count:
        raise ShapeError(located("choose: needs a choice", here()))
    if mode == "clip":
        chosen = call("minimum", (call("maximum", (chosen, 0)), count - 1))
    elif mode == "wrap":
        chosen = chosen % count
    elif mode != "raise":
        raise ValueError(located(f"choose: mode must be 'raise', 'wrap' or 'clip', not {mode!r}", here()))
    else:
        inside = call("logical_and", (chosen >= 0, chosen < count))
        message = f"choose: there are {count} choices, and an integer names none of them"
        chosen = apply(ops.checked, chosen, inside, error="ValueError", message=message)
    try:
        shape = broadcast_shapes(chosen.shape, *(one.shape for one in given))
    except ShapeError as cause:
        raise ShapeError(located(f"choose: {cause}", here())) from None
    rows = apply(ops.concat, *[expand_dims(broadcast_to(one, shape), 0) for one in given], axis=0)
    found = apply(ops.take_along_axis, rows, expand_dims(broadcast_to(chosen, shape), 0), axis=0)
    return finish(reshape(found, shape), out)


def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> ndarray:
    """Functions of parts of an array: each is given the elements at which its condition is true; 0 where none is.

    Parameters
    ----------
    x : array_like
    condlist : list of bool arrays
        The last true one counts.
    funclist : list of callables or scalars
        As many as conditions, or one more: what holds where no condition is true. A recording, which fixes all
        shapes, calls them with arrays of the shape of `x` and chooses afterwards, so that they must be elementwise.
    *args, **kw
        For the functions.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> x = np.array([-2., 1., 3.])
    >>> np.piecewise(x, [x < 0, x >= 0], [lambda v: -v, lambda v: v * 10])
    array([ 2., 10., 30.], dtype=float32)
    """
    x = as_array(x)
    conditions = _conditions(condlist, x)
    if len(funclist) == len(conditions) + 1:
        some = functools.reduce(lambda one, other: call("logical_or", (one, other)), conditions)
        conditions = [*conditions, call("logical_not", (some,))]
    if len(funclist) != len(conditions):
        message = f"piecewise: {len(conditions)} conditions for {len(funclist)} functions"
        raise ShapeError(located(message, here()))
    result = zeros_like(x)
    eager = active_recording() is None
    for condition, function in zip(conditions, funclist):
        if not callable(function):
            part = function
        elif eager:
            chosen = x[condition]
            if chosen.size:
                result[condition] = function(chosen, *args, **kw)
            continue
        else:
            part = function(_only(x, condition), *args, **kw)
        operand = as_operand(part)
        value = convert(operand, x.dtype) if isinstance(operand, ndarray) else scalar(operand, x.dtype)
        result = apply(ops.select, condition, value, result)
    return result


def _conditions(condlist: Any, x: ndarray) -> list[ndarray]:
    one = (
        isinstance(condlist, SCALARS)
        or getattr(condlist, "ndim", 1) == 0
        or (x.ndim > 0 and not isinstance(condlist[0], (list, tuple, ndarray, numpy.ndarray)))
    )
    given = [condlist] if one else list(condlist)
    try:
        return [broadcast_to(truth(as_operand(condition)), x.shape) for condition in map(_array, given)]
    except ShapeError as cause:
        raise ShapeError(located(f"piecewise: a condition does not fit the shape {x.shape}", here())) from cause


def _array(condition: Any) -> Any:
    return as_array(condition) if isinstance(condition, (list, tuple)) else condition


def _only(x: ndarray, condition: ndarray) -> ndarray:
    """The array with an element that belongs to the function in place of those that do not.

    What a function gives for those is thrown away, but an infinite derivative of it would spoil the gradient.
    """
    if not x.size:
        return x
    first = apply(ops.argmax, ravel(condition), axis=0, keepdims=True)
    inside = apply(ops.stop_gradient, apply(ops.take, ravel(x), first, axis=0))
    return where(condition, x, reshape(inside, ()))
