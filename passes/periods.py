"""Finds loops that Python unrolled: stretches of nodes that repeat, every step like the one before it.

What is compared are operators, types and attributes; then how the operands of a step hang together: made in the same
step, in the step before, or outside of the loop. The search is linear in the number of nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dopegraph.ir.graph import Node, Value
from dopegraph.ir.types import attributes_key

# Steps that are fewer are not worth a loop.
LEAST = 4

# As many nodes in a row have to come again before a loop is looked for, and as many periods are tried.
WINDOW, TRIED = 4, 8

# Operators whose attributes may be other ones in every step.
VARYING = ("strided_slice", "unslice", "slice_update", "full")

SAME, BEFORE, OUTSIDE = "same", "before", "outside"


@dataclass(frozen=True)
class Origin:
    """Where an operand comes from: a result of a node of the same step or of the one before, or from outside."""

    kind: str
    node: int = -1
    output: int = 0


@dataclass(frozen=True)
class Period:
    """`count` steps of `length` nodes, from `start` on; `origins` has an entry for every operand of a step's nodes.

    In the first step what comes from the step before comes from outside.
    """

    start: int
    length: int
    count: int
    origins: tuple[tuple[Origin, ...], ...]

    @property
    def stop(self) -> int:
        """The first position behind it."""
        return self.start + self.length * self.count

    def moved(self, by: int) -> Period:
        """The period at another place."""
        return replace(self, start=self.start + by)

    def longer(self, start: int | None = None) -> Period:
        """One step more."""
        return replace(self, start=self.start if start is None else start, count=self.count + 1)


def find_periods(nodes: Sequence[Node]) -> list[Period]:
    """The loops in a list of nodes, in order; none shares a node with another."""
    signs = _signs(nodes)
    follower = _followers(signs)
    position = {value: place for place, node in enumerate(nodes) for value in node.outputs}
    found = []
    place = 0
    dead: dict[int, int] = {}  # for each period the first position that does not repeat
    refused: set[tuple[int, int]] = set()
    while place < len(nodes):
        best = _longest(signs, follower, place, dead, refused)
        period = best and _hangs_together(nodes, position, place, *best)
        if period:
            found.append(period)
            place = period.stop
        elif best:
            refused.add(best)
        else:
            place += 1
    return found


def _signs(nodes: Sequence[Node]) -> list[int]:
    """Equal numbers for nodes that do the same."""
    numbers: dict[object, int] = {}
    signs = []
    for node in nodes:
        attributes: object = None
        if node.op.name not in VARYING:
            attributes = attributes_key(node.attrs)
        key = (
            node.op.name,
            attributes,
            tuple([value.type for value in node.inputs]),
            tuple([value.type for value in node.outputs]),
        )
        signs.append(numbers.setdefault(key, len(numbers)))
    return signs


def _followers(signs: Sequence[int]) -> list[int]:
    """For each position the next one at which the same few signs begin; -1 if there is none."""
    latest: dict[tuple[int, ...], int] = {}
    follower = [-1] * len(signs)
    for place in range(len(signs) - WINDOW, -1, -1):
        window = tuple(signs[place : place + WINDOW])
        follower[place] = latest.get(window, -1)
        latest[window] = place
    return follower


def _longest(
    signs: Sequence[int],
    follower: Sequence[int],
    place: int,
    dead: dict[int, int],
    refused: set[tuple[int, int]],
) -> tuple[int, int] | None:
    """Of the periods that begin at a place the one that covers most, and up to where."""
    best: tuple[int, int] | None = None
    other = place
    for _ in range(TRIED):
        other = follower[other]
        if other < 0:
            break
        length = other - place
        stop = dead.get(length, -1)
        if stop < place:
            stop = place
            while stop + length < len(signs) and signs[stop] == signs[stop + length]:
                stop += 1
            dead[length] = stop
        end = stop + length
        # A multiple of a period covers as much: it has to cover much more.
        enough = (end - place) // length >= LEAST and (length, end) not in refused
        if enough and (best is None or end - place > 1.5 * (best[1] - place)):
            best = length, end
    return best


def _hangs_together(
    nodes: Sequence[Node], position: dict[Value, int], first: int, length: int, end: int
) -> Period | None:
    """The steps whose operands come from like places, cut where least is handed from one step to the next."""
    cut = _cut(nodes, position, first, length, end)
    if cut is None:
        return None
    start = first + cut
    count = (end - start) // length
    steps = [_origins(nodes, position, start, length, step, count) for step in range(count)]
    best, low = (0, 0), 1
    while low < count:
        high = low + 1
        while high < count and steps[high] == steps[low] and steps[low] is not None:
            high += 1
        if steps[low] is not None:
            begin = low - 1 if _begins(steps[low - 1], steps[low]) else low
            if high - begin > best[1] - best[0]:
                best = begin, high
        low = high
    begin, high = best
    origins = steps[high - 1]
    if high - begin < LEAST or origins is None:
        return None
    return Period(start + begin * length, length, high - begin, origins)


def _cut(nodes: Sequence[Node], position: dict[Value, int], first: int, length: int, end: int) -> int | None:
    """Where a step begins, so that few values cross the border and none crosses two."""
    middle = first + (end - first) // length // 2 * length
    reach: dict[int, int] = {}  # of every value that is made inside, the last reader
    for place in range(middle, middle + length):
        for value in nodes[place].inputs:
            made = position.get(value, -1)
            if made >= first:
                relative, gap = made % length, place - made
                reach[relative] = max(reach.get(relative, 0), gap)
    crossing = [0] * length
    for relative, gap in reach.items():
        if gap >= 2 * length:
            return None
        for step in range(gap):
            crossing[(relative + 1 + step - first) % length] += 1 if step < length else len(nodes)
    least = min(crossing)
    return crossing.index(least) if least < len(nodes) else None


def _origins(
    nodes: Sequence[Node], position: dict[Value, int], start: int, length: int, step: int, count: int
) -> tuple[tuple[Origin, ...], ...] | None:
    """Where the operands of a step come from; None if one comes from an earlier step than the one before."""
    begin, outside = start + step * length, Origin(OUTSIDE)
    found = []
    for place in range(begin, begin + length):
        origins = []
        for value in nodes[place].inputs:
            made = position.get(value, -1)
            if made >= begin:
                origins.append(Origin(SAME, made - begin, value.index))
            elif made >= begin - length and step:
                origins.append(Origin(BEFORE, made - begin + length, value.index))
            elif made >= start:
                return None
            else:
                origins.append(outside)
        found.append(tuple(origins))
    return tuple(found)


def _begins(first: tuple[tuple[Origin, ...], ...] | None, other: tuple[tuple[Origin, ...], ...] | None) -> bool:
    """Whether a step can be the first one before others: what they have from the step before comes from anywhere."""
    if first is None or other is None:
        return False
    return all(
        one == two or (two.kind == BEFORE and one.kind != SAME)
        for ones, twos in zip(first, other)
        for one, two in zip(ones, twos)
    )
