"""The passes in the order they run, until nothing changes. ``DOPEGRAPH_DUMP=dir`` writes the text after each."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from dopegraph.ir.graph import Graph, Node
from dopegraph.ir.printer import graph_name
from dopegraph.passes.batch_matmul import BatchMatmul
from dopegraph.passes.canonicalize import Canonicalize
from dopegraph.passes.common_subexpressions import CommonSubexpressions
from dopegraph.passes.dead_code import DeadCode
from dopegraph.passes.fold import FoldConstants
from dopegraph.passes.pass_ import Pass
from dopegraph.passes.recurrence import Recurrences
from dopegraph.passes.simplify import Simplify

PIPELINE: tuple[Pass, ...] = (
    DeadCode(),
    Canonicalize(),
    FoldConstants(),
    CommonSubexpressions(),
    Simplify(),
    DeadCode(),
)

# What makes equal steps of a loop look alike: what simplification writes twice is merged, too.
BEFORE_LOOPS: tuple[Pass, ...] = (*PIPELINE[:-1], CommonSubexpressions(), DeadCode())

# Every round must pay for itself; real graphs settle in three or four.
ROUNDS = 10

# Fewer nodes are no loop that would be worth it.
LOOPS = 64

_dump_number = itertools.count()


def optimize(graph: Graph, pipeline: tuple[Pass, ...] = PIPELINE) -> Graph:
    """An equivalent graph that does less.

    Examples
    --------
    >>> from dopegraph.ir import parse
    >>> print(optimize(parse('graph f(%x: f32[3]) { %0: f32[3] = neg(%x) %1: f32[3] = neg(%0) return %1 }')))
    graph f(%x: f32[3]) {
      return %x
    }
    """
    graph = graph.copy()
    dump = _Dump(graph)
    dump.write("input", graph)
    _settle(graph, pipeline, dump, ROUNDS)
    return graph


def optimize_loops(graph: Graph, runs: Callable[[Node], bool]) -> Graph:
    """As `optimize`, and loops that Python unrolled become loops again, for a backend that `runs` their nodes.

    The passes go once over the steps, so that equal steps look alike, and then over what is left of them.
    """
    graph = graph.copy()
    dump = _Dump(graph)
    dump.write("input", graph)
    if len(graph.nodes) >= LOOPS:
        _settle(graph, BEFORE_LOOPS, dump, 1)
        _run(Recurrences(runs), graph, dump)
    _settle(graph, PIPELINE, dump, ROUNDS)
    if _run(BatchMatmul(), graph, dump):
        _settle(graph, PIPELINE, dump, ROUNDS)
    return graph


def _settle(graph: Graph, pipeline: tuple[Pass, ...], dump: _Dump, rounds: int) -> None:
    for _ in range(rounds):
        # Every pass runs: a generator would stop at the first change.
        changed = [_run(one, graph, dump) for one in pipeline]
        if not any(changed):
            break


def stages_of_optimization(graph: Graph, pipeline: tuple[Pass, ...] = PIPELINE) -> Iterator[tuple[str, Graph]]:
    """The graph as it was, and copies of it after each pass that changed it, with what to call them.

    Examples
    --------
    >>> from dopegraph.ir import parse
    >>> graph = parse('graph f(%x: f32[3]) { %0: f32[3] = neg(%x) %1: f32[3] = neg(%0) return %1 }')
    >>> [name for name, _ in stages_of_optimization(graph)]
    ['recorded', '1: simplify', '2: dce']
    """
    yield "recorded", graph
    graph, number = graph.copy(), 0
    for _ in range(ROUNDS):
        changed = False
        for one in pipeline:
            if one.run(graph):
                changed, number = True, number + 1
                yield f"{number}: {one.name}", graph.copy()
        if not changed:
            break


def _run(one: Pass, graph: Graph, dump: _Dump) -> bool:
    changed = one.run(graph)
    if changed:
        dump.write(one.name, graph)
    return changed


class _Dump:
    """The files of one graph: ``NUMBER-NAME/STEP-PASS.txt``; nothing unless DOPEGRAPH_DUMP is set."""

    def __init__(self, graph: Graph) -> None:
        self.step = itertools.count()
        folder = os.environ.get("DOPEGRAPH_DUMP")
        self.folder = Path(folder) / f"{next(_dump_number):03}-{graph_name(graph)}" if folder else None

    def write(self, name: str, graph: Graph) -> None:
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / f"{next(self.step):02}-{name}.txt").write_text(f"{graph}\n", encoding="utf-8")
