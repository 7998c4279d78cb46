"""NumPy's functions that have no primitive run on the host, on copies, and return arrays; a recording notes it."""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import types
from collections.abc import Callable
from typing import Any

import numpy

from dopegraph.array import ndarray
from dopegraph.numpy.assign import assign
from dopegraph.numpy.promotion import BOOL, SUPPORTED, as_array, complex_of, convert
from dopegraph.runtime.config import default_dtype
from dopegraph.runtime.errors import DTypeError, GradientError
from dopegraph.runtime.location import here, located
from dopegraph.trace.recording import active_recording, outside_recordings
from dopegraph.trace.scalar import DynamicFloat

# These write into their first argument.
_WRITERS = frozenset(["copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"])
_NAMESPACES = ("emath", "fft", "linalg")

# Functions of Python values alone: without an array among the arguments, a recording may replay what they gave.
_PURE = frozenset([
    "base_repr", "binary_repr", "busday_count", "busday_offset", "datetime_as_string", "datetime_data",
    "format_float_positional", "format_float_scientific", "get_include", "is_busday", "mintypecode", "typename"
])  # fmt: skip

# NumPy's modules that are reached through ours, unchanged: they see our arrays as NumPy's, by `__array__`.
MODULES = frozenset([
    "char", "ctypeslib", "dtypes", "exceptions", "f2py", "ma", "polynomial", "rec", "strings", "testing", "typing"
])  # fmt: skip


def call(name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Run a NumPy function with NumPy copies of the arrays among its arguments; its arrays become ours.

    Raises
    ------
    GradientError
        When an argument is an array and a derivative is being recorded.
    """
    recording = active_recording()
    if recording is not None and (name not in _PURE or _has_array((args, kwargs))):
        recording.escape("host-call", f"{name} runs in NumPy")
    lowered, named = _lower(args, name), _lower(kwargs, name)
    try:
        with outside_recordings():
            result = function(*lowered, **named)
    except TypeError as cause:
        raise DTypeError(located(f"{name}: {cause}", here())) from cause
    except (ValueError, IndexError, numpy.linalg.LinAlgError) as cause:
        raise type(cause)(located(f"{name}: {cause}", here())) from cause
    if isinstance(kwargs.get("out"), ndarray):
        return assign(kwargs["out"], named["out"], name)
    if name in _WRITERS and isinstance(args[0], ndarray):
        assign(args[0], lowered[0], name)
    return _lift(result)


def _lower(x: Any, name: str) -> Any:
    if isinstance(x, ndarray):
        recording = active_recording()
        if recording is not None and recording.differentiating:
            raise GradientError(located(f"{name} runs in NumPy and has no derivative; see stop_gradient", here()))
        return numpy.array(x._settled().array)
    if isinstance(x, DynamicFloat):
        return float(x)
    if type(x) in (tuple, list):
        return type(x)([_lower(item, name) for item in x])
    if type(x) is dict:
        return {key: _lower(item, name) for key, item in x.items()}
    return x


def _has_array(x: Any) -> bool:
    if isinstance(x, (tuple, list)):
        return any(map(_has_array, x))
    return any(map(_has_array, x.values())) if isinstance(x, dict) else isinstance(x, (ndarray, DynamicFloat))


def _lift(x: Any) -> Any:
    if isinstance(x, (numpy.ndarray, numpy.generic)) and x.dtype in SUPPORTED:
        return as_array(numpy.array(x))
    if type(x) in (tuple, list):
        return type(x)([_lift(item) for item in x])
    if isinstance(x, tuple) and hasattr(x, "_fields"):  # the named tuples of numpy.linalg
        return type(x)(*[_lift(item) for item in x])
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


class Namespace:
    """A module of NumPy whose functions run on the host, such as ``dopegraph.numpy.linalg``."""

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
    if path in _NAMESPACES:
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


def public_functions() -> list[str]:
    """Names of NumPy's public functions, those of its namespaces with the namespace in front."""
    names = []
    for prefix, module in [("", numpy), *((f"{one}.", getattr(numpy, one)) for one in _NAMESPACES)]:
        for name in getattr(module, "__all__", dir(module)):
            value = getattr(module, name, None)
            if not name.startswith("_") and callable(value) and not isinstance(value, type):
                names.append(prefix + name)
    return sorted(names)
