"""What is around a function that `vmap` runs: arrays of one example have no meaning there, during or after the call."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dopegraph.array import ndarray
from dopegraph.batching.replacement import depending
from dopegraph.ir.graph import Value
from dopegraph.runtime.errors import BatchingError
from dopegraph.runtime.location import here, located
from dopegraph.trace.recording import Recording


class Surroundings:
    """The arrays of a recording before the function runs.

    Parameters
    ----------
    recording : Recording
    start : int
        The number of the first node that the function makes.
    values : mapping of Value to Value
        Its keys are the values of one example: at first those of the arguments, in the end all.
    inside : sequence of ndarray
        The function's arguments, which are to be left alone.
    """

    def __init__(
        self, recording: Recording, start: int, values: Mapping[Value, Value], inside: Sequence[ndarray]
    ) -> None:
        self.recording = recording
        self.start = start
        self.values = values
        self.inside = {id(one) for one in inside}
        self.before = {id(one): (weakref.ref(one), one._value) for one in recording.live_handles()}

    def _was_there(self, handle: ndarray) -> bool:
        entry = self.before.get(id(handle))
        return entry is not None and entry[0]() is handle

    def _strangers(self) -> list[weakref.ref[ndarray]]:
        """Arrays, other than arguments, that have a value of one example."""
        return [
            weakref.ref(one)
            for one in self.recording.live_handles()
            if one._value in self.values and id(one) not in self.inside
        ]

    def check(self) -> None:
        """The function is done: refuse that it wrote such a value to an array that all examples share."""
        for reference in self._strangers():
            handle = reference()
            if handle is None:
                continue
            value = handle._value
            if handle._buffer is not None:
                self._release(handle)  # if it is the function's own, which Python looked at, nobody else holds it
                del handle
                handle = reference()
            if handle is not None and (handle._buffer is not None or self._was_there(handle)):
                message = (
                    "vmap: a value that differs between the examples is written to an array that is not mapped; "
                    "return it, or pass the array as a mapped argument"
                )
                location = value.node.location if value is not None and value.node is not None else None
                raise BatchingError(located(message, location or here()))
            if handle is not None:
                end(handle)

    def _release(self, handle: ndarray) -> None:
        self.recording.mutated.pop(id(handle), None)
        self.recording.lifted.pop(id(handle), None)

    def restore(self) -> None:
        """The function failed: arrays that were there before are as before, its own are no longer."""
        builder = self.recording.builder
        nodes = builder.nodes[self.start :]
        gone = depending(nodes, self.values)
        stays = [not any(value in gone for value in node.outputs) for node in nodes]
        builder.nodes[self.start :] = itertools.compress(nodes, stays)
        builder.renumber(self.start, list(itertools.accumulate(stays, initial=self.start)))
        for handle in self.recording.live_handles():
            if handle._value not in gone:
                continue
            if id(handle) not in self.inside and self._was_there(handle):
                handle._value = self.before[id(handle)][1]
            elif handle._buffer is not None:
                self._release(handle)
                handle._value = handle._recording = None
            else:
                end(handle)


class _Ended:
    """In place of the recording of arrays that stood for those of one example."""

    device = None

    def settle(self, handles: Iterable[Any]) -> None:
        message = "this array is one of vmap's examples, and was kept after vmap was done; return it from the function"
        raise BatchingError(located(f"vmap: {message}", here()))


_ENDED: Any = _Ended()


def end(handle: ndarray) -> None:
    """From here on an array has no meaning; who asks for its value gets an error."""
    handle._recording = _ENDED
