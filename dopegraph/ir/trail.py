"""What builders emitted, as a tree that they share: a builder that repeats what another one did is on the same path.

A step stands for all nodes and inputs before it, so it is the structure of a graph, and what was found out about that
(types of results, compiled programs, derivatives) is found again without looking at the graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dopegraph.ir.types import TensorType, attribute_key

# So many steps are some hundred megabytes at most; then all are forgotten.
LIMIT = 100_000

_INTEGERS = frozenset([int])


class Step:
    """The structure of everything up to here.

    Attributes
    ----------
    attrs, types
        Of the node that was emitted last: with defaults, and of its results.
    following : dict
        The steps after this one, by what is emitted next.
    found : dict
        What is known about the graph up to here.
    """

    __slots__ = ("attrs", "following", "found", "types")

    def __init__(self, attrs: dict[str, Any], types: tuple[TensorType, ...]) -> None:
        self.attrs = attrs
        self.types = types
        self.following: dict[Any, Step] = {}
        self.found: dict[Any, Any] = {}

    def after(self, key: Any) -> Step:
        """The step after an event that makes no node."""
        step = self.following.get(key)
        return step if step is not None else self.grow(key, {}, ())

    def grow(self, key: Any, attrs: dict[str, Any], types: tuple[TensorType, ...]) -> Step:
        """The step after something new."""
        _tree.size += 1
        if _tree.size > LIMIT:
            forget()
        return self.following.setdefault(key, Step(attrs, types))


class _Tree:
    def __init__(self) -> None:
        self.root = Step({}, ())
        self.size = 0


_tree = _Tree()


def start() -> Step:
    """Where all paths begin."""
    return _tree.root


def forget() -> None:
    """Begin with an empty tree; builders that are on their way keep theirs."""
    _tree.root = Step({}, ())
    _tree.size = 0


def attributes_key(attrs: Mapping[str, Any]) -> tuple[Any, ...]:
    """Equal for attributes that are the same to the bit; 1, 1.0 and True, or 0.0 and -0.0, are not."""
    parts: list[Any] = []
    for name, value in attrs.items():
        kind = type(value)
        if kind is tuple and _INTEGERS.issuperset(map(type, value)):
            parts += (name, value)
        elif kind is int or kind is str:
            parts += (name, kind, value)
        else:
            parts += (name, attribute_key(value))
    return tuple(parts)
