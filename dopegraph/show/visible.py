"""What of a picture is drawn when its groups are folded as they are: the page's script does the same in the browser."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from dopegraph.show.folding import Group
from dopegraph.show.picture import Edge, Picture, Vertex


@dataclass
class Folded:
    """A group that is drawn as one vertex, with the vertices in it."""

    group: Group
    members: list[Vertex] = field(default_factory=list)

    @property
    def label(self) -> str:
        """The text of the vertex."""
        counts = Counter(vertex.title.split(" ")[0] for vertex in self.members)
        content = ", ".join(name if count == 1 else f"{count} {name}" for name, count in counts.most_common(4))
        return "\n".join(
            [self.group.title, f"{len(self.members)} nodes: {content}{', ...' if len(counts) > 4 else ''}"]
        )

    def total(self, colour: str) -> float:
        """The time of all, or the most memory of any."""
        if colour == "memory":
            return float(max((vertex.live for vertex in self.members), default=0))
        return sum(vertex.facts.seconds or 0.0 for vertex in self.members)


@dataclass
class Visible:
    """Vertices, groups that are vertices, groups that are frames around others, and edges among them."""

    vertices: list[Vertex] = field(default_factory=list)
    folded: dict[str, Folded] = field(default_factory=dict)
    open: dict[str, Group] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)


def visible(picture: Picture) -> Visible:
    """What is drawn of a picture; edges between the same two vertices become one."""
    shown, instead = Visible(), {}
    outermost = {own: _folded_around(own, picture) for own in picture.groups}
    for vertex in picture.vertices:
        around = outermost[vertex.group] if vertex.group is not None else None
        if around is None:
            shown.vertices.append(vertex)
            instead[vertex.id] = vertex.id
        else:
            shown.folded.setdefault(around, Folded(picture.groups[around])).members.append(vertex)
            instead[vertex.id] = around
    shown.open = {own: group for own, group in picture.groups.items() if outermost[own] is None}
    between: dict[tuple[str, str, bool], list[str]] = {}
    for edge in picture.edges:
        ends = instead[edge.source], instead[edge.target]
        if ends[0] != ends[1] or edge.source == edge.target:
            between.setdefault((*ends, edge.update), []).append(edge.label)
    merged = {*shown.folded}
    for (source, target, update), labels in between.items():
        if source in merged or target in merged:
            values = list(dict.fromkeys(labels))
            label = values[0] if len(values) == 1 else f"{len(values)} values"
            shown.edges.append(Edge(source, target, label, update))
        else:  # an operand that is read twice is two edges
            shown.edges += [Edge(source, target, label, update) for label in labels]
    return shown


def _folded_around(own: str, picture: Picture) -> str | None:
    """The outermost folded group that is this one or has it inside."""
    found, at = None, picture.groups.get(own)
    while at is not None:
        if at.folded:
            found = at.id
        at = picture.groups.get(at.parent) if at.parent is not None else None
    return found
