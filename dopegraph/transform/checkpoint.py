"""``checkpoint``: derivatives that compute the inside of a function again instead of keeping it.

Chen et al., Training Deep Nets with Sublinear Memory Cost (2016); Griewank and Walther, Algorithm 799: revolve (2000).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from dopegraph.autodiff import close_region, inline, needed, pullback, reads
from dopegraph.ir.builder import Builder
from dopegraph.ir.graph import Node, Value
from dopegraph.ops import barrier
from dopegraph.trace.active import active_recording
from dopegraph.trace.recording import Recording


def checkpoint(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, of which derivatives keep only arguments and results; also as a decorator.

    What is in between is computed once more, with the same random numbers, when the derivative needs it: less memory
    for more time. Cut a chain of n equal parts into groups of about the square root of n.

    Parameters
    ----------
    function : callable
        Any function; Python runs it once.

    Returns
    -------
    callable
        Its values and derivatives of all orders are the function's.

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np
    >>> block = dopegraph.checkpoint(lambda x: np.sin(np.sin(np.sin(x))))
    >>> dopegraph.grad(lambda x: block(block(x)))(0.0)
    array(1., dtype=float32)
    """

    @functools.wraps(function)
    def recomputed(*args: Any, **kwargs: Any) -> Any:
        recording = active_recording()
        if recording is None or not recording.differentiating:
            return function(*args, **kwargs)
        start = len(recording.builder.nodes)
        result = function(*args, **kwargs)
        _close(recording, start)
        return result

    return recomputed


def _close(recording: Recording, start: int) -> None:
    """Make a region of the nodes from `start` on: every array that lives on leaves through its end."""
    builder = recording.builder
    nodes = builder.nodes[start:]
    made = {value for node in nodes for value in node.outputs if value.type.is_float}
    handles = [handle for handle in recording.live_handles() if handle._value in made]
    results = list(dict.fromkeys(handle._value for handle in handles))
    if not results:
        return
    inside = _Inside(builder, nodes, results)
    inputs = [value for value in inside.read if value.type.is_float]
    outputs = dict(zip(results, close_region(builder, inputs, results, inside.read, inside.rule)))
    for handle in handles:
        handle._assign(outputs[handle._value], recording)


class _Inside:
    """The nodes of a region, to be computed again."""

    def __init__(self, builder: Builder, nodes: Sequence[Node], results: Sequence[Value]) -> None:
        self.nodes = needed(nodes, results, builder.regions)
        self.regions = {node: builder.regions[node] for node in self.nodes if node in builder.regions}
        self.read = reads(self.nodes, results, self.regions)
        self.results = results

    def rule(
        self, builder: Builder, residuals: Sequence[Value], cotangents: Sequence[Value | None]
    ) -> list[Value | None]:
        """The gradient rule: from the values that were read, through a barrier, to the results, and back."""
        with builder:
            values = dict(zip(self.read, map(_behind_barrier, residuals)))
        wrt = [values[value] for value in self.read if value.type.is_float]
        start = len(builder.nodes)
        inline(builder, self.nodes, self.regions, values)
        recording = active_recording()
        if recording is not None:
            recording.again.update(builder.nodes[start:])
        heads = {values[value]: g for value, g in zip(self.results, cotangents) if g is not None}
        return list(pullback(builder, heads, wrt, builder.nodes[start:]))


def _behind_barrier(value: Value) -> Value:
    return value if value.node is not None and not value.node.inputs else barrier(value)
