"""NumPy's functions that have no primitive run on the host, on copies, and return arrays; a recording notes it."""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy

from dopegraph.array import ndarray, traced
from dopegraph.numpy.assign import assign
from dopegraph.numpy.promotion import BOOL, SUPPORTED, as_array, complex_of, convert
from dopegraph.runtime.config import current_policy, default_dtype
from dopegraph.runtime.device import Device, current_device
from dopegraph.runtime.errors import BatchingError, DeviceError, DTypeError, FallbackError, GradientError
from dopegraph.runtime.location import here, located
from dopegraph.runtime.statistics import count_host_call, recorders
from dopegraph.runtime.unchanging import Unchanging
from dopegraph.trace.active import active_recording, outside_recordings
from dopegraph.trace.recording import Recording
from dopegraph.trace.scalar import DynamicFloat
from dopegraph.trace.tree import flatten

# These write into their first argument.
_WRITERS = frozenset(["copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"])
_NAMESPACES = ("emath", "fft", "linalg")

# Functions of Python values alone: without an array among the arguments, a recording may replay what they gave.
_PURE = frozenset([
    "base_repr", "binary_repr", "busday_count", "busday_offset", "datetime_as_string", "datetime_data",
    "format_float_positional", "format_float_scientific", "get_include", "is_busday", "mintypecode", "typename"
])  # fmt: skip

# Functions of nothing but their arguments, most of whose results have shapes that hang on values.
_REPLAYABLE = frozenset([
    "bincount", "delete", "eig", "eigvals", "geomspace", "histogram", "insert", "intersect1d", "isin", "ix_", "lstsq",
    "mask_indices", "packbits", "pad", "poly", "polyfit", "qr", "roots", "setdiff1d", "setxor1d", "union1d", "unique",
    "unpackbits"
])  # fmt: skip

# NumPy's modules that are reached through ours, unchanged: they see our arrays as NumPy's, by `__array__`.
MODULES = frozenset([
    "char", "ctypeslib", "dtypes", "exceptions", "f2py", "ma", "polynomial", "rec", "strings", "testing", "typing"
])  # fmt: skip


def call(name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Run a NumPy function with NumPy copies of the arrays among its arguments; its arrays become ours.

    They come to the device of the arguments.

    Raises
    ------
    GradientError
        When an argument is an array and a derivative is being recorded.
    FallbackError
        When an argument is an array, under the policy ``only_mxnet``.
    DeviceError
        When arguments are on different devices.
    """
    arrays = list(_arrays((args, kwargs)))
    if arrays and current_policy() == "only_mxnet":
        raise FallbackError(located(f"only_mxnet: {name} has to run in NumPy; MXNet has no such function", here()))
    if recorders:
        count_host_call(name)
    device = one_device(arrays, name)
    recording = active_recording()
    if recording is not None and name in _REPLAYABLE and (device or current_device()).is_host:
        made = _between_segments(recording, name, function, args, kwargs)
        if made is not None:
            return made
    if recording is not None and (name not in _PURE or _has_array((args, kwargs))):
        recording.escape("host-only", f"{name} runs in NumPy")
    lowered, named = lower(args, name), lower(kwargs, name)
    result = _run(name, lambda: function(*lowered, **named))
    if kwargs.get("out") is not None:
        return _outputs(kwargs["out"], result, name)
    if (name in _WRITERS or name.endswith(".at")) and isinstance(args[0], ndarray):
        assign(args[0], lowered[0], name)
    if any(result is one for one in args):
        return result
    with device or current_device():
        return lift(result)


def _run(name: str, function: Callable[[], Any]) -> Any:
    """What a NumPy function gives; its errors name it and the user's line."""
    try:
        with outside_recordings():
            return function()
    except BatchingError:
        raise
    except TypeError as cause:
        raise DTypeError(located(f"{name}: {cause}", here())) from cause
    except (ValueError, IndexError, numpy.linalg.LinAlgError) as cause:
        raise type(cause)(located(f"{name}: {cause}", here())) from cause


def _between_segments(
    recording: Recording, name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """What a function gives that plans can run again between their segments; None if it gives more than arrays."""
    arrays = list(_arrays((args, kwargs)))
    if not arrays or kwargs.get("out") is not None or recording.differentiating:
        return None
    given = lower((args, kwargs), name, {id(x): _Place(index) for index, x in enumerate(arrays)})
    structures = []

    def run(*operands: numpy.ndarray) -> list[numpy.ndarray]:
        positional, named = _filled(given, operands)
        result = _run(name, lambda: function(*positional, **named))
        leaves, structure = flatten(tuple(result) if isinstance(result, tuple) else result)
        if not all(isinstance(leaf, (numpy.ndarray, numpy.generic)) and leaf.dtype in SUPPORTED for _, leaf in leaves):
            raise _NoArrays
        structures.append(structure)
        return [numpy.array(leaf, order="C") for _, leaf in leaves]

    try:
        values = recording.host_call(arrays, name, run, f"{name} runs in NumPy")
    except _NoArrays:
        return None
    return structures[0].build([traced(value, recording) for value in values])


class _NoArrays(Exception):
    pass


class _Place(int):
    """Stands for an array among arguments."""


def _filled(x: Any, operands: Sequence[numpy.ndarray]) -> Any:
    """Arguments with arrays in their places."""
    if type(x) is _Place:
        return numpy.array(operands[x])
    if type(x) in (tuple, list):
        return type(x)([_filled(item, operands) for item in x])
    return {key: _filled(item, operands) for key, item in x.items()} if type(x) is dict else x


def _arrays(x: Any) -> Iterator[ndarray]:
    if isinstance(x, ndarray):
        yield x
    elif type(x) in (tuple, list):
        for item in x:
            yield from _arrays(item)
    elif type(x) is dict:
        yield from _arrays(list(x.values()))


def one_device(arrays: list[ndarray], name: str) -> Device | None:
    """The one device that arrays are on, None without arrays; numbers may be on the host."""
    devices = list(dict.fromkeys(x.device for x in arrays if x.ndim or not x.device.is_host))
    if len(devices) > 1:
        message = f"{name}: arrays are on {devices[0]} and {devices[1]}; move one with x.to(device)"
        raise DeviceError(located(message, here()))
    return devices[0] if devices else None


def _outputs(out: Any, result: Any, name: str) -> Any:
    """What a function returns that was given `out`: arrays of ours get what NumPy wrote into their copies."""
    if not isinstance(out, tuple):
        return _output(out, result, name)
    results = result if isinstance(result, tuple) else (result,)
    given = [_output(x, y, name) for x, y in zip(out, results)]
    return tuple(given) if len(given) > 1 else given[0]


def _output(out: Any, result: Any, name: str) -> Any:
    if isinstance(out, ndarray):
        return assign(out, result, name)
    return result if isinstance(out, numpy.ndarray) else lift(result)


def lower(x: Any, name: str, places: dict[int, Any] | None = None) -> Any:
    """NumPy's copies in place of our arrays, in containers too; or what stands for them by their ids."""
    if isinstance(x, ndarray):
        if places is not None:
            return places[id(x)]
        recording = active_recording()
        if recording is not None and recording.differentiating:
            raise GradientError(located(f"{name} runs in NumPy and has no derivative; see stop_gradient", here()))
        return numpy.array(x._settled().array)
    if isinstance(x, DynamicFloat):
        return float(x)
    if type(x) in (tuple, list):
        return type(x)([lower(item, name, places) for item in x])
    if type(x) is dict:
        return {key: lower(item, name, places) for key, item in x.items()}
    return x


def _has_array(x: Any) -> bool:
    if isinstance(x, (tuple, list)):
        return any(map(_has_array, x))
    return any(map(_has_array, x.values())) if isinstance(x, dict) else isinstance(x, (ndarray, DynamicFloat))


def lift(x: Any) -> Any:
    """What NumPy returned, with arrays of ours in place of its arrays and scalars."""
    if isinstance(x, (numpy.ndarray, numpy.generic)) and x.dtype in SUPPORTED:
        made = as_array(numpy.array(x))
        device = current_device()
        return made if device.is_host else made.to(device)
    if type(x) in (tuple, list):
        return type(x)([lift(item) for item in x])
    if isinstance(x, tuple) and hasattr(x, "_fields"):  # the named tuples of numpy.linalg
        return type(x)(*[lift(item) for item in x])
    return x


def defaulted(result: Any, *operands: Any) -> Any:
    """What NumPy computed, with new floats in the default dtype: those that no floating array led to."""
    if any(getattr(one, "dtype", BOOL).kind in "fc" for one in operands):
        return result
    if type(result) in (tuple, list):
        return type(result)([defaulted(one) for one in result])
    if not isinstance(result, ndarray) or result.dtype.kind not in "fc":
        return result
    return convert(result, default_dtype() if result.dtype.kind == "f" else complex_of(default_dtype()))


class Namespace(Unchanging):
    """A module of NumPy whose functions run on the host: ``dopegraph.numpy.emath``."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __getattr__(self, name: str) -> Any:
        return find(f"{self._path}.{name}")

    def __dir__(self) -> list[str]:
        return dir(functools.reduce(getattr, self._path.split("."), numpy))

    def __repr__(self) -> str:
        return f"<numpy.{self._path} on dopegraph arrays>"


@functools.cache
def find(path: str) -> Any:
    """What NumPy has under a name: functions are wrapped to run on the host, constants and classes are NumPy's own."""
    name = path.rpartition(".")[2]
    found = numpy if name.startswith("_") else functools.reduce(getattr, path.split("."), numpy)
    if path == "emath":
        return Namespace(path)
    if path in MODULES:
        return importlib.import_module(f"numpy.{path}")
    if found is numpy or isinstance(found, types.ModuleType):
        raise AttributeError(f"dopegraph.numpy has no {path}")
    if isinstance(found, type) or not callable(found):
        return found

    def function(*args: Any, **kwargs: Any) -> Any:
        return call(path, found, *args, **kwargs)

    function.__name__ = function.__qualname__ = name
    with contextlib.suppress(ValueError, TypeError):  # functions of C do not all say what they take
        function.__signature__ = inspect.signature(found)  # type: ignore[attr-defined]
    function.__doc__ = f"NumPy's ``{path}``, on the host.\n\n{getattr(found, '__doc__', None) or ''}"
    return function
