"""The printed form of a graph: deterministic, and read back by the parser.

Grammar (``#`` to the end of a line is a comment; the printer writes the user's file and line there)::

    graph     := "graph" NAME "(" [params] [";" "state" params] ")" "{" node* return "}"
    params    := param ("," param)*            param  := VALUE ":" type
    node      := results "=" NAME "(" [VALUE ("," VALUE)*] ")" ["{" attr ("," attr)* "}"]
    results   := VALUE ":" type ("," VALUE ":" type)*
    return    := "return" [VALUE ("," VALUE)*] (";" VALUE "<-" VALUE ("," VALUE "<-" VALUE)*)?
    type      := DTYPE "[" [INT ("," INT)*] "]"
    attr      := NAME "=" literal
    literal   := "none" | "true" | "false" | INT | FLOAT | COMPLEX | STRING | DTYPE
               | "(" [literal ("," literal)* [","]] ")" | "dense" "(" type ["," number]* ")"
    VALUE     := "%" (NAME | INT)              DTYPE  := "f32" | "i64" | "bool" | ...
    FLOAT     := Python's repr, "inf", "-inf" or "nan"     STRING := a JSON string

Inputs keep their names; results of nodes are numbered in order. Attributes equal to the default are left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy

from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.ir.types import TensorType, short_name


def format_graph(graph: Graph, locations: bool = True) -> str:
    """The text of a graph, without the comments when `locations` is false."""
    names = value_names(graph)
    inputs = ", ".join(f"{names[value]}: {value.type}" for value in graph.inputs)
    state = ", ".join(f"{names[value]}: {value.type}" for value in graph.state)
    header = f"{inputs}; state {state}" if state else inputs
    lines = [f"graph {graph_name(graph)}({header}) {{"]
    lines += _aligned([_format_node(node, names) for node in graph.nodes], graph.nodes, locations)
    returned = " ".join(["return", ", ".join(names[value] for value in graph.outputs)]).rstrip()
    updates = ", ".join(f"{names[old]} <- {names[new]}" for old, new in graph.updates)
    lines.append(f"  {returned}; {updates}" if updates else f"  {returned}")
    lines.append("}")
    return "\n".join(lines)


def graph_name(graph: Graph) -> str:
    """The graph's name as the grammar allows it; ``<lambda>`` and the like are cleaned."""
    return identifier(graph.name) or "graph"


def value_names(graph: Graph) -> dict[Value, str]:
    """A unique name for every value: those of the inputs, then numbers."""
    names: dict[Value, str] = {}
    suffixes: dict[str, int] = {}  # for each name that is taken, the last number put after it
    for position, value in enumerate(graph.arguments):
        base = name = identifier(value.name) or f"in{position}"
        while name in suffixes:
            suffixes[base] += 1
            name = f"{base}_{suffixes[base]}"
        suffixes[name] = 1
        names[value] = f"%{name}"
    for number, value in enumerate(_results(graph)):
        names[value] = f"%{number}"
    return names


def _results(graph: Graph) -> Iterator[Value]:
    for node in graph.nodes:
        yield from node.outputs


def identifier(name: str | None) -> str:
    """Places such as ``params[0].weight`` become names the grammar allows."""
    cleaned = "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in name or "")
    cleaned = "_".join(part for part in cleaned.split("_") if part)
    return f"v{cleaned}" if cleaned[:1].isdigit() else cleaned


def _aligned(texts: list[str], nodes: list[Node], locations: bool) -> list[str]:
    width = min(max((len(text) for text in texts), default=0), 72)
    lines = []
    for text, node in zip(texts, nodes):
        comment = f"  # {node.location}" if locations and node.location is not None else ""
        lines.append(f"  {text:<{width}}{comment}" if comment else f"  {text}")
    return lines


def _format_node(node: Node, names: dict[Value, str]) -> str:
    results = ", ".join(f"{names[value]}: {value.type}" for value in node.outputs)
    operands = ", ".join(names[value] for value in node.inputs)
    attrs = ", ".join(
        f"{key}={format_attribute(node.attrs[key])}"
        for key, default in node.op.attributes.items()
        if key in node.attrs and (default is node.op.required or not same_attribute(node.attrs[key], default))
    )
    return f"{results} = {node.op.name}({operands})" + (f" {{{attrs}}}" if attrs else "")


def same_attribute(one: Any, other: Any) -> bool:
    """Whether two attributes print alike: 1, 1.0 and True differ, and so do 0.0 and -0.0."""
    return one is other or format_attribute(one) == format_attribute(other)


def format_attribute(value: Any) -> str:
    """One attribute as the grammar writes it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, complex)):
        return _format_number(value)
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, tuple):
        inner = ", ".join(format_attribute(item) for item in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, numpy.dtype):
        return short_name(value)
    if isinstance(value, numpy.ndarray):
        numbers = TensorType(value.dtype, value.shape)
        return "dense(" + ", ".join([str(numbers), *(_format_number(item) for item in value.ravel().tolist())]) + ")"
    raise TypeError(f"a node attribute cannot be a {value.__class__.__name__}")


def _format_number(value: complex) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    # The built-in types' own repr: NumPy's scalars, which are floats too, print as np.float64(1.0).
    for kind in (int, float, complex):
        if isinstance(value, kind):
            return kind.__repr__(value)
    raise TypeError(f"{value!r} is not a number")
