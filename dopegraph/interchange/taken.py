"""A function as it is taken away: its graph, what its arrays hold, and an example with its results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy

from dopegraph.array import ndarray, owned
from dopegraph.backends.numpy.executable import NumpyExecutable
from dopegraph.ir.graph import Graph, Value
from dopegraph.ir.printer import value_names
from dopegraph.passes import optimize
from dopegraph.runtime.errors import DopegraphError
from dopegraph.trace.tree import flatten
from dopegraph.transform.graph_of import record_graph


@dataclass(frozen=True)
class Taken:
    """A recorded function.

    Attributes
    ----------
    graph : Graph
    inputs, state : list of numpy.ndarray
        What stands at `graph.inputs` and `graph.state`.
    """

    graph: Graph
    inputs: list[Any]
    state: list[Any]

    @property
    def names(self) -> dict[Value, str]:
        """For each input and state the name that it has in files: letters, digits and underscores."""
        return {value: name[1:] for value, name in value_names(self.graph).items() if value.node is None}

    def results(self) -> list[Any]:
        """The results for the example, by the NumPy kernels."""
        arguments = [numpy.array(one) for one in (*self.inputs, *self.state)]
        return list(NumpyExecutable(self.graph).run(arguments))

    def without_updates(self) -> Taken:
        """The function as far as its outputs go."""
        graph = self.graph.copy()
        graph.updates = []
        slim = graph.copy()
        read = set(slim.uses()) | set(slim.outputs)
        kept = [value in read for value in slim.state]
        slim.state = [value for value, keep in zip(slim.state, kept) if keep]
        return Taken(slim, self.inputs, [array for array, keep in zip(self.state, kept) if keep])


def take(function: Callable[..., Any], args: tuple[Any, ...], updates: bool, optimized: bool = True) -> Taken:
    """Record a function; without `updates` only what its outputs need; as it would run, or as it was written."""
    recorded = record_graph(function, args, {})
    taken = Taken(recorded.graph, recorded.inputs, recorded.state)
    taken = taken if updates else taken.without_updates()
    return Taken(optimize(taken.graph), taken.inputs, taken.state) if optimized else taken


def with_batches(
    function: Callable[..., Any], args: tuple[Any, ...], updates: bool, taken: Taken
) -> tuple[Taken, Taken] | None:
    """The function recorded with two other lengths of axis 0 of its array arguments; None where that fails.

    The lengths are none that the graph has, so that whatever differs between the two is the batch.
    """
    leaves, structure = flatten(list(args))
    arrays = [leaf for _, leaf in leaves if isinstance(leaf, (ndarray, numpy.ndarray)) and leaf.ndim]
    if not arrays:
        return None
    batch = arrays[0].shape[0]
    used = {length for node in taken.graph.nodes for value in node.outputs for length in value.shape}
    used |= {length for value in taken.graph.arguments for length in value.shape}
    free = iter(length for length in range(max(batch, 2) + 1, max(batch, 2) + 2 + len(used) + 2) if length not in used)
    found = []
    try:
        for length in (next(free), next(free)):
            resized = [_resized(leaf, batch, length) for _, leaf in leaves]
            found.append(take(function, tuple(structure.build(resized)), updates))
    except (DopegraphError, ValueError, TypeError, ArithmeticError, LookupError, StopIteration):
        return None
    return found[0], found[1]


def _resized(leaf: Any, batch: int, length: int) -> Any:
    if not isinstance(leaf, (ndarray, numpy.ndarray)) or not leaf.ndim or leaf.shape[0] != batch:
        return leaf
    elements = leaf.asnumpy() if isinstance(leaf, ndarray) else leaf
    repeated = (
        numpy.resize(elements, (length, *leaf.shape[1:]))
        if elements.size
        else numpy.zeros((length, *leaf.shape[1:]), leaf.dtype)
    )
    return repeated if isinstance(leaf, numpy.ndarray) else owned(repeated)
