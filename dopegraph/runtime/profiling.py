"""Who wants to know how long compiled graphs take: those who run one ask `mine` first, if anybody counts at all."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Protocol


class Profiler(Protocol):
    """Runs a program and takes the time."""

    def run(self, program: Any, arguments: Sequence[Any], out: Sequence[Any] | None) -> list[Any]:
        """What ``program.run(arguments, out)`` gives."""


_profilers: dict[int, Profiler] = {}


def mine() -> Profiler | None:
    """The profiler of this thread."""
    return _profilers.get(threading.get_ident()) if _profilers else None


class profiling:
    """Programs that this thread runs inside the ``with`` block are run by a profiler; None is nobody."""

    def __init__(self, profiler: Profiler | None) -> None:
        self.profiler = profiler

    def __enter__(self) -> None:
        self._outer = mine()
        self._set(self.profiler)

    def __exit__(self, *exc: object) -> None:
        self._set(self._outer)

    def _set(self, profiler: Profiler | None) -> None:
        if profiler is None:
            _profilers.pop(threading.get_ident(), None)
        else:
            _profilers[threading.get_ident()] = profiler
