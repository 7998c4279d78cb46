"""What `backward` goes through: nodes recorded inside ``record()``, and values of `attach_grad` arrays read there."""

from __future__ import annotations

import threading
import weakref
from typing import Any, Optional

from dopegraph.ir.builder import Builder
from dopegraph.ir.graph import Node, Value
from dopegraph.runtime.location import Location

# Which tape was open, if any, and how much had been written to arrays in it.
Moment = tuple[Optional[object], int]


class _LeftBehind(threading.local):
    def __init__(self) -> None:
        self.arrays: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()

    def add(self, handle: Any) -> None:
        """A tape forgets how an array was computed, although no `backward` went through that."""
        self.arrays[id(handle)] = handle


left_behind = _LeftBehind()
"""Arrays of this thread, by id, that depend on arrays with `attach_grad` by what no tape knows any more."""


class Tape:
    """The part of a recording that the next `backward` differentiates; what was computed outside of it is constant.

    Attributes
    ----------
    depth : int
        How many ``record()`` blocks are open.
    sources : dict of Value to handle
        Values of arrays with `attach_grad` that were read.
    written : dict of int to (handle, int)
        Arrays, by id, that were written to inside ``record()``, with the number of the last write.
    used : bool
        Whether anything ever was recorded for it, or asked of it.
    where : Location or None
        Of a recording that is of a call: where the last ``record()`` is.
    cut : set of Value
        Values of arrays that were left behind: derivatives end at them.
    """

    def __init__(self, builder: Builder) -> None:
        self.depth = 0
        self.used = False
        self.where: Location | None = None
        self.sources: dict[Value, Any] = {}
        self.written: dict[int, tuple[Any, int]] = {}
        self.cut: set[Value] = set()
        self._writes = 0
        self._self = object()
        self._builder = builder
        self._ranges: list[tuple[int, int]] = []
        self._start = 0

    def start(self) -> None:
        """From here on, nodes are part of it."""
        if not self.depth:
            self._start = self._builder.size
        self.used = True
        self.depth += 1

    def stop(self) -> None:
        """The end of what the last `start` began."""
        self.depth -= 1
        if not self.depth:
            self._ranges.append((self._start, self._builder.size))

    def now(self) -> Moment:
        """Remembered by what is made now."""
        return self._self if self.depth else None, self._writes

    def wrote(self, handle: Any) -> None:
        """An array gets another value."""
        if self.depth:
            self._writes += 1
            self.written[id(handle)] = handle, self._writes

    def reaches(self, view: Any, root: Any) -> bool:
        """Whether a derivative goes through a view to its root: it was made here, or has been written to here."""
        made = view._made
        if made is None:
            return id(root) in self.written
        return made[0] is self._self or (id(root) in self.written and self.written[id(root)][1] > made[1])

    @property
    def ranges(self) -> tuple[tuple[int, int], ...]:
        """Which of the builder's nodes it has: from, and up to."""
        last = ((self._start, self._builder.size),) if self.depth else ()
        return (*self._ranges, *last)

    def nodes(self) -> list[Node]:
        """Its nodes, in order."""
        return [node for start, stop in self.ranges for node in self._builder.nodes[start:stop]]

    def forget(self) -> None:
        """What was computed so far is constant for the next `backward`."""
        self.sources.clear()
        self.written.clear()
        self._self = object()
        self._ranges.clear()
        self._start = self._builder.size
