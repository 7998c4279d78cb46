"""What would run each node of a graph, and the C text of its kernel: for pictures, without compiling anything."""

from __future__ import annotations

import re

from dopegraph.backends.codegen.source import Source, write_source
from dopegraph.backends.origins import nodes_of, originals, rewritten
from dopegraph.backends.partition import Stage
from dopegraph.backends.placement import place
from dopegraph.ir.graph import Graph, Node
from dopegraph.passes.kernels import Kernel
from dopegraph.runtime.config import codegen_mode, current_policy
from dopegraph.show.picture import Facts


def facts_of(graph: Graph, policy: str | None = None) -> dict[Node, Facts]:
    """For the nodes of an optimized graph the backend that runs them, what computes them there, and its code."""
    found: dict[Node, Facts] = {}
    for number, stage in enumerate(place(graph, policy or current_policy(), codegen_mode()).stages):
        origin = originals(stage)
        whole = Facts(stage.backend, _STAGES[stage.backend].format(number))
        found.update((original, whole) for copy, original in origin.items() if copy.inputs)
        if stage.backend == "codegen":
            source = write_source(stage.graph)
            for name, code, nodes in kernels_of(stage, source):
                facts = Facts("codegen", name, code)
                found.update((origin[node], facts) for node in nodes if node in origin)
    return found


_STAGES = {"numpy": "a function of NumPy calls", "codegen": "a view of the operand", "mxnet": "MXNet symbol {}"}


def kernels_of(stage: Stage, source: Source) -> list[tuple[str, str, dict[Node, float]]]:
    """For each step of generated code its name, its C text, and the stage's nodes that it computes with their costs."""
    origin = rewritten(stage.graph, source.graph)
    found = []
    names = {call.step: call.statement for call in source.calls}  # the last one of a step: checks come first
    for number, step in enumerate(source.fusion.steps):
        statement = names.get(number, "")
        weights: dict[Node, float] = {}
        for node, weight in nodes_of(step).items():
            at = origin.get(node)
            if at is not None:
                weights[at] = weights.get(at, 0.0) + weight
        function = statement.partition("(")[0].strip()
        name = f"{function}: {' '.join(step.names) or 'copy'}" if isinstance(step, Kernel) else called(step)
        found.append((name, code_of(source.text, function), weights))
    return found


def called(node: Node) -> str:
    """What to call a node that is computed alone."""
    return f"{node.op.name} {', '.join(str(value.type) for value in node.outputs)}"


def code_of(text: str, function: str) -> str:
    """The C text of a function of a generated file; empty if it has none of that name."""
    if not re.fullmatch(r"\w+", function):
        return ""
    found = re.search(rf"(?:^/\*[^\n]*\*/\n)?^KERNEL void {function}\(.*?^\}}", text, re.MULTILINE | re.DOTALL)
    return found.group() if found else ""
