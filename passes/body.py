"""Writes the body of a recurrence: one step of a cycle, what it takes from outside, and what it hands on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dopegraph.ir.builder import Builder
from dopegraph.ir.graph import Graph, Value, needed_nodes
from dopegraph.ir.primitive import primitives
from dopegraph.passes.cycles import Cycle
from dopegraph.passes.periods import BEFORE, SAME

if TYPE_CHECKING:
    from dopegraph.passes.recurrence import _Loop


class BodyWriter:
    """The body of one cycle, and the node that runs it."""

    def __init__(self, loop: _Loop, cycle: Cycle) -> None:
        self.loop = loop
        self.cycle = cycle
        self.builder = Builder()
        self.inside = {*cycle.sunk, *cycle.nodes}
        self.constants: dict[Value, Value] = {}
        self.sequences: dict[Value, Value] = {}
        self.carried: dict[tuple[int, int, Value], Value] = {}
        self.made: dict[tuple[int, int], Value] = {}

    def write(self) -> None:
        """Emit the recurrence, and say where what it makes is."""
        for node in sorted(self.inside):
            one = self.loop.step[node]
            inputs = [self._operand(node, place) for place in range(len(one.inputs))]
            emitted = self.builder.emit_node(one.op, inputs, one.attrs, one.location)
            self.made.update(((node, output), value) for output, value in enumerate(emitted.outputs))
        stacked = [(node, output) for node in sorted(self.inside) for output in self._wanted(node)]
        graph = Graph("step")
        graph.inputs = [*self.constants.values(), *self.sequences.values(), *self.carried.values()]
        graph.outputs = [self.made[node, output] for node, output, _ in self.carried]
        graph.outputs += [self.made[key] for key in stacked]
        graph.nodes = needed_nodes(self.builder.nodes, graph.outputs, set(graph.inputs))
        loop = self.loop
        firsts = [loop.stacks.value(first) for _, _, first in self.carried]
        results = emit_recurrence(graph, [*self.constants], [*self.sequences], firsts, loop.size, loop.reverse)
        for key, stack in zip(stacked, results):
            loop.stacked[key] = stack
        for node in {node for node, _ in stacked}:
            loop.made(node, [loop.stacked[node, output] for output in range(len(loop.step[node].outputs))])
        for (node, output, _), last in zip(self.carried, results[len(stacked) :]):
            loop.stacks.plain[loop.steps[-1][node].outputs[output]] = last

    def _operand(self, node: int, operand: int) -> Value:
        loop = self.loop
        origin = loop.origins[node][operand]
        if origin.kind == SAME and origin.node in self.inside:
            return self.made[origin.node, origin.output]
        first = loop.step[node].inputs[operand]
        if origin.kind == BEFORE and origin.node in self.inside:
            key = origin.node, origin.output, first
            if key not in self.carried:
                self.carried[key] = self.builder.input(first.type, f"h{len(self.carried)}")
            return self.carried[key]
        value, each = loop.operand(node, operand)
        found = self.sequences if each else self.constants
        if value not in found:
            letter = "x" if each else "c"
            found[value] = self.builder.input(first.type, f"{letter}{len(found)}")
        return found[value]

    def _wanted(self, node: int) -> range:
        """The results of a node that others read: all, if they read any."""
        loop = self.loop
        carried = {key[0] for key in self.carried}
        escapes = [step for step in loop.escapes(node) if node not in carried or step != loop.size - 1]
        read = any(
            origin.kind in (SAME, BEFORE) and origin.node == node and reader not in self.inside
            for reader, origins in enumerate(loop.origins)
            for origin in origins
        )
        return range(len(loop.step[node].outputs) if escapes or read else 0)


def emit_recurrence(
    body: Graph,
    constants: list[Value],
    sequences: list[Value],
    firsts: list[Value],
    length: int,
    reverse: bool,
) -> tuple[Value, ...]:
    """The node that runs a body: its results are what is stacked, then what the last step hands on."""
    found = primitives["recurrence"](
        *constants,
        *sequences,
        *firsts,
        body=str(body),
        length=length,
        constants=len(constants),
        sequences=len(sequences),
        reverse=reverse,
    )
    return found if isinstance(found, tuple) else (found,)
