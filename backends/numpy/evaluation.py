"""A graph node by node with the NumPy kernels: where an error has to be NumPy's, with the user's line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from dopegraph.ir.graph import Graph, Value
from dopegraph.runtime.location import located


def evaluate(graph: Graph, arguments: Sequence[Any], cause: Exception | None = None) -> dict[Value, Any]:
    """All values of a graph, by the NumPy kernels one after another; an error carries the user's line, and `cause`."""
    values: dict[Value, Any] = dict(zip(graph.arguments, arguments))
    with numpy.errstate(all="ignore"):
        for node in graph.nodes:
            try:
                computed = node.op.kernel(*(values[value] for value in node.inputs), **node.attrs)
            except (IndexError, ValueError, TypeError, ArithmeticError, numpy.linalg.LinAlgError) as error:
                message = located(f"{node.op.name}: {error}", node.location)
                raise type(error)(message) from (cause if cause is not None else error)
            values.update(zip(node.outputs, computed if isinstance(computed, tuple) else (computed,)))
    return values
