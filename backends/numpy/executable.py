"""Turns a graph into one Python function of NumPy calls that writes into planned buffers, and runs it."""

from __future__ import annotations

import contextvars
import functools
import keyword
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy

from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.ir.primitive import primitives
from dopegraph.ir.printer import graph_name, same_attribute, value_names
from dopegraph.ir.types import short_name
from dopegraph.passes.memory import MemoryPlan, is_number, last_uses, plan_memory, storage_of

# Memory that a kernel made is given back after its last use when it is at least so large; a name costs 20 ns to clear.
LARGE = 1 << 16


class NumpyExecutable:
    """A compiled graph. `source` is the Python it runs.

    Attributes
    ----------
    owners : list of Node
        For each line of `source` between the first and the last the node that it is a part of.
    function : callable
        Takes and gives NumPy arrays. Call it as `run` does, holding `lock`, by `quietly`, which keeps NumPy's warnings
        away.

    Examples
    --------
    >>> import numpy
    >>> from dopegraph.ir import parse
    >>> f = NumpyExecutable(parse('graph f(%x: f32[2]) { %0: f32[2] = tanh(%x) %1: f32[2] = exp(%0) return %1 }'))
    >>> print(f.source)
    def f(x):
        fresh0 = empty((2,), dtype_f32)
        v0 = tanh(x, out=fresh0)
        v1 = exp(v0, out=fresh0)
        return v1,
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.plan = plan_memory(graph)
        writer = _Writer(graph, self.plan)
        self.source, self.owners = writer.source, writer.owners
        namespace = dict(writer.constants)
        exec(compile(self.source, f"<dopegraph numpy {graph.name}>", "exec"), namespace)
        self.function: Callable[..., tuple[numpy.ndarray, ...]] = namespace[writer.function]
        self.lock = threading.Lock()  # two threads must not share the planned buffers at one time
        self.quietly = _quiet()

    def run(self, arguments: Sequence[numpy.ndarray]) -> tuple[numpy.ndarray, ...]:
        """Results for arguments, in the order of `graph.results`; never views of arguments or of each other."""
        with self.lock:
            results: tuple[numpy.ndarray, ...] = self.quietly(self.function, *arguments)
            return results


class _Writer:
    """Writes the Python text and gathers the kernels and buffers it names."""

    def __init__(self, graph: Graph, plan: MemoryPlan) -> None:
        self.plan = plan
        self.constants: dict[str, Any] = {"empty": numpy.empty, "copy": _fresh, "asarray": numpy.asarray}
        self.names = {value: _python_name(name) for value, name in value_names(graph).items()}
        self.function = _python_name(f"%{graph_name(graph)}")
        self.lines: list[str] = []
        self.buffers = 0
        self.arena = [
            None if slot.result or slot.fresh else numpy.empty(slot.nbytes, numpy.uint8) for slot in plan.slots
        ]
        self.written: dict[int, Value] = {}
        self.last = last_uses(graph)
        self.large: dict[Value, list[str]] = {}
        self.owners: list[Node] = []
        for position, node in enumerate(graph.nodes):
            self.node(node)
            self.forget(node, position)
            self.owners += [node] * (len(self.lines) - len(self.owners))
        self.holders = Counter(map(storage_of, graph.results))
        results = [self.result(value) for value in graph.results]
        parameters = ", ".join(self.names[value] for value in graph.arguments)
        body = [*self.lines, f"return {', '.join(results)}{',' if results else '()'}"]
        self.source = f"def {self.function}({parameters}):\n" + "\n".join(f"    {line}" for line in body)

    def node(self, node: Node) -> None:
        name = self.names[node.outputs[0]]
        value = node.outputs[0]
        if is_number(value):
            self.constants[name] = node.op.kernel(**node.attrs)
            return
        arguments = [self.names[operand] for operand in node.inputs]
        for key, attribute in node.attrs.items():
            if key not in node.op.defaults or not same_attribute(attribute, node.op.defaults[key]):
                arguments.append(f"{key}={self.attribute(f'{name}_{key}', attribute)}")
        if node.op.out and value in self.plan.slot_of:
            arguments.append(f"out={self.buffer(value)}")
        self.constants[node.op.name] = node.op.kernel
        names = ", ".join(self.names[output] for output in node.outputs)
        self.lines.append(f"{names} = {node.op.name}({', '.join(arguments)})")

    def forget(self, node: Node, position: int) -> None:
        """Clear the names of large memory that the kernel made and nobody reads any more."""
        for value in node.outputs:
            storage = storage_of(value)
            slot = self.plan.slot_of.get(storage)
            if slot is not None and self.plan.slots[slot].fresh and storage.type.nbytes >= LARGE:
                self.large.setdefault(storage, []).append(self.names[value])
        ended = [storage for storage in self.large if self.last.get(storage, position) == position]
        names = [name for storage in ended for name in self.large.pop(storage)]
        if names:
            self.lines.append(f"del {', '.join(names)}")

    def attribute(self, name: str, attribute: Any) -> str:
        if isinstance(attribute, (int, str, bool, type(None))) or (
            isinstance(attribute, tuple) and all(isinstance(item, int) for item in attribute)
        ):
            return repr(attribute)
        self.constants[name] = attribute
        return name

    def buffer(self, value: Value) -> str:
        """The name of a typed array over the value's slot, allocated anew in each call when it leaves with the caller.

        Values of other types that use a result's memory before it get memory of their own.
        """
        slot = self.plan.slot_of[value]
        holder = self.written.get(slot)
        if holder is not None and holder.type == value.type:
            return self.names[holder] if not self.plan.slots[slot].result else f"fresh{slot}"
        self.written[slot] = value
        memory = self.arena[slot]
        if memory is None:
            dtype = self.attribute(f"dtype_{short_name(value.type.dtype)}", value.type.dtype)
            self.lines.append(f"fresh{slot} = empty({value.shape!r}, {dtype})")
            return f"fresh{slot}"
        name = f"out{self.buffers}"
        self.buffers += 1
        self.constants[name] = memory[: value.type.nbytes].view(value.type.dtype).reshape(value.shape)
        return name

    def result(self, value: Value) -> str:
        """A result must own its memory: views, arguments and constants are copied."""
        name = self.names[value]
        storage = storage_of(value)
        shared = self.holders[storage] > 1
        owned = value is storage and value.node is not None and not is_number(value) and not shared
        if not owned:
            return f"copy({name})"
        return name if value.shape else f"asarray({name})"  # NumPy gives scalars for 0-d results


def _quiet() -> Callable[..., Any]:
    """Calls a function without NumPy's warnings; may only be used by one thread at a time."""
    if not _error_state_is_contextual():
        return numpy.errstate(all="ignore")(_called)
    context = contextvars.Context()
    context.run(numpy.seterr, all="ignore")
    return context.run  # costs a tenth of entering ``errstate``


@functools.cache
def _error_state_is_contextual() -> bool:
    """Whether NumPy keeps the error state in a context variable, as it does since version 2."""
    before = numpy.geterr()
    contextvars.copy_context().run(numpy.seterr, all="raise" if before["under"] == "ignore" else "ignore")
    contextual: bool = numpy.geterr() == before
    numpy.seterr(**before)
    return contextual


def _called(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


def _fresh(array: Any) -> Any:
    return numpy.array(array, order="C")


def _python_name(name: str) -> str:
    """Results of nodes are v0, v1, ...; others keep their names unless Python, a kernel or a buffer has them."""
    bare = name[1:]
    if bare.isdigit():
        return f"v{bare}"
    taken = keyword.iskeyword(bare) or bare in primitives or bare in ("empty", "copy", "asarray")
    return f"in_{bare}" if taken or bare.startswith(("v", "out", "fresh", "dtype", "in_")) else bare
