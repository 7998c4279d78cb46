"""A compiled graph: optimized, split into stages, each compiled by its backend; calling it runs the stages in order."""

from __future__ import annotations

import dataclasses
import functools
import threading
import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy

from dopegraph.backends.codegen.compiler import CompilerError
from dopegraph.backends.codegen.executable import CodegenExecutable
from dopegraph.backends.numpy.executable import NumpyExecutable
from dopegraph.backends.partition import Stage
from dopegraph.backends.placement import Fallback, place
from dopegraph.backends.selection import select
from dopegraph.ir.graph import Graph, Value
from dopegraph.ops.random import is_key
from dopegraph.passes.pipeline import optimize
from dopegraph.runtime.buffer import HOST, Buffer
from dopegraph.runtime.collection import fewer_collections
from dopegraph.runtime.config import codegen_mode, memory_budget
from dopegraph.runtime.device import Device
from dopegraph.runtime.errors import SymbolError
from dopegraph.runtime.profiling import mine
from dopegraph.runtime.statistics import ENGINES, count_program, recorders


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
        Nodes that NumPy runs although MXNet was preferred.
    unfused : Fallback or None
        Why no kernels were generated although they would have paid.
    is_small : bool
        Whether NumPy runs it, although MXNet was preferred, because it computes little.
    alone : NumpyExecutable or None
        The one function of NumPy's memory that the whole program is, if that is what it is.
    kernels : CodegenExecutable or None
        The one C function that the whole program is, if that is what it is.
    """

    def __init__(self, source: Graph, policy: str, device: Device = HOST, lasting: bool = False) -> None:
        self.source = source
        self.policy = policy
        self.device = device
        budget = memory_budget()
        self.unfused: Fallback | None = None
        codegen = codegen_mode() if device.is_host and policy == "prefer_mxnet" else "never"
        selected = select(source, policy, codegen, budget, lasting)
        self.graph = selected.graph
        try:
            self._prepare(selected.codegen)
        except CompilerError as cause:
            _say_once(f"graphs run operator by operator, which is slower: {cause}")
            self.unfused = Fallback("kernels", cause.reason, str(cause), None)
            if selected.has_loops:
                self.graph = optimize(source)
            self._prepare("never")
        self._lock = threading.Lock()
        self.alone = self._alone()
        self.kernels: CodegenExecutable | None = self._executables[0] if self._is_one_stage("codegen") else None
        positions = {value: position for position, value in enumerate(self.graph.arguments)}
        whole = self.alone is not None or self.kernels is not None
        self._reads = [positions[value] for value in self.stages[0].inputs] if whole else []
        # Results that are arguments, or there already, are copied: nobody else may hold a result's memory.
        results = self.graph.results
        first = {value: position for position, value in reversed(list(enumerate(results)))}
        self._is_copied = [value.node is None or first[value] < number for number, value in enumerate(results)]
        self._nowhere = [None] * len(results)

    def _prepare(self, codegen: str) -> None:
        """Split the graph and compile its parts."""
        placed = place(self.graph, self.policy, codegen, self.device.is_host)
        if placed.warning:
            _say_once(placed.warning)
        self.stages, self.fallbacks, self.is_small = placed.stages, placed.fallbacks, placed.is_small
        self._executables = [self._compiled(place) for place in range(len(self.stages))]

    def _compiled(self, place: int) -> Any:
        """The executable of a stage; NumPy's where MXNet fails to put together what it has all operators for."""
        stage = self.stages[place]
        try:
            return _compile(stage, self.device)
        except SymbolError as cause:
            if self.policy == "only_mxnet" or not self.device.is_host:
                raise
            self.stages[place] = stage = dataclasses.replace(stage, backend="numpy")
            node = stage.graph.nodes[-1]
            self.fallbacks.append(Fallback("symbol", "refused-symbol", str(cause), node.location))
            return _compile(stage, self.device)

    @property
    def symbols(self) -> int:
        """How many MXNet symbols a call executes."""
        return sum(stage.backend == "mxnet" for stage in self.stages)

    @property
    def executables(self) -> list[Any]:
        """The compiled stages, in the order they run."""
        return self._executables

    def _alone(self) -> NumpyExecutable | None:
        executable: NumpyExecutable | None = self._executables[0].executable if self._is_one_stage("numpy") else None
        return executable

    def _is_one_stage(self, backend: str) -> bool:
        if len(self.stages) != 1 or self.stages[0].backend != backend or not self.device.is_host:
            return False
        return self.graph.results == list(self.stages[0].outputs)  # none is repeated, or not computed

    def run(self, arguments: Sequence[Buffer], out: Sequence[Buffer | None] | None = None) -> list[Buffer]:
        """Results in the order of `graph.results`; one that `out` gives a buffer for is (usually) written into it."""
        graph = self.graph
        if recorders:
            self._count()
            profiler = mine()
            if profiler is not None:
                return profiler.run(self, arguments, out)
        if self.alone is not None:
            return [*map(Buffer, self.alone.run([arguments[position].array for position in self._reads]))]
        if self.kernels is not None:
            found: list[Buffer] = self.kernels([arguments[position] for position in self._reads], out or self._nowhere)
            return found
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
        by_engine: dict[str, Counter[str]] = {engine: Counter() for engine in ENGINES}
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


@functools.cache
def _say_once(message: str) -> None:
    warnings.warn(message, RuntimeWarning, stacklevel=2)


def _compile(stage: Stage, device: Device) -> Any:
    if stage.backend == "numpy":
        return _NumpyStage(stage.graph, device)
    if stage.backend == "codegen":
        return CodegenExecutable(stage.graph)
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


def compile_graph(graph: Graph, policy: str = "prefer_mxnet", device: Device = HOST, lasting: bool = False) -> Program:
    """Optimize and compile a graph; a `lasting` program will run so often that generated code pays for small ones, too.

    Examples
    --------
    >>> import numpy
    >>> from dopegraph.ir import parse
    >>> program = compile_graph(parse('graph f(%x: f32[2]) { %0: f32[2] = exp(%x) return %0 }'), "only_numpy")
    >>> program.run([Buffer(numpy.zeros(2, "float32"))])[0].array
    array([1., 1.], dtype=float32)
    """
    with fewer_collections:
        return Program(graph, policy, device, lasting)
