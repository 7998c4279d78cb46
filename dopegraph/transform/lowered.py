"""``compile(f).lower(*args)``: the graph of a call, what would run, and what it costs, without running it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dopegraph.ir.graph import Graph, Node
from dopegraph.passes import optimize
from dopegraph.passes.memory import MemoryReport
from dopegraph.runtime.location import located
from dopegraph.state.static import Static
from dopegraph.trace.look import Escape
from dopegraph.transform.graph_of import record_graph

_REDUCTIONS = frozenset(["sum", "prod", "max", "min", "argmax", "argmin", "cumsum", "cumprod", "any", "all"])


@dataclass(frozen=True)
class Operations:
    """What a graph computes.

    Attributes
    ----------
    counts : dict of str to int
        Nodes by primitive, the most frequent first; constants are not counted.
    flops : int
        Arithmetic operations of elementwise nodes, reductions, products of matrices and convolutions; one for each
        element, two for each term of a product.
    bytes : int
        Bytes that nodes read and write, without views.
    uncounted : dict of str to int
        Nodes whose arithmetic `flops` leaves out.
    """

    counts: dict[str, int] = field(default_factory=dict)
    flops: int = 0
    bytes: int = 0
    uncounted: dict[str, int] = field(default_factory=dict)


def operations(graph: Graph) -> Operations:
    """Count what a graph computes."""
    counts: Counter[str] = Counter()
    uncounted: Counter[str] = Counter()
    total = moved = 0
    for node in graph.nodes:
        if not node.inputs:
            continue
        name = node.op.name
        counts[name] += 1
        if node.op.view:
            continue
        moved += sum(value.type.nbytes for value in (*node.inputs, *node.outputs))
        found = _flops(node)
        if found is None:
            uncounted[name] += 1
        else:
            total += found
    return Operations(dict(counts.most_common()), total, moved, dict(uncounted.most_common()))


def _flops(node: Node) -> int | None:
    name, inputs, result = node.op.name, node.inputs, node.outputs[0]
    if node.op.elementwise:
        return result.type.size
    if name in _REDUCTIONS:
        return inputs[0].type.size
    if name == "matmul":
        return 2 * result.type.size * inputs[0].shape[-1]
    if name in ("conv", "conv_grad_data"):  # every element of the (given) result is a sum over the window
        return 2 * (result if name == "conv" else inputs[0]).type.size * math.prod(inputs[1].shape[1:])
    if name == "conv_grad_weight":
        return 2 * inputs[0].type.size * math.prod(node.attrs["shape"][1:])
    return None


@dataclass(frozen=True)
class Lowered:
    """A call of a compiled function that was recorded and not run.

    Attributes
    ----------
    graph : Graph
        As recorded.
    optimized : Graph
        As it would run.
    breaks : list of Escape
        Why such a call would run as Python instead; the graph is then that of the way taken with these arguments.
    """

    graph: Graph
    optimized: Graph
    breaks: list[Escape]

    def symbol_json(self, target: str = "portable") -> str | None:
        """The optimized graph as one MXNet symbol; None where there is none, for the reason `why_no_symbol` gives.

        Parameters
        ----------
        target : {"portable", "tuned"}
            Whether every loader of symbols has to know its operators, or dopegraph's executor only.
        """
        if self.why_no_symbol() is not None:
            return None
        from dopegraph.backends.mxnet.lowering import lower

        return lower(self.optimized, target).json

    def why_no_symbol(self) -> str | None:
        """Why the graph is not one MXNet symbol: MXNet is not there, or has no operator for a node."""
        from dopegraph.backends.mxnet import library

        if not library.available():
            return library.why_missing()
        from dopegraph.backends.mxnet.lowering import lacking

        for node in self.optimized.nodes:
            found = lacking(node)
            if found is not None:
                return located(f"{node.op.name}: {found.detail}", node.location)
        return None

    def memory(self) -> MemoryReport:
        """Bytes of the optimized graph, with an array for every value and as planned."""
        report = self.optimized.memory()
        assert isinstance(report, MemoryReport)
        return report

    def operations(self) -> Operations:
        """What the optimized graph computes: nodes by primitive, arithmetic operations, bytes."""
        return operations(self.optimized)

    def __str__(self) -> str:
        found = self.operations()
        counts = ", ".join(f"{times} {name}" for name, times in found.counts.items())
        left_out = f", without {', '.join(found.uncounted)}" if found.uncounted else ""
        why = self.why_no_symbol()
        lines = [
            str(self.optimized),
            f"nodes: {len(self.graph.nodes)} recorded, {len(self.optimized.nodes)} optimized: {counts or 'none'}",
            f"operations: {found.flops} of arithmetic{left_out}; {found.bytes} bytes read and written",
            f"memory: {self.memory()}",
            "MXNet: one symbol" if why is None else f"MXNet: no symbol: {why}",
        ]
        lines += [located(f"would run as Python, {one.reason}: {one.detail}", one.location) for one in self.breaks]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Lowered {self.graph.name}: {len(self.optimized.nodes)} nodes>"


def lower(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], static: Static) -> Lowered:
    """Record a call and optimize its graph."""
    recorded = record_graph(function, args, kwargs, static)
    return Lowered(recorded.graph, optimize(recorded.graph), recorded.breaks)
