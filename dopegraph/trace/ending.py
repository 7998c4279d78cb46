"""The end of a recording that is for derivatives: they are found again by the recording's structure, with the program
that computes them, so that neither their nodes nor the graph around them are made a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dopegraph.ir.graph import Value
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.config import current_policy
from dopegraph.runtime.device import current_device
from dopegraph.trace.programs import programs
from dopegraph.trace.recording import Recording, own


def end(
    recording: Recording, question: tuple[Any, ...], of: Sequence[Value], pull: Callable[[], Sequence[Value | None]]
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
    """
    builder = recording.builder
    roots = recording.live_roots()
    held = [root._value for root in roots]
    step = builder.step
    numbers = builder.numbers([*of, *held])
    whole = (*question, len(of), numbers, current_policy(), recording.device or current_device())
    found = step.found.get(whole) if step is not None and numbers is not None else None
    program = programs.find(found[0]) if found is not None else None
    given = recording.given()
    if found is not None and program is not None:
        _, reads, places = found
        mine = builder.values
        computed = recording.run(program, [mine[number] for number in reads], ())
        buffers = [
            None if place is None else computed[place] if place >= 0 else recording.known[mine[~place]]
            for place in places
        ]
    else:
        wanted = [*held, *pull()]
        values = [value for value in dict.fromkeys(wanted) if value is not None]
        missing = [value for value in values if value not in recording.known]
        if missing:
            key, program, read = recording.program_of(missing)
            known = builder.numbers([value for value in values if value in recording.known])
            made, reads = builder.numbers(missing), builder.numbers(read)
            if step is not None and None not in (numbers, known, made, reads):
                place = {value: position for position, value in enumerate(missing)}
                places = [None if value is None else place.get(value, ~value.number) for value in wanted]
                step.found[whole] = key, reads, places
            recording.run(program, read, missing)
        buffers = [None if value is None else recording.known[value] for value in wanted]
    recording.place(roots, buffers[: len(roots)], given)
    return [None if buffer is None else own(buffer, given) for buffer in buffers[len(roots) :]]
