"""``graph.summary()``: operations, parameters, bytes and arithmetic of a graph, by source line; a table where `rich`
is installed, plain columns elsewhere.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.ir.printer import value_names
from dopegraph.runtime.location import Location
from dopegraph.show.operations import Operations, operations, operations_of

_HEAD = ("line", "source", "operations", "FLOPs", "bytes")


@dataclass(frozen=True)
class Line:
    """What a line of the user's computes.

    Attributes
    ----------
    location : Location or None
    operations : Operations
    """

    location: Location | None
    operations: Operations

    @property
    def source(self) -> str:
        """The text of the line."""
        return self.location.source() if self.location is not None else ""


@dataclass(frozen=True)
class Summary:
    """A graph in numbers.

    Attributes
    ----------
    name : str
    inputs, parameters : dict of str to str
        Names and types of the arguments and of the state.
    elements, parameter_bytes : int
        Of all parameters together.
    total : Operations
    lines : tuple of Line
        In the order in which they first compute something.
    """

    name: str
    inputs: dict[str, str]
    parameters: dict[str, str]
    elements: int
    parameter_bytes: int
    total: Operations
    lines: tuple[Line, ...]

    def rows(self) -> list[tuple[str, ...]]:
        """The table: line, source, operations, arithmetic, bytes."""
        return [
            (str(line.location or "?"), line.source, _counted(line.operations), f"{line.operations.flops:,}",
             f"{line.operations.bytes:,}")
            for line in self.lines
        ]  # fmt: skip

    def _facts(self) -> list[str]:
        left_out = f", without {', '.join(self.total.uncounted)}" if self.total.uncounted else ""
        arguments = ", ".join(f"{name}: {type}" for name, type in self.inputs.items()) or "none"
        return [
            f"inputs: {arguments}",
            f"parameters: {len(self.parameters)} arrays, {self.elements:,} elements, {self.parameter_bytes:,} bytes",
            f"operations: {sum(self.total.counts.values())} nodes, {self.total.flops:,} of arithmetic{left_out}, "
            f"{self.total.bytes:,} bytes read and written",
        ]

    def __str__(self) -> str:
        rows = [_HEAD, *self.rows()]
        widths = [min(max(len(row[column]) for row in rows), 60) for column in range(len(_HEAD))]
        body = ["  ".join(_cell(row, column, widths[column]) for column in range(len(_HEAD))).rstrip() for row in rows]
        return "\n".join([f"{self.name}", *self._facts(), "", body[0], "-" * len(body[0]), *body[1:]])

    def __rich__(self) -> Any:
        """The summary for `rich` to print."""
        console, table = importlib.import_module("rich.console"), importlib.import_module("rich.table")
        text = importlib.import_module("rich.text")
        made = table.Table(title=self.name, caption="\n".join(self._facts()), caption_justify="left")
        for place, head in enumerate(_HEAD):
            made.add_column(head, justify="right" if place > 2 else "left", overflow="fold")
        for row in self.rows():
            made.add_row(*[text.Text(cell) for cell in row])  # not markup: a source line may have brackets
        return console.Group(made)

    def print(self) -> None:
        """Print it, as a table if `rich` is installed."""
        try:
            importlib.import_module("rich").print(self)
        except ImportError:
            print(self)


def _cell(row: Sequence[str], column: int, width: int) -> str:
    text = row[column] if len(row[column]) <= width else row[column][: width - 3] + "..."
    return text.rjust(width) if column > 2 else text.ljust(width)


def _counted(found: Operations) -> str:
    return ", ".join(name if times == 1 else f"{times} {name}" for name, times in found.counts.items())


def summary(graph: Graph) -> Summary:
    """A graph in numbers, by source line."""
    names = value_names(graph)
    by_line: dict[tuple[str, int] | None, list[Node]] = {}
    for node in graph.nodes:
        if node.inputs:
            where = node.location
            by_line.setdefault((os.path.abspath(where.file), where.line) if where is not None else None, []).append(
                node
            )

    def typed(values: list[Value]) -> dict[str, str]:
        return {names[value][1:]: str(value.type) for value in values}

    return Summary(
        name=graph.name,
        inputs=typed(graph.inputs),
        parameters=typed(graph.state),
        elements=sum(value.type.size for value in graph.state),
        parameter_bytes=sum(value.type.nbytes for value in graph.state),
        total=operations(graph),
        lines=tuple([Line(nodes[0].location, operations_of(nodes)) for nodes in by_line.values()]),
    )
