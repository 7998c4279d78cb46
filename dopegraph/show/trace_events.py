"""A profile as the JSON that Chrome's tracing and Perfetto read: complete events ("ph": "X") in microseconds.

Format: Chromium's "Trace Event Format", the document that both name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dopegraph.show.profile import Profile, StageTime

_THREADS = ("call", "programs", "kernels, symbols, NumPy")


@dataclass(frozen=True)
class Span:
    """From when to when, in seconds of the same clock."""

    start: float
    stop: float

    @property
    def seconds(self) -> float:
        return self.stop - self.start


def chrome_trace(profile: Profile) -> dict[str, Any]:
    """Three threads: the call, the programs it ran, and what ran inside of them.

    What is inside a stage is drawn at the median times that it took when it was measured, within the time that the
    stage took in the call.
    """
    events: list[dict[str, Any]] = [_named("process_name", 0, f"dopegraph {profile.name}")]
    events += [_named("thread_name", thread, name) for thread, name in enumerate(_THREADS)]
    begin = profile.call.start
    events.append(_event(profile.name, "call", 0, profile.call, begin, {"recorded": profile.recorded}))
    for number, program in enumerate(profile.programs):
        title = f"{program.graph.name} {number}" if number else program.graph.name
        nodes = len(program.graph.nodes)
        events += [_event(title, "program", 1, run, begin, {"nodes": nodes}) for run in program.runs]
        for stage in program.stages:
            for run in stage.runs:
                events += _inside(stage, run, begin)
    return {"traceEvents": events, "displayTimeUnit": "ns", "otherData": {"function": profile.name}}


def _inside(stage: StageTime, run: Span, begin: float) -> list[dict[str, Any]]:
    whole = sum(step.seconds for step in stage.steps)
    shrink = min(run.seconds / whole, 1.0) if whole else 1.0
    events, at = [_event(stage.backend, "stage", 2, run, begin, {"median": stage.seconds})], run.start
    for step in stage.steps:
        span = Span(at, min(at + step.seconds * shrink, run.stop))
        at = span.stop
        facts = {
            "lines": ", ".join(step.lines),
            "GFLOP/s": step.gflops,
            "GB/s": step.bandwidth,
            "estimated": step.estimated,
        }
        events.append(_event(step.name, step.backend, 2, span, begin, facts))
    return events


def _named(name: str, thread: int, text: str) -> dict[str, Any]:
    return {"name": name, "ph": "M", "pid": 1, "tid": thread, "args": {"name": text}}


def _event(name: str, kind: str, thread: int, span: Span, begin: float, args: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "cat": kind,
        "ph": "X",
        "pid": 1,
        "tid": thread,
        "ts": 1e6 * (span.start - begin),
        "dur": 1e6 * span.seconds,
        "args": dict(args),
    }
