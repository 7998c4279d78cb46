"""Which nodes generated code can run, and which graphs are worth a compilation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dopegraph.backends.codegen import blas
from dopegraph.backends.codegen.convolution_forms import is_convolution, operations
from dopegraph.backends.codegen.expressions import C_TYPES, supports
from dopegraph.backends.codegen.fourier import is_complex
from dopegraph.backends.codegen.pooling import is_pooling
from dopegraph.backends.codegen.positions import runs_loops
from dopegraph.backends.codegen.random_numbers import draws
from dopegraph.backends.codegen.suppression import suppresses
from dopegraph.backends.codegen.systems import LARGEST, is_system
from dopegraph.ir.graph import Node
from dopegraph.ir.types import SHORT_NAMES
from dopegraph.ops.recurrence import body_of
from dopegraph.passes.cells import COSTS, REDUCTIONS, SOURCES
from dopegraph.passes.fuse import ASSEMBLED, is_view

_DTYPES = {SHORT_NAMES[name] for name in C_TYPES}
_STRUCTURE = {*SOURCES, *ASSEMBLED, *REDUCTIONS, "constant", "unslice", "softmax", "log_softmax", "one_hot", "take"}

# Those that functions of their own run.
_WRITTEN = (runs_loops, is_convolution, is_pooling, is_system, suppresses, draws)

# A graph is compiled when one run of it is at least as much work as so many additions: about 10 microseconds of
# NumPy's time, so that a compilation of a fifth of a second pays after some ten thousand runs at the latest.
WORTH = 1 << 15

# A stage more costs some microseconds: parts that are less work stay with the stages around them.
ISLAND = 1 << 14


# What a node costs NumPy, however few elements it has, in such additions: 0.8 microseconds. In C it costs nothing.
CALL = 2560


def runs(node: Node) -> bool:
    """Whether generated code can run a node."""
    if node.op.name == "recurrence":
        return all(runs(one) and not is_complex(one) for one in body_of(node.attrs["body"]).nodes)
    if is_complex(node):
        return True
    if len(node.outputs) != 1 or any(value.type.dtype not in _DTYPES for value in (*node.inputs, *node.outputs)):
        return False
    name = node.op.name
    if name == "matmul":
        return node.output.type.dtype.kind == "f" and blas.library() is not None
    if name in _STRUCTURE or is_view(node) or any(test(node) for test in _WRITTEN):
        return True
    return node.op.elementwise and supports(node)


# Those that a kernel runs in several calls, or in one that takes several microseconds.
CALLS = {"softmax": 5, "log_softmax": 6, **dict.fromkeys(LARGEST, 6)}

# A graph of a function that somebody compiled, to call it often, may do less: so many calls of NumPy.
FEW = 2


def may_save(nodes: Sequence[Node]) -> bool:
    """Whether `saves` may say yes once the graph is optimized, which makes it shorter."""
    return len(nodes) >= FEW


def saves(nodes: Iterable[Node]) -> bool:
    """Whether generated code can run all of these nodes, whose calls of NumPy would cost more than a compilation."""
    kept = [node for node in nodes if node.inputs]
    return all(map(runs, kept)) and work(kept) + CALL * _calls(kept) >= FEW * CALL


def _calls(nodes: Iterable[Node]) -> int:
    """How many calls of NumPy nodes are; those of a loop once for every step."""
    return sum(
        node.attrs["length"] * _calls(body_of(node.attrs["body"]).nodes)
        if node.op.name == "recurrence"
        else CALLS.get(node.op.name, 6 if node.op.random else 1)
        for node in nodes
        if node.inputs
    )


def _others(node: Node) -> int:
    """What an element costs where `COSTS` does not say."""
    if is_complex(node):
        return 12 if "fft" in node.op.name else 4
    return 4 if is_pooling(node) or node.op.random else 1


def work(nodes: Iterable[Node]) -> int:
    """What nodes cost, in additions of one element each; views are not counted."""
    total = 0
    for node in nodes:
        if node.op.name == "recurrence":
            total += node.attrs["length"] * work(body_of(node.attrs["body"]).nodes)
        elif is_convolution(node):
            total += operations(node) // 32
        elif node.op.name == "matmul":
            total += node.output.type.size * node.inputs[0].shape[-2 if node.attrs["transpose_x"] else -1] // 16
        elif node.inputs and not is_view(node):
            elements = max(value.type.size for value in (*node.inputs, *node.outputs))
            total += elements * COSTS.get(node.op.name, _others(node))
    return total
