"""The Python around a C function in the shortest way of a replay: pointers, memory for results, state that changes.

Each statement here is run in every call of a compiled function; all together cost about a microsecond.
"""

from __future__ import annotations

import ctypes
import itertools
import struct
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from dopegraph.backends import Program
from dopegraph.backends.codegen import threads
from dopegraph.ir.graph import Value
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.reuse import reuse
from dopegraph.trace.active import active

# Memory of results that nobody holds any more is kept here up to so many bytes; larger is the process's, see `reuse`.
KEPT = 1 << 16

# The plan's own lock is for spare memory only.
HELD, ALONE = "with lock, inner:", "with inner:"

_SCALARS = {"f4": ctypes.c_float, "f8": ctypes.c_double}


@dataclass(frozen=True)
class Inputs:
    """Where a program's arguments come from, in the guards' variables, in this order.

    Attributes
    ----------
    arrays : list of str
        Expressions for the buffers of arrays among the function's arguments.
    scalars : list of (str, dtype)
    captured : list of Buffer
    state : list of str
        As `arrays`, of what the function reaches.
    updated : list of (str, str)
        The variables of arrays that are written, and the expressions for their buffers.
    """

    arrays: Sequence[str]
    scalars: Sequence[tuple[str, Any]]
    captured: Sequence[Buffer]
    state: Sequence[str]
    updated: Sequence[tuple[str, str]]


class DirectCall:
    """The statements of a call.

    Attributes
    ----------
    found : list of str
        What may fail, or find that the call needs the long way; nothing was changed then.
    body : list of str
        The call itself; afterwards ``results`` are buffers, and the state is what it should be.
    constants : dict of str to Any
        What they name.
    kept : list of list of Buffer
        Memory of results that may be used again.
    """

    def __init__(self, program: Program, inputs: Inputs, lock: threading.Lock, spare: list[Buffer | None]) -> None:
        executable = program.kernels
        assert executable is not None
        self.constants: dict[str, Any] = {
            "lock": lock,
            "inner": executable.lock,
            "executable": executable,  # whose library must stay
            "run": executable.direct,
            "WORKSPACE": executable.workspace,
            "threads": threads,
            "active": active,
            "spare": spare,
            "address": _address,
            "fresh": _fresh,
            "large": reuse.take,
            "getrefcount": sys.getrefcount,
        }
        self._named: dict[str, str] = {}  # variables of buffers that the guards have none for
        self.kept: list[list[Buffer]] = []
        self.found: list[str] = []
        self.body: list[str] = []
        if inputs.updated:
            protect = "; ".join(f"{variable}._about_to_change()" for variable, _ in inputs.updated)
            self.body.append(f"if active.suspended: {protect}")
        self.body.append(HELD if inputs.updated else ALONE)
        addresses = dict(zip(program.graph.arguments, self._arguments(inputs)))
        pointers = executable.pointers()
        self.constants.update(POINTERS=pointers, AT=ctypes.addressof(pointers))
        read = [addresses[value] for value in program.stages[0].inputs]
        changed = [(variable, self._named.get(buffer, buffer)) for variable, buffer in inputs.updated]
        updated = len(changed)
        if changed:  # another thread may have been here
            other = " or ".join(f"{variable}._buffer is not {buffer}" for variable, buffer in changed)
            self.body.append(f"  if {other}: return MISS")
        results = program.graph.results
        made = self._outputs(results[: len(results) - updated])
        made += self._state(results[len(results) - updated :], changed)
        fixed = [str(pointers[place]) for place in range(len(read), executable.results)]
        every = [*read, *fixed, *(f"{name}._address" for name in made)]
        self.constants["put"] = struct.Struct(f"{len(every)}P").pack_into
        self.body.append(f"  put(POINTERS, 0, {', '.join(every)})")
        self.body.append("  if run(AT, WORKSPACE, threads.number): return MISS")
        # No call stands between these, so no signal can come between them, either.
        for place, (variable, buffer) in enumerate(changed):
            self.body.append(f"  {variable}._buffer = n{place}; spare[{place}] = {buffer}")
        self.body.append(f"results = [{', '.join(made[: len(made) - updated])}]")

    def _arguments(self, inputs: Inputs) -> list[str]:
        """Names of the addresses of a program's arguments."""
        names = []

        def array(buffer: str) -> str:
            name = f"a{len(names)}"
            if not buffer.isidentifier():
                self.found.append(f"{name}b = {buffer}")
                self._named[buffer] = buffer = f"{name}b"
            self.found.append(f"{name} = {buffer}._address or address({buffer})")
            return name

        for buffer in inputs.arrays:
            names.append(array(buffer))
        for index, (expression, dtype) in enumerate(inputs.scalars):
            kind = _SCALARS.get(dtype.str[1:])
            cell = kind() if kind is not None else numpy.zeros((), dtype)
            where = ctypes.addressof(cell) if kind is not None else cell.ctypes.data
            self.constants.update({f"S{index}": cell, f"SA{index}": where})
            self.found.append(f"s{index} = {expression}")
            self.body.append(f"  S{index}{'.value' if kind is not None else '[()]'} = s{index}")
            names.append(f"SA{index}")
        for index, buffer_ in enumerate(inputs.captured):
            held = numpy.require(buffer_.array, requirements=["C", "A"])
            self.constants.update({f"C{index}": held, f"CA{index}": held.ctypes.data})
            names.append(f"CA{index}")
        for buffer in inputs.state:
            names.append(array(buffer))
        shared = "".join(f" or {variable}._shared" for variable, _ in inputs.updated)
        self.found.append(f"if recorders{shared}: return MISS")
        return names

    def _outputs(self, values: Sequence[Value]) -> list[str]:
        """Memory of results: what was given away and is held by nobody any more, otherwise new."""
        names = [f"r{place}" for place in range(len(values))]
        again = []
        for place, (name, value) in enumerate(zip(names, values)):
            self.constants.update({f"SHAPE{place}": value.shape, f"DTYPE{place}": value.type.dtype})
            make = f"fresh(SHAPE{place}, DTYPE{place})"
            if value.type.nbytes > KEPT or _ALONE is None:
                self.body.append(f"  {name} = {make.replace('fresh', 'large') if value.type.nbytes > KEPT else make}")
                continue
            again.append(value)
            self.body += _taken(name, len(again) - 1, make, _ALONE)
        if again:
            # What the last call gave is often an argument of this one.
            self.kept = [[_fresh(value.shape, value.type.dtype) for value in again] for _ in range(2)]
            self.constants["turns"] = itertools.cycle(self.kept)
            begin = next(at for at, line in enumerate(self.body) if line in (HELD, ALONE))
            self.body.insert(begin + 1, "  held = next(turns)")
        return names

    def _state(self, values: Sequence[Value], updated: Sequence[tuple[str, str]]) -> list[str]:
        """Memory for new contents of arrays: what held the old ones one call before."""
        names = [f"n{place}" for place in range(len(values))]
        for place, (name, value, (_, buffer)) in enumerate(zip(names, values, updated)):
            self.constants.update({f"NSHAPE{place}": value.shape, f"NDTYPE{place}": value.type.dtype})
            self.body += [
                f"  {name} = spare[{place}]",
                f"  if {name} is None or {name} is {buffer} or not {name}._address or {name}.native is not None "
                f"or not {name}._array.flags.writeable: {name} = fresh(NSHAPE{place}, NDTYPE{place})",
            ]
        return names


def _address(buffer: Buffer) -> int:
    """Where the elements begin; an error where they have to be copied first."""
    address = buffer.address
    if not address and buffer.array.size:
        raise ValueError("elements that do not stand in C order")
    return address


def _fresh(shape: tuple[int, ...], dtype: Any) -> Buffer:
    buffer = Buffer(numpy.empty(shape, dtype))
    assert buffer.address
    return buffer


def _taken(name: str, place: int, make: str, alone: tuple[int, int]) -> list[str]:
    """Statements that take memory from ``held`` if nobody else has it."""
    return [
        f"  {name} = held[{place}]",
        f"  if getrefcount({name}) != {alone[0]} or getrefcount({name}._array) != {alone[1]} or "
        f"{name}.native is not None: {name} = held[{place}] = {make}",
    ]


def _alone() -> tuple[int, int] | None:
    """How many references those statements see to a buffer, and to its array, when nobody else has any.

    None where that says nothing: without the interpreter's lock another thread may be taking one, and versions of
    Python differ in what they count; so it is tried.
    """
    if sys.implementation.name != "cpython" or not getattr(sys, "_is_gil_enabled", lambda: True)():
        return None

    def run(body: list[str], held: list[Buffer]) -> Any:
        namespace: dict[str, Any] = {"getrefcount": sys.getrefcount, "fresh": _fresh, "lock": threading.Lock()}
        lines = ["def take(held):", " with lock:", *body]
        exec("\n".join(lines), namespace)
        return namespace["take"](held)

    def memory() -> list[Buffer]:
        return [_fresh((1,), numpy.dtype("f8"))]

    counted = ["  r = held[0]", "  return getrefcount(r), getrefcount(r._array)"]
    alone: tuple[int, int] = run(counted, memory())
    body = [*_taken("r", 0, "fresh((1,), 'f8')", alone), "  return id(r)"]
    free, with_buffer, with_array = memory(), memory(), memory()
    others = with_buffer[0], with_array[0].array
    before = [id(one[0]) for one in (free, with_buffer, with_array)]
    same = [run(body, one) == was for one, was in zip((free, with_buffer, with_array), before)]
    del others
    return alone if same == [True, False, False] else None


_ALONE = _alone()
