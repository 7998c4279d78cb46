"""The end of a recording that is for derivatives: they are found again by the recording's structure, with the program
that computes them, so that neither their nodes nor the graph around them are made a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dopegraph.ir.graph import Value
from dopegraph.ir.path import Step
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.config import engines
from dopegraph.runtime.device import current_device
from dopegraph.trace.programs import programs
from dopegraph.trace.recording import Recording, own
from dopegraph.trace.tape import left_behind

# So many recordings of a function, one after the other, may be new ones before its numbers become inputs.
_PATIENCE = 3


def _remember(start: Step, known: bool) -> None:
    """Whether a recording was known. Where none is, numbers that change may be the reason."""
    start.answers["misses"] = 0 if known else start.answers.get("misses", 0) + 1
    if start.answers["misses"] >= _PATIENCE:
        start.answers["numbers vary"] = True


def end(
    recording: Recording,
    question: tuple[Any, ...],
    of: Sequence[Value],
    pull: Callable[[], Sequence[Value | None]],
    left: Callable[[Sequence[Value]], Sequence[int]] | None = None,
) -> list[Buffer | None]:
    """Evaluate what somebody holds of a recording together with its derivatives, whose buffers are the result.

    Nothing may be recorded afterwards: on a hit the nodes of the derivatives do not exist.

    Parameters
    ----------
    recording : Recording
    question, of : tuple, sequence of Value
        What the derivatives depend on besides the recording's path.
    pull : callable
        Records the derivatives; runs only when they are not known yet. There is no buffer for None.
    left : callable, optional
        Tells which of the values that somebody holds are left behind; runs only then, too.
    """
    path = recording.path
    roots = recording.live_roots()
    held = [root._value for root in roots]
    device = recording.device or current_device()
    asked = path.question([*of, *held], *question, len(held), *engines(), device) if path is not None else None
    found = asked.answer if asked is not None else None
    program = programs.find(found[0]) if found is not None else None
    given = recording.given()
    if path is not None:
        _remember(path.start, program is not None)
    if path is not None and program is not None:
        _, reads, known, places, behind = found
        computed = recording.run(program, path.values_of(reads), ())
        computed += [recording.known[value] for value in path.values_of(known)]
        buffers = [None if place is None else computed[place] for place in places]
    else:
        behind = left(held) if left is not None else ()
        wanted = [*held, *pull()]
        values = [value for value in dict.fromkeys(wanted) if value is not None]
        missing = [value for value in values if value not in recording.known]
        known = [value for value in values if value in recording.known]
        if missing:
            key, program, read = recording.program_of(missing)
            numbers = [path.numbers(some) for some in (read, known)] if path is not None else [None]
            if asked is not None and None not in numbers:
                place_of = {value: place for place, value in enumerate([*missing, *known])}
                places = [None if value is None else place_of[value] for value in wanted]
                asked.answer = key, *numbers, places, behind
            recording.run(program, read, missing)
        buffers = [None if value is None else recording.known[value] for value in wanted]
    recording.place(roots, [buffer for buffer in buffers[: len(roots)] if buffer is not None], given)
    for number in behind:
        left_behind.add(roots[number])
    recording.forget_handles()
    return [None if buffer is None else own(buffer, given) for buffer in buffers[len(roots) :]]
