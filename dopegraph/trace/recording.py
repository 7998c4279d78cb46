"""A recording turns operations on handles into nodes, lifts the arrays it meets as inputs, and evaluates on demand.

Handles are duck-typed here (`dopegraph.array.ndarray`): a recording sets `_value`, `_recording` and `_buffer` of them.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Sequence
from types import CodeType
from typing import Any

import numpy

from dopegraph.backends import Program
from dopegraph.ir.builder import Builder
from dopegraph.ir.graph import Value
from dopegraph.ir.path import PathBuilder
from dopegraph.ir.primitive import Primitive, primitives
from dopegraph.ir.types import DType, type_of
from dopegraph.ops.random import is_key
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.device import Device
from dopegraph.runtime.direct import hold, release
from dopegraph.runtime.errors import DeviceError
from dopegraph.runtime.location import here, located
from dopegraph.trace.active import active
from dopegraph.trace.evaluation import Evaluation
from dopegraph.trace.last_act import Reading
from dopegraph.trace.look import Escape, Look
from dopegraph.trace.looking import Looking
from dopegraph.trace.tape import Tape, left_behind

# Constants up to this many elements are part of the graph; larger ones are inputs that keep their value.
INLINE_CONSTANT = 1024


class Recording(Evaluation, Looking):
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
    of_call : bool
        Whether it is of a call that ``compile`` made: what it means to record is what it means outside.
    gave_up : bool
        Whether it ended in the middle of what it is of.
    lasting : bool
        Whether programs are made of it for a function that somebody compiled, which will run them often.
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
        self.of_call = False
        self.gave_up = False
        self.lasting = False
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
        self._outer.append((active.recording, self.resume()))
        active.recording = self
        return self

    def __exit__(self, *exc: object) -> None:
        active.recording, was_suspended = self._outer.pop()
        if was_suspended:
            self.suspend()
        release()

    def suspend(self) -> None:
        """Keep unevaluated values alive after leaving; writes to lifted arrays will be noticed."""
        if self not in active.suspended:
            hold()
            active.suspended.append(self)

    def resume(self) -> bool:
        """Undo `suspend`; false when there was nothing to undo."""
        if self not in active.suspended:
            return False
        active.suspended.remove(self)
        release()
        return True

    # Values ------------------------------------------------------------------------------------------------------

    def value_of(self, handle: Any) -> Value:
        """The value of a handle's present contents."""
        value = self.contents_of(handle)
        if handle._gradient is not None and self.tape.depth:
            self.tape.sources[value] = handle
        return value

    def contents_of(self, handle: Any) -> Value:
        """The same, but `backward` will not ask for a derivative with respect to it."""
        if handle._base is None:
            if handle._recording is self:
                known: Value = handle._value
                return known
        else:
            # A view with memory of its own is an input like any other until its base is written to in this recording.
            # A derivative must find its way to the base even if somebody looked at the view; but what was a view
            # before ``record()`` is constant inside, as everything that was computed before.
            root = handle._root()
            constant = self.tape.depth > 0 and not self.tape.reaches(handle, root)
            followed = self.differentiating and not constant and self.holds(root)
            if handle._buffer is None or followed or id(root) in self.mutated:
                return handle._value_through_base(self, constant)
        key = id(handle)
        entry = self.lifted.get(key)
        if entry is None and self.evaluated:
            entry = self.evaluated.get(key)
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
        buffer = handle._buffer
        if handle._foreign or handle._recording is not None or handle._base is not None or buffer is None:
            value = self.read(handle)
        else:
            if buffer.device is not self.device:
                self._check_device(buffer)
            value = self.builder.input(type_of(buffer))
            self.inputs.append(value)
            self.known[value] = buffer
        self.lifted[id(handle)] = (handle, value)
        if left_behind.arrays and self.tape.depth and id(handle._root()) in left_behind.arrays:
            self.tape.cut.add(value)
            if self.path is not None:
                self.path.note("cut", [value])
        return value

    def read(self, handle: Any) -> Value:
        """An input for what a concrete array holds now."""
        buffer = handle._settled()
        if buffer.device is not self.device:
            self._check_device(buffer)
        # Memory that others can write to is read now; our own is only ever replaced.
        return self.input(buffer.copy() if _is_foreign(handle) else buffer)

    def variables(self, handles: Sequence[Any]) -> list[Value]:
        """Inputs for what concrete arrays, none of them a view, hold now."""
        if self.path is None:
            return [self.read(handle) for handle in handles]
        buffers = [handle._buffer.copy() if handle._foreign else handle._buffer for handle in handles]
        for buffer in buffers:
            if buffer.device is not self.device:
                self._check_device(buffer)
        values = self.path.input_of_each([type_of(buffer) for buffer in buffers])
        self.inputs += values
        self.known.update(zip(values, buffers))
        return values

    def _check_device(self, buffer: Buffer) -> None:
        """All operands are on one device; only numbers and random keys may come from the host."""
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
            self.check(op, values, attrs, value if isinstance(value, tuple) else [value])
        return value

    def check(self, op: Primitive, operands: Sequence[Value], attrs: dict[str, Any], results: Sequence[Value]) -> None:
        """Raise the error of what refuses the values here, where Python expects it.

        It is run at once where nothing less tells that it takes them. Inside `vmap` there are no values yet.
        """
        if not op.raises or not self.checks or self.examples:
            return
        accepts = op.accepts
        if accepts is not None:
            arrays = [buffer.array for buffer in self.seen([operands[position] for position in accepts.operands])]
            if accepts.test([value.type for value in operands], *arrays, **attrs):
                return
        try:
            self.tried(results)
        except Exception:
            self.escape("error", f"{op.name} refused the values")
            raise

    def adopt(self, handle: Any) -> None:
        """Remember a handle whose contents are a value of this recording."""
        self._handles.append(weakref.ref(handle))

    def live_handles(self) -> list[Any]:
        """The traced handles that something still refers to, in the order they were made."""
        alive = {}
        for reference in self._handles:
            handle = reference()
            if handle is not None and handle._recording is self:
                alive[id(handle)] = handle
        return list(alive.values())

    def mark_mutated(self, handle: Any) -> None:
        """A concrete array is about to get a traced value: its memory is written at the end."""
        if id(handle) not in self.lifted:
            self.lift(handle)
        self.mutated[id(handle)] = handle

    def finish(self) -> None:
        """Evaluate every live handle and write mutated arrays back; the recording is over."""
        self.settle(self.live_handles())

    def give_up(self, reason: str, detail: str) -> None:
        """Compute everything now; what comes runs at once, as if nothing were recorded."""
        self.escape(reason, detail)
        self.finish()
        self.gave_up = True
        active.recording = None

    def settle(self, handles: Iterable[Any]) -> None:
        """Make handles concrete; arrays that were written to get their new contents in their old memory."""
        roots = self._roots(handles)
        if not roots:
            return
        values = [root._value for root in roots]
        given = self.given()
        self.place(roots, self.evaluate(values), given)
        for root, value in zip(roots, values):
            self.tape.written.pop(id(root), None)
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
                for other in active.suspended:
                    other.protect_root(root)  # what is open elsewhere knows it by what it held
            root._become(own(buffer, given))

    def forget_handles(self) -> None:
        """All that lived were placed, and nothing will be recorded any more."""
        self._handles.clear()

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

    def is_seen(self, handle: Any) -> bool:
        """Whether somebody else sees the memory of an array, and Python goes on with what is seen there."""
        return id(handle) in self.exposed or (
            handle._foreign and self.checks and (self.path is not None or self is active.tape) and not self.examples
        )

    def write_now(self, handle: Any) -> None:
        """Write an array's new contents into its memory; no plan does that in the middle of a call."""
        if id(handle) in self.exposed:
            self.escape("shared-memory", "arrays that the function writes to share memory with others it uses")
        self.settle([handle])

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
