"""What a recording does when Python looks at a value: it notes what was seen, for plans to look again or to give up."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from types import CodeType
from typing import Any

from dopegraph.ir.builder import Builder
from dopegraph.ir.graph import Value
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.location import Location, here, user_frame
from dopegraph.trace.last_act import Reading, follows, is_last, position_of
from dopegraph.trace.look import Escape, Look


class Looking:
    """The part of a `Recording` that answers Python, and remembers what it answered."""

    builder: Builder
    caller: CodeType | None
    readings: list[Reading]
    inputs: list[Value]
    looks: list[Look]
    escapes: list[Escape]

    def value_of(self, handle: Any) -> Value:
        """The value of a handle's present contents."""
        raise NotImplementedError

    def input(self, contents: Buffer, name: str | None = None) -> Value:
        """A value that no node makes, with what it holds in this call."""
        raise NotImplementedError

    def seen(self, values: Iterable[Value]) -> list[Buffer]:
        """Buffers of values that Python looks at."""
        raise NotImplementedError

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
