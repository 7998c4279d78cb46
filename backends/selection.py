"""Which optimized graph of a recorded one will run: with loops that Python unrolled where generated code runs them."""

from __future__ import annotations

from dataclasses import dataclass

from dopegraph.backends.codegen import support
from dopegraph.backends.placement import is_small, place, weighs_calls
from dopegraph.ir.graph import Graph
from dopegraph.passes.pipeline import optimize, optimize_loops
from dopegraph.passes.recompute import Recompute


@dataclass(frozen=True)
class Selection:
    """An optimized graph, the ``codegen`` mode that its nodes are placed with, and whether it may have loops."""

    graph: Graph
    codegen: str
    has_loops: bool = False


def select(source: Graph, policy: str, codegen: str, budget: int | None = None, lasting: bool = False) -> Selection:
    """The graph of a program.

    Parameters
    ----------
    source : Graph
        As recorded.
    policy : str
    codegen : {"auto", "always", "never"}
    budget : int, optional
        Bytes that the plan shall need at most.
    lasting : bool
        Whether the program will run so often that generated code pays for small graphs, too.
    """
    # A loop keeps what its steps hand to the derivatives; a budget, and a checkpoint, want that computed again.
    spares = budget is not None or any([node.op.name == "barrier" for node in source.nodes])
    may_save = lasting and codegen == "auto" and weighs_calls() and support.may_save(source.nodes)
    has_loops = codegen == "always" or (codegen == "auto" and (may_save or not is_small(source)))
    has_loops = has_loops and not spares
    graph = optimize_loops(source, support.runs) if has_loops else optimize(source)
    if may_save and support.saves(graph.nodes):
        codegen = "always"
    elif has_loops and ((codegen == "auto" and is_small(source)) or not _runs_loops(graph, policy, codegen)):
        graph = optimize(source)
    if budget is not None:
        Recompute(budget).run(graph)
    return Selection(graph, codegen, has_loops)


def _runs_loops(graph: Graph, policy: str, codegen: str) -> bool:
    """Whether generated code runs all loops that were found: nothing else does, and small stages have none."""
    if not any([node.op.name == "recurrence" for node in graph.nodes]):
        return True
    others = [stage.graph.nodes for stage in place(graph, policy, codegen).stages if stage.backend != "codegen"]
    return not any([node.op.name == "recurrence" for nodes in others for node in nodes])
