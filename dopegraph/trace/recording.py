"""A recording turns operations on handles into nodes, lifts the arrays it meets as inputs, and evaluates on demand.

Handles are duck-typed here (`dopegraph.array.ndarray`): a recording sets `_value`, `_recording` and `_buffer` of them.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import CodeType
from typing import Any

import numpy

from dopegraph.backends import Program
from dopegraph.ir.builder import Builder
from dopegraph.ir.graph import Node, Value, needed_nodes
from dopegraph.ir.path import PathBuilder
from dopegraph.ir.primitive import Primitive, primitives
from dopegraph.ir.types import DType, type_of
from dopegraph.ops.random import is_draw, is_key
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.config import current_policy
from dopegraph.runtime.device import Device, current_device
from dopegraph.runtime.direct import hold, release
from dopegraph.runtime.errors import BatchingError, DeviceError, GradientError
from dopegraph.runtime.location import Location, here, located, user_frame
from dopegraph.trace.last_act import Reading, follows, is_last, position_of
from dopegraph.trace.look import Escape, Look
from dopegraph.trace.programs import Key, boundary, programs
from dopegraph.trace.tape import Tape

# Constants up to this many elements are part of the graph; larger ones are inputs that keep their value.
INLINE_CONSTANT = 1024


class _Active(threading.local):
    def __init__(self) -> None:
        self.recording: Recording | None = None
        self.suspended: list[Recording] = []
        self.evaluating = False


_active = _Active()


def active_recording() -> Recording | None:
    """The recording that operations of this thread go to, if any."""
    return _active.recording


def is_evaluating() -> bool:
    """Whether this thread runs a compiled graph, not the user's Python."""
    return _active.evaluating


def suspended() -> list[Recording]:
    """Recordings of this thread that were left with values not yet evaluated."""
    return _active.suspended


class Evaluating:
    """What runs now is no Python of the user's."""

    def __enter__(self) -> None:
        self._outer, _active.evaluating = _active.evaluating, True

    def __exit__(self, *exc: object) -> None:
        _active.evaluating = self._outer


@contextmanager
def outside_recordings() -> Iterator[None]:
    """Run operations at once, whatever is being recorded around."""
    outer, _active.recording = _active.recording, None
    try:
        yield
    finally:
        _active.recording = outer


class Recording:
    """Operations on arrays as a growing list of nodes.

    Attributes
    ----------
    builder : Builder
    known : dict of Value to Buffer
        Inputs, and values that were evaluated because somebody looked.
    lifted : dict of int to (handle, Value)
        Arrays that were there before: by id, with the value that stands for their contents.
    evaluated : dict of int to (weak reference, Value)
        Arrays that were made here and looked at: they have memory of their own, and are still what was computed.
    mutated : dict of int to handle
        Lifted arrays that were written to; their memory still holds the old contents.
    caller : code object or None
        Of ours, which calls the function that is recorded; None if numbers that it returns are not read later.
    readings : list of Reading
        Numbers that Python read of values, after which it did nothing but read, so far.
    inputs : list of Value
        All values that no node makes, in the order in which they were met.
    looks : list of Look
        What Python saw of values and may see again, in order.
    escapes : list of Escape
        What Python saw, or did, that no plan can do again.
    originals : dict of int to (handle, Buffer), or None
        What arrays held whose memory was written although the recording went on, kept where a caller wants to undo it.
    exposed : dict of int to handle
        Arrays that Python got the memory of, by id.
    tape : Tape
        What `backward` will differentiate.
    again : set of Node
        Nodes that compute once more, for a derivative, what was computed and checked before.
    numbers_vary : bool
        Whether Python's floats become inputs, not parts of the graph.
    programs : list of Program
        What was run for values that Python looked at, in order.
    private : bool
        Whether it is a derivative's own: nobody but that asks which arrays are its inputs.
    gradients : int
        How many calls of `grad` are waiting for the nodes that are recorded now.
    examples : list of (int, set of Value)
        For each call of `vmap` around what is recorded now: the number of its first node, and the values that stand
        for those of one example.
    host_calls : int
        How many functions of the user's own were called: no two of these calls are one.
    path : PathBuilder or None
        The builder, if it follows the tree of what was recorded before.
    checks : bool
        Whether an operation that refuses some values is run at once, to raise its error where Python expects it.
    """

    def __init__(self, name: str = "graph", checks: bool = False, anchor: object = None, repeated: bool = True) -> None:
        self.name = name
        self.checks = checks
        # What is recorded once needs no path to be found again by.
        self.path = PathBuilder(here, anchor) if repeated else None
        self.builder: Builder = self.path or Builder(here)
        self.known: dict[Value, Buffer] = {}
        self.inputs: list[Value] = []
        self.lifted: dict[int, tuple[Any, Value]] = {}
        self.evaluated: dict[int, tuple[weakref.ref[Any], Value]] = {}
        self.mutated: dict[int, Any] = {}
        self.exposed: dict[int, Any] = {}
        self.captured: set[Value] = set()
        self.scalars: dict[tuple[str, DType], Value] = {}
        self.caller: CodeType | None = None
        self.readings: list[Reading] = []
        self.looks: list[Look] = self.builder.marks
        self.escapes: list[Escape] = []
        self.originals: dict[int, tuple[Any, Buffer]] | None = None
        self.device: Device | None = None
        self.tape = Tape(self.builder)
        self.again = self.builder.again
        self.numbers_vary = self.path is not None and "numbers vary" in self.path.start.answers
        self.programs: list[Program] = []
        self.private = False
        self.gradients = 0
        self.examples: list[tuple[int, set[Value]]] = []
        self.host_calls = 0
        self._handles: list[weakref.ref[Any]] = []
        self._outer: list[tuple[Recording | None, bool]] = []

    @property
    def differentiating(self) -> bool:
        """Whether derivatives are waiting for the nodes that are recorded now."""
        return self.tape.depth + self.gradients > 0

    # Entering and leaving ----------------------------------------------------------------------------------------

    def __enter__(self) -> Recording:
        hold()
        self._outer.append((_active.recording, self.resume()))
        _active.recording = self
        return self

    def __exit__(self, *exc: object) -> None:
        _active.recording, was_suspended = self._outer.pop()
        if was_suspended:
            self.suspend()
        release()

    def suspend(self) -> None:
        """Keep unevaluated values alive after leaving; writes to lifted arrays will be noticed."""
        if self not in _active.suspended:
            hold()
            _active.suspended.append(self)

    def resume(self) -> bool:
        """Undo `suspend`; false when there was nothing to undo."""
        if self not in _active.suspended:
            return False
        _active.suspended.remove(self)
        release()
        return True

    # Values ------------------------------------------------------------------------------------------------------

    def value_of(self, handle: Any) -> Value:
        """The value of a handle's present contents."""
        value = self._value_of(handle)
        if self.tape.depth and handle._gradient is not None:
            self.tape.sources[value] = handle
        return value

    def _value_of(self, handle: Any) -> Value:
        if handle._base is not None:
            # A view with memory of its own is an input like any other until its base is written to in this recording.
            # A derivative must find its way to the base even if somebody looked at the view.
            root = handle._root()
            followed = id(root) in self.mutated or (self.differentiating and self.holds(root))
            if handle._buffer is None or followed:
                return handle._value_through_base(self)
        elif handle._recording is self:
            return handle._value
        entry = self.lifted.get(id(handle)) or self.evaluated.get(id(handle))
        if entry is None or (_is_foreign(handle) and not _same_bytes(self.known[entry[1]], handle._buffer)):
            return self.lift(handle)
        return entry[1]

    def input(self, contents: Buffer, name: str | None = None) -> Value:
        """A value that no node makes, with what it holds in this call."""
        value = self.builder.input(type_of(contents), name)
        self.inputs.append(value)
        self.known[value] = contents
        return value

    def lift(self, handle: Any) -> Value:
        """Make a concrete array an input."""
        value = self.read(handle)
        self.lifted[id(handle)] = (handle, value)
        return value

    def read(self, handle: Any) -> Value:
        """An input for what a concrete array holds now."""
        buffer = handle._settled()
        self._check_device(buffer)
        # Memory that others can write to is read now; our own is only ever replaced.
        return self.input(buffer.copy() if _is_foreign(handle) else buffer)

    def _check_device(self, buffer: Buffer) -> None:
        """All operands are on one device; only numbers and random keys may come from the host."""
        if buffer.device is self.device:
            return
        if buffer.device.is_host and (not buffer.shape or is_key(buffer)):
            return
        if self.device is None:
            self.device = buffer.device
        elif buffer.device != self.device:
            raise DeviceError(
                located(f"operands are on {self.device} and {buffer.device}; move one with x.to(device)", here())
            )

    def constant(self, array: numpy.ndarray) -> Value:
        """A value that is the same in every call: part of the graph when small."""
        flat = array.reshape(-1)
        with self.builder:
            if flat.size and flat.tobytes() == flat[:1].tobytes() * flat.size:
                return primitives["full"](value=flat[0].item(), shape=array.shape, dtype=array.dtype)
            if array.size <= INLINE_CONSTANT:
                return primitives["constant"](value=numpy.array(array))
        value = self.input(Buffer(numpy.array(array)), "captured")
        self.captured.add(value)
        return value

    def scalar(self, expression: str, number: float, dtype: DType) -> Value:
        """An input for a Python float that may be another one in the next call."""
        value = self.scalars.get((expression, dtype))
        if value is None:
            name = expression if expression.isidentifier() else "scalar"
            value = self.scalars[(expression, dtype)] = self.input(Buffer(numpy.asarray(number, dtype)), name)
        return value

    def emit(self, op: Primitive, values: Sequence[Value], attrs: dict[str, Any]) -> Any:
        """Append a node; its value, a tuple of values when it has several results."""
        value = self.builder.emit(op, values, attrs)
        if op.raises:
            self.check(op, value if isinstance(value, tuple) else [value])
        return value

    def check(self, op: Primitive, results: Sequence[Value]) -> None:
        """Run what refuses some values at once, where that is asked for; inside `vmap` only when that is done."""
        if op.raises and self.checks and not self.examples:
            try:
                self.evaluate(results)
            except Exception:
                self.escape("error", f"{op.name} refused the values")
                raise

    def adopt(self, handle: Any) -> None:
        """Remember a handle whose contents are a value of this recording."""
        self._handles.append(weakref.ref(handle))

    def live_handles(self) -> list[Any]:
        """The traced handles that something still refers to, in the order they were made."""
        handles = [reference() for reference in self._handles]
        alive = {id(handle): handle for handle in handles if handle is not None and handle._recording is self}
        return list(alive.values())

    def mark_mutated(self, handle: Any) -> None:
        """A concrete array is about to get a traced value: its memory is written at the end."""
        if id(handle) not in self.lifted:
            self.lift(handle)
        self.mutated[id(handle)] = handle

    # Python looks ------------------------------------------------------------------------------------------------

    def escape(self, reason: str, detail: str, location: Location | None = None) -> None:
        """Note that this call cannot be replayed."""
        self.escapes.append(Escape(reason, detail, location if location is not None else here(), len(self.looks)))

    def look(self, handle: Any, kind: str, read: Callable[[Any], Hashable], reason: str, detail: str) -> Any:
        """What Python sees of an array: a plan goes on as recorded wherever it sees the same.

        Parameters
        ----------
        kind : str
            Names what `read` does; equal names, equal functions.
        read : callable
            From the NumPy array to something hashable.
        """
        value = self.value_of(handle)
        array = self.seen([value])[0].array
        try:
            outcome = read(array)
        except Exception:
            self.escape("error", f"{detail} refused the values")
            raise
        self._looked(Look(Escape(reason, detail, here()), kind, read, outcome, (value,)))
        return outcome

    def number(self, handle: Any, read: Callable[[Any], Any], detail: str) -> Any:
        """A number that Python gets. If all it does is to return it, plans read it, too."""
        value = self.value_of(handle)
        number = read(self.seen([value])[0].array)
        escape = Escape("value-escape", detail, here(), len(self.looks))
        position = position_of(user_frame(), self.caller)
        if position is None:
            self.escapes.append(escape)
            return number
        reading = Reading(value, read, number, escape, *position)
        if self.readings and not follows(self.readings[-1], reading):
            self._more_than_read()
        self.readings.append(reading)
        return number

    def _more_than_read(self) -> None:
        """What was read so far was not only returned."""
        self.escapes += [reading.escape for reading in self.readings]
        self.readings.clear()

    def returned(self) -> None:
        """The function came to its end: what it read and did more with than return it has escaped."""
        if self.readings and not is_last(self.readings[-1]):
            self._more_than_read()

    def look_at_number(
        self, expression: str, kind: str, read: Callable[[Any], Hashable], number: Any, detail: str
    ) -> Any:
        """What Python sees of a float argument, or of what it computed from one."""
        outcome = read(number)
        self._looked(Look(Escape("float-value", detail, here()), kind, read, outcome, expression=expression))
        return outcome

    def host_call(
        self,
        handles: Sequence[Any],
        kind: str,
        run: Callable[..., Sequence[Any]],
        detail: str,
        reason: str = "host-call",
    ) -> list[Value]:
        """Values that a function of NumPy arrays computes: plans run it, too, and go on if the types are the same.

        Parameters
        ----------
        kind : str
            Names what `run` does; equal names, equal functions.
        run : callable
            From NumPy arrays, which it does not change, to NumPy arrays of its own.
        """
        values = [self.value_of(handle) for handle in handles]
        arrays = [buffer.array for buffer in self.seen(values)]
        try:
            made = [Buffer(array) for array in run(*arrays)]
        except (ArithmeticError, IndexError, ValueError):
            self.escape("error", f"{kind} refused the values")
            raise
        results = tuple([self.input(buffer) for buffer in made])
        types = tuple([value.type for value in results])
        self._looked(Look(Escape(reason, detail, here()), kind, run, types, tuple(values), results=results))
        return list(results)

    def _looked(self, look: Look) -> None:
        look.nodes, look.inputs = len(self.builder.nodes), len(self.inputs)
        self.looks.append(look)

    # Evaluation --------------------------------------------------------------------------------------------------

    def seen(self, values: Iterable[Value]) -> list[Buffer]:
        """Buffers of values that Python looks at. What else was computed for them and may be used again is kept."""
        return self._evaluated(values, keep=True)

    def evaluate(self, values: Iterable[Value]) -> list[Buffer]:
        """Buffers of values; what was evaluated before is not computed again."""
        return self._evaluated(values)

    def _evaluated(self, values: Iterable[Value], keep: bool = False) -> list[Buffer]:
        wanted = list(values)
        missing = [value for value in dict.fromkeys(wanted) if value not in self.known]
        if missing:
            if keep:
                missing += self._used_later(missing)
            _, program, inputs = self.program_of(missing)
            self.run(program, inputs, missing)
            if self.path is not None:
                self.path.note("known", missing)
        return [self.known[value] for value in wanted]

    def _used_later(self, wanted: Sequence[Value]) -> list[Value]:
        """What is computed on the way to what is wanted, and what arrays, or a derivative to come, refer to."""
        held = [handle._value for handle in self.live_handles() if handle._value not in self.known]
        everything = self.differentiating
        question = (
            self.path.question([*wanted, *held], "later", len(held), everything) if self.path is not None else None
        )
        if self.path is not None and question is not None and question.answer is not None:
            return self.path.values_of(question.answer)
        nodes = needed_nodes(self.builder.nodes, wanted, self.known)
        chosen = None if everything else set(held)
        later = [
            value
            for node in nodes
            if node.inputs
            for value in node.outputs
            if (chosen is None or value in chosen) and value not in wanted
        ]
        if self.path is not None and question is not None:
            question.answer = self.path.numbers(later)
        return later

    def run(self, program: Program, inputs: Iterable[Value], values: Iterable[Value]) -> list[Buffer]:
        """Run a program on what is known, and know its results."""
        with Evaluating():
            self.programs.append(program)
            results = program.run([self.known[value] for value in inputs])
        self.known.update(zip(values, results))
        return results

    def program_of(self, values: Sequence[Value]) -> tuple[Key, Program, Sequence[Value]]:
        """The program that computes values, its key, and what it computes them from."""
        device = self.device or current_device()
        question = self.path.question(values, "program", current_policy(), device) if self.path is not None else None
        if self.path is not None and question is not None:
            found = question.answer
            program = programs.find(found[0]) if found is not None else None
            if program is not None:
                return found[0], program, self.path.values_of(found[1])
        nodes = needed_nodes(self.builder.nodes, values, self.known)
        read = boundary(nodes, values)
        self._refuse_unknown(nodes, read)
        with Evaluating():
            key, program = programs.get(self.name, nodes, read, values, (), device, named=False)
        if self.path is not None and question is not None:
            numbers = self.path.numbers(read)
            if numbers is not None:
                question.answer = key, numbers
        return key, program, read

    def _refuse_unknown(self, nodes: Sequence[Node], inputs: Sequence[Value]) -> None:
        """Raise for what has no values while it is recorded."""
        for start, stand_ins in self.examples:
            inside = set(self.builder.nodes[start:])
            if any(value in stand_ins for value in inputs) or any(is_draw(node) and node in inside for node in nodes):
                message = (
                    "Python asks for the value of an array that differs between the examples of vmap, which have none "
                    "yet: in place of `if` and `while` use np.where or np.select; what float(), int(), item(), "
                    "printing and functions that run in NumPy need must not be mapped (in_axes=None)"
                )
                raise BatchingError(located(f"vmap: {message}", here()))
        if not all(value in self.known for value in inputs):
            raise GradientError(located("a cotangent has no values yet while its rule is recorded", here()))

    def finish(self) -> None:
        """Evaluate every live handle and write mutated arrays back; the recording is over."""
        self.settle(self.live_handles())

    def settle(self, handles: Iterable[Any]) -> None:
        """Make handles concrete; arrays that were written to get their new contents in their old memory."""
        roots = self._roots(handles)
        values = [root._value for root in roots]
        given = self.given()
        self.place(roots, self.evaluate(values), given)
        for root, value in zip(roots, values):
            if self.mutated.pop(id(root), None) is not None:
                self.lifted[id(root)] = (root, value)
            else:
                self.evaluated[id(root)] = (_reference(root, self.evaluated), value)

    def live_roots(self) -> list[Any]:
        """The arrays with values of this recording that something refers to, itself or a view."""
        return self._roots(self.live_handles())

    def _roots(self, handles: Iterable[Any]) -> list[Any]:
        roots = {id(root): root for root in [handle._root() for handle in handles]}
        return [root for root in roots.values() if root._recording is self]

    def given(self) -> set[int]:
        """Ids of the buffers that inputs, and arrays that were looked at, have."""
        return {id(buffer) for buffer in self.known.values()}

    def place(self, roots: Sequence[Any], buffers: Sequence[Buffer], given: set[int]) -> None:
        """Arrays leave the recording, each with a buffer that is not among the given ones, nor another's."""
        for root, buffer in zip(roots, buffers):
            if root._shared:
                self.protect_root(root)
            if root._buffer is not None:
                self._keep_original(root, root._buffer)
            root._become(own(buffer, given))

    def close(self) -> None:
        """Let go of what was recorded: nothing refers to it any more, but it refers to itself."""
        if self.path is not None:
            self.path.end()

    def abandon(self) -> None:
        """The recording cannot be evaluated: arrays that were there before are as before."""
        for handle in self.live_handles():
            if handle._buffer is not None:
                handle._value = handle._recording = None

    def expose(self, handle: Any) -> None:
        """Python gets the memory of an array: from now on it is written at once."""
        self.exposed[id(handle)] = handle

    def holds(self, handle: Any) -> bool:
        """Whether an array has, or had before somebody looked, a value of this recording."""
        return handle._recording is self or id(handle) in self.lifted or id(handle) in self.evaluated

    def protect_root(self, root: Any) -> None:
        """The memory of an array will be written: keep the old contents of it, and of its views, for ourselves."""
        if self.originals is not None and root._buffer is not None and id(root) not in self.originals:
            self._keep_original(root, root._buffer.copy())
        for handle, value in self._arrays():
            if handle._root() is root:
                self.lifted.pop(id(handle), None)
                self.evaluated.pop(id(handle), None)
                if self.known[value] is handle._buffer:
                    self.known[value] = handle._buffer.copy()

    def _keep_original(self, root: Any, contents: Buffer) -> None:
        if self.originals is not None:
            self.originals.setdefault(id(root), (root, contents))

    def _arrays(self) -> list[tuple[Any, Value]]:
        """Arrays with memory, and what it holds."""
        evaluated = [(reference(), value) for reference, value in list(self.evaluated.values())]
        return [*self.lifted.values(), *((handle, value) for handle, value in evaluated if handle is not None)]


def own(buffer: Buffer, given: set[int]) -> Buffer:
    """A buffer that was not given to anybody: a copy if it was. Two handles must not share memory."""
    if id(buffer) in given:
        return buffer.copy()
    given.add(id(buffer))
    return buffer


def _reference(handle: Any, entries: dict[int, Any]) -> weakref.ref[Any]:
    """A weak reference; when the handle goes, so does its entry."""
    key = id(handle)
    return weakref.ref(handle, lambda _: entries.pop(key, None))


def _is_foreign(handle: Any) -> bool:
    return handle._foreign or (handle._base is not None and handle._root()._foreign)


def _same_bytes(known: Buffer, now: Buffer) -> bool:
    return known is now or known.array.tobytes() == now.array.tobytes()
