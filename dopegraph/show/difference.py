"""``diff``: what one graph has and another has not, node by node, in the text form of graphs."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.ir.printer import format_attribute, format_graph, value_names


@dataclass(frozen=True)
class Difference:
    """How two graphs differ; false when they do not.

    Attributes
    ----------
    removed, added, rewired : list of str
        Nodes of the first graph alone, of the second alone, and those of both that read other values; as text.
    signature : tuple of str, or None
        The first lines of both, where arguments differ; or their last lines, where results do.
    text : str
        All nodes: ``-`` before removed ones, ``+`` before added ones, ``~`` before those that read other values.
    """

    removed: list[str]
    added: list[str]
    rewired: list[str]
    signature: tuple[str, ...] | None
    text: str

    def __bool__(self) -> bool:
        return bool(self.removed or self.added or self.rewired or self.signature)

    def __str__(self) -> str:
        return self.text


def diff(one: Graph, other: Graph) -> Difference:
    """Compare two graphs: of two versions of a function, or before and after a pass.

    Parameters
    ----------
    one, other : Graph

    Returns
    -------
    Difference

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np
    >>> a = dopegraph.trace(lambda x: np.exp(x).sum())(np.ones(3))
    >>> b = dopegraph.trace(lambda x: np.exp(x + x).sum())(np.ones(3))
    >>> difference = dopegraph.diff(a, b)
    >>> difference.added, difference.rewired
    (['%0: f32[3] = add(%x, %x)'], ['%1: f32[3] = exp(%0)'])
    """
    lines, theirs = (format_graph(graph, locations=False).split("\n") for graph in (one, other))
    nodes, their_nodes = one.nodes, other.nodes
    matcher = difflib.SequenceMatcher(None, _keys(one), _keys(other), autojunk=False)
    same: dict[Value, Value] = dict(zip(one.arguments, other.arguments))
    for block in matcher.get_matching_blocks():
        for mine, their in zip(nodes[block.a :][: block.size], their_nodes[block.b :][: block.size]):
            same.update(zip(mine.outputs, their.outputs))
    removed: list[str] = []
    added: list[str] = []
    rewired: list[str] = []
    shown = _first_lines(lines, theirs)
    for tag, start, stop, their_start, their_stop in matcher.get_opcodes():
        if tag == "equal":
            for place, their_place in zip(range(start, stop), range(their_start, their_stop)):
                text = theirs[1 + their_place]
                wired = [same.get(value) for value in nodes[place].inputs] == list(their_nodes[their_place].inputs)
                shown.append(f"{' ' if wired else '~'} {text}")
                if not wired:
                    rewired.append(text.strip())
            continue
        for place in range(start, stop):
            removed.append(lines[1 + place].strip())
            shown.append(f"- {lines[1 + place]}")
        for place in range(their_start, their_stop):
            added.append(theirs[1 + place].strip())
            shown.append(f"+ {theirs[1 + place]}")
    results = [same.get(value) for value in one.results] == other.results
    places = [one.arguments.index(old) for old, _ in one.updates] == [
        other.arguments.index(old) for old, _ in other.updates
    ]
    signature: tuple[str, ...] | None = None
    if _arguments(one) != _arguments(other):
        signature = (lines[0], theirs[0])
    elif not (results and places and len(one.outputs) == len(other.outputs)):
        signature = (lines[-2].strip(), theirs[-2].strip())
        shown += [f"- {lines[-2]}", f"+ {theirs[-2]}", "  }"]
        return Difference(removed, added, rewired, signature, "\n".join(shown))
    shown += [f"  {theirs[-2]}", "  }"]
    return Difference(removed, added, rewired, signature, "\n".join(shown))


def changed_nodes(one: Graph, other: Graph) -> list[Node]:
    """The nodes of the second graph that the first has not, or that read other values there."""
    nodes, their_nodes = one.nodes, other.nodes
    matcher = difflib.SequenceMatcher(None, _keys(one), _keys(other), autojunk=False)
    same: dict[Value, Value] = dict(zip(one.arguments, other.arguments))
    pairs = {}
    for block in matcher.get_matching_blocks():
        for mine, their in zip(nodes[block.a :][: block.size], their_nodes[block.b :][: block.size]):
            same.update(zip(mine.outputs, their.outputs))
            pairs[their] = mine
    return [
        their
        for their in their_nodes
        if their not in pairs or [same.get(value) for value in pairs[their].inputs] != list(their.inputs)
    ]


def _first_lines(lines: list[str], theirs: list[str]) -> list[str]:
    return [f"  {lines[0]}"] if lines[0] == theirs[0] else [f"- {lines[0]}", f"+ {theirs[0]}"]


def _arguments(graph: Graph) -> list[tuple[str, str, bool]]:
    names, state = value_names(graph), set(graph.state)
    return [(names[value], str(value.type), value in state) for value in graph.arguments]


def _keys(graph: Graph) -> list[Any]:
    """What makes nodes comparable before it is known which values they read."""
    return [_key(node) for node in graph.nodes]


def _key(node: Node) -> Any:
    attributes = tuple(sorted((key, format_attribute(value)) for key, value in node.attrs.items()))
    return node.op.name, attributes, tuple([value.type for value in node.outputs]), len(node.inputs)
