"""What a picture of a graph shows: vertices, edges, foldable groups, facts to look up; `dot` and `page` draw it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy

from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.ir.printer import format_attribute, same_attribute, value_names
from dopegraph.passes.timeline import live_bytes
from dopegraph.show.folding import Group, find_groups

# Pale colours by what something is: inputs green, state orange, results red, products blue, reductions violet.
INPUT, STATE, RESULT, PLAIN = "#d5e8d4", "#ffe6cc", "#f8cecc", "#ffffff"
PRODUCT, REDUCTION, RANDOM = "#dae8fc", "#e1d5e7", "#fff2cc"
_FAMILIES = {"matmul": PRODUCT, **dict.fromkeys(("sum", "prod", "max", "min", "argmax", "argmin"), REDUCTION)}
_PREFIXES = {"conv": PRODUCT, "random": RANDOM}
BACKENDS = {"numpy": "#dae8fc", "codegen": "#d5e8d4", "mxnet": "#ffe6cc"}
COLOURS = ("operation", "backend", "memory", "time")
"""What colours may mean."""

# Attributes longer than this are in the page's details only.
_SHORT = 40


@dataclass(frozen=True)
class Facts:
    """What is known of a node beside the graph.

    Attributes
    ----------
    backend : str
        Who runs it; empty if that is not known.
    part : str
        The kernel, symbol or call that computes it.
    code : str
        The C text of that kernel.
    seconds : float or None
        What one run took.
    estimated : bool
        Whether `seconds` is a share of what was measured for several nodes together.
    """

    backend: str = ""
    part: str = ""
    code: str = ""
    seconds: float | None = None
    estimated: bool = False


@dataclass
class Vertex:
    """Something drawn: ``kind`` is input, state, node or result; `details` are what the page tells of it."""

    id: str
    kind: str
    title: str
    lines: list[str]
    colour: str = PLAIN
    group: str | None = None
    gradient: bool = False
    family: str = PLAIN
    changed: bool = False
    live: int = 0
    facts: Facts = field(default_factory=Facts)
    details: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.family = self.colour  # what colours mean may be chosen later

    @property
    def label(self) -> str:
        """The text of the vertex."""
        return "\n".join([self.title, *self.lines])


@dataclass(frozen=True)
class Edge:
    """A value from its vertex to one that reads it; ``update``: to the state that it replaces."""

    source: str
    target: str
    label: str
    update: bool = False


@dataclass
class Picture:
    """A graph to draw.

    Attributes
    ----------
    title : str
    vertices, edges : list
    groups : dict of str to Group
        Parts that may be folded into one vertex each, outer ones first.
    """

    title: str
    vertices: list[Vertex] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    groups: dict[str, Group] = field(default_factory=dict)


def is_detail(node: Node) -> bool:
    """Numbers are written into their readers instead of being drawn."""
    return node.op.name == "full" and node.outputs[0].shape == ()


def picture_of(
    graph: Graph,
    title: str | None = None,
    facts: Mapping[Node, Facts] | None = None,
    changed: Collection[Node] = (),
    fold: bool | None = None,
) -> Picture:
    """The picture of a graph.

    Parameters
    ----------
    graph : Graph
    title : str, optional
    facts : mapping of Node to Facts, optional
    changed : collection of Node
        Drawn with thick frames.
    fold : bool, optional
        Whether repeated parts, and functions of large graphs, are folded at first; by default if there are many nodes.
    """
    facts = facts or {}
    names, picture, identity = value_names(graph), Picture(title or graph.name), _identities(graph)
    for values, kind, colour in ((graph.inputs, "input", INPUT), (graph.state, "state", STATE)):
        for value in values:
            name, type = names[value][1:], str(value.type)
            details = [
                ("kind", kind),
                ("place", value.name or name),
                ("type", type),
                ("bytes", f"{value.type.nbytes:,}"),
            ]
            picture.vertices.append(Vertex(identity[value], kind, name, [type], colour, details=details))
    returned = set(graph.results)
    drawn = [node for node in graph.nodes if not is_detail(node) or returned.intersection(node.outputs)]
    groups, group_of = find_groups(drawn, fold)
    picture.groups = groups
    live = dict(zip(graph.nodes, live_bytes(graph)))
    for node in drawn:
        vertex = Vertex(identity[node.outputs[0]], "node", _title(node), _lines(node), _family(node))
        vertex.group, vertex.gradient = group_of.get(node), is_gradient(node)
        vertex.changed, vertex.live, vertex.facts = node in changed, live[node], facts.get(node, Facts())
        vertex.details = _details(node, names, vertex)
        picture.vertices.append(vertex)
    shown = set(drawn)
    for node in drawn:
        for value in node.inputs:
            if value.node is None or value.node in shown:
                picture.edges.append(Edge(identity[value], identity[node.outputs[0]], names[value]))
    for number, value in enumerate(graph.outputs):
        own = f"result_{number}"
        details = [("kind", "result"), ("type", str(value.type)), ("value", names[value])]
        picture.vertices.append(Vertex(own, "result", f"result {number}", [], RESULT, details=details))
        picture.edges.append(Edge(identity[value], own, ""))
    picture.edges += [Edge(identity[new], identity[old], "", update=True) for old, new in graph.updates]
    return picture


def is_gradient(node: Node) -> bool:
    """Whether a node is part of a derivative."""
    return node.location is not None and node.location.gradient


def _identities(graph: Graph) -> dict[Value, str]:
    """The id of the vertex that each value comes from."""
    names = value_names(graph)
    found = {value: f"in_{names[value][1:]}" for value in graph.arguments}
    for number, node in enumerate(graph.nodes):
        found.update((value, f"node_{number}") for value in node.outputs)
    return found


def _family(node: Node) -> str:
    name = node.op.name
    return _FAMILIES.get(name) or next((one for start, one in _PREFIXES.items() if name.startswith(start)), PLAIN)


def _title(node: Node) -> str:
    numbers = [v.node.attrs["value"] for v in node.inputs if v.node is not None and is_detail(v.node)]
    return " ".join([node.op.name, *map(format_attribute, numbers)])


def _attributes(node: Node) -> list[tuple[str, str]]:
    """Those that are not what they are by default, as text."""
    found = []
    for key, value in node.attrs.items():
        if isinstance(value, numpy.ndarray) and value.size > _SHORT:
            found.append((key, f"{value.size} numbers"))
        elif key not in node.op.defaults or not same_attribute(value, node.op.defaults[key]):
            found.append((key, format_attribute(value)))
    return found


def _lines(node: Node) -> list[str]:
    shown = [f"{key}={text}" for key, text in _attributes(node) if len(text) < _SHORT]
    types = ", ".join(str(value.type) for value in node.outputs)
    return [*shown, types, *([str(node.location)] if node.location is not None else [])]


def _details(node: Node, names: Mapping[Value, str], vertex: Vertex) -> list[tuple[str, str]]:
    """What the page tells of a node, as pairs of texts."""
    where, facts = node.location, vertex.facts
    found = [
        ("operation", node.op.name),
        ("results", ", ".join(f"{names[value]}: {value.type}" for value in node.outputs)),
        ("operands", ", ".join(f"{names[value]}: {value.type}" for value in node.inputs)),
        ("attributes", ", ".join(f"{key}={text[:2000]}" for key, text in _attributes(node))),
        ("bytes", f"{sum(value.type.nbytes for value in node.outputs):,}"),
        ("alive", f"{vertex.live:,} bytes while it runs"),
        ("derivative", "part of the derivative of its line" if vertex.gradient else ""),
        ("backend", facts.backend),
        ("computed by", facts.part),
        ("time", _time(facts)),
        ("line", f"{where.file}:{where.line}, in {where.function}" if where is not None else ""),
        ("source", where.source() if where is not None else ""),
    ]
    return [(key, text) for key, text in found if text]


def _time(facts: Facts) -> str:
    if facts.seconds is None:
        return ""
    share = " (its share of what was measured together)" if facts.estimated else ""
    return f"{1e6 * facts.seconds:,.1f} µs{share}"


def scale(share: float) -> str:
    """A colour between white (0) and red (1)."""
    rest = round(255 * (1 - 0.75 * min(max(share, 0.0), 1.0)))
    return f"#ff{rest:02x}{rest:02x}"


def recolour(picture: Picture, colour: str) -> None:
    """Give nodes the colours of what `colour` names: of the families of operations they have already."""
    nodes = [vertex for vertex in picture.vertices if vertex.kind == "node"]
    if colour == "backend":
        for vertex in nodes:
            vertex.colour = BACKENDS.get(vertex.facts.backend, PLAIN)
    elif colour in ("memory", "time"):
        measured = [float(vertex.live) if colour == "memory" else vertex.facts.seconds or 0.0 for vertex in nodes]
        most = max(measured, default=0.0)
        for vertex, amount in zip(nodes, measured):
            vertex.colour = scale(amount / most if most else 0.0)
