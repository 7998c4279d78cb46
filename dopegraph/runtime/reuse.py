"""Memory for large results: what was given away and is held by nobody any more, otherwise new.

The system clears large memory whenever it is made, which takes as long as computing what is written there.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from typing import Any

import numpy

from dopegraph.runtime.buffer import Buffer

# Bytes that are kept at most, in all.
LIMIT = 1 << 27


class Reuse:
    """Buffers that were made, the oldest first to be forgotten.

    Examples
    --------
    >>> reuse = Reuse()
    >>> buffer = reuse.take((1000, 100), numpy.dtype("float32"))
    >>> address = buffer.address
    >>> del buffer
    >>> reuse.take((1000, 100), numpy.dtype("float32")).address == address
    True
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.nbytes = 0
        self._known: dict[Any, list[Buffer]] = {}
        self._order: deque[tuple[Any, int]] = deque()
        self._lock = threading.Lock()
        self._alone: tuple[int, int] | None = None
        if sys.implementation.name == "cpython" and getattr(sys, "_is_gil_enabled", lambda: True)():
            self._alone = self._count()

    def _count(self) -> tuple[int, int]:
        """How many references `take` sees to a buffer, and to its array, when nobody else has any."""
        found = (0, 0)
        for buffer in [_new((1,), numpy.dtype("f8"))]:
            found = sys.getrefcount(buffer), sys.getrefcount(buffer._array)
        return found

    def take(self, shape: tuple[int, ...], dtype: numpy.dtype[Any]) -> Buffer:
        """A buffer with anything in it."""
        if self._alone is None:
            return _new(shape, dtype)
        key = shape, dtype
        with self._lock:
            for buffer in self._known.get(key, ()):
                counted = sys.getrefcount(buffer), sys.getrefcount(buffer._array)
                if counted == self._alone and buffer.native is None:
                    return buffer
            made = _new(shape, dtype)
            assert made._array is not None
            nbytes = made._array.nbytes
            if 2 * nbytes <= self.limit:  # what a call gives is often an argument of the next
                self._known.setdefault(key, []).append(made)
                self._order.append((key, nbytes))
                self.nbytes += nbytes
                while self.nbytes > self.limit:
                    self._forget()
            return made

    def _forget(self) -> None:
        key, nbytes = self._order.popleft()
        del self._known[key][0]
        self.nbytes -= nbytes
        if not self._known[key]:
            del self._known[key]


def _new(shape: tuple[int, ...], dtype: numpy.dtype[Any]) -> Buffer:
    buffer = Buffer(numpy.empty(shape, dtype))
    assert buffer.address
    return buffer


reuse = Reuse()
"""The process's own."""
