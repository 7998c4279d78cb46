"""A symbol of MXNet's whose shapes nobody knows, as it stands in its file: its nodes as text and as a picture."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import graphviz

from dopegraph.show.dot import as_it_is
from dopegraph.show.picture import INPUT, STATE
from dopegraph.symbols.reader import SymbolGraph


def shown(name: str, graph: SymbolGraph, output: Path | None) -> tuple[dict[str, Any], str]:
    """What `dopegraph view` reports of a symbol; the picture goes into a file if there is one."""
    nodes = [
        {
            "operator": node.operator,
            "name": node.name,
            "inputs": [graph.nodes[position].name for position, _ in node.inputs],
            "attributes": {**node.attributes, **node.hidden},
        }
        for node in graph.nodes
    ]
    counts = Counter(node.operator for node in graph.nodes)
    heads = [graph.nodes[position].name for position, _ in graph.heads]
    facts = {"name": name, "nodes": nodes, "operations": dict(counts), "heads": heads}
    lines = [f"{name}: a symbol of {len(nodes)} nodes; its shapes are not known"]
    for number, node in enumerate(graph.nodes):
        operands = ", ".join(graph.nodes[position].name for position, _ in node.inputs)
        attributes = ", ".join(f"{key}={value}" for key, value in {**node.attributes, **node.hidden}.items())
        kind = "variable" if node.is_variable else node.operator
        call = "" if node.is_variable else f"({operands})"
        lines.append(f"{number:5}  {node.name} = {kind}{call}" + (f" {{{attributes}}}" if attributes else ""))
    lines.append(f"results: {', '.join(heads)}")
    text = "\n".join(lines)
    if output is not None:
        file = _written(name, graph, output, text)
        facts["file"] = str(file)
        text += f"\nwritten: {file}"
    return facts, text


def _written(name: str, graph: SymbolGraph, output: Path, text: str) -> Path:
    output.parent.mkdir(parents=True, exist_ok=True)
    kind = output.suffix.lstrip(".")
    if kind == "txt":
        output.write_text(f"{text}\n", encoding="utf-8")
        return output
    picture = digraph(name, graph)
    if kind in ("dot", "html") or shutil.which("dot") is None:
        output = output.with_suffix(".dot")
        output.write_text(picture.source, encoding="utf-8")
    else:
        output.write_bytes(picture.pipe(format=kind))
    return output


def digraph(name: str, graph: SymbolGraph) -> graphviz.Digraph:
    """The picture: variables green, those with a shape of their own orange."""
    picture = graphviz.Digraph(name)
    picture.attr("node", fontname="Helvetica", fontsize="10", shape="box", style="rounded,filled", fillcolor="white")
    for number, node in enumerate(graph.nodes):
        if node.is_variable:
            colour = STATE if "__shape__" in node.hidden else INPUT
            label = "\n".join(filter(None, [node.name, node.hidden.get("__shape__", "")]))
            picture.node(str(number), as_it_is(label), shape="ellipse", fillcolor=colour)
        else:
            shown = [f"{key}={value}" for key, value in node.attributes.items() if len(value) < 40]
            picture.node(str(number), as_it_is("\n".join([node.operator, *shown, node.name])))
        for position, _ in node.inputs:
            picture.edge(str(position), str(number))
    return picture
