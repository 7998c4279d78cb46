"""A plan replays one recording of a function: guards, one program, and the Python that puts results where they belong.

`match` and `finish` are generated Python: they run at every call and must cost microseconds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy

from dopegraph.array import ndarray
from dopegraph.backends import Program
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.config import current_policy, default_dtype, is_training
from dopegraph.runtime.device import current_device
from dopegraph.trace.recording import Escape, suspended
from dopegraph.trace.state import MISSING, Walk


def configuration() -> tuple[Any, ...]:
    """What else a recording depends on."""
    return current_policy(), default_dtype(), current_device(), is_training()


def aval(handle: ndarray) -> tuple[Any, ...]:
    """What programs are specialized to."""
    buffer = handle._settled()
    return buffer.dtype, buffer.shape, buffer.device


def unchanged(array: Any, copy: Any) -> bool:
    """Whether a NumPy array still has the contents it had."""
    return (
        isinstance(array, (numpy.ndarray, numpy.generic))
        and array.dtype == copy.dtype
        and array.shape == copy.shape
        and array.tobytes() == copy.tobytes()
    )


def compile_guards(walk: Walk, statements: Sequence[str], result: str) -> Callable[..., Any]:
    """The function ``match(args, kwargs)``: `result`, or the number of the guard that failed."""
    guards = walk.guards
    namespace = {
        **guards.constants,
        "MISSING": MISSING,
        "ndarray": ndarray,
        "aval": aval,
        "unchanged": unchanged,
        "configuration": configuration,
        "CONFIGURATION": configuration(),
    }
    names = tuple(walk.kwargs)
    first = len(guards.reasons)
    guards.reasons += ["policy, default dtype, device or training mode changed", "called with other arguments"]
    lines = [
        "def match(args, kwargs):",
        f"    if configuration() != CONFIGURATION: return {first}",
        f"    if len(args) != {len(walk.args)} or tuple(kwargs) != {names!r}: return {first + 1}",
        *(f"    {line}" for line in statements),
        f"    return {result}",
    ]
    exec(compile("\n".join(lines), "<dopegraph guards>", "exec"), namespace)
    return namespace["match"]


class PythonPlan:
    """Run the function as Python whenever the arguments look as they did: it cannot be replayed."""

    def __init__(self, walk: Walk, escapes: list[Escape], programs: list[Program]) -> None:
        self.escapes = escapes
        self.programs = programs
        self.walk = walk
        self.match = compile_guards(walk, walk.signature, "(args, kwargs)")

    @property
    def fallbacks(self) -> list[Any]:
        return [fallback for program in self.programs for fallback in program.fallbacks]


class ReplayPlan:
    """Run one program instead of the function.

    Attributes
    ----------
    program : Program
    calls : int
        How often it was replayed.
    """

    escapes: tuple[Escape, ...] = ()

    def __init__(
        self,
        walk: Walk,
        program: Program,
        match: Callable[..., Any],
        finish: Callable[..., Any],
        constants: list[Buffer],
        order: list[int],
        split: int,
        updated: list[int],
        pattern: tuple[int, ...],
        outputs: int,
    ) -> None:
        self.walk = walk
        self.program = program
        self.match = match
        self._finish = finish
        self._constants = constants
        self._arguments = order[:split]
        self._state = order[split:]
        self._updated = updated
        self._pattern = pattern
        self._distinct = len(set(pattern)) == len(pattern)
        self._outputs = outputs
        self._spare: list[Buffer | None] = [None] * len(updated)
        self._lock = threading.Lock()
        self.calls = 0

    @property
    def programs(self) -> list[Program]:
        return [self.program]

    @property
    def fallbacks(self) -> list[Any]:
        return self.program.fallbacks

    def fits(self, arrays: Sequence[ndarray]) -> bool:
        """Whether arrays are shared as they were when recorded, and writing to one is not seen by another."""
        ids = [id(handle) for handle in arrays]
        if self._distinct:
            if len(set(ids)) != len(ids):
                return False
        elif tuple(ids.index(one) for one in ids) != self._pattern:
            return False
        for position in self._updated:
            handle = arrays[position]
            if handle._shared and overlaps_another(handle, arrays):
                return False
        return True

    def run(self, matched: Any) -> Any:
        """Replay: results as the function would have returned them, state as it would have left it."""
        arrays, scalars, targets = matched
        with self._lock:
            buffers = [handle._settled() for handle in arrays]
            inputs = [buffers[position] for position in self._arguments]
            inputs += map(Buffer, scalars)
            inputs += self._constants
            inputs += [buffers[position] for position in self._state]
            out = [None] * self._outputs + self._spare
            results = self.program.run(inputs, out)
            if suspended():
                for position in self._updated:
                    arrays[position]._about_to_change()
            self._write(arrays, results[self._outputs :])
            self.calls += 1
        return self._finish(results, arrays, targets)

    def _write(self, arrays: Sequence[ndarray], updates: Sequence[Buffer]) -> None:
        """New contents: into the same memory when others see it, otherwise old and new memory change places."""
        for place, (position, new) in enumerate(zip(self._updated, updates)):
            handle = arrays[position]
            old = handle._buffer
            assert old is not None
            if handle._shared and old.device.is_host:
                numpy.copyto(old.array, new.array)
                self._spare[place] = new
            else:
                handle._buffer = new
                self._spare[place] = None if handle._shared else old


def overlaps_another(handle: ndarray, arrays: Sequence[ndarray]) -> bool:
    """Whether memory that is written belongs to another of the arrays as well."""
    buffer = handle._settled()
    if not buffer.device.is_host:
        return False
    return any(
        other is not handle
        and other._settled().device.is_host
        and numpy.may_share_memory(buffer.array, other._settled().array)
        for other in arrays
    )
