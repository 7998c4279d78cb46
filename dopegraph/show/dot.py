"""A graph as Graphviz DOT, and as SVG, PNG or PDF where Graphviz's ``dot`` is installed."""

from __future__ import annotations

import shutil
from pathlib import Path

import graphviz

from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.ir.printer import format_attribute, value_names

# Pale colours by what something is: inputs green, state orange, results red, products blue, reductions violet.
INPUT, STATE, RESULT = "#d5e8d4", "#ffe6cc", "#f8cecc"
FAMILIES = {
    "matmul": "#dae8fc",
    "conv": "#dae8fc",
    "sum": "#e1d5e7",
    "max": "#e1d5e7",
    "min": "#e1d5e7",
    "random": "#fff2cc",
}


def _colour(node: Node) -> str:
    return next((colour for prefix, colour in FAMILIES.items() if node.op.name.startswith(prefix)), "#ffffff")


def _is_detail(node: Node) -> bool:
    """Numbers are written into their readers instead of being drawn."""
    return node.op.name == "full" and node.outputs[0].shape == ()


def _label(node: Node, names: dict[Value, str]) -> str:
    shown = [
        f"{key}={format_attribute(value)}"
        for key, value in node.attrs.items()
        if value != node.op.defaults.get(key, node.op.required) and len(format_attribute(value)) < 40
    ]
    numbers = [
        format_attribute(v.node.attrs["value"]) for v in node.inputs if v.node is not None and _is_detail(v.node)
    ]
    where = f"\n{node.location}" if node.location is not None else ""
    first = " ".join([node.op.name, *numbers])
    types = ", ".join(str(value.type) for value in node.outputs)
    return "\n".join([first, *shown, types]) + where


def digraph(graph: Graph) -> graphviz.Digraph:
    """The picture as an object of the graphviz package."""
    names = value_names(graph)
    picture = graphviz.Digraph(graph.name)
    picture.attr(rankdir="TB", fontname="Helvetica")
    picture.attr("node", fontname="Helvetica", fontsize="10", shape="box", style="rounded,filled", fillcolor="white")
    picture.attr("edge", fontname="Helvetica", fontsize="8", color="#666666")
    identity: dict[Value, str] = {}
    for values, colour in ((graph.inputs, INPUT), (graph.state, STATE)):
        for value in values:
            identity[value] = f"in_{names[value][1:]}"
            picture.node(identity[value], f"{names[value][1:]}\n{value.type}", shape="ellipse", fillcolor=colour)
    for number, node in enumerate(graph.nodes):
        for value in node.outputs:
            identity[value] = f"node_{number}"
        if not _is_detail(node):
            picture.node(f"node_{number}", _label(node, names), fillcolor=_colour(node))
    for node in graph.nodes:
        for value in node.inputs:
            if value.node is None or not _is_detail(value.node):
                picture.edge(identity[value], identity[node.outputs[0]], label=names[value])
    for number, value in enumerate(graph.outputs):
        picture.node(f"result_{number}", f"result {number}", shape="ellipse", fillcolor=RESULT)
        picture.edge(identity[value], f"result_{number}")
    for old, new in graph.updates:
        picture.edge(identity[new], identity[old], style="dashed", color="#d79b00", constraint="false")
    for value in {v for v in graph.results if v.node is not None and _is_detail(v.node)}:
        assert value.node is not None
        picture.node(identity[value], _label(value.node, names))
    return picture


def to_dot(graph: Graph) -> str:
    """The graph in Graphviz's DOT language: inputs green, state orange with dashed edges to its new values."""
    return str(digraph(graph).source)


# More than this nobody looks at in a notebook, and Graphviz takes minutes.
_MOST_SHOWN = 500


def to_svg(graph: Graph) -> str | None:
    """The picture as SVG; None without Graphviz's ``dot``, or of a graph too large to look at."""
    if len(graph.nodes) > _MOST_SHOWN or shutil.which("dot") is None:
        return None
    return str(digraph(graph).pipe(format="svg", encoding="utf-8"))


def render(graph: Graph, path: str | Path) -> Path:
    """Draw the graph into a file; the ending chooses the format (svg, png, pdf, or dot for the text).

    Without Graphviz's ``dot`` on the path the DOT text is written beside the wanted file, with the ending ``.dot``.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    kind = target.suffix.lstrip(".") or "svg"
    picture = digraph(graph)
    if kind == "dot" or shutil.which("dot") is None:
        target = target.with_suffix(".dot")
        target.write_text(picture.source, encoding="utf-8")
        return target
    target.write_bytes(picture.pipe(format=kind))
    return target
