"""Parts of a graph that a picture may fold into one vertex: what a loop repeats, functions, lines of the source."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from dopegraph.ir.graph import Node

# With more nodes than FEW repeated parts are folded at first; a picture has at most about MANY vertices.
FEW, MANY = 60, 300

# A part is repeated at least so often, and by so many nodes altogether.
_TIMES, _NODES = 3, 6
# How many distances to the next equal node are tried, and how long a part may be.
_TRIED, _LONGEST = 4, 2000


@dataclass
class Group:
    """Vertices that may be drawn as one.

    Attributes
    ----------
    id, title : str
    parent : str or None
        The group around it.
    kind : {"gradient", "function", "line", "repeat", "part"}
    folded : bool
        At first.
    """

    id: str
    title: str
    parent: str | None
    kind: str
    folded: bool


def find_groups(nodes: Sequence[Node], fold: bool | None = None) -> tuple[dict[str, Group], dict[Node, str]]:
    """The groups, outer ones first, and the innermost one of each node that is in any."""
    found = _Groups(len(nodes) > FEW if fold is None else fold)
    forward = [node for node in nodes if node.location is None or not node.location.gradient]
    backward = [node for node in nodes if node.location is not None and node.location.gradient]
    found.section(forward, None)
    if backward:
        found.section(backward, found.add("derivatives", None, "gradient", False) if forward else None)
    return found.groups, found.group_of


class _Groups:
    def __init__(self, fold: bool) -> None:
        self.fold = fold
        self.groups: dict[str, Group] = {}
        self.group_of: dict[Node, str] = {}

    def add(self, title: str, parent: str | None, kind: str, folded: bool) -> str:
        own = f"group_{len(self.groups)}"
        self.groups[own] = Group(own, title, parent, kind, folded)
        return own

    def section(self, nodes: Sequence[Node], parent: str | None) -> None:
        """What repeats is folded; if that leaves too much, functions are; if that is one, its lines."""
        repeats = find_repeats([_key(node) for node in nodes])
        if len(nodes) - sum(period * times - 1 for _, period, times in repeats) <= MANY:
            self._repeats(nodes, repeats, parent)
            return
        functions = defaultdict(list)
        for node in nodes:
            where = node.location
            functions[(where.file, where.function) if where is not None else None].append(node)
        for key, members in functions.items():
            title = f"{key[1]} ({os.path.basename(key[0])})" if key is not None else "elsewhere"
            own = self.add(title, parent, "function", self.fold)
            inner = find_repeats([_key(node) for node in members])
            if len(members) - sum(period * times - 1 for _, period, times in inner) <= MANY:
                self._repeats(members, inner, own)
            else:
                self._lines(members, own)

    def _lines(self, nodes: Sequence[Node], parent: str) -> None:
        lines = defaultdict(list)
        for node in nodes:
            lines[str(node.location) if node.location is not None else ""].append(node)
        for title, members in lines.items():
            own = self.add(title or "elsewhere", parent, "line", self.fold)
            self.group_of.update((node, own) for node in members)

    def _repeats(self, nodes: Sequence[Node], repeats: Sequence[tuple[int, int, int]], parent: str | None) -> None:
        if parent is not None:
            self.group_of.update((node, parent) for node in nodes)
        for start, period, times in repeats:
            counts = Counter(node.op.name for node in nodes[start : start + period])
            content = ", ".join(name if count == 1 else f"{count} {name}" for name, count in counts.most_common(4))
            more = ", ..." if len(counts) > 4 else ""
            own = self.add(f"{times} times: {content}{more}", parent, "repeat", self.fold)
            for number in range(times):
                part = own
                if period > 1:
                    part = self.add(f"{number + 1} of {times}", own, "part", number > 0)
                first = start + number * period
                self.group_of.update((node, part) for node in nodes[first : first + period])


def _key(node: Node) -> Hashable:
    where = node.location
    place = (where.file, where.line, where.gradient) if where is not None else None
    return node.op.name, place, tuple([value.type for value in node.outputs])


def find_repeats(keys: Sequence[Hashable]) -> list[tuple[int, int, int]]:
    """Where a sequence repeats a part at once, as (start, length of the part, how often); they do not overlap.

    Examples
    --------
    >>> find_repeats("xabcabcabcy")
    [(1, 3, 3)]
    """
    places: dict[Hashable, list[int]] = defaultdict(list)
    for number, key in enumerate(keys):
        places[key].append(number)
    rank = {number: at for found in places.values() for at, number in enumerate(found)}
    repeats, start = [], 0
    while start < len(keys):
        best = (0, 0)
        following = places[keys[start]][rank[start] + 1 :][:_TRIED]
        for period in (place - start for place in following):
            if period > _LONGEST:
                break
            end = start
            while end + period < len(keys) and keys[end] == keys[end + period]:
                end += 1
            times = (end - start) // period + 1
            if times >= _TIMES and period * times >= _NODES and period * times > best[0] * best[1]:
                best = period, times
        if best[1]:
            repeats.append((start, *best))
        start += max(best[0] * best[1], 1)
    return repeats
