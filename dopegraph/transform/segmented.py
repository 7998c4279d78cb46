"""A call that runs as Python: its operations are recorded, and run in compiled segments wherever Python looks.

Segments are found again by their structure. Where that changes from call to call, first numbers become inputs of the
segments; where that is not enough, and where there is little to compute, the function runs as without ``compile``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dopegraph.trace.programs import programs
from dopegraph.trace.recording import Recording
from dopegraph.transform.plan import AsPython
from dopegraph.transform.record import leave_open, outlives_its_call

# So many calls, one after the other, may compile something before another way is taken.
_PATIENCE = 2


def run(function: Callable[[], Any], name: str, end: AsPython, anchor: object) -> Any:
    """What the function returns; `anchor` tells functions apart."""
    if end.way == "eager":
        return function()
    recording = Recording(name, checks=True, anchor=anchor)
    recording.of_call = True
    recording.numbers_vary = end.way == "numbers"
    compiled = programs.compiled
    try:
        with recording:
            result = function()
    except BaseException:
        _finish(recording)
        if outlives_its_call(recording):
            leave_open(recording)
        raise
    stays_open = outlives_its_call(recording)
    _finish(recording)
    if stays_open:
        leave_open(recording)
        end.leaves_open(recording.tape.where)
        return result
    recording.close()
    if recording.gave_up:
        return result
    end.programs = tuple(recording.programs)
    if _another_way(end, recording):
        end.final = False
    if not end.seen and end.programs and all(program.is_small for program in end.programs):
        end.way = "eager"  # NumPy computes that faster than it is recorded
    end.misses = end.misses + 1 if programs.compiled > compiled else 0
    if end.misses >= _PATIENCE:
        end.misses = 0
        end.way = "numbers" if end.way == "segments" else "eager"
    return result


def _another_way(end: AsPython, recording: Recording) -> bool:
    """Whether a call like this one may be replayed: what kept the others from that was not on its way."""
    if end.passing:
        return not recording.escapes
    outcomes = tuple([look.outcome for look in recording.looks[: len(end.seen)]])
    if outcomes == end.seen:
        return False
    end.retried[outcomes] = end.retried.get(outcomes, 0) + 1
    return end.retried[outcomes] <= _PATIENCE


def _finish(recording: Recording) -> None:
    """Compute every array that is still there."""
    try:
        recording.finish()
    except BaseException:
        recording.abandon()
        raise
