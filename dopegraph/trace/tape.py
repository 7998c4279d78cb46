"""What `backward` goes through: nodes recorded inside ``record()``, and values of `attach_grad` arrays read there."""

from __future__ import annotations

from typing import Any

from dopegraph.ir.builder import Builder
from dopegraph.ir.graph import Node, Value


class Tape:
    """The part of a recording that the next `backward` differentiates; what was computed outside of it is constant.

    Attributes
    ----------
    depth : int
        How many ``record()`` blocks are open.
    sources : dict of Value to handle
        Values of arrays with `attach_grad` that were read.
    """

    def __init__(self, builder: Builder) -> None:
        self.depth = 0
        self.sources: dict[Value, Any] = {}
        self._builder = builder
        self._ranges: list[tuple[int, int]] = []
        self._start = 0

    def start(self) -> None:
        """From here on, nodes are part of it."""
        if not self.depth:
            self._start = self._builder.size
        self.depth += 1

    def stop(self) -> None:
        """The end of what the last `start` began."""
        self.depth -= 1
        if not self.depth:
            self._ranges.append((self._start, self._builder.size))

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
        self._ranges.clear()
        self._start = self._builder.size
