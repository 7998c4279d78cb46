"""What would run each node of a graph, and the C text of its kernel: for pictures, without compiling anything."""

from __future__ import annotations

import re

from dopegraph.backends.codegen.compiler import CompilerError, find_compiler
from dopegraph.backends.codegen.source import Source, write_source
from dopegraph.backends.origins import nodes_of, originals, rewritten
from dopegraph.backends.partition import Stage
from dopegraph.backends.placement import place
from dopegraph.ir.graph import Graph, Node
from dopegraph.passes.kernels import Kernel
from dopegraph.runtime.config import codegen_mode, current_policy
from dopegraph.runtime.errors import FallbackError
from dopegraph.show.picture import Facts


def facts_of(graph: Graph, policy: str | None = None) -> dict[Node, Facts]:
    """For the nodes of an optimized graph the backend that runs them, what computes them there, and its code."""
    found: dict[Node, Facts] = {}
    try:
        stages = place(graph, policy or current_policy(), _mode()).stages
    except FallbackError:
        return {}  # the policy lets nobody run it
    for number, stage in enumerate(stages):
        origin = originals(stage)
        whole = Facts(stage.backend, _STAGES[stage.backend].format(number))
        found.update((original, whole) for copy, original in origin.items() if copy.inputs)
        if stage.backend == "codegen":
            source = write_source(stage.graph)
            for name, code, nodes in kernels_of(stage, source):
                facts = Facts("codegen", name, code)
                found.update((origin[node], facts) for node in nodes if node in origin)
    return found


def _mode() -> str:
    """Whether C is generated: not without a compiler."""
    try:
        find_compiler()
    except CompilerError:
        return "never"
    return codegen_mode()


_FUNCTION = re.compile(r"(?:^/\*[^\n]*\*/\n)?^KERNEL void (\w+)\(.*?^\}", re.MULTILINE | re.DOTALL)
_STAGES = {"numpy": "a function of NumPy calls", "codegen": "a view of the operand", "mxnet": "MXNet symbol {}"}


def kernels_of(stage: Stage, source: Source) -> list[tuple[str, str, dict[Node, float]]]:
    """For each step of generated code its name, its C text, and the stage's nodes that it computes with their costs."""
    origin, functions = rewritten(stage.graph, source.graph), functions_of(source.text)
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
        found.append((name, functions.get(function, ""), weights))
    return found


def called(node: Node) -> str:
    """What to call a node that is computed alone."""
    return f"{node.op.name} {', '.join(str(value.type) for value in node.outputs)}"


def functions_of(text: str) -> dict[str, str]:
    """The C text of each kernel of a generated file, by name."""
    return {found.group(1): found.group() for found in _FUNCTION.finditer(text)}
