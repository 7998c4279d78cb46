"""How many bytes are alive while each node of a graph runs: freed as soon as nobody reads them, or as planned."""

from __future__ import annotations

from dataclasses import dataclass

from dopegraph.ir.graph import Graph, Value
from dopegraph.passes.memory import MemoryPlan, is_planned, storage_of


@dataclass(frozen=True)
class Timeline:
    """Bytes for each node of a graph, in order; arguments are always there.

    Attributes
    ----------
    operations : tuple of str
        What each node is, with the line of the source.
    imperative : tuple of int
        With an array for every value, none of which is freed.
    live : tuple of int
        With an array for every value, freed as soon as nobody reads it any more.
    planned : tuple of int
        Of the plan's buffers those that hold something, at their full sizes.
    """

    operations: tuple[str, ...]
    imperative: tuple[int, ...]
    live: tuple[int, ...]
    planned: tuple[int, ...]

    @classmethod
    def of(cls, graph: Graph, plan: MemoryPlan) -> Timeline:
        """The timeline of a graph under a plan."""
        names = [
            f"{node.op.name} at {node.location}" if node.location is not None else node.op.name for node in graph.nodes
        ]
        lists = (held_bytes(graph), live_bytes(graph), planned_bytes(graph, plan))
        return cls(tuple(names), *(tuple(one) for one in lists))


def live_bytes(graph: Graph) -> list[int]:
    """For each node the bytes that have to be there while it runs: arguments, results, and what is still read.

    Examples
    --------
    >>> from dopegraph.ir import parse
    >>> live_bytes(parse('graph f(%x: f64[10]) { %0: f64[10] = exp(%x) %1: f64[10] = tanh(%0) return %1 }'))
    [160, 240]
    """
    always = sum(value.type.nbytes for value in graph.arguments)
    return [always + amount for amount in _alive(graph, {})]


def held_bytes(graph: Graph) -> list[int]:
    """For each node the bytes that are there when it has run if nothing is freed, as Python keeps what it names."""
    total = sum(value.type.nbytes for value in graph.arguments)
    amounts = []
    for node in graph.nodes:
        total += sum(value.type.nbytes for value in node.outputs if is_planned(value))
        amounts.append(total)
    return amounts


def planned_bytes(graph: Graph, plan: MemoryPlan) -> list[int]:
    """For each node the bytes of arguments and of the plan's buffers that hold something while it runs."""
    always = sum(value.type.nbytes for value in graph.arguments)
    return [always + amount for amount in _alive(graph, plan.slot_of, plan)]


def _alive(graph: Graph, slot_of: dict[Value, int], plan: MemoryPlan | None = None) -> list[int]:
    """Bytes that nodes made and that are alive while each runs; values of one slot are one."""
    last: dict[Value, int] = {}
    for position, node in enumerate(graph.nodes):
        for value in (*node.inputs, *node.outputs):
            last[storage_of(value)] = position
    for value in graph.results:
        last[storage_of(value)] = len(graph.nodes)
    dying: dict[int, list[Value]] = {}
    for value, position in last.items():
        dying.setdefault(position, []).append(value)
    alive: dict[Value | int, int] = {}  # how many values a slot holds, or that a value without one is there
    total, amounts = 0, []

    def size(value: Value) -> int:
        if value not in slot_of or plan is None:
            return value.type.nbytes
        slot = plan.slots[slot_of[value]]
        if slot.fresh:  # made as large as it has to be
            return value.type.nbytes
        return 0 if slot.argument is not None else slot.nbytes

    for position, node in enumerate(graph.nodes):
        for value in node.outputs:
            if is_planned(value):
                key = slot_of.get(value, value)
                if not alive.get(key):
                    total += size(value)
                alive[key] = alive.get(key, 0) + 1
        amounts.append(total)
        for value in dying.get(position, ()):
            if is_planned(value):
                key = slot_of.get(value, value)
                alive[key] -= 1
                if not alive[key]:
                    total -= size(value)
    return amounts
