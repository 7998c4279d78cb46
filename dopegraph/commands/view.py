"""Show a function, or what a file holds: operations, parameters and bytes by source line, its graph, a picture."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import dopegraph
from dopegraph.commands import symbol_view
from dopegraph.commands.failures import DONE, UsageError
from dopegraph.commands.reports import add_json, only_reports, report
from dopegraph.commands.target import Target, add_target, find
from dopegraph.ir.graph import Graph
from dopegraph.show.picture import COLOURS
from dopegraph.symbols import SymbolFunction

HELP = "show the graph of a function or of a file"
EXAMPLES = """\
examples:
  dopegraph view model.py:net --arg 'f32[64,784]'
  dopegraph view model.py:net --arg 'f32[64,784]' -o net.svg
  dopegraph view model.py:net --arg 'f32[64,784]' -o net.html --colour time
  dopegraph view resnet18-symbol.json --arg 'data=f32[1,3,224,224]'
  dopegraph view net.onnx --json
"""
PICTURES = ("svg", "png", "pdf", "dot", "html")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``dopegraph view``."""
    add_target(parser)
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help=f"draw it: .{', .'.join(PICTURES)}, or .txt for the graph"
    )
    parser.add_argument(
        "--colour", choices=COLOURS, default=COLOURS[0], help=f"what colours mean in a picture (default {COLOURS[0]})"
    )
    parser.add_argument("--steps", action="store_true", help="draw the graph after each pass that changed it")
    parser.add_argument("--recorded", action="store_true", help="the graph as recorded, not as it would run")
    parser.add_argument("--text", action="store_true", help="print the graph as well as its summary")
    add_json(parser)


def run(chosen: argparse.Namespace) -> int:
    """Show the target."""
    ending = chosen.output.suffix.lstrip(".") if chosen.output is not None else "txt"
    if ending not in (*PICTURES, "txt"):
        raise UsageError(f"--output {chosen.output}: its ending is none of .{', .'.join(PICTURES)}, .txt")
    with only_reports(chosen):
        target = find(chosen.target, chosen.args)
        if target.function is None:
            facts, text = _arrays(target)
        elif target.missing and isinstance(target.loaded, SymbolFunction) and not chosen.args:
            facts, text = symbol_view.shown(target.name, target.loaded.graph, chosen.output)
        elif target.missing:
            raise UsageError(target.missing)
        else:
            facts, text = _graph(target, chosen)
    report(chosen, facts, text)
    return DONE


def _graph(target: Target, chosen: argparse.Namespace) -> tuple[dict[str, Any], str]:
    assert target.function is not None
    graph = dopegraph.trace(target.function, optimize=not chosen.recorded)(*target.args, **target.kwargs)
    if target.loaded is not None:  # no line of the user's has written it
        graph.name = target.name
        for node in graph.nodes:
            node.location = None
    summary = graph.summary()
    memory = graph.memory()
    facts = {
        "name": summary.name,
        "inputs": summary.inputs,
        "parameters": summary.parameters,
        "outputs": [str(value.type) for value in graph.outputs],
        "nodes": len(graph.nodes),
        "operations": summary.total.counts,
        "flops": summary.total.flops,
        "bytes": summary.total.bytes,
        "parameter_bytes": summary.parameter_bytes,
        "memory": {"imperative": memory.imperative, "planned": memory.planned, "arguments": memory.arguments},
        "lines": [
            {
                "file": line.location.file if line.location is not None else None,
                "line": line.location.line if line.location is not None else None,
                "source": line.source,
                "operations": line.operations.counts,
                "flops": line.operations.flops,
                "bytes": line.operations.bytes,
            }
            for line in summary.lines
        ],
        "graph": str(graph),
    }
    text = f"{summary}\n\nmemory: {memory}"
    if chosen.text:
        text += f"\n\n{graph}"
    if chosen.output is not None:
        file = _drawn(target, graph, chosen)
        facts["file"] = str(file)
        text += f"\n\nwritten: {file}"
    return facts, text


def _drawn(target: Target, graph: Graph, chosen: argparse.Namespace) -> Path:
    """The graph in a file; its ending chooses the format."""
    path: Path = chosen.output
    if path.suffix == ".txt":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{graph}\n", encoding="utf-8")
        return path
    assert target.function is not None
    draw = dopegraph.visualize(
        target.function, path, optimize=not chosen.recorded, colour=chosen.colour, steps=chosen.steps
    )
    return draw(*target.args, **target.kwargs)


def _arrays(target: Target) -> tuple[dict[str, Any], str]:
    """A file of arrays as a table."""
    arrays = target.loaded if isinstance(target.loaded, dict) else dict(enumerate(target.loaded))
    rows: list[dict[str, Any]] = [
        {"name": str(key), "dtype": str(one.dtype), "shape": list(one.shape), "bytes": int(one.nbytes)}
        for key, one in arrays.items()
    ]
    total = sum(row["bytes"] for row in rows)
    width = max((len(row["name"]) for row in rows), default=0)
    lines = [f"{row['name'].ljust(width)}  {row['dtype']}{row['shape']}  {row['bytes']:,} bytes" for row in rows]
    facts = {"name": target.name, "arrays": rows, "bytes": total}
    return facts, "\n".join([f"{target.name}: {len(rows)} arrays, {total:,} bytes", *lines])
