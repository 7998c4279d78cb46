"""Trades time for memory: values that wait long for their next use are computed again there, until a budget is kept.

Chen et al., Training Deep Nets with Sublinear Memory Cost (2016): of the values that wait, some are kept, and groups of
those between them are computed again together, just before the first of a group is read.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.ir.primitive import primitives
from dopegraph.passes.memory import is_planned, memory_report, storage_of
from dopegraph.passes.pass_ import Pass
from dopegraph.passes.workspace import workspace

# What is computed again only when nothing else is enough: everything else moves memory once.
COSTLY = ("matmul", "conv", "cholesky", "inv", "svd", "qr", "eigh", "solve", "sort", "argsort", "fft")
# What never is: random numbers, which take long, and operators of libraries, which may have state of their own.
NEVER = ("random_", "mxnet_", "host")
SIZES = (1, 2, 4, 8, 16, 32)  # of groups, the least memory is at about the square root of what waits
ROUNDS = 3  # after the fullest moment was relieved another one is the fullest
EXTRA = 8  # nodes that are computed again for a group besides its values


class Recompute(Pass):
    """Compute values again until the planned memory (arguments included) is at most `budget` bytes, or nothing helps.

    What is computed again reads its operands through a ``barrier``, or it would be merged with the first time.
    """

    name = "recompute"

    def __init__(self, budget: int) -> None:
        self.budget = budget

    def run(self, graph: Graph) -> bool:
        first = best = memory_report(graph).planned
        original = kept = _order(graph)
        # Aiming at less than is possible computes too much again: then half of it may free more.
        aims = (self.budget, (self.budget + first) // 2)
        for aim, costly, size in itertools.product(aims, (False, True), SIZES):
            if best > self.budget:
                _restore(graph, original)
                for _ in range(ROUNDS):
                    planned = memory_report(graph).planned
                    if planned <= aim or not _relieve(graph, planned - aim, size, costly):
                        break
                planned = memory_report(graph).planned
                if planned < best:
                    best, kept = planned, _order(graph)
        _restore(graph, kept)
        return best < first


@dataclass
class _Group:
    """Values that are computed again together before the node at `use`, and all nodes that takes, operands first."""

    values: list[Value]
    use: int
    nodes: list[Node]

    @property
    def cost(self) -> float:
        """Bytes written again for each byte that is free in between."""
        again = sum(node.outputs[0].type.nbytes for node in self.nodes)
        return again / max(1, sum(value.type.nbytes for value in self.values))


def _relieve(graph: Graph, excess: int, size: int, costly: bool) -> bool:
    """Free bytes at the position where the most are alive; whether anything was found."""
    lives = _Lives(graph)
    peak = lives.fullest()
    chosen = []
    for group in sorted(_groups(lives, peak, size, costly), key=lambda group: group.cost):
        if excess > 0:
            chosen.append(group)
            excess -= sum(value.type.nbytes for value in group.values)
    for group in sorted(chosen, key=lambda group: -group.use):  # from the end: positions before stay what they are
        _compute_again(graph, group)
    return bool(chosen)


def _groups(lives: _Lives, peak: int, size: int, costly: bool) -> list[_Group]:
    """Groups of values that wait at a position, in the order they are made; between full groups one value is kept."""
    groups: list[_Group] = []
    gone: set[Value] = set()
    current: _Group | None = None
    for value in lives.across(peak):
        if current is not None and len(current.values) == size:
            groups.append(current)
            current = None
            continue
        grown = _group(lives, [*(current.values if current else ()), value], gone, peak, costly)
        if grown is None and current is not None:
            groups.append(current)
            grown = _group(lives, [value], gone, peak, costly)
        current = grown
        if current is not None:
            gone.update(current.values)
    return groups if current is None else [*groups, current]


class _Lives:
    """Where values are made and read; views count as what they are views of."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.made: dict[Value, int] = {}
        self.read: dict[Value, list[int]] = {}
        for position, node in enumerate(graph.nodes):
            for value in node.outputs:
                self.made[value] = position
            for storage in dict.fromkeys(map(storage_of, node.inputs)):
                if not node.op.view:
                    self.read.setdefault(storage, []).append(position)
        self.results = {storage_of(value) for value in graph.results}

    def end(self, value: Value) -> int:
        """The last position where the memory is needed."""
        if value in self.results or value.node is None:
            return len(self.graph.nodes)
        return max(self.read.get(value, ()), default=self.made[value])

    def fullest(self) -> int:
        """The position at which the most bytes are alive, with those that the kernel needs for itself."""
        change = [0] * (len(self.graph.nodes) + 2)
        for value, position in self.made.items():
            if is_planned(value):
                change[position] += value.type.nbytes
                change[self.end(value) + 1] -= value.type.nbytes
        alive, most, where = 0, -1, 0
        for position in range(len(self.graph.nodes)):
            alive += change[position]
            needed = alive + workspace(self.graph.nodes[position])
            if needed > most:
                most, where = needed, position
        return where

    def across(self, position: int) -> Iterable[Value]:
        """Values that are kept at a position although the node there does not read them."""
        for value, made in self.made.items():
            waits = is_planned(value) and made < position < self.end(value)
            if waits and value not in self.results and position not in self.read.get(value, ()):
                yield value


def _group(lives: _Lives, values: list[Value], gone: set[Value], peak: int, costly: bool) -> _Group | None:
    """How to compute values again before the first of them is read, from what is still there then; None if not."""
    use = min(next(position for position in lives.read[value] if position > peak) for value in values)
    nodes: dict[Node, None] = {}
    pending = list(values)
    while pending:
        node = pending.pop().node
        if node in nodes:
            continue
        if node is None or not node.inputs or len(node.outputs) != 1 or node.op.name.startswith(NEVER):
            return None
        if len(nodes) >= len(values) + EXTRA or (not costly and node.op.name.startswith(COSTLY)):
            return None
        nodes[node] = None
        for operand in node.inputs:
            held = storage_of(operand)
            if held in gone or not _stays(lives, held, use):
                pending.append(held)
    return _Group(values, use, sorted(nodes, key=lambda node: lives.made[node.outputs[0]]))


def _stays(lives: _Lives, storage: Value, use: int) -> bool:
    """Whether memory is there until a position anyway; numbers and constants always are."""
    return storage.node is None or not is_planned(storage) or not storage.node.inputs or lives.end(storage) >= use


def _compute_again(graph: Graph, group: _Group) -> None:
    """Insert copies of the nodes before the use, and let everything from there on read them."""
    made: dict[Value, Value] = {}
    inserted: list[Node] = []

    def again(value: Value) -> Value:
        """The value as copies see it: itself behind a barrier, a copy, or a view of a copy."""
        if value in made:
            return made[value]
        node = value.node
        if node is not None and not node.inputs:
            return value
        if node is not None and node.op.view and storage_of(value) in made:
            copy = Node(node.op, map(again, node.inputs), node.attrs, [value.type], node.location)
        else:
            copy = Node(primitives["barrier"], [value], {}, [value.type], node.location if node is not None else None)
        inserted.append(copy)
        made[value] = copy.outputs[0]
        return made[value]

    for node in group.nodes:
        copy = Node(node.op, [again(value) for value in node.inputs], node.attrs, [node.outputs[0].type], node.location)
        inserted.append(copy)
        made[node.outputs[0]] = copy.outputs[0]
    values = set(group.values)
    for node in graph.nodes[group.use :]:
        if any(storage_of(value) in values for value in node.inputs):
            node.inputs = tuple([again(value) if storage_of(value) in values else value for value in node.inputs])
    graph.nodes[group.use : group.use] = inserted


def _order(graph: Graph) -> list[tuple[Node, tuple[Value, ...]]]:
    """The nodes and what they read, to come back to."""
    return [(node, node.inputs) for node in graph.nodes]


def _restore(graph: Graph, kept: list[tuple[Node, tuple[Value, ...]]]) -> None:
    for node, inputs in kept:
        node.inputs = inputs
    graph.nodes = [node for node, _ in kept]
