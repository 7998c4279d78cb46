"""Says how a call differs from the one that a recording was made for: which guard fails, what was there, what is now.

Nothing here runs while guards hold.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy

from dopegraph.array import ndarray
from dopegraph.ir.types import TensorType
from dopegraph.runtime.reasons import hint_of
from dopegraph.state.guards import CONFIGURATION, OTHER_ARGUMENTS, UNREADABLE, Guard, Guards, configuration

_SETTINGS = ("policy", "codegen", "default dtype", "device", "training mode")
_LONGEST = 60


class Difference(NamedTuple):
    """Why a recording does not fit a call.

    Attributes
    ----------
    reason : str
        An id of the registry.
    path : str
        What differs, as the user reaches it; empty for the call as a whole.
    before, now : str
        What was there and what is there; empty where that says nothing.
    detail : str
        A sentence of all that.
    progress : int
        How many guards held before this one.
    """

    reason: str
    path: str
    before: str
    now: str
    detail: str
    progress: int

    @property
    def hint(self) -> str:
        """What to change."""
        return hint_of(self.reason)


def difference(guards: Guards, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Difference | None:
    """The first guard that a call fails, if any."""
    failed = guards.failing(args, kwargs)
    if failed is None:
        return None
    number, variables = failed
    if number == CONFIGURATION:
        return _configuration(guards)
    if number == OTHER_ARGUMENTS:
        before, now = _call(*guards.call), _call(len(args), tuple(kwargs))
        return Difference("other-arguments", "", before, now, f"called with {before} before, {now} now", 0)
    if number == UNREADABLE:
        return Difference("unreadable-state", "", "", "", "the state cannot be read as before", 0)
    guard = guards.checks[number]
    subject = f"argument {guard.path}" if guard.argument else guard.path
    if guard.text:
        return Difference(guard.reason, guard.path, "", guard.text, f"{subject}: {guard.text}", number)
    reason, before, now = _values(guard, variables.get(guard.variable or ""))
    return Difference(reason, guard.path, before, now, f"{subject}: {before} before, {now} now", number)


def _configuration(guards: Guards) -> Difference:
    changed = [
        (name, old, new) for name, old, new in zip(_SETTINGS, guards.configuration, configuration()) if old != new
    ]
    before, now = (", ".join(f"{one[0]} {one[part]}" for one in changed) for part in (1, 2))
    return Difference("configuration", "", before, now, f"{before} before, {now} now", 0)


def _call(positional: int, keywords: tuple[str, ...]) -> str:
    named = f" and {', '.join(keywords)}" if keywords else ""
    return f"{positional} argument{'s' * (positional != 1)}{named}"


def _values(guard: Guard, now: Any) -> tuple[str, str, str]:
    """The reason, what was there and what is there."""
    if guard.reason == "changed-shape":
        return _arrays(guard.before, now)
    if guard.reason == "changed-type":
        return guard.reason, _type_name(guard.before), describe(now)
    if guard.reason == "changed-value" and type(now) is not type(guard.before):
        return "changed-type", describe(guard.before), describe(now)
    return guard.reason, describe(guard.before), describe(now)


def _arrays(before: tuple[Any, ...], now: Any) -> tuple[str, str, str]:
    dtype, shape, device = before
    was = f"{'NumPy ' if device is None else ''}{_array(dtype, shape)}"
    if not isinstance(now, (numpy.ndarray, numpy.generic) if device is None else ndarray):
        return "changed-type", was, describe(now)
    if now.shape != shape:
        return "changed-shape", was, describe(now)
    if now.dtype != dtype:
        return "changed-dtype", was, describe(now)
    return "changed-device", f"{was} on {device}", f"{describe(now)} on {now.device}"


def _array(dtype: numpy.dtype[Any], shape: tuple[int, ...]) -> str:
    try:
        return str(TensorType(dtype, shape))
    except Exception:  # strings, dates, records
        return f"{dtype}{list(shape)}"


def _type_name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def describe(value: Any) -> str:
    """A value in a few words: the type of an array, the text of what is short, otherwise its type."""
    if isinstance(value, ndarray):
        return str(value._type)
    if isinstance(value, (numpy.ndarray, numpy.generic)):
        return f"NumPy {_array(value.dtype, value.shape)}"
    text = repr(value) if isinstance(value, (bool, int, float, complex, str, bytes, type(None))) else ""
    if isinstance(value, type):
        return _type_name(value)
    return text if 0 < len(text) <= _LONGEST else _type_name(type(value))
