"""Lets Python look for unreachable objects less often while graphs are built: each look goes through all nodes."""

from __future__ import annotations

import gc
import threading

# New objects between two looks; Python's own number, 700 to 2000, costs a third of the time of a compilation.
OBJECTS = 20_000


class _FewerCollections:
    """The threshold is that of the process: the first one that enters raises it, the last one puts it back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before = (0, 0, 0)

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._before = gc.get_threshold()
                if 0 < self._before[0] < OBJECTS:  # 0 is never
                    gc.set_threshold(OBJECTS, *self._before[1:])

    def __exit__(self, *exc: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and gc.get_threshold() == (OBJECTS, *self._before[1:]):
                gc.set_threshold(*self._before)


fewer_collections = _FewerCollections()
"""``with fewer_collections:`` while a graph is recorded or compiled."""
