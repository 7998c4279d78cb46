"""What stands beside exported files: a manifest for people and programs, and an example with its results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy

from dopegraph.interchange.taken import Taken
from dopegraph.ir.graph import Value


def described(taken: Taken, others: tuple[Taken, Taken] | None = None) -> dict[str, Any]:
    """Name, inputs, parameters and outputs; a length that differs between `others` is null."""
    graph, names = taken.graph, taken.names

    def table(values: list[Value], theirs: list[list[Value]], called: list[str]) -> list[dict[str, Any]]:
        rows = []
        for place, (value, name) in enumerate(zip(values, called)):
            shape: list[int | None] = list(value.shape)
            if theirs:
                pair = theirs[0][place].shape, theirs[1][place].shape
                shape = [None if n != m else n for n, m in zip(*pair)]
            rows.append({"name": name, "shape": shape, "dtype": str(value.type.dtype)})
        return rows

    both = [one.graph for one in others] if others is not None else []
    inputs = table(graph.inputs, [one.inputs for one in both], [names[value] for value in graph.inputs])
    parameters = table(graph.state, [one.state for one in both], [names[value] for value in graph.state])
    for rows, values in ((inputs, graph.inputs), (parameters, graph.state)):
        for row, value in zip(rows, values):
            if value.name is not None and value.name != row["name"]:
                row["source"] = value.name
    outputs = table(graph.outputs, [one.outputs for one in both], [f"output{i}" for i in range(len(graph.outputs))])
    news = [new for _, new in graph.updates]
    written = table(
        news, [[new for _, new in one.updates] for one in both], [f"{names[old]}_new" for old, _ in graph.updates]
    )
    for row, (old, _) in zip(written, graph.updates):
        row["replaces"] = names[old]
    return {"name": graph.name, "inputs": inputs, "parameters": parameters, "outputs": outputs, "updates": written}


def write_manifest(draft: Path, manifest: dict[str, Any]) -> Path:
    """``NAME-manifest.json``."""
    file = draft.with_name(f"{draft.name}-manifest.json")
    file.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return file


def write_example(draft: Path, taken: Taken, results: list[Any]) -> Path:
    """``NAME-example.npz``: ``input:NAME`` and ``output:NUMBER``."""
    file = draft.with_name(f"{draft.name}-example.npz")
    names = taken.names
    arrays = {f"input:{names[value]}": array for value, array in zip(taken.graph.inputs, taken.inputs)}
    arrays.update({f"output:{number}": array for number, array in enumerate(results)})
    numpy.savez(file, **arrays)
    return file
