"""``compile(f).lower(*args)``: the graph of a call, what would run, and what it costs, without running it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from dopegraph.backends.footprint import footprint
from dopegraph.ir.graph import Graph
from dopegraph.passes import optimize
from dopegraph.passes.memory import MemoryReport, memory_report
from dopegraph.passes.recompute import Recompute
from dopegraph.runtime.config import engines
from dopegraph.runtime.location import located
from dopegraph.show.operations import Operations, operations
from dopegraph.state.static import Static
from dopegraph.trace.look import Escape
from dopegraph.transform.graph_of import record_graph


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
    engines : tuple of str, str and int or None
        What it was lowered for: policy, code generation, and budget of bytes.
    """

    graph: Graph
    optimized: Graph
    breaks: list[Escape]
    engines: tuple[str, str, int | None]

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
        """Bytes of the optimized graph: with an array for every value, as planned, and as the call would run."""
        return replace(memory_report(self.optimized), running=footprint(self.graph, *self.engines))

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


def lower(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    static: Static,
    memory: int | None = None,
) -> Lowered:
    """Record a call and optimize its graph, to a budget of bytes if there is one."""
    recorded = record_graph(function, args, kwargs, static)
    optimized = optimize(recorded.graph)
    if memory is not None:
        Recompute(memory).run(optimized)
    policy, codegen, _ = engines()
    return Lowered(recorded.graph, optimized, recorded.breaks, (policy, codegen, memory))
