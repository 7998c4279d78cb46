"""Runs programs as they always run and takes the time: of stages in the call itself, of what is inside them once more.

Whatever is run again gets copies for its results, so that a profiled call leaves everything as any other call does.
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from dopegraph.backends.codegen.timed import time_steps
from dopegraph.backends.facts import called, kernels_of
from dopegraph.backends.numpy.timed import TimedNumpy
from dopegraph.backends.origins import originals, shares, with_lines
from dopegraph.backends.partition import Stage
from dopegraph.backends.program import Program, _NumpyStage, _to_device
from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.ops.random import is_key
from dopegraph.passes.kernels import Kernel
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.location import Location
from dopegraph.runtime.profiling import profiling
from dopegraph.show.operations import operations_of
from dopegraph.show.profile import ProgramTime, Span, StageTime, StepTime

# Functions of the user's own, or with memory of their own: nobody calls them more often than the program does.
_ONCE = frozenset(["host_call", "mxnet_operator", "mxnet_gradient"])


class ProgramProfiler:
    """Takes the time of the programs that are run.

    Parameters
    ----------
    repeats : int
        How often the stages of a program are run to know what is inside them.

    Attributes
    ----------
    spent : float
        Seconds that measuring took, which are nobody's: the clock stands still meanwhile.
    """

    def __init__(self, repeats: int = 5) -> None:
        self.repeats = max(repeats, 1)
        self.spent = 0.0
        self._times: dict[Program, ProgramTime] = {}

    @property
    def programs(self) -> list[ProgramTime]:
        """Those that compute anything, in the order in which they ran first."""
        return [found for found in self._times.values() if found.stages]

    def relocate(self, program: Program, lines: Sequence[Location | None]) -> None:
        """Tell the lines of the function that ran; the program may have been made for one that records the same."""
        found = self._times.get(program)
        made = with_lines(program.graph, program.source, lines) if found is not None else None
        if found is None or made is None:
            return
        found.graph, places = made
        for stage in found.stages:
            for step in stage.steps:
                step.nodes = {places[node]: share for node, share in step.nodes.items() if node in places}

    def now(self) -> float:
        """The time, in seconds."""
        return time.perf_counter() - self.spent

    def run(self, program: Program, arguments: Sequence[Buffer], out: Sequence[Buffer | None] | None) -> list[Buffer]:
        """What ``program.run(arguments, out)`` gives, and how long that takes."""
        found = self._times.get(program)
        first = found is None
        if found is None:
            found = self._times[program] = ProgramTime(
                program.graph, [StageTime(one.backend) for one in program.stages]
            )
        graph, wanted = program.graph, dict(zip(program.graph.results, out)) if out is not None else {}
        begun, moved, ran = self.now(), 0.0, []
        with program._lock, profiling(None):
            if not program.device.is_host:
                arguments = [one if is_key(one) else _to_device(one, program.device) for one in arguments]
                moved += self.now() - begun
            known: dict[Value, Buffer] = dict(zip(graph.arguments, arguments))
            for stage, executable, times in zip(program.stages, program.executables, found.stages):
                inputs = [known[value] for value in stage.inputs]
                ran.append((stage, executable, times, inputs))
                if isinstance(executable, _NumpyStage):
                    results, seconds = self._call(executable, times, inputs, first and not _repeatable(stage))
                    moved += seconds
                else:
                    start = self.now()
                    results = executable(inputs, [wanted.get(value) for value in stage.outputs])
                    times.runs.append(Span(start, self.now()))
                known.update(zip(stage.outputs, results))
            given = [program._result(value, known, copied) for value, copied in zip(graph.results, program._is_copied)]
            found.runs.append(Span(begun, self.now()))
            found.transfer += moved
            if first:
                start = time.perf_counter()
                for one in ran:
                    try:
                        self._measure(*one)
                    except Exception as cause:  # the call has been made: it is not to fail because of its profile
                        one[2].seconds = one[2].runs[0].seconds
                        what = f"profile: what is inside of a stage on {one[0].backend} could not be measured: {cause}"
                        warnings.warn(what, RuntimeWarning, stacklevel=2)
                self.spent += time.perf_counter() - start
        return given

    def _call(
        self, executable: _NumpyStage, times: StageTime, inputs: Sequence[Buffer], once: bool
    ) -> tuple[list[Buffer], float]:
        """The results of a function of NumPy calls, and seconds for transfers; `once`: it will not be run again."""
        run = executable.executable.run
        if once:
            start = time.perf_counter()
            timed = TimedNumpy(executable.executable)
            run = timed.run
            self.spent += time.perf_counter() - start
        before = self.now()
        arrays = [buffer.array for buffer in inputs]
        begun = self.now()
        made = run(arrays)
        ended = self.now()
        times.runs.append(Span(begun, ended))
        results = [
            buffer if stays else _to_device(buffer, executable.device)
            for stays, buffer in zip(executable._stays, map(Buffer, made))
        ]
        if once:
            times.steps = _calls(executable.executable.graph, timed)
        return results, 0.0 if executable.device.is_host else (begun - before) + (self.now() - ended)

    def _measure(self, stage: Stage, executable: Any, times: StageTime, inputs: Sequence[Buffer]) -> None:
        """Run a stage again, and what is inside it, with results that nobody sees."""
        origin = originals(stage)
        if isinstance(executable, _NumpyStage):
            if _repeatable(stage):
                arrays = [buffer.array for buffer in inputs]
                times.seconds = self._median(times, lambda: executable.executable.run(arrays))
                timed = TimedNumpy(executable.executable)
                for _ in range(self.repeats):
                    timed.run(arrays)
                times.steps = _calls(stage.graph, timed)
            times.seconds = times.seconds or times.runs[0].seconds
            for step in times.steps:
                step.nodes = {origin[node]: share for node, share in step.nodes.items() if node in origin}
            return
        nowhere: list[Buffer | None] = [None] * len(stage.outputs)
        if not _repeatable(stage):
            times.seconds = times.runs[0].seconds
        else:
            times.seconds = self._median(times, lambda: executable(inputs, nowhere))
        if stage.backend == "codegen":
            times.steps = _generated(stage, executable, time_steps(executable, inputs, self.repeats), origin)
        else:
            times.steps = _symbol(stage, executable, self.repeats, times.seconds, origin)

    def _median(self, times: StageTime, run: Callable[[], object]) -> float:
        measured = [times.runs[0].seconds]
        for _ in range(self.repeats):
            start = time.perf_counter()
            run()
            measured.append(time.perf_counter() - start)
        return statistics.median(measured)


def _repeatable(stage: Stage) -> bool:
    return _ONCE.isdisjoint([node.op.name for node in stage.graph.nodes])


def _calls(graph: Graph, timed: TimedNumpy) -> list[StepTime]:
    """Each node is a call of NumPy's."""
    found = []
    for node in graph.nodes:
        measured = [one[node] for one in timed.measured if node in one]
        if measured:
            found.append(_step(called(node), "numpy", statistics.median(measured), {node: 1.0}))
    return found


def _generated(stage: Stage, executable: Any, measured: Sequence[float], origin: dict[Node, Node]) -> list[StepTime]:
    """Each kernel and product; a kernel's time is shared among its nodes by what they cost."""
    source, found = executable.source, []
    for step, (name, code, weights), spent in zip(source.fusion.steps, kernels_of(stage, source), measured):
        made = _step(name, "codegen", spent, shares(weights, origin), code)
        if isinstance(step, Kernel):
            made.bytes = step.bytes  # what stays in registers is not moved
        found.append(made)
    return found


def _symbol(stage: Stage, executable: Any, repeats: int, seconds: float, origin: dict[Node, Node]) -> list[StepTime]:
    """Nodes of a symbol: its time is shared among them by what each takes alone."""
    from dopegraph.backends.mxnet.timed import weights

    alone = weights(stage.graph, executable.device, repeats)
    whole = sum(alone.values()) or 1.0
    return [
        _step(called(node), "mxnet", seconds * spent / whole, {origin[node]: 1.0}, estimated=True)
        for node, spent in alone.items()
        if node in origin
    ]


def _step(
    name: str, backend: str, seconds: float, nodes: dict[Node, float], code: str = "", estimated: bool = False
) -> StepTime:
    counted = operations_of(nodes)
    return StepTime(name, backend, seconds, nodes, counted.flops, counted.bytes, code, estimated)
