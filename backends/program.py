"""A compiled graph: optimized, split into stages, each compiled by its backend; calling it runs the stages in order."""

from __future__ import annotations

import functools
import os
import threading
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from dopegraph.backends.numpy.executable import NumpyExecutable
from dopegraph.backends.partition import Stage, partition
from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.ops.random import is_key
from dopegraph.passes.pipeline import optimize
from dopegraph.runtime.buffer import HOST, Buffer
from dopegraph.runtime.device import Device
from dopegraph.runtime.errors import FallbackError
from dopegraph.runtime.location import Location, located
from dopegraph.runtime.reasons import hint_of
from dopegraph.runtime.statistics import count_program, recorders

# A symbol costs 30 us and 2 us for each of its nodes, a call of NumPy's 0.3 us. With so many elements in all the NumPy
# backend takes less than half the time for elementwise functions and for small networks with their gradients alike
# (benchmarks/small_calls.py); both compute at the same speed. 0 is never.
SMALL = int(os.environ.get("DOPEGRAPH_SMALL", 16_384))
# Loops over windows, which MXNet has tuned operators for.
_SLOW_ON_NUMPY = frozenset(
    ["conv", "conv_grad_data", "conv_grad_weight", "max_pool", "max_pool_grad", "avg_pool", "avg_pool_grad"]
)


@dataclass(frozen=True)
class Fallback:
    """A node that NumPy runs although MXNet was preferred: a stable reason id, what it means, and the user's line."""

    operation: str
    reason: str
    detail: str
    location: Location | None

    @property
    def hint(self) -> str:
        """What to change."""
        return hint_of(self.reason)

    def __str__(self) -> str:
        where = f" at {self.location}" if self.location is not None else ""
        return f"{self.operation}{where}: {self.reason} ({self.detail})"


class Program:
    """An executable graph.

    Attributes
    ----------
    source : Graph
        As recorded.
    graph : Graph
        As optimized; this is what runs.
    stages : list of Stage
    fallbacks : list of Fallback
    is_small : bool
        Whether NumPy runs it, although MXNet was preferred, because it computes little.
    alone : NumpyExecutable or None
        The one function of NumPy's memory that the whole program is, if that is what it is.
    """

    def __init__(self, source: Graph, policy: str, device: Device = HOST) -> None:
        self.source = source
        self.policy = policy
        self.device = device
        self.graph = optimize(source)
        self.is_small = policy == "prefer_mxnet" and device.is_host and is_small(self.graph)
        self.stages, self.fallbacks = _stages(self.graph, "only_numpy" if self.is_small else policy)
        self._executables = [_compile(stage, device) for stage in self.stages]
        self._lock = threading.Lock()
        self.alone = self._alone()
        place = {value: position for position, value in enumerate(self.graph.arguments)}
        self._reads = [place[value] for value in self.stages[0].inputs] if self.alone is not None else []
        # Results that are arguments, or there already, are copied: nobody else may hold a result's memory.
        results = self.graph.results
        first = {value: position for position, value in reversed(list(enumerate(results)))}
        self._is_copied = [value.node is None or first[value] < number for number, value in enumerate(results)]

    @property
    def symbols(self) -> int:
        """How many MXNet symbols a call executes."""
        return sum(stage.backend == "mxnet" for stage in self.stages)

    @property
    def executables(self) -> list[Any]:
        """The compiled stages, in the order they run."""
        return self._executables

    def _alone(self) -> NumpyExecutable | None:
        if len(self.stages) != 1 or self.stages[0].backend != "numpy" or not self.device.is_host:
            return None
        if self.graph.results != list(self.stages[0].outputs):  # repeated, or not computed
            return None
        executable: NumpyExecutable = self._executables[0].executable
        return executable

    def run(self, arguments: Sequence[Buffer], out: Sequence[Buffer | None] | None = None) -> list[Buffer]:
        """Results in the order of `graph.results`; one that `out` gives a buffer for is (usually) written into it."""
        graph = self.graph
        if recorders:
            self._count()
        if self.alone is not None:
            return [*map(Buffer, self.alone.run([arguments[position].array for position in self._reads]))]
        if not self.device.is_host:
            # Numbers and constants come from the host; arrays are there already, or a recording had refused them.
            arguments = [one if is_key(one) else _to_device(one, self.device) for one in arguments]
        known: dict[Value, Buffer] = dict(zip(graph.arguments, arguments))
        wanted = dict(zip(graph.results, out)) if out is not None else {}
        with self._lock:
            for stage, executable in zip(self.stages, self._executables):
                inputs = [known[value] for value in stage.inputs]
                targets = [wanted.get(value) for value in stage.outputs]
                known.update(zip(stage.outputs, executable(inputs, targets)))
        return [self._result(value, known, copied) for value, copied in zip(graph.results, self._is_copied)]

    def _count(self) -> None:
        """Tell those who count what this run executes; constants take no time."""
        by_engine: dict[str, Counter[str]] = {"mxnet": Counter(), "numpy": Counter()}
        for stage in self.stages:
            by_engine[stage.backend].update(node.op.name for node in stage.graph.nodes if node.inputs)
        count_program(by_engine, self.fallbacks)

    def _result(self, value: Value, known: dict[Value, Buffer], copied: bool) -> Buffer:
        buffer = known.get(value)
        if buffer is None:
            assert value.node is not None
            constant = numpy.array(value.node.op.kernel(**value.node.attrs))
            return _to_device(Buffer(constant), self.device)
        if copied:
            return _to_device(Buffer(numpy.array(buffer.array)), buffer.device)
        return buffer


def _to_device(buffer: Buffer, device: Device) -> Buffer:
    if buffer.device == device:
        return buffer
    from dopegraph.backends.mxnet.arrays import to_device

    return to_device(buffer, device)


def is_small(graph: Graph) -> bool:
    """Whether a graph computes so few elements that a symbol costs more to call than NumPy takes for all of it."""
    if any([node.op.name in _SLOW_ON_NUMPY for node in graph.nodes]):
        return False
    return sum([value.type.size for node in graph.nodes for value in node.outputs]) < SMALL and library_is_there()


def library_is_there() -> bool:
    """Whether there is a choice."""
    from dopegraph.backends.mxnet import library

    return library.available()


def _stages(graph: Graph, policy: str) -> tuple[list[Stage], list[Fallback]]:
    if policy == "only_numpy":
        return partition(graph, lambda node: True), []
    from dopegraph.backends.mxnet import library

    if not library.available():
        if policy == "only_mxnet":
            raise FallbackError(f"the policy only_mxnet needs MXNet: {library.why_missing()}")
        _say_once(f"graphs run on NumPy, which is slower: {library.why_missing()}")
        return partition(graph, lambda node: True), []
    from dopegraph.backends.mxnet.lowering import lacking

    fallbacks: list[Fallback] = []

    def on_numpy(node: Node) -> bool:
        found = lacking(node)
        if found is not None:
            fallbacks.append(Fallback(node.op.name, found.reason, found.detail, node.location))
        return found is not None

    stages = partition(graph, on_numpy)
    if fallbacks and policy == "only_mxnet":
        first = fallbacks[0]
        raise FallbackError(
            located(f"only_mxnet: {first.operation} has to run on NumPy: {first.detail}", first.location)
        )
    return stages, fallbacks


@functools.cache
def _say_once(message: str) -> None:
    warnings.warn(message, RuntimeWarning, stacklevel=2)


def _compile(stage: Stage, device: Device) -> Any:
    if stage.backend == "numpy":
        return _NumpyStage(stage.graph, device)
    from dopegraph.backends.mxnet.executable import MXNetExecutable

    return MXNetExecutable(stage.graph, device)


class _NumpyStage:
    """A NumPy executable that takes and gives buffers."""

    def __init__(self, graph: Graph, device: Device) -> None:
        self.executable = NumpyExecutable(graph)
        self.device = device
        # Random keys stay in the host's memory; other arrays may happen to look like one.
        self._stays = [value.node is not None and value.node.op.name == "random_advance" for value in graph.results]

    def __call__(self, inputs: Sequence[Buffer], out: Sequence[Buffer | None]) -> list[Buffer]:
        results = map(Buffer, self.executable.run([buffer.array for buffer in inputs]))
        return [buffer if stays else _to_device(buffer, self.device) for stays, buffer in zip(self._stays, results)]


def compile_graph(graph: Graph, policy: str = "prefer_mxnet", device: Device = HOST) -> Program:
    """Optimize and compile a graph.

    Examples
    --------
    >>> import numpy
    >>> from dopegraph.ir import parse
    >>> program = compile_graph(parse('graph f(%x: f32[2]) { %0: f32[2] = exp(%x) return %0 }'), "only_numpy")
    >>> program.run([Buffer(numpy.zeros(2, "float32"))])[0].array
    array([1., 1.], dtype=float32)
    """
    return Program(graph, policy, device)
