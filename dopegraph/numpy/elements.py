"""The elements of arrays, for functions whose result has a shape that hangs on them, and warnings like NumPy's."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy

from dopegraph.array import ndarray, traced
from dopegraph.ir.graph import Value
from dopegraph.numpy.promotion import as_array
from dopegraph.runtime.location import user_frame
from dopegraph.trace.active import active_recording
from dopegraph.trace.recording import Recording

# Further away from its constants a value is looked at.
_NODES = 100


def elements(name: str, x: Any) -> numpy.ndarray:
    """What an array holds. Constants are known in a recording too; at all else it notes that Python looked."""
    x = as_array(x)
    recording = active_recording()
    if recording is None:
        return x._settled().array
    value = recording.value_of(x)
    if _is_constant(value, recording):
        return recording.evaluate([value])[0].array
    recording.escape("host-only", f"{name} looks at the elements of {x._type}")
    return x._settled().array


def found_in(name: str, x: ndarray, run: Callable[[numpy.ndarray], Sequence[numpy.ndarray]], reason: str) -> list[Any]:
    """Arrays that a function of the elements gives: of NumPy, or traced ones, which plans compute again on the host."""
    recording = active_recording()
    if recording is None or not x.device.is_host or _is_constant(recording.value_of(x), recording):
        return list(run(elements(name, x)))
    values = recording.host_call([x], name, run, f"{name} looks at the elements of {x._type}", reason)
    return [traced(value, recording) for value in values]


def _is_constant(value: Value, recording: Recording) -> bool:
    """Whether a value is made of constants of the graph alone."""
    seen = {value}
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if one.node is None:
            if one not in recording.captured:
                return False
        elif one.node.op.random or len(seen) > _NODES:
            return False
        else:
            waiting.extend(set(one.node.inputs) - seen)
            seen.update(one.node.inputs)
    return True


def warn(message: str) -> None:
    """A RuntimeWarning at the user's line."""
    frame = user_frame(2)
    if frame is None:
        return
    registry = frame.f_globals.setdefault("__warningregistry__", {})
    warnings.warn_explicit(message, RuntimeWarning, frame.f_code.co_filename, frame.f_lineno, registry=registry)


def warn_where(condition: Any, message: str) -> None:
    """Warn if a condition holds somewhere; not in a recording, where nothing is known yet."""
    if active_recording() is None and elements("a warning", condition).any():
        warn(message)
