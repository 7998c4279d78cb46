"""Evenly spaced numbers: counted, between bounds, on a logarithmic scale. Bounds that are arrays are traced."""

from __future__ import annotations

import inspect
import operator
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray, traced
from dopegraph.dispatch import apply
from dopegraph.numpy import host
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.joining import is_new
from dopegraph.numpy.layout import naming, on_device
from dopegraph.numpy.promotion import DType, as_array, as_operand, complex_of, convert, dtype_of, new, promote
from dopegraph.numpy.shape import axis_of, broadcast_to, expand_dims, moveaxis, reshape
from dopegraph.ops.typing import broadcast_shapes
from dopegraph.runtime.config import default_dtype
from dopegraph.runtime.direct import direct
from dopegraph.runtime.errors import DTypeError, ShapeError
from dopegraph.runtime.location import here, located
from dopegraph.trace.active import active_recording
from dopegraph.trace.scalar import DynamicFloat

__all__ = ["arange", "geomspace", "linspace", "logspace"]

_PLAIN = (bool, int, float, complex)
_NUMBERS = frozenset([int, float])


def number_of(x: Any) -> Any:
    """A Python number: where an array ends, and how far its elements are apart, cannot be traced."""
    if type(x) in _PLAIN:
        return x
    return float(x) if isinstance(x, DynamicFloat) else numpy.asarray(x).item()


def arange(*bounds: Any, **named: Any) -> ndarray:
    """Evenly spaced values in the half-open interval [start, stop): ``arange(stop)`` or ``arange(start, stop, step)``.

    Parameters
    ----------
    start_or_stop : number
        Where the values end if it is given alone, otherwise where they start (also as ``start=``).
    stop : number, optional
    step : number, optional
        Distance of the values, 1 by default; not 0.
    dtype : dtype, optional
        Integers by default for integers, the default dtype for floats.
    device : Device or str, optional
        Where the array is to be.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.arange(3), np.arange(0, 1, 0.25)
    (array([0, 1, 2]), array([0.  , 0.25, 0.5 , 0.75], dtype=float32))
    """
    if not named and not direct.held and 0 < len(bounds) < 4 and _NUMBERS.issuperset(map(type, bounds)):
        return _counted(*bounds)
    taken = _bounds(bounds, named)
    numbers = [number_of(taken[name]) for name in ("start", "stop", "step")]
    start, stop, step = numbers
    with naming("arange"):
        counted = numpy.arange(start, stop, step)
    if taken["dtype"] is not None:
        chosen = dtype_of(taken["dtype"])
    else:
        floating = counted.dtype.kind == "f"
        strong = [getattr(taken[name], "dtype", None) for name in ("start", "stop", "step")]
        chosen = default_dtype() if floating else counted.dtype
        for dtype in strong:
            chosen = numpy.promote_types(chosen, dtype) if floating and dtype and dtype.kind == "f" else chosen
    if chosen.kind in "iu" and counted.dtype.kind == "f":  # NumPy rounds the first two, and goes on from there
        start, step = int(start), int(start + step) - int(start)
    attrs = {"size": counted.size, "start": start, "step": step, "dtype": chosen}
    recording = active_recording()
    if recording is not None:
        return on_device(traced(recording.emit(ops.iota, [], attrs), recording), taken["device"], "arange")
    return on_device(new(ops.iota.kernel(**attrs)), taken["device"], "arange")


def _counted(start: float, stop: float | None = None, step: float = 1) -> ndarray:
    """`arange` of Python numbers when nothing records."""
    if stop is None:
        start, stop = 0, start
    with naming("arange"):
        counted = numpy.arange(start, stop, step)
    if counted.dtype.kind == "f":
        counted = ops.iota.kernel(size=counted.size, start=start, step=step, dtype=default_dtype())
    return new(counted)


def _bounds(given: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """NumPy's two forms of the arguments as one; `start` may be left out, or be None beside a stop."""
    taken: dict[str, Any] = {"start": None, "stop": None, "step": None, "dtype": None, "device": None, "like": None}
    names = ("start", "stop", "step", "dtype")
    if len(given) > len(names):
        raise DTypeError(located(f"arange: takes up to 4 arguments by position, not {len(given)}", here()))
    for name, value in (*zip(names, given), *named.items()):
        if name not in taken or (name in names[: len(given)] and name in named):
            raise DTypeError(located(f"arange: does not take {name!r} here", here()))
        taken[name] = value
    if taken["stop"] is None:
        if taken["start"] is None or not given:
            raise DTypeError(located("arange: needs a stop", here()))
        taken["start"], taken["stop"] = None, taken["start"]
    for name, usual in (("start", 0), ("step", 1)):
        taken[name] = usual if taken[name] is None else taken[name]
    return taken


def _parameter(name: str, kind: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, kind, default=default)


arange.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
    [
        _parameter("start_or_stop", inspect.Parameter.POSITIONAL_ONLY),
        _parameter("stop", inspect.Parameter.POSITIONAL_OR_KEYWORD, None),
        _parameter("step", inspect.Parameter.POSITIONAL_OR_KEYWORD, 1),
        *[_parameter(name, inspect.Parameter.KEYWORD_ONLY, None) for name in ("dtype", "device", "like")],
    ]
)


def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
    axis: int = 0, *, device: Any = None,
) -> Any:  # fmt: skip
    """`num` evenly spaced values from `start` to `stop`, which is included unless `endpoint` is false.

    Parameters
    ----------
    start, stop : array_like
        Arrays of bounds broadcast; the result has one more axis.
    num : int
    endpoint : bool, optional
    retstep : bool, optional
        Return the distance of the values too.
    dtype : dtype, optional
        Values are rounded down for integers.
    axis : int, optional
        Where the new axis is put.
    device : Device or str, optional

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linspace(0, 1, 5)
    array([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
    """
    count = _count("linspace", num)
    if type(start) in _PLAIN and type(stop) in _PLAIN:
        with naming("linspace"):
            spaced, distance = numpy.linspace(start, stop, count, endpoint, True, dtype, axis)
        values: ndarray = new(_default(spaced, dtype))
        step: Any = number_of(distance)
    else:
        first, last = promote((start, stop, 1.0))[:2]
        values, step = spaced_between(first, last, count, bool(endpoint), axis)
        if dtype is not None:
            wanted = dtype_of(dtype)
            values = convert(call("floor", (values,)) if wanted.kind in "iu" else values, wanted)
    values = on_device(values, device, "linspace")
    return (values, step) if retstep else values


def _count(name: str, num: Any) -> int:
    with naming(name):
        count = operator.index(num)
    if count < 0:
        raise ShapeError(located(f"{name}: the number of values must not be negative: {count}", here()))
    return count


def _default(array: numpy.ndarray, dtype: Any) -> numpy.ndarray:
    """New floats have the default dtype unless one was given."""
    if dtype is not None or array.dtype.kind not in "fc":
        return array
    return array.astype(default_dtype() if array.dtype.kind == "f" else complex_of(default_dtype()))


def spaced_between(
    start: ndarray, stop: ndarray, count: int, endpoint: bool, axis: int = 0, work: DType | None = None
) -> tuple[ndarray, ndarray]:
    """Values from one array to another along a new axis, and their distance; computed in one dtype.

    As NumPy does it: ``start + i * step``, and the end exactly.
    """
    start, stop = convert(start, work), convert(stop, work)
    try:
        shape = broadcast_shapes(start.shape, stop.shape)
    except ShapeError as cause:
        raise ShapeError(located(f"linspace: {cause}", here())) from None
    place = axis_of(axis, len(shape) + 1, "linspace")
    parts = count - 1 if endpoint else count
    delta = stop - start
    step = delta / parts if parts > 0 else delta * numpy.nan
    if count == 0:
        values = broadcast_to(start, (0, *shape))
    else:
        numbers = reshape(arange(count, dtype=start.dtype), (count, *[1] * len(shape)))
        values = numbers * (step if parts > 0 else delta) + start
        if endpoint and count > 1:
            last = expand_dims(broadcast_to(stop, shape), 0)
            values = apply(ops.concat, values[:-1], last, axis=0)
    return moveaxis(values, 0, place) if place else values, step


def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None, axis: int = 0
) -> ndarray:
    """Values evenly spaced on a logarithmic scale, from ``base ** start`` to ``base ** stop``.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.logspace(0, 2, 3)
    array([  1.,  10., 100.], dtype=float32)
    """
    if all([type(one) in _PLAIN for one in (start, stop, base)]):
        with naming("logspace"):
            return new(_default(numpy.logspace(start, stop, num, endpoint, base, dtype, axis), dtype))
    if not isinstance(base, (*_PLAIN, DynamicFloat)) and as_array(base).ndim:
        operands = [as_array(one) for one in (start, stop, base)]
        deepest = max([one.ndim for one in operands])
        start, stop, base = (reshape(one, (1,) * (deepest - one.ndim) + one.shape) for one in operands)
        base = expand_dims(base, axis_of(axis, deepest + 1, "logspace"))
    powers = call("power", (base, linspace(start, stop, num, endpoint, axis=axis)))
    return powers if dtype is None else convert(powers, dtype_of(dtype))


def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> ndarray:
    """Values of which each is the same multiple of the one before, from `start` to `stop`.

    Bounds that are arrays are looked at by NumPy, on the host, as they must not be 0.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.geomspace(1, 8, 4)
    array([1., 2., 4., 8.], dtype=float32)
    """
    if type(start) in _PLAIN and type(stop) in _PLAIN:
        with naming("geomspace"):
            return new(_default(numpy.geomspace(start, stop, num, endpoint, dtype, axis), dtype))
    found = host.call("geomspace", numpy.geomspace, as_operand(start), as_operand(stop), num, endpoint, dtype, axis)
    return found if dtype is not None else host.defaulted(found, *[one for one in (start, stop) if not is_new(one)])
