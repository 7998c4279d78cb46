"""A plan replays one recording of a function: guards, one program, and the Python that puts results where they belong.

`match` and `finish` are generated Python: they run at every call and must cost microseconds.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy

from dopegraph.array import ndarray
from dopegraph.backends import Fallback, Program
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.location import Location
from dopegraph.state.guards import Match
from dopegraph.state.walk import Walk
from dopegraph.trace.active import suspended
from dopegraph.trace.look import Escape
from dopegraph.transform.straight import Replay, never

SHARED = Escape("shared-memory", "arrays that the function writes to share memory with others it uses", None)
LEFT = Escape("open-tape", "an array leaves the call with a derivative that is still to be taken", None)
INSIDE = Escape("open-tape", "a `record()` outside of the call goes on", None)

# Reasons for which one call is run as Python, and another like it perhaps not.
PASSING = frozenset(["raised", "error"])


class AsPython:
    """The end of a call that cannot be replayed: the function is run.

    Attributes
    ----------
    escapes : list of Escape
        Why.
    final : bool
        Whether recording once more is of no use. A function that only set something up may be replayed the next time.
    used : int
        When it was come to, for the last time.
    way : {"segments", "numbers", "eager"}
        How its operations run: compiled between looks, with numbers as inputs, or at once, see `segmented`.
    misses : int
        How many of the last calls had to compile something.
    seen : tuple
        What Python had seen of values before the first escape: with other outcomes there may be none.
    retried : dict
        Other outcomes that came later, and how often they made a call be recorded.
    programs : tuple of Program
        What ran in the last call.
    """

    def __init__(self, escapes: Sequence[Escape], final: bool = True, seen: tuple[Any, ...] = ()) -> None:
        self.escapes = list(escapes)
        self.final = final
        self.seen = seen
        self.retried: dict[tuple[Any, ...], int] = {}
        self.used = 0
        # What runs in segments is recorded, and the thread's own tape would not see it.
        self.way = "eager" if any(escape.reason == "open-tape" for escape in escapes) else "segments"
        self.misses = 0
        self.programs: tuple[Program, ...] = ()

    def leaves_open(self, where: Location | None) -> None:
        """A call left a derivative to be taken later: from now on the function runs as without ``compile``."""
        self.escapes.append(dataclasses.replace(LEFT, location=where))
        self.way = "eager"

    @property
    def passing(self) -> bool:
        """Whether a call that comes to its end otherwise may be one that can be replayed."""
        return all(escape.reason in PASSING for escape in self.escapes)

    @property
    def fallbacks(self) -> list[Fallback]:
        return [fallback for program in dict.fromkeys(self.programs) for fallback in program.fallbacks]


class PythonPlan(AsPython):
    """Run the function as Python whenever the arguments look as they did: it cannot be replayed.

    What passes (it raised an exception) may hang on the state, which is guarded then, too.
    """

    calls = 0  # that were replayed
    taped = False

    def __init__(self, walk: Walk, escapes: Sequence[Escape], final: bool, seen: tuple[Any, ...] = ()) -> None:
        super().__init__(escapes, final, seen)
        guards = walk.guards
        self.walk = walk
        statements = guards.text if self.passing else guards.without_floats(guards.signature)
        self.match = guards.compile(statements, "(args, kwargs)", len(walk.args), tuple(walk.kwargs))
        self.replay = never


class ReplayPlan:
    """Run one program instead of the function.

    Attributes
    ----------
    program : Program
    replay : callable
        Gives the result of a call that fits and needs nothing but to be computed, or ``MISS``.
    spare : list of Buffer or None
        Memory for the new contents of arrays that are written, in turns with the old; `lock` is for it.
    kept : list of list of Buffer
        Memory that results may get again once nobody holds it.
    calls : int
        How often it was replayed.
    taped : bool
        Whether the function has `record` or `backward` in it, which may go on with what was recorded outside.
    lines : list of Location or None
        Where each node of what was recorded comes from: the program may have been made for an equal graph of another
        function.
    """

    escapes: tuple[Escape, ...] = ()
    taped = False

    def __init__(
        self,
        walk: Walk,
        program: Program,
        match: Match,
        finish: Callable[..., Any],
        replay: Replay = never,
        *,
        constants: list[Buffer],
        arguments: list[int],
        state: list[int],
        updated: list[int],
        outputs: int,
    ) -> None:
        self.walk = walk
        self.program = program
        self.match = match
        self._finish = finish
        self.replay = replay
        self._constants = constants
        self._arguments = arguments
        self._state = state
        self._updated = updated
        self._outputs = outputs
        self.spare: list[Buffer | None] = [None] * len(updated)
        self.kept: list[list[Buffer]] = []
        self.lock = threading.Lock()
        self.calls = 0
        self.lines: list[Location | None] = []

    def is_of(self, walk: Walk) -> bool:
        """Whether another walk came to the same guards."""
        return walk.guards.text == self.walk.guards.text

    @property
    def programs(self) -> list[Program]:
        return [self.program]

    @property
    def fallbacks(self) -> list[Fallback]:
        return self.program.fallbacks

    @property
    def nbytes(self) -> int:
        """Bytes of captured constants, and of memory that is kept to be written to."""
        spare = [buffer for buffer in self.spare if buffer is not None]
        held = [*self._constants, *spare, *itertools.chain(*self.kept)]
        return sum(math.prod(buffer.shape) * buffer.dtype.itemsize for buffer in held)

    def fits(self, arrays: Sequence[ndarray]) -> bool:
        """Whether writing to one array is not seen by another."""
        for position in self._updated:
            handle = arrays[position]
            if handle._shared and overlaps_another(handle, arrays):
                return False
        return True

    def run(self, matched: Any) -> Any:
        """Replay: results as the function would have returned them, state as it would have left it."""
        arrays, scalars, targets, floats = matched
        with self.lock:
            buffers = [handle._settled() for handle in arrays]
            inputs = [buffers[position] for position in self._arguments]
            inputs += map(Buffer, scalars)
            inputs += self._constants
            inputs += [buffers[position] for position in self._state]
            out = [None] * self._outputs + self.spare
            results = self.program.run(inputs, out)
            if suspended():
                for position in self._updated:
                    arrays[position]._about_to_change()
            self._write(arrays, results[self._outputs :])
            self.calls += 1
        return self._finish(results, arrays, targets, floats)

    def _write(self, arrays: Sequence[ndarray], updates: Sequence[Buffer]) -> None:
        """New contents: into the same memory when others see it, otherwise old and new memory change places."""
        for place, (position, new) in enumerate(zip(self._updated, updates)):
            handle = arrays[position]
            old = handle._buffer
            assert old is not None
            if handle._shared and (old.device.is_host or handle._foreign):
                old.overwrite(new)
                self.spare[place] = new
            else:
                handle._buffer = new
                self.spare[place] = None if handle._shared else old


def sharing_memory(arrays: Sequence[ndarray]) -> list[ndarray]:
    """Arrays that others see the memory of, and that has elements in common with another's that is no view of it."""
    roots = {id(root): root for root in [handle._root() for handle in arrays] if root._foreign}
    foreign = list(roots.values())
    return [handle for handle in foreign if overlaps_another(handle, foreign)] if len(foreign) > 1 else []


def overlaps_another(handle: ndarray, arrays: Sequence[ndarray]) -> bool:
    """Whether memory that is written belongs to another of the arrays as well."""
    buffer = handle._settled()
    if not buffer.device.is_host:
        return False
    return any(
        other is not handle
        and other._settled().device.is_host
        and numpy.may_share_memory(buffer.array, other._settled().array)
        for other in arrays
    )
