"""Linear maps as nodes: the pullback of a function, and its transpose, the pushforward, to be applied several times.

The pullback u -> J'u is linear in u, so the pullback of it is t -> Jt: forward mode out of two reverse modes (Townsend,
A new trick for calculating Jacobian vector products, 2017). Complex numbers need no conjugation: cotangents pair with
tangents by Re(u t), which transposing twice leaves as it is.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence

from dopegraph.autodiff.region import inline, needed, reads
from dopegraph.autodiff.reverse import pullback
from dopegraph.ir.builder import Builder
from dopegraph.ir.graph import Value
from dopegraph.ops import identity
from dopegraph.runtime.errors import GradientError
from dopegraph.runtime.location import located
from dopegraph.runtime.unchanging import Unchanging

# cotangents of results -> cotangents of arguments, by nodes appended to the builder
Pull = Callable[[Sequence[Value]], Sequence["Value | None"]]


class LinearMap(Unchanging):
    """Nodes from inputs to outputs, taken out of a builder.

    Parameters
    ----------
    builder : Builder
    start : int
        The first of the nodes; all from there on leave the builder, save those that `keep` depends on.
    inputs : sequence of Value
        Placeholders.
    outputs : sequence of Value or None
        None stands for zeros.
    keep : iterable of Value

    Attributes
    ----------
    reads : list of Value
        What the nodes use besides the inputs.
    """

    def __init__(
        self,
        builder: Builder,
        start: int,
        inputs: Sequence[Value],
        outputs: Sequence[Value | None],
        keep: Iterable[Value] = (),
    ) -> None:
        builder.leave()  # nodes are removed
        nodes = builder.nodes[start:]
        found = [value for value in outputs if value is not None]
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self.nodes = needed(nodes, found, builder.regions)
        self.regions = {node: builder.regions[node] for node in self.nodes if node in builder.regions}
        self.reads = [value for value in reads(self.nodes, found, self.regions) if value not in self.inputs]
        _leave(builder, start, keep)

    def __call__(
        self, builder: Builder, arguments: Sequence[Value], known: Mapping[Value, Value] | None = None
    ) -> list[Value | None]:
        """Append the nodes for these arguments; `known` says what to read in place of the values in `reads`."""
        values = {**(known or {}), **dict(zip(self.inputs, arguments))}
        inline(builder, self.nodes, self.regions, values)
        return [None if value is None else values.get(value, value) for value in self.outputs]

    def include_constants(self) -> None:
        """Take over the nodes without operands that it reads."""
        sources = [value.node for value in self.reads if value.node is not None and not value.node.inputs]
        self.nodes = [*dict.fromkeys(sources), *self.nodes]
        self.reads = [value for value in self.reads if value.node is None or value.node.inputs]


def _leave(builder: Builder, start: int, keep: Iterable[Value]) -> None:
    """Take the nodes from `start` on out of a builder, save those that values depend on, or what Python looked at."""
    nodes = builder.nodes[start:]
    looked_at = [value for mark in builder.marks if mark.nodes > start for value in mark.values]
    left = needed(nodes, [*keep, *looked_at], builder.regions)
    builder.nodes[start:] = left
    if looked_at:
        stays = set(left)
        builder.renumber(start, list(itertools.accumulate([node in stays for node in nodes], initial=start)))


def reverse_map(
    builder: Builder, results: Sequence[Value], pull: Pull, live: Callable[[], Iterable[Value]] = tuple
) -> LinearMap:
    """The pullback of `results`; `live` gives values that must stay in the builder."""
    start = builder.size
    cotangents = [builder.input(value.type) for value in results]
    return LinearMap(builder, start, cotangents, pull(cotangents), live())


def forward_map(
    builder: Builder,
    arguments: Sequence[Value],
    results: Sequence[Value],
    pull: Pull,
    live: Callable[[], Iterable[Value]] = tuple,
) -> LinearMap:
    """The pushforward from `arguments` to `results`, the transpose of the pullback."""
    start = builder.size
    cotangents = [builder.input(value.type) for value in results]
    tangents = [builder.input(value.type) for value in arguments]
    pulled = pull(cotangents)
    with builder:
        # One cotangent may be that of several arguments; each needs a node of its own.
        heads = {identity(g): t for g, t in zip(pulled, tangents) if g is not None}
    found = pullback(builder, heads, cotangents, builder.nodes[start:])
    pushed = LinearMap(builder, start, tangents, found, live())
    for node in pushed.nodes:
        if any(value in cotangents for value in node.inputs):
            message = (
                f"forward mode needs gradient rules that are linear in the cotangent; that with {node.op.name} is not"
            )
            raise GradientError(located(f'{message}. Use reverse mode (vjp, grad, mode="reverse")', node.location))
    return pushed
