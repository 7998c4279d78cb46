"""NumPy's own functions called with our arrays: ours where there is one of the name, otherwise NumPy's on the host."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy

from dopegraph.array import ndarray
from dopegraph.numpy import host


@functools.cache
def _ours(function: Any, keywords: tuple[str, ...]) -> Callable[..., Any] | None:
    """The function of `dopegraph.numpy` that takes the place of one of `numpy`, if it takes these keywords."""
    name = function.__name__
    found = vars(sys.modules["dopegraph.numpy"]).get(name) if getattr(numpy, name, None) is function else None
    return found if found is not None and set(keywords) <= set(inspect.signature(found).parameters) else None


def array_ufunc(self: ndarray, ufunc: numpy.ufunc, method: str, /, *inputs: Any, **kwargs: Any) -> Any:
    """``numpy.add(x, y)``, ``numpy.float64(2) * x``, ``numpy_array += x`` and the like."""
    out = kwargs.get("out", ())
    if any(isinstance(one, numpy.ndarray) for one in out):
        return getattr(ufunc, method)(*[numpy.asarray(x) for x in inputs], **kwargs)
    ours = _ours(ufunc, tuple(kwargs)) if method == "__call__" else None
    if ours is not None:
        return ours(*inputs, **kwargs)
    if out:
        kwargs["out"] = out[0]
    return host.call(ufunc.__name__, getattr(ufunc, method), *inputs, **kwargs)


def array_function(self: ndarray, /, func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
    """``numpy.concatenate([x, y])`` and the like."""
    ours = _ours(func, tuple(kwargs))
    if ours is not None:
        return ours(*args, **kwargs)
    return host.call(func.__name__, func, *args, **kwargs)
