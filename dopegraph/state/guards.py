"""Guards: generated Python that says in microseconds whether the state is as it was when a function was recorded."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Collection, Sequence
from enum import Enum
from typing import Any

import numpy

from dopegraph.array import ndarray
from dopegraph.runtime.config import current_policy, default_dtype, is_training
from dopegraph.runtime.device import current_device
from dopegraph.state.places import MISSING

Match = Callable[[tuple[Any, ...], dict[str, Any]], Any]

_IMMUTABLE = frozenset((int, bool, float, complex, str, bytes, type(None), type(...), type(NotImplemented), range))
_BY_IDENTITY = (bool, type(None), type(...), type(NotImplemented), Enum)
_BY_TEXT = (complex, range)  # equal ones may differ, as -0.0j and 0j do


def is_immutable(value: Any) -> bool:
    """Whether a value can be compared instead of watched."""
    return type(value) in _IMMUTABLE or isinstance(value, (Enum, numpy.dtype, pathlib.PurePath))


def configuration() -> tuple[Any, ...]:
    """What else a recording depends on."""
    return current_policy(), default_dtype(), current_device(), is_training()


def aval(handle: ndarray) -> tuple[Any, ...]:
    """What programs are specialized to."""
    buffer = handle._settled()
    return buffer.dtype, buffer.shape, buffer.device


def is_view(handle: ndarray, root: ndarray, steps: list[Any]) -> bool:
    """Whether an array is that part of another."""
    found, how = handle._view()
    return found is root and how == steps


def unchanged(array: Any, copy: Any) -> bool:
    """Whether a NumPy array still has the contents it had."""
    return (
        isinstance(array, (numpy.ndarray, numpy.generic))
        and array.dtype == copy.dtype
        and array.shape == copy.shape
        and array.tobytes() == copy.tobytes()
    )


def typed(values: Collection[Any]) -> list[tuple[type, Any]]:
    """Values with their types: 1, 1.0 and True are equal, but not the same to a function."""
    return [(type(value), value) for value in values]


class Guards:
    """Statements that check a state, each of which returns its number when the state differs.

    Attributes
    ----------
    signature, state : list of str
        Statements about the arguments' types, and about everything else.
    reasons : list of str
        What each number means.
    constants : dict of str to Any
        The objects that the statements name.
    """

    def __init__(self) -> None:
        self.signature: list[str] = []
        self.state: list[str] = []
        self.lines = self.signature
        self.reasons: list[str] = []
        self.constants: dict[str, Any] = {}
        self.count = 0

    def constant(self, value: Any) -> str:
        """A name for an object."""
        name = f"K{len(self.constants)}"
        self.constants[name] = value
        return name

    def variable(self, expression: str) -> str:
        """A name for the value of an expression."""
        self.count += 1
        self.lines.append(f"v{self.count} = {expression}")
        return f"v{self.count}"

    def check(self, failure: str, reason: str) -> None:
        """Leave when an expression is true."""
        self.lines.append(f"if {failure}: return {len(self.reasons)}")
        self.reasons.append(reason)

    def same(self, variable: str, value: Any, path: str) -> None:
        """Leave when it is another object."""
        self.check(f"{variable} is not {self.constant(value)}", f"{path} is another object than before")

    def of_type(self, variable: str, kind: type, path: str) -> None:
        """Leave when it is of another type."""
        self.check(f"type({variable}) is not {self.constant(kind)}", f"{path} is no longer a {kind.__name__}")

    def immutable(self, variable: str, value: Any, path: str) -> None:
        """Leave when it is another value; 0.0 is not -0.0, 1 is not True, nan is nan."""
        reason = f"{path} was {value!r}"
        if isinstance(value, _BY_IDENTITY):
            self.check(f"{variable} is not {self.constant(value)}", reason)
            return
        differs = f"{variable} != {self.constant(value)}"
        if isinstance(value, _BY_TEXT) or (type(value) is float and (value != value or value == 0)):
            differs = f"repr({variable}) != {repr(value)!r}"
        self.check(f"type({variable}) is not {self.constant(type(value))} or {differs}", reason)

    def keys(self, variable: str, keys: Collection[Any], path: str) -> None:
        """Leave when a dict or set has other keys, or has them in another order."""
        if all(type(key) is str for key in keys):
            self.check(f"tuple({variable}) != {self.constant(tuple(keys))}", f"{path} has other keys")
        else:
            self.check(f"typed({variable}) != {self.constant(typed(keys))}", f"{path} has other keys")

    def none_of(self, names: frozenset[str], namespace: str, path: str) -> None:
        """Leave when one of the names is there now."""
        if names:
            self.check(f"not {self.constant(names)}.isdisjoint({namespace})", f"{path} has new attributes")

    def array(self, variable: str, value: ndarray, path: str) -> None:
        """Leave when it is no array of the shape, dtype and device."""
        device = value._settled().device
        self.check(
            f"type({variable}) is not ndarray or aval({variable}) != {self.constant(aval(value))}",
            f"{path} was an array {value._type} on {device}",
        )

    def view_of(self, variable: str, value: ndarray, root: str, path: str) -> None:
        """Leave when an array is no longer the same part of the array that `root` names."""
        self.check(
            f"not is_view({variable}, {root}, {self.constant(value._view()[1])})", f"{path} is a view of another array"
        )

    def compile(self, statements: Sequence[str], result: str, positional: int, keywords: Sequence[str]) -> Match:
        """The function ``match(args, kwargs)``: `result`, or the number of the guard that failed."""
        first = len(self.reasons)
        reasons = [
            "policy, default dtype, device or training mode changed",
            "called with other arguments",
            "the state cannot be read as before",
        ]
        namespace = {
            **self.constants,
            "MISSING": MISSING,
            "ndarray": ndarray,
            "aval": aval,
            "typed": typed,
            "is_view": is_view,
            "unchanged": unchanged,
            "configuration": configuration,
            "CONFIGURATION": configuration(),
        }
        self.reasons += reasons
        lines = [
            "def match(args, kwargs):",
            "  try:",
            f"    if configuration() != CONFIGURATION: return {first}",
            f"    if len(args) != {positional} or tuple(kwargs) != {tuple(keywords)!r}: return {first + 1}",
            *(f"    {line}" for line in statements),
            f"    return {result}",
            f"  except Exception: return {first + 2}",
        ]
        exec(compile("\n".join(lines), "<dopegraph guards>", "exec"), namespace)
        return namespace["match"]
