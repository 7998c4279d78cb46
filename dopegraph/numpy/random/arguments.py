"""What the distributions do with their arguments: shapes, dtypes, and the checks NumPy makes of parameters."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy

from dopegraph.array import ndarray
from dopegraph.numpy.creation import dtype_or_default, shape_of
from dopegraph.numpy.promotion import INT64, as_array, convert, scalar
from dopegraph.ops.typing import broadcast_shapes
from dopegraph.runtime.errors import DTypeError, ShapeError
from dopegraph.runtime.location import here, located
from dopegraph.trace.active import active_recording
from dopegraph.trace.scalar import DynamicFloat

# What parameters may be: the test that all elements pass, and the words for it. As in NumPy, NaN passes but for
# probabilities.
Rule = tuple[Callable[[Any], Any], str]
NOT_NEGATIVE: Rule = (lambda x: numpy.isnan(x) | ~numpy.signbit(x), "must not be negative")
POSITIVE: Rule = (lambda x: ~(x <= 0), "must be greater than 0")
PROBABILITY: Rule = (lambda x: (x >= 0) & (x <= 1), "must lie in [0, 1]")


def check(name: str, rule: Rule, **parameters: Any) -> None:
    """Raise NumPy's ValueError for wrong parameters; what arrays hold is not looked at in a recording."""
    test, words = rule
    for parameter, value in parameters.items():
        if type(value) is float and test(numpy.float64(value)):
            continue
        known = values_of(value)
        if known is None or known.dtype.kind not in "biuf":
            continue
        good = test(known.astype(numpy.float64))
        if not numpy.all(good):
            wrong = known[~good].flat[0] if known.ndim else known
            raise ValueError(located(f"random.{name}: {parameter} {words}, it is {wrong}", here()))


def values_of(x: Any) -> numpy.ndarray | None:
    """The numbers of a parameter as far as they are known now."""
    if type(x) in (int, float, bool):
        return numpy.asarray(x)
    if isinstance(x, DynamicFloat):
        return None
    if isinstance(x, ndarray):
        return x._settled().array if active_recording() is None and x.device.is_host else None
    if isinstance(x, (list, tuple)) and active_recording() is not None:
        return None  # may contain traced arrays
    try:
        return numpy.asarray([numpy.asarray(one) for one in x] if isinstance(x, (list, tuple)) else x)
    except (ValueError, TypeError):
        return None  # the error is that of making an array of it


def refuse(name: str, wrong: Any, message: str) -> None:
    """Raise a ValueError if a comparison of known numbers, or of None, is true somewhere."""
    if wrong is not None and numpy.any(wrong):
        raise ValueError(located(f"random.{name}: {message}", here()))


def known_together(*parameters: Any) -> list[numpy.ndarray] | None:
    """The numbers of several parameters, if all are known and have shapes that go together."""
    if all([type(one) in (int, float) for one in parameters]):
        return [numpy.asarray(one) for one in parameters]
    found = [one for one in map(values_of, parameters) if one is not None]
    try:
        return numpy.broadcast_arrays(*found) if len(found) == len(parameters) else None
    except ValueError:
        return None  # an error of its own, where the shape of the result is found


def floating(name: str, dtype: Any) -> numpy.dtype:
    """The floating dtype that was asked for, or the default."""
    chosen = dtype_or_default(dtype)
    if chosen.kind != "f":
        raise DTypeError(located(f"random.{name}: {chosen} is not a floating dtype", here()))
    return chosen


def shape_for(name: str, size: Any, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of what is drawn: the given one, to which parameters must broadcast, or the one they broadcast to."""
    if size is not None and not any(shapes):
        return shape_of(size)
    try:
        shape = broadcast_shapes(*shapes)
        if size is None:
            return shape
        wanted = shape_of(size)
        if broadcast_shapes(shape, wanted) != wanted:
            raise ShapeError(f"parameters of shape {shape} do not broadcast to size={wanted}")
        return wanted
    except ShapeError as cause:
        raise cause if "\n  at " in str(cause) else ShapeError(located(f"random.{name}: {cause}", here())) from None


def parameter(x: Any, dtype: numpy.dtype) -> ndarray:
    """A parameter as an array of a floating dtype; numbers stay in the host's memory."""
    return scalar(x, dtype) if type(x) in (bool, int, float) else as_array(x, dtype)


def begin(name: str, size: Any, dtype: Any, *parameters: Any) -> tuple[tuple[int, ...], numpy.dtype, list[ndarray]]:
    """Shape, dtype and parameters of a continuous distribution."""
    chosen = floating(name, dtype)
    arrays = [parameter(one, chosen) for one in parameters]
    return shape_for(name, size, *(one.shape for one in arrays)), chosen, arrays


def whole(name: str, label: str, x: Any) -> ndarray:
    """A parameter as an array of int64."""
    if type(x) is float and x.is_integer():
        x = int(x)
    array = scalar(x, INT64) if type(x) is int else as_array(x)
    if array.dtype.kind not in "biu":
        raise DTypeError(located(f"random.{name}: {label} takes integers, not {x!r}", here()))
    return convert(array, INT64)


def into(name: str, out: ndarray | None, size: Any, dtype: Any) -> tuple[Any, Any]:
    """Size and dtype of what is written into `out`, which must agree with those that were given."""
    if out is None:
        return size, dtype
    if not isinstance(out, ndarray):
        raise DTypeError(located(f"random.{name}: out must be a dopegraph.ndarray", here()))
    if dtype is not None and numpy.dtype(dtype) != out.dtype:
        raise DTypeError(located(f"random.{name}: out has dtype {out.dtype}, not {numpy.dtype(dtype)}", here()))
    if size is not None and shape_of(size) != out.shape:
        raise ShapeError(located(f"random.{name}: out has shape {out.shape}, not {shape_of(size)}", here()))
    return out.shape, out.dtype


def is_number(x: Any, number: float) -> bool:
    """Whether a parameter is a Python number of this value, so that nothing has to be computed for it."""
    return type(x) in (int, float) and x == number


def integer(name: str, x: Any) -> int:
    """A Python integer."""
    try:
        return operator.index(x)
    except TypeError:
        raise DTypeError(located(f"random.{name}: takes an integer, not {x!r}", here())) from None
