"""How many bytes a graph needs as it would run, with generated kernels where there would be some."""

from __future__ import annotations

from dopegraph.backends.codegen.compiler import CompilerError, find_compiler
from dopegraph.backends.codegen.source import write_source
from dopegraph.backends.partition import Stage
from dopegraph.backends.placement import place
from dopegraph.backends.selection import select
from dopegraph.ir.graph import Graph
from dopegraph.passes.memory import memory_report


def footprint(source: Graph, policy: str, codegen: str, budget: int | None = None) -> int:
    """Bytes of arguments, results and everything between, for a recorded graph of a function that was compiled.

    Parameters
    ----------
    source : Graph
    policy, codegen, budget
        As `dopegraph.backends.selection.select` takes them.

    Notes
    -----
    Kernels keep what lies between them for the next call. Where several stages run, one after the other, the memory of
    all of them is counted, so that it is a bound.
    """
    if policy != "prefer_mxnet" or not _compiles():
        codegen = "never"
    selected = select(source, policy, codegen, budget, lasting=True)
    arguments = sum(value.type.nbytes for value in selected.graph.arguments)
    return arguments + sum(map(_besides, place(selected.graph, policy, selected.codegen).stages))


def _compiles() -> bool:
    try:
        find_compiler()
    except CompilerError:
        return False
    return True


def _besides(stage: Stage) -> int:
    """What a stage needs besides its arguments."""
    if stage.backend == "codegen":
        return write_source(stage.graph).workspace + sum(value.type.nbytes for value in stage.graph.results)
    report = memory_report(stage.graph)
    return report.planned - report.arguments
