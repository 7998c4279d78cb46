"""The nodes of a loop's step in the order in which they can be done for all steps: cycles, sums, and single nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dopegraph.passes.periods import BEFORE, OUTSIDE, SAME, Origin

Origins = Sequence[Sequence[Origin]]


@dataclass
class Cycle:
    """Nodes of a step that wait for each other, from step to step; or a single node.

    Attributes
    ----------
    nodes : list of int
        In the order of the step.
    loops : bool
        Whether they wait for each other.
    sums : bool
        Whether they do, but only add something up.
    sunk : list of int
        Nodes that are computed in this loop, because nobody else reads them.
    gone : bool
        Whether that became of this one.
    """

    nodes: list[int]
    loops: bool = False
    sums: bool = False
    sunk: list[int] = field(default_factory=list)
    gone: bool = False


@dataclass(frozen=True)
class Sum:
    """What is added up from step to step.

    Attributes
    ----------
    terms : tuple of (Origin, bool)
        What every step adds; subtracts, if true.
    start : (int, int)
        The node and the operand that have the sum before the first step.
    last : int
        The node that makes the sum after a step.
    """

    terms: tuple[tuple[Origin, bool], ...]
    start: tuple[int, int]
    last: int


def in_order(origins: Origins, is_sum: Callable[[Sequence[int]], bool]) -> list[Cycle]:
    """The strongly connected parts, each after those that it waits for (Tarjan, Depth-first search and linear graph
    algorithms, 1972)."""
    waits = [[origin.node for origin in one if origin.kind != OUTSIDE] for one in origins]
    found = []
    for nodes in _components(waits):
        loops = len(nodes) > 1 or nodes[0] in waits[nodes[0]]
        sums = loops and is_sum(nodes)
        found.append(Cycle(nodes, loops and not sums, sums))
    return found


def _components(waits: Sequence[Sequence[int]]) -> list[list[int]]:
    number = [-1] * len(waits)
    low = [0] * len(waits)
    open_nodes: list[int] = []
    is_open = [False] * len(waits)
    found: list[list[int]] = []
    count = 0
    for root in range(len(waits)):
        if number[root] >= 0:
            continue
        rest = [(root, 0)]
        while rest:
            node, place = rest.pop()
            if place == 0:
                number[node] = low[node] = count
                count += 1
                open_nodes.append(node)
                is_open[node] = True
            if place < len(waits[node]):
                rest.append((node, place + 1))
                other = waits[node][place]
                if number[other] < 0:
                    rest.append((other, 0))
                elif is_open[other]:
                    low[node] = min(low[node], number[other])
                continue
            if low[node] == number[node]:
                part = []
                while True:
                    member = open_nodes.pop()
                    is_open[member] = False
                    part.append(member)
                    if member == node:
                        break
                found.append(sorted(part))
            if rest:
                above = rest[-1][0]
                low[above] = min(low[above], low[node])
    return found


def sum_of(nodes: Sequence[int], origins: Origins, names: Sequence[str]) -> Sum | None:
    """The sum that a cycle is, if it is nothing else: each node adds something to what the one before it made."""
    inside = set(nodes)
    readers: dict[int, int] = {}
    terms: list[tuple[Origin, bool]] = []
    start, last = None, None
    for node in nodes:
        if names[node] not in ("add", "sub"):
            return None
        own = [place for place, origin in enumerate(origins[node]) if origin.kind != OUTSIDE and origin.node in inside]
        if len(own) != 1 or (names[node] == "sub" and own[0] == 1):
            return None
        origin, term = origins[node][own[0]], origins[node][1 - own[0]]
        if term.kind != SAME or origin.node in readers:
            return None
        readers[origin.node] = node
        terms.append((term, names[node] == "sub"))
        if origin.kind == BEFORE:
            if start is not None:
                return None
            start, last = (node, own[0]), origin.node
    for node, one in enumerate(origins):
        if node not in inside and any(origin.kind != OUTSIDE and origin.node in inside for origin in one):
            return None
    if start is None or last is None:
        return None
    return Sum(tuple(terms), start, last)
