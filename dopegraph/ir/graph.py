"""Values, nodes and graphs: pure, typed, in topological order, each node with the user's line.

A graph may read and replace *state*: inputs that the caller holds and that `updates` writes back after the call.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from dopegraph.ir.types import Attr, TensorType
from dopegraph.runtime.errors import GraphError
from dopegraph.runtime.location import Location

if TYPE_CHECKING:
    from dopegraph.ir.primitive import Primitive


class Pending(Protocol):
    """Stands for nodes that are not made yet."""

    def complete(self) -> None:
        """Make them."""


class Value:
    """One array of the graph: an input (``node is None``) or an output of a node.

    Arithmetic on values emits nodes into the current builder; gradient rules and rewrites are written with it.
    """

    __slots__ = ("_node", "index", "name", "number", "type")

    def __init__(
        self,
        type: TensorType,
        node: Node | Pending | None = None,
        index: int = 0,
        name: str | None = None,
        number: int = -1,
    ) -> None:
        self.type = type
        self._node = node
        self.index = index
        self.name = name
        self.number = number  # among the values of the builder that made it, if that counts them

    @property
    def node(self) -> Node | None:
        """The node that computes it; None for an input."""
        node = self._node
        if node is None or type(node) is Node:
            return node
        assert not isinstance(node, Node)
        node.complete()
        return self.node

    @node.setter
    def node(self, node: Node | None) -> None:
        self._node = node

    @property
    def shape(self) -> tuple[int, ...]:
        return self.type.shape

    @property
    def ndim(self) -> int:
        return len(self.type.shape)

    def __repr__(self) -> str:
        origin = self.node.op.name if self.node is not None else f"input {self.name or ''}".strip()
        return f"<{self.type} from {origin}>"

    def __add__(self, other: Value | float) -> Value:
        return _emit("add", self, other)

    def __radd__(self, other: float) -> Value:
        return _emit("add", other, self)

    def __sub__(self, other: Value | float) -> Value:
        return _emit("sub", self, other)

    def __rsub__(self, other: float) -> Value:
        return _emit("sub", other, self)

    def __mul__(self, other: Value | float) -> Value:
        return _emit("mul", self, other)

    def __rmul__(self, other: float) -> Value:
        return _emit("mul", other, self)

    def __truediv__(self, other: Value | float) -> Value:
        return _emit("div", self, other)

    def __rtruediv__(self, other: float) -> Value:
        return _emit("div", other, self)

    def __neg__(self) -> Value:
        return _emit("neg", self)


def _emit(name: str, *operands: Value | float) -> Value:
    from dopegraph.ir.builder import current_builder

    return current_builder().emit_arithmetic(name, operands)


class Node:
    """One application of a primitive: positional array operands, keyword attributes."""

    __slots__ = ("attrs", "inputs", "location", "op", "outputs")

    def __init__(
        self,
        op: Primitive,
        inputs: Iterable[Value],
        attrs: Mapping[str, Attr],
        types: Iterable[TensorType],
        location: Location | None = None,
    ) -> None:
        self.op = op
        self.inputs = tuple(inputs)
        self.attrs: dict[str, Any] = dict(attrs)
        self.location = location
        self.outputs = tuple([Value(type, self, index) for index, type in enumerate(types)])

    @property
    def output(self) -> Value:
        """The only output; most primitives have one."""
        if len(self.outputs) != 1:
            raise GraphError(f"{self.op.name} has {len(self.outputs)} outputs")
        return self.outputs[0]

    def __repr__(self) -> str:
        return f"<{self.op.name} at {self.location}>"


class Graph:
    """A pure function of arrays, with the state it reads and replaces.

    Attributes
    ----------
    name : str
    inputs, state : list of Value
        Arguments, and arrays the function reached without being passed them.
    nodes : list of Node
        In topological order.
    outputs : list of Value
    updates : list of (Value, Value)
        An input or state value, and the value that replaces it after the call.
    """

    def __init__(self, name: str = "graph") -> None:
        self.name = name
        self.inputs: list[Value] = []
        self.state: list[Value] = []
        self.nodes: list[Node] = []
        self.outputs: list[Value] = []
        self.updates: list[tuple[Value, Value]] = []

    @property
    def arguments(self) -> list[Value]:
        """All values the caller supplies: inputs, then state."""
        return self.inputs + self.state

    @property
    def results(self) -> list[Value]:
        """All values the caller receives: outputs, then the new values of the updates."""
        return self.outputs + [new for _, new in self.updates]

    def uses(self) -> dict[Value, list[Node]]:
        """For each value the nodes that read it, in order; results are not counted."""
        users: dict[Value, list[Node]] = {}
        for node in self.nodes:
            for value in dict.fromkeys(node.inputs):
                users.setdefault(value, []).append(node)
        return users

    def replace(self, replacement: Mapping[Value, Value]) -> None:
        """Make every reader of a key read the mapped value instead."""
        if not replacement:
            return

        def final(value: Value) -> Value:
            while value in replacement:
                value = replacement[value]
            return value

        for node in self.nodes:
            if any(value in replacement for value in node.inputs):
                node.inputs = tuple(final(value) for value in node.inputs)
        self.outputs = [final(value) for value in self.outputs]
        self.updates = [(old, final(new)) for old, new in self.updates]

    def copy(self) -> Graph:
        """A graph with nodes and values of its own."""
        return extract(self.name, self.nodes, self.inputs, self.state, self.outputs, self.updates)

    def __str__(self) -> str:
        from dopegraph.ir.printer import format_graph

        return format_graph(self)

    def __repr__(self) -> str:
        return f"<Graph {self.name}: {len(self.arguments)} inputs, {len(self.nodes)} nodes>"

    def to_dot(self) -> str:
        """The graph in Graphviz's DOT language."""
        from dopegraph.show.dot import to_dot

        return to_dot(self)

    def visualize(self, path: Any = None, **options: Any) -> Any:
        """Draw it into a file, by default ``NAME.svg``; the options are those of `dopegraph.visualize`."""
        from dopegraph.transform.visualize import visualize_graph

        options["steps"] = self if options.get("steps") else None
        return visualize_graph(self, path if path is not None else f"{self.name}.svg", **options)

    def to_networkx(self) -> Any:
        """A ``networkx.MultiDiGraph`` of inputs, nodes and outputs with all attributes."""
        from dopegraph.show.networkx import to_networkx

        return to_networkx(self)

    def summary(self) -> Any:
        """Operations, parameters, bytes and arithmetic, by source line; ``print`` it, or `rich` does."""
        from dopegraph.show.summary import summary

        return summary(self)

    def _repr_svg_(self) -> str | None:
        """The picture, for Jupyter."""
        from dopegraph.show.dot import to_svg

        return to_svg(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """The text and the picture, for Jupyter; without Graphviz's ``dot`` a page in a frame."""
        from dopegraph.show.dot import to_frame

        found = {"text/plain": str(self), "image/svg+xml": self._repr_svg_(), "text/html": to_frame(self)}
        return {
            kind: shown
            for kind, shown in found.items()
            if shown is not None and (not include or kind in include) and kind not in (exclude or ())
        }

    def memory(self, donate: Iterable[str] = ()) -> Any:
        """Bytes before and after memory planning; `donate` names inputs whose memory may be reused."""
        from dopegraph.passes.memory import memory_report

        return memory_report(self, donate)


def extract(
    name: str,
    nodes: Sequence[Node],
    inputs: Iterable[Value],
    state: Iterable[Value],
    outputs: Iterable[Value],
    updates: Iterable[tuple[Value, Value]] = (),
) -> Graph:
    """The part of `nodes` that computes `outputs` from `inputs` and `state`, copied into a graph of its own."""
    graph = Graph(name)
    copies: dict[Value, Value] = {}

    def copy_of(value: Value) -> Value:
        if value not in copies:
            raise GraphError(f"{name}: {value!r} is neither an input nor computed by the nodes")
        return copies[value]

    for source, target in ((inputs, graph.inputs), (state, graph.state)):
        for value in source:
            copies[value] = Value(value.type, None, 0, value.name)
            target.append(copies[value])
    outputs, updates = list(outputs), list(updates)
    for node in needed_nodes(nodes, outputs + [new for _, new in updates], copies):
        clone = Node(
            node.op,
            [copy_of(value) for value in node.inputs],
            node.attrs,
            [value.type for value in node.outputs],
            node.location,
        )
        graph.nodes.append(clone)
        copies.update(zip(node.outputs, clone.outputs))
    graph.outputs = [copy_of(value) for value in outputs]
    graph.updates = [(copy_of(old), copy_of(new)) for old, new in updates]
    return graph


def needed_nodes(nodes: Sequence[Node], values: Iterable[Value], known: Container[Value] = ()) -> list[Node]:
    """The nodes, in their order, that `values` depend on, not looking behind the values in `known`."""
    pending = {value for value in values if value.node is not None and value not in known}
    kept: list[Node] = []
    for node in reversed(nodes):
        if not pending:
            break
        outputs = node.outputs
        if outputs[0] in pending if len(outputs) == 1 else any([value in pending for value in outputs]):
            kept.append(node)
            pending.difference_update(outputs)
            for value in node.inputs:
                if value._node is not None and value not in known:
                    pending.add(value)
    kept.reverse()
    return kept
