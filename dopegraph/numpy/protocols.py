"""NumPy's own functions called with our arrays: ours where there is one of the name, otherwise NumPy's on the host.

``numpy.sum(x)``, ``numpy.add.reduce(x)`` and ``numpy.linalg.norm(x)`` are then traced as `dopegraph.numpy`'s are.
"""

from __future__ import annotations

import functools
import inspect
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy

from dopegraph.array import ndarray
from dopegraph.numpy import host
from dopegraph.numpy.assign import finish
from dopegraph.numpy.exchange import EXCHANGE_METHODS
from dopegraph.numpy.pickling import PICKLING_METHODS
from dopegraph.trace.scalar import DynamicFloat

# What keyword arguments of NumPy's functions written in C are when they are not given; others are inspected.
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "casting": ("same_kind",),
    "dtype": (None,),
    "extobj": (None,),
    "initial": (None,),
    "keepdims": (False,),
    "like": (None,),
    "order": ("K", "C"),
    "out": (None, (None,)),
    "signature": (None,),
    "subok": (True,),
    "where": (True,),
}
_NO_VALUE = getattr(numpy, "_NoValue", None)
_KNOWN = (ndarray, numpy.ndarray, numpy.generic, DynamicFloat)


def _names(module: str) -> dict[str, Any]:
    """What `dopegraph.numpy` itself has in the namespace that stands for a module of NumPy."""
    found: Any = sys.modules["dopegraph.numpy"]
    for part in module.split(".")[1:]:
        found = vars(found).get(part)
        if not isinstance(found, types.ModuleType):
            return {}
    return vars(found)


@functools.cache
def _ours(function: Any) -> Callable[..., Any] | None:
    """The function of `dopegraph.numpy` that takes the place of one of NumPy's."""
    name = getattr(function, "__name__", "")
    module = getattr(function, "__module__", None) or "numpy"
    for one in dict.fromkeys((module, "numpy", "numpy.linalg", "numpy.fft")):
        theirs = sys.modules.get(one)
        if theirs is not None and getattr(theirs, name, None) is function:
            found = _names(one).get(name)
            if callable(found):
                return found
    return None


@functools.cache
def _keywords(function: Any) -> frozenset[str] | None:
    """The keyword arguments that one of our functions takes; None if it takes any."""
    parameters = inspect.signature(function).parameters.values()
    if any(one.kind is one.VAR_KEYWORD for one in parameters):
        return None
    return frozenset(one.name for one in parameters if one.kind is not one.POSITIONAL_ONLY)


@functools.cache
def _defaults(function: Any) -> dict[str, Any]:
    """What the keyword arguments of one of NumPy's functions are when they are not given."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # written in C, on a NumPy that says nothing of it
        return {}
    return {one.name: one.default for one in parameters if one.default is not one.empty}


def _is_default(function: Any, name: str, value: Any) -> bool:
    if value is _NO_VALUE:
        return True
    if isinstance(value, (ndarray, numpy.ndarray)):
        return False
    defaults = _defaults(function)
    if name in defaults and type(value) is type(defaults[name]) and value == defaults[name]:
        return True
    return any(value is one or (type(value) in (str, tuple) and value == one) for one in _NEUTRAL.get(name, ()))


def _fitting(function: Any, ours: Callable[..., Any], kwargs: dict[str, Any]) -> dict[str, Any] | None:
    """Keyword arguments for our function without those that say what holds anyway; None if it lacks one."""
    taken = _keywords(ours)
    kept = {name: value for name, value in kwargs.items() if value is not _NO_VALUE}
    if taken is None:
        return kept
    kept = {name: value for name, value in kept.items() if name in taken or not _is_default(function, name, value)}
    return kept if taken.issuperset(kept) else None


# NumPy's universal functions -------------------------------------------------------------------------------------


def array_ufunc(self: ndarray, ufunc: numpy.ufunc, method: str, /, *inputs: Any, **kwargs: Any) -> Any:
    """``numpy.add(x, y)``, ``numpy.add.reduce(x)``, ``numpy.float64(2) * x``, ``numpy_array += x`` and the like."""
    outs = kwargs.pop("out", None) or ()
    if not all(isinstance(x, _KNOWN) or not hasattr(type(x), "__array_ufunc__") for x in (*inputs, *outs)):
        return NotImplemented
    if method == "at" and isinstance(inputs[0], numpy.ndarray):
        return ufunc.at(*[numpy.asarray(x) if isinstance(x, ndarray) else x for x in inputs])
    if not any(one is not None for one in outs):
        return _compute(ufunc, method, inputs, kwargs)
    if len(outs) == 1:
        return _compute(ufunc, method, inputs, {**kwargs, "out": outs[0]})
    where = kwargs.pop("where", True)
    results = _compute(ufunc, method, inputs, kwargs)
    return tuple([finish(result, out, where) for result, out in zip(results, outs)])


def _compute(ufunc: numpy.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    ours = _ours(ufunc)
    if ours is not None and method != "__call__":
        ours = getattr(ours, method, None)
    if ours is not None:
        fitting = _fitting(ufunc, ours, kwargs)
        if fitting is not None:
            return ours(*inputs, **fitting)
    return host.call(_name(ufunc, method), getattr(ufunc, method), *inputs, **kwargs)


def _name(ufunc: numpy.ufunc, method: str) -> str:
    return ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"


# NumPy's other functions -----------------------------------------------------------------------------------------


def array_function(self: ndarray, /, func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
    """``numpy.concatenate([x, y])`` and the like."""
    if not all(issubclass(one, _KNOWN) for one in types):
        return NotImplemented
    ours = _ours(func)
    if ours is not None:
        if any(value is _NO_VALUE for value in args):
            args, kwargs = _by_name(func, args, kwargs)
        fitting = _fitting(func, ours, kwargs)
        if fitting is not None:
            return ours(*args, **fitting)
    return host.call(_path(func), func, *args, **kwargs)


def _by_name(function: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Arguments without those at their places that say nothing."""
    first = next(place for place, value in enumerate(args) if value is _NO_VALUE)
    names = list(inspect.signature(function).parameters)
    return args[:first], {**dict(zip(names[first:], args[first:])), **kwargs}


def _path(function: Any) -> str:
    module = getattr(function, "__module__", None) or "numpy"
    return f"{module}.{function.__name__}".partition(".")[2] if module.startswith("numpy") else function.__name__


PROTOCOL_METHODS: dict[str, Any] = {
    "__array_function__": array_function,
    "__array_ufunc__": array_ufunc,
    **EXCHANGE_METHODS,
    **PICKLING_METHODS,
}
"""What `ndarray` gets of the protocols by which other libraries and Python itself treat arrays."""
