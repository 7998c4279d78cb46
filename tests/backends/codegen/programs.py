"""What the tests of generated code share: graphs put together, compiled, and run beside the NumPy kernels."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy
import pytest

import dopegraph.ops  # noqa: F401  (declares the primitives)
from dopegraph.backends.codegen.compiler import CompilerError, find_compiler
from dopegraph.backends.codegen.executable import CodegenExecutable
from dopegraph.ir import Builder, Graph, TensorType, Value, primitives
from dopegraph.ir.graph import extract
from dopegraph.runtime.buffer import Buffer
from tests.reference import evaluate


@functools.cache
def has_compiler() -> bool:
    try:
        find_compiler()
    except CompilerError:
        return False
    return True


needs_compiler = pytest.mark.skipif(not has_compiler(), reason="there is no C compiler")


class Sheet:
    """A graph of many independent nodes, so that one compilation tests them all."""

    def __init__(self) -> None:
        self.builder = Builder()
        self.inputs: list[Value] = []
        self.arrays: list[Any] = []
        self.outputs: list[Value] = []
        self.labels: list[str] = []

    def input(self, array: Any) -> Value:
        array = numpy.asarray(array)
        self.arrays.append(array)
        self.inputs.append(self.builder.input(TensorType(array.dtype, array.shape), f"x{len(self.inputs)}"))
        return self.inputs[-1]

    def add(self, name: str, *operands: Any, label: str = "", **attrs: Any) -> Value:
        """A node whose result is one of the graph's; operands are arrays or values."""
        values = [one if isinstance(one, Value) else self.input(one) for one in operands]
        node = self.builder.emit_node(primitives[name], values, attrs)
        self.outputs.append(node.output)
        self.labels.append(label or f"{name}({', '.join(str(value.type) for value in values)}) {attrs or ''}")
        return node.output

    @property
    def graph(self) -> Graph:
        return extract("sheet", self.builder.nodes, self.inputs, (), self.outputs)

    def run(self) -> list[tuple[str, Any, Any]]:
        """For each result its label, what generated code gives, and what the NumPy kernels give."""
        found, wanted = both(self.graph, self.arrays)
        return list(zip(self.labels, found, wanted))


def both(graph: Graph, arrays: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """The results of generated code, and of the NumPy kernels."""
    executable = CodegenExecutable(graph)
    found = executable([Buffer(array) for array in arrays], [None] * len(graph.results))
    return [buffer.array for buffer in found], evaluate(graph, arrays)


def ulps(found: Any, wanted: Any) -> float:
    """How many units in the last place two arrays of floats differ at most; infinite where NaN or infinities do."""
    same = (found == wanted) | (numpy.isnan(found) & numpy.isnan(wanted))
    if same.all():
        return 0.0
    with numpy.errstate(all="ignore"):
        distance = numpy.abs(found[~same] - wanted[~same]) / numpy.spacing(numpy.abs(wanted[~same]))
    return float(numpy.max(numpy.where(numpy.isnan(distance), numpy.inf, distance)))
