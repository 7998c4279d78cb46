"""Pictures of graphs as Graphviz DOT, as SVG, PNG or PDF where Graphviz's ``dot`` is installed, as pages elsewhere."""

from __future__ import annotations

import html
import shutil
from collections.abc import Sequence
from pathlib import Path

import graphviz

from dopegraph.ir.graph import Graph
from dopegraph.runtime.errors import DopegraphError
from dopegraph.show.page import page
from dopegraph.show.picture import Picture, Vertex, picture_of, scale
from dopegraph.show.visible import Visible, visible

# More than this nobody looks at in a notebook, and Graphviz takes minutes.
_MOST_SHOWN = 500

# With more boxes than this Graphviz is told to take less trouble, which is a matter of seconds instead of minutes.
_FEW = 100
_QUICK = {"nslimit": "1", "nslimit1": "1", "mclimit": "0.2", "splines": "line"}

_OWN = ("dot", "html")
"""Formats that need no Graphviz."""


def as_it_is(text: str) -> str:
    """Text as it is: neither a backslash nor an ampersand nor a bracket begins something of Graphviz's."""
    without_entities = text.replace("&", "&amp;")
    return str(graphviz.escape(without_entities))


def digraph(pictures: Sequence[Picture], colour: str = "operation") -> graphviz.Digraph:
    """Pictures side by side, as an object of the graphviz package."""
    whole = graphviz.Digraph(as_it_is(pictures[0].title))
    whole.attr(rankdir="TB", fontname="Helvetica")
    whole.attr("node", fontname="Helvetica", fontsize="10", shape="box", style="rounded,filled", fillcolor="white")
    whole.attr("edge", fontname="Helvetica", fontsize="8", color="#666666")
    every = [visible(picture) for picture in pictures]
    if sum(len(shown.vertices) + len(shown.folded) for shown in every) > _FEW:
        whole.attr(**_QUICK)
    if len(pictures) == 1:
        _draw(whole, every[0], "", colour)
        return whole
    for number, (picture, shown) in enumerate(zip(pictures, every)):
        with whole.subgraph(name=f"cluster_picture_{number}") as part:
            part.attr(label=as_it_is(picture.title), fontsize="14", color="#bbbbbb")
            _draw(part, shown, f"p{number}_", colour)
    return whole


def _draw(target: graphviz.Digraph, shown: Visible, prefix: str, colour: str) -> None:
    most = max((one.total(colour) for one in shown.folded.values()), default=0.0)
    peak = max([most, *(_amount(vertex, colour) for vertex in shown.vertices)])

    def fill(group: str | None, place: graphviz.Digraph) -> None:
        for vertex in shown.vertices:
            if vertex.group == group:
                shape = "box" if vertex.kind == "node" else "ellipse"
                wide = {"penwidth": "3", "color": "#b85450"} if vertex.changed else {}
                place.node(prefix + vertex.id, as_it_is(vertex.label), shape=shape, fillcolor=vertex.colour, **wide)
        for own, folded in shown.folded.items():
            if folded.group.parent == group:
                colours = scale(folded.total(colour) / peak) if colour in ("memory", "time") and peak else "#f5f5f5"
                place.node(prefix + own, as_it_is(folded.label), shape="box3d", style="filled", fillcolor=colours)
        for own, one in shown.open.items():
            if one.parent == group:
                with place.subgraph(name=f"cluster_{prefix}{own}") as inside:
                    dashed = {"style": "dashed", "color": "#9673a6"} if one.kind == "gradient" else {"color": "#bbbbbb"}
                    inside.attr(label=as_it_is(one.title), fontsize="10", **dashed)
                    fill(own, inside)

    fill(None, target)
    for edge in shown.edges:
        more = {"style": "dashed", "color": "#d79b00", "constraint": "false"} if edge.update else {}
        if edge.label:
            more["label"] = as_it_is(edge.label)
        target.edge(prefix + edge.source, prefix + edge.target, **more)


def _amount(vertex: Vertex, colour: str) -> float:
    return float(vertex.live) if colour == "memory" else vertex.facts.seconds or 0.0


def to_dot(graph: Graph) -> str:
    """The graph in Graphviz's DOT language: inputs green, state orange with dashed edges to its new values."""
    return str(digraph([picture_of(graph)]).source)


def to_svg(graph: Graph) -> str | None:
    """The picture as SVG; None without Graphviz's ``dot``, or of a graph too large to look at."""
    if shutil.which("dot") is None:
        return None
    picture = picture_of(graph)
    shown = visible(picture)
    if len(shown.vertices) + len(shown.folded) > _MOST_SHOWN:
        return None
    return str(digraph([picture]).pipe(format="svg", encoding="utf-8"))


def to_frame(graph: Graph) -> str | None:
    """The picture as a page in a frame of a notebook, where there is no ``dot`` to draw it."""
    if shutil.which("dot") is not None:
        return None
    text = html.escape(page([picture_of(graph)]))
    return f'<iframe srcdoc="{text}" style="width: 100%; height: 600px" title="{html.escape(graph.name)}"></iframe>'


def draws_page(path: str | Path) -> bool:
    """Whether a file of this name becomes a page."""
    kind = Path(path).suffix.lower()
    return kind == ".html" or (kind != ".dot" and shutil.which("dot") is None)


def render(
    pictures: Sequence[Picture], path: str | Path, colour: str = "operation", steps: bool = False, title: str = ""
) -> Path:
    """Draw pictures into a file; the ending chooses the format: html, dot, or what Graphviz writes (svg, png, pdf).

    Without Graphviz's ``dot`` on the path a page is written beside the wanted file, with the ending ``.html``.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    kind = target.suffix.lstrip(".").lower()
    if not kind:
        kind, target = "svg", target.with_name(f"{target.name}.svg")
    if kind not in (*_OWN, *graphviz.FORMATS):
        raise DopegraphError(f"visualize: {target.name}: the ending must be svg, png, pdf, html or dot")
    if kind not in _OWN and shutil.which("dot") is None:
        kind, target = "html", target.with_suffix(".html")
    if kind == "html":
        target.write_text(page(pictures, colour, steps, title), encoding="utf-8")
    elif kind == "dot":
        target.write_text(digraph(pictures, colour).source, encoding="utf-8")
    else:
        target.write_bytes(digraph(pictures, colour).pipe(format=kind))
    return target
