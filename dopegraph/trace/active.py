"""What this thread records to: the active recording, those that were left with values, the one that ``record()`` blocks
go on with, and whether a graph runs now.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dopegraph.trace.recording import Recording


class Active(threading.local):
    def __init__(self) -> None:
        self.recording: Any = None
        self.tape: Any = None
        self.suspended: list[Any] = []
        self.evaluating = False


active = Active()


def active_recording() -> Recording | None:
    """The recording that operations of this thread go to, if any."""
    return active.recording


def is_evaluating() -> bool:
    """Whether this thread runs a compiled graph, not the user's Python."""
    return active.evaluating


def suspended() -> list[Recording]:
    """Recordings of this thread that were left with values not yet evaluated."""
    return active.suspended


def tape_is_open() -> bool:
    """Whether arrays live that were computed inside of a ``record()`` that no ``backward`` has ended."""
    tape = active.tape
    if tape is None:
        return False
    if tape.live_handles() or tape.evaluated:
        return True
    return any([value.node is not None for _, value in tape.lifted.values()])  # arrays that were written to


class Evaluating:
    """What runs now is no Python of the user's."""

    def __enter__(self) -> None:
        self._outer, active.evaluating = active.evaluating, True

    def __exit__(self, *exc: object) -> None:
        active.evaluating = self._outer


@contextmanager
def outside_recordings() -> Iterator[None]:
    """Run operations at once, whatever is being recorded around."""
    outer, active.recording = active.recording, None
    try:
        yield
    finally:
        active.recording = outer
