"""Guards: generated Python that says in microseconds whether the state is as it was when a function was recorded."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy

from dopegraph.array import ndarray
from dopegraph.runtime.config import _config, codegen_mode, current_policy, default_dtype, is_training
from dopegraph.runtime.device import _devices, current_device
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
    return current_policy(), codegen_mode(), default_dtype(), current_device(), is_training()


# The same, written out: the values are nearly always the very same objects.
_CONFIGURED = (
    "chosen.policy is not POLICY or chosen.codegen is not CODEGEN or chosen.default_dtype is not DTYPE or "
    "devices.stack[-1] is not DEVICE or chosen.training is not TRAINING"
)


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


# What else ``match`` returns than the number of a guard.
CONFIGURATION, OTHER_ARGUMENTS, UNREADABLE = -3, -2, -1


class Guard(NamedTuple):
    """What a guard looks at: a reason of the registry, the path, the variable, and what was there before.

    `text` says what happened where old and new value do not.
    """

    reason: str
    path: str
    argument: bool
    variable: str | None
    before: Any
    text: str


class Guards:
    """Statements that check a state, each of which returns its number when the state differs.

    Attributes
    ----------
    signature, state : list of str
        Statements about the arguments' types, and about everything else.
    checks : list of Guard
        What each number means.
    text : list of str
        All statements that the walk wrote.
    constants : dict of str to Any
        The objects that the statements name.
    buffers : dict of str to str
        The variables of arrays, with those that hold their buffers once they are checked.
    different : list of str
        The variables of arrays, which must not become one array.
    static : bool
        Whether the values that are visited now are static arguments.
    """

    def __init__(self) -> None:
        self.signature: list[str] = []
        self.state: list[str] = []
        self.text: list[str] = []
        self.lines = self.signature
        self.checks: list[Guard] = []
        self.constants: dict[str, Any] = {}
        self.buffers: dict[str, str] = {}
        self.different: list[str] = []
        self.count = 0
        self.static = False
        self.configuration = configuration()
        self._call: tuple[int, tuple[str, ...]] = (0, ())
        self._statements: Sequence[str] = ()

    def walked(self) -> None:
        """The walk is over; what a plan adds now is no part of `text`."""
        self.text = [*self.signature, *self.state]

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

    def check(
        self, failure: str, reason: str, path: str, variable: str | None = None, before: Any = None, text: str = ""
    ) -> None:
        """Leave when an expression is true."""
        self.lines.append(f"if {failure}: return {len(self.checks)}")
        self.checks.append(Guard(reason, path, self.lines is self.signature, variable, before, text))

    def same(self, variable: str, value: Any, path: str) -> None:
        """Leave when it is another object."""
        self.check(f"{variable} is not {self.constant(value)}", "changed-object", path, text="another object")

    def of_type(self, variable: str, kind: type, path: str) -> None:
        """Leave when it is of another type."""
        self.check(f"type({variable}) is not {self.constant(kind)}", "changed-type", path, variable, kind)

    def immutable(self, variable: str, value: Any, path: str) -> None:
        """Leave when it is another value; 0.0 is not -0.0, 1 is not True, nan is nan."""
        reason = "changed-static" if self.static else "changed-value"
        if isinstance(value, _BY_IDENTITY):
            self.check(f"{variable} is not {self.constant(value)}", reason, path, variable, value)
            return
        differs = f"{variable} != {self.constant(value)}"
        if isinstance(value, _BY_TEXT) or (type(value) is float and (value != value or value == 0)):
            differs = f"repr({variable}) != {repr(value)!r}"
        failure = f"type({variable}) is not {self.constant(type(value))} or {differs}"
        self.check(failure, reason, path, variable, value)

    def equal(self, variable: str, value: Any, path: str) -> None:
        """Leave when it is not equal, by its own ``==``, or of another type."""
        failure = f"type({variable}) is not {self.constant(type(value))} or not {variable} == {self.constant(value)}"
        self.check(failure, "changed-static", path, variable, value)

    def keys(self, variable: str, keys: Collection[Any], path: str) -> None:
        """Leave when a dict or set has other keys, or has them in another order."""
        if all(type(key) is str for key in keys):
            failure = f"tuple({variable}) != {self.constant(tuple(keys))}"
        else:
            failure = f"typed({variable}) != {self.constant(typed(keys))}"
        self.check(failure, "changed-structure", path, text="other keys")

    def none_of(self, names: frozenset[str], namespace: str, path: str) -> None:
        """Leave when one of the names is there now."""
        if names:
            failure = f"not {self.constant(names)}.isdisjoint({namespace})"
            self.check(failure, "changed-structure", path, text="new attributes")

    def array(self, variable: str, value: ndarray, path: str) -> None:
        """Leave when it is no array of the shape, dtype and device."""
        dtype, shape, device = kind = aval(value)
        buffer = self.buffers[variable] = f"b{len(self.buffers)}"
        self.different.append(variable)
        d, k = self.constant(dtype), self.constant(device)
        # Written out, as `aval` costs more than a small operation: an array that is no view and has left its recording
        # needs nobody to find its buffer; dtypes and devices are nearly always the very same objects.
        failure = (
            f"type({variable}) is not ndarray or ({buffer} := {variable}._buffer if {variable}._base is "
            f"{variable}._recording is None else {variable}._settled()).dtype is not {d} and {buffer}.dtype != {d} "
            f"or {buffer}.shape != {shape!r} or {buffer}.device is not {k} and {buffer}.device != {k}"
        )
        self.check(failure, "changed-shape", path, variable, kind)

    def numpy_array(self, variable: str, value: Any, path: str) -> None:
        """Leave when a NumPy array has another shape or dtype."""
        self.different.append(variable)
        failure = f"{variable}.dtype != {self.constant(value.dtype)} or {variable}.shape != {value.shape!r}"
        self.check(failure, "changed-shape", path, variable, (value.dtype, value.shape, None))

    def view_of(self, variable: str, root: str, steps: list[Any], path: str) -> None:
        """Leave when an array is no longer that part of the array that `root` names."""
        failure = f"not is_view({variable}, {root}, {self.constant(steps)})"
        self.check(failure, "changed-object", path, text="a view of another array")

    def all_different(self) -> None:
        """Leave when one array is there twice: those that were one have one variable, Python may ask for others."""
        if len(self.different) > 1:
            ids = ", ".join([f"id({variable})" for variable in self.different])
            failure = f"len({{{ids}}}) != {len(self.different)}"
            self.check(failure, "changed-object", "the arrays", text="one of them is there twice")

    def without_floats(self, statements: Sequence[str]) -> list[str]:
        """Statements that compare of floats only that they are some: for Python one is as good as another."""
        kept = []
        for line in statements:
            found = re.search(r": return (\d+)$", line)
            guard = self.checks[int(found.group(1))] if found is not None else None
            if guard is not None and guard.reason == "changed-value" and type(guard.before) is float:
                line = f"{line.partition(' or ')[0]}{line[found.start() :] if found is not None else ''}"
            kept.append(line)
        return kept

    def compile(self, statements: Sequence[str], result: str, positional: int, keywords: Sequence[str]) -> Match:
        """The function ``match(args, kwargs)``: `result`, or the number of the guard that failed."""
        self._call = positional, tuple(keywords)
        self._statements = statements
        return self._function(statements, result, "{}")

    def failing(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        """The number of the guard that a call fails, and the variables until then; slow, and not on the hot path."""
        lines = [re.sub(r": return (\d+)$", r": return \1, dict(locals())", line) for line in self._statements]
        return self._function(lines, "None", "({}, {{}})")(args, kwargs)

    def replay(self, found: Sequence[str], body: Sequence[str], constants: Mapping[str, Any]) -> Match:
        """A function of the arguments that goes on with `found` and `body` where ``match`` gives its result.

        It returns ``MISS``, one of the constants, where a guard or `found` fails; errors of `body` are raised.
        """
        lines = [re.sub(r": return \d+$", ": return MISS", line) for line in self._statements]
        return self._function([*lines, *found], "None", "MISS", body, constants)

    def _function(
        self,
        statements: Sequence[str],
        result: str,
        number: str,
        body: Sequence[str] = (),
        constants: Mapping[str, Any] = MappingProxyType({}),
    ) -> Match:
        namespace = {
            **self.constants,
            "MISSING": MISSING,
            "ndarray": ndarray,
            "typed": typed,
            "is_view": is_view,
            "unchanged": unchanged,
            "configuration": configuration,
            "CONFIGURATION": self.configuration,
            "chosen": _config,
            "devices": _devices,
            **dict(zip(("POLICY", "CODEGEN", "DTYPE", "DEVICE", "TRAINING"), self.configuration)),
            **constants,
        }
        positional, keywords = self._call
        failure = (
            f"len(args) != {positional} or tuple(kwargs) != {keywords!r}"
            if keywords
            else (f"len(args) != {positional} or kwargs")
        )
        lines = [
            "def match(args, kwargs):",
            "  try:",
            f"    if ({_CONFIGURED}) and configuration() != CONFIGURATION: return {number.format(CONFIGURATION)}",
            f"    if {failure}: return {number.format(OTHER_ARGUMENTS)}",
            *(f"    {line}" for line in statements),
            *([] if body else [f"    return {result}"]),
            f"  except Exception: return {number.format(UNREADABLE)}",
            *(f"  {line}" for line in body),
        ]
        exec(compile("\n".join(lines), "<dopegraph guards>", "exec"), namespace)
        return namespace["match"]

    @property
    def call(self) -> tuple[int, tuple[str, ...]]:
        """How many positional arguments the call had, and which keywords."""
        return self._call
