"""Where functions compute: on the device of the arrays among their arguments, whatever the current device is.

What a function makes on its way (of lists, NumPy's arrays, positions that it counts) comes to the current device. So it
is run with the device of its arrays as the current one; one without arrays makes its results where it is called.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any

from dopegraph.array import ndarray
from dopegraph.runtime.device import Device, current_device, others
from dopegraph.trace.active import active_recording

# These need nothing beside their array, or place what they need themselves, or share memory that is where it is.
AS_THEY_ARE = frozenset([
    "array", "asanyarray", "asarray", "ascontiguousarray", "asfortranarray", "copy", "empty", "empty_like",
    "from_dlpack", "from_mxnet", "from_numpy", "full", "full_like", "load", "max", "mean", "min", "ones", "ones_like",
    "open_memmap", "reshape", "sum", "transpose", "zeros", "zeros_like",
])  # fmt: skip


def device_among(x: Any) -> Device | None:
    """The device of the first array in nested arguments; of one without axes on the host if there is no other."""
    found = None
    for one in _arrays(x):
        device = one.device
        if one.ndim or not device.is_host:
            claim(one)
            return device
        found = found or device
    return found


def claim(x: ndarray) -> None:
    """A recording that has no device yet gets that of an array, even if no element of it is used."""
    recording = active_recording()
    if recording is not None and recording.device is None and x._root()._buffer is not None:
        recording.device = x.device


def _arrays(x: Any) -> Iterable[ndarray]:
    if isinstance(x, ndarray):
        yield x
    elif isinstance(x, (tuple, list)):
        for item in x:
            if not isinstance(item, (float, int)):
                yield from _arrays(item)
    elif isinstance(x, dict):
        yield from _arrays(list(x.values()))
    elif isinstance(x, slice):
        yield from _arrays((x.start, x.stop, x.step))


def placed(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, run with the device of its arrays as the current one."""

    @functools.wraps(function)
    def there(*args: Any, **kwargs: Any) -> Any:
        if not others.known:  # all there is is on the host
            return function(*args, **kwargs)
        device, current = device_among((args, kwargs)), current_device()
        if device is None:
            made = function(*args, **kwargs)
            return made if current.is_host or kwargs.get("device") is not None else settled(made)
        if device == current:
            return function(*args, **kwargs)
        with device:
            return function(*args, **kwargs)

    return there


def settled(x: Any) -> Any:
    """What was made of numbers alone, on the current device; a recording puts it where it runs."""
    if isinstance(x, ndarray):
        return x if active_recording() is not None else x.to(current_device())
    if type(x) in (tuple, list):
        return type(x)([settled(item) for item in x])
    return x


def place(namespace: dict[str, Any], names: Iterable[str]) -> None:
    """Let the functions of a module be `placed`, each once under all of its names."""
    made: dict[Any, Any] = {}
    for name in names:
        function = namespace.get(name)
        if isinstance(function, FunctionType) and name not in AS_THEY_ARE:
            if function not in made:
                made[function] = placed(function)
                made[function].__module__ = namespace["__name__"]  # where pickle finds it
            namespace[name] = made[function]
