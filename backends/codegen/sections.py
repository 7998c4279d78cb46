"""Finds whether the rows of a recurrence never meet, and writes its body for some of them.

In the loops of the book each example of a batch goes through all steps alone. Threads that take some examples each
through the whole loop need not wait for each other, neither in a step nor between steps.

A value is *divided* when the axis that comes first among those longer than 1 is that of the examples, or as many times
as long; then what belongs to an example lies together, and that of some neighbours, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dopegraph.ir.builder import Builder
from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.ir.types import Shape

# Rows that one block of a product takes at once: fewer of them would cost as much.
BLOCK = 8


class _MeetError(Exception):
    """Some value depends on several rows."""


@dataclass(frozen=True)
class Division:
    """What is divided in the body of a recurrence.

    Attributes
    ----------
    body : Graph
    rows : int
    values : set of Value
        Those that are divided: all outputs are, all that is handed on, and some of the other inputs.
    """

    body: Graph
    rows: int
    values: frozenset[Value]

    def of(self, rows: int) -> Graph:
        """The body for so many rows."""
        builder = Builder()
        known: dict[Value, Value] = {}
        inputs = []
        for value in self.body.inputs:
            known[value] = builder.input(value.type.with_shape(self._shape(value, rows)), value.name)
            inputs.append(known[value])
        for node in self.body.nodes:
            attrs = dict(node.attrs)
            if node.output in self.values:
                attrs.update(self._attributes(node, rows))
            emitted = builder.emit_node(node.op, [known[value] for value in node.inputs], attrs, node.location)
            known[node.output] = emitted.output
            assert emitted.output.shape == self._shape(node.output, rows), node
        graph = Graph(self.body.name)
        graph.inputs, graph.nodes = inputs, builder.nodes
        graph.outputs = [known[value] for value in self.body.outputs]
        return graph

    def _shape(self, value: Value, rows: int) -> Shape:
        return self._narrow(value.shape, rows) if value in self.values else value.shape

    def _narrow(self, shape: Shape, rows: int) -> Shape:
        axis = _first(shape)
        return (*shape[:axis], shape[axis] // self.rows * rows, *shape[axis + 1 :])

    def _attributes(self, node: Node, rows: int) -> dict[str, Any]:
        """Those that say how long axes are."""
        found: dict[str, Any] = {}
        if "shape" in node.attrs:
            found["shape"] = self._narrow(node.attrs["shape"], rows)
        if "stops" in node.attrs:
            whole = node.output.shape if node.op.name == "unslice" else node.inputs[0].shape
            axis, stops = _first(whole), node.attrs["stops"]
            found["stops"] = (*stops[:axis], self._narrow(whole, rows)[axis], *stops[axis + 1 :])
        return found


def division(body: Graph, carried: int) -> Division | None:
    """How a body can be divided, whose last `carried` inputs are handed on; None when rows meet."""
    lengths = [_length(value.shape) for value in (*body.inputs[len(body.inputs) - carried :], *body.outputs)]
    rows = math.gcd(*lengths) if lengths else 0
    if rows < 2 or any(len(node.outputs) != 1 for node in body.nodes):
        return None
    found = {*body.inputs[len(body.inputs) - carried :], *body.outputs}
    try:
        before = 0
        while len(found) > before:
            before = len(found)
            for node in body.nodes:
                _spread(node, found, rows)
    except _MeetError:
        return None
    return Division(body, rows, frozenset(found))


def sections(rows: int, most: int) -> list[tuple[int, int]]:
    """The first row and the number of rows of each of at most so many sections, as equal as can be."""
    count = max(1, min(most, rows // BLOCK))
    bounds = [rows * number // count for number in range(count + 1)]
    return [(start, stop - start) for start, stop in zip(bounds, bounds[1:])]


def _first(shape: Shape) -> int:
    """The first axis that is longer than 1, otherwise the number of axes."""
    return next((axis for axis, length in enumerate(shape) if length != 1), len(shape))


def _length(shape: Shape) -> int:
    axis = _first(shape)
    return shape[axis] if axis < len(shape) else 1


def _spread(node: Node, found: set[Value], rows: int) -> None:
    """Add to `found` what has to be divided because something else of the node is."""
    value = node.output
    if value not in found and not any(operand in found for operand in node.inputs):
        return
    found.add(value)
    _require(value, rows)
    rule = _RULES.get(node.op.name) or (_aligned if node.op.elementwise else None)
    divided = rule(node) if rule is not None else None
    if divided is None:
        raise _MeetError
    for operand, is_divided in zip(node.inputs, divided):
        if is_divided:
            found.add(operand)
            _require(operand, rows)
        elif operand in found:
            raise _MeetError


def _require(value: Value, rows: int) -> None:
    """That there is as much of a value for every row."""
    length = _length(value.shape)
    if length == 0 or length % rows:
        raise _MeetError


# For each primitive, which operands are divided when the result is; None when it needs several rows. ------------------


def _aligned(node: Node) -> Sequence[bool]:
    """Operands that have the axis; others are repeated along it."""
    shape = node.output.shape
    place = len(shape) - _first(shape)
    return [value.ndim >= place and value.shape[-place] == shape[-place] for value in node.inputs]


def _product(node: Node) -> Sequence[bool] | None:
    shape = node.output.shape
    place = len(shape) - _first(shape)
    if place == 2 and not node.attrs["transpose_x"]:
        return True, False
    return _aligned(node) if place > 2 else None


def _reduction(node: Node) -> Sequence[bool] | None:
    return None if _first(node.inputs[0].shape) in node.attrs["axes"] else [True]


def _along(node: Node) -> Sequence[bool] | None:
    return None if node.attrs["axis"] % node.output.ndim == _first(node.output.shape) else [True] * len(node.inputs)


def _transpose(node: Node) -> Sequence[bool] | None:
    return [True] if node.attrs["axes"][_first(node.output.shape)] == _first(node.inputs[0].shape) else None


def _slice(node: Node) -> Sequence[bool] | None:
    """All rows have to be there."""
    whole = node.output.shape if node.op.name == "unslice" else node.inputs[0].shape
    axis, attrs = _first(whole), node.attrs
    bounds = attrs["starts"][axis], attrs["stops"][axis], attrs["steps"][axis]
    return [True] * len(node.inputs) if bounds == (0, whole[axis], 1) else None


def _take(node: Node) -> Sequence[bool] | None:
    """Each row is somewhere in a table."""
    return (False, True) if node.attrs["axis"] % node.inputs[0].ndim == 0 else None


_RULES: dict[str, Callable[[Node], Sequence[bool] | None]] = {
    "matmul": _product,
    **dict.fromkeys(("sum", "prod", "max", "min", "all", "any"), _reduction),
    **dict.fromkeys(("softmax", "log_softmax", "concat"), _along),
    "reshape": lambda node: [True],
    "broadcast_to": _aligned,
    "full": lambda node: [],
    "transpose": _transpose,
    **dict.fromkeys(("strided_slice", "unslice"), _slice),
    "flip": lambda node: None if _first(node.output.shape) in node.attrs["axes"] else [True],
    "take": _take,
    "one_hot": lambda node: [True],
}
