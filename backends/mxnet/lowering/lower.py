"""Writes a whole graph as one MXNet symbol with the rules of the primitives' families."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy

from dopegraph.backends.mxnet.lowering import (
    convolution,
    creation,
    elementwise,
    floating,
    foreign,
    indexing,
    linalg,
    matmul,
    pooling,
    reduction,
    shape,
    softmax,
)
from dopegraph.backends.mxnet.lowering.context import BOOL, Context, Rule, carried_dtype, carried_shape
from dopegraph.backends.mxnet.lowering.lacking import lacking
from dopegraph.ir.graph import Graph, Value
from dopegraph.ir.printer import value_names
from dopegraph.runtime.errors import BackendError
from dopegraph.runtime.location import located

RULES: dict[str, Rule] = {
    **creation.RULES,
    **elementwise.RULES,
    **floating.RULES,
    **foreign.RULES,
    **reduction.RULES,
    **shape.RULES,
    **indexing.RULES,
    **matmul.RULES,
    **linalg.RULES,
    **softmax.RULES,
    **convolution.RULES,
    **pooling.RULES,
}

UINT8 = numpy.dtype("uint8")

# Pooling's gradient needs what is computed in training mode only. Outside of it oneDNN rearranges the weights of the
# others in place: in the caller's memory, which NumPy reads.
_IN_TRAINING = frozenset(["_backward_Pooling", "Convolution", "Deconvolution", "FullyConnected"])
TARGETS = ("tuned", "portable")


@dataclass(frozen=True)
class LoweredSymbol:
    """A symbol as text, and how to call it.

    Attributes
    ----------
    json : str
    argument_names : tuple of str
        One for each of `graph.arguments`, also for those that the symbol does not read.
    output_names : tuple of str
        One for each of `graph.results`.
    constants : dict of str to numpy.ndarray
        Further arguments, with their values.
    train_mode : bool
        Whether it has operators that have to run in training mode.
    """

    json: str
    argument_names: tuple[str, ...]
    output_names: tuple[str, ...]
    constants: dict[str, numpy.ndarray[Any, Any]]
    train_mode: bool


def lower(graph: Graph, target: str = "tuned") -> LoweredSymbol:
    """Write a graph as an MXNet symbol.

    Parameters
    ----------
    graph : Graph
        Without a node that is :func:`lacking`.
    target : {"tuned", "portable"}
        "tuned" is for execution and may use MXNet's hidden operators; "portable" uses those that every loader of
        symbols knows.

    Raises
    ------
    BackendError
        If a node has no lowering; it names the operation and the user's line.
    """
    if target not in TARGETS:
        raise ValueError(f"lower: the target {target!r} is not one of {', '.join(TARGETS)}")
    c = Context(graph, target)
    names = value_names(graph)
    argument_names = []
    for value in graph.arguments:
        dtype = UINT8 if value.type.dtype == BOOL else value.type.dtype
        # Loaders have to allocate parameters before they have read them.
        known = () if not c.portable else ("shape", "dtype") if value in graph.state else ("dtype",)
        entry = c.writer.argument(names[value][1:], carried_shape(value.shape), dtype, known)
        argument_names.append(entry.node.name)
        # A boolean argument is cast once, where it is first read.
        c.entries[value] = c.cast(entry, carried_dtype(value.type.dtype)) if value in c.users else entry
    for node in graph.nodes:
        found = lacking(node)
        if found is not None and node.inputs:
            raise BackendError(located(f"{node.op.name} cannot run on MXNet: {found.detail}", node.location))
        if node.inputs:
            c.begin(node)
            made = RULES[node.op.name](c, node)
            for value, entry in zip(node.outputs, made if isinstance(made, tuple) else (made,)):
                expected = carried_shape(value.shape), carried_dtype(value.type.dtype)
                if (entry.shape, entry.dtype) != expected:
                    wrong = f"the lowering of {node.op.name} gives {entry}, not {expected}"
                    raise BackendError(located(wrong, node.location))
                c.entries[value] = entry
    heads = [_result(c, value) for value in graph.results]
    for entry in heads:
        c.writer.head(entry, blocked=not c.portable)
    return LoweredSymbol(
        json=c.writer.text(),
        argument_names=tuple(argument_names),
        output_names=tuple(entry.node.name for entry in heads),
        constants=c.constants,
        train_mode=not c.writer.operators.isdisjoint(_IN_TRAINING),
    )


def _result(c: Context, value: Value) -> Any:
    if value.node is not None and not value.node.inputs:
        c.begin(value.node)
    entry = c[value]
    if value.type.dtype != BOOL:
        return entry
    return c.cast(entry, BOOL if c.portable else UINT8)  # the executor's arrays hold booleans as bytes
