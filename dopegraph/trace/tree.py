"""Nested containers of arrays: flatten them to leaves, build them again with others. Lists, tuples, dicts, dataclasses
and registered types are containers; everything else is a leaf."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from dopegraph.runtime.errors import StructureError

# type -> (to children and a hashable rest, from the rest and children)
_registered: dict[type, tuple[Callable[[Any], tuple[Sequence[Any], Any]], Callable[[Any, Sequence[Any]], Any]]] = {}

# Types of ours that are no containers: arrays, above all.
_leaves: set[type] = set()


def register(
    type: type, flatten: Callable[[Any], tuple[Sequence[Any], Any]], unflatten: Callable[[Any, Sequence[Any]], Any]
) -> None:
    """Make a type a container of arrays for ``grad`` and ``compile``.

    Parameters
    ----------
    type : type
    flatten : callable
        Gives the children and a hashable rest, such as field names.
    unflatten : callable
        Makes an instance of the rest and new children.
    """
    _registered[type] = (flatten, unflatten)
    _leaves.discard(type)


class Structure(NamedTuple):
    """The containers around leaves. `children` is None for a leaf."""

    kind: type | None
    rest: Any = None
    children: tuple[Structure, ...] | None = None

    def build(self, leaves: Iterable[Any]) -> Any:
        """The containers with these leaves."""
        return self._build(iter(leaves))

    def _build(self, leaves: Any) -> Any:
        kind = self.kind
        if self.children is None:
            return next(leaves)
        parts = [next(leaves) if child.children is None else child._build(leaves) for child in self.children]
        if kind is list:
            return parts
        if kind is tuple:
            return tuple(parts)
        assert kind is not None
        if kind in _registered:
            return _registered[kind][1](self.rest, parts)
        if kind is dict:
            return dict(zip(self.rest, parts))
        if hasattr(kind, "_fields"):
            return kind(*parts)
        made = kind.__new__(kind)
        for name, part in zip(self.rest, parts):
            object.__setattr__(made, name, part)
        return made


LEAF = Structure(None)


def children_of(value: Any) -> tuple[Sequence[Any], Any, Callable[[int], str]] | None:
    """Children of a container, the rest of what it is, and how Python reaches a child; None for a leaf."""
    kind = type(value)
    if kind in _leaves:
        return None
    if kind in _registered:
        parts, rest = _registered[kind][0](value)
        return parts, rest, lambda index: f"<{index}>"
    if kind in (list, tuple):
        return value, None, lambda index: f"[{index}]"
    if kind is dict:
        keys = tuple(value)
        return list(value.values()), keys, lambda index: f"[{keys[index]!r}]"
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return value, None, lambda index: f".{kind._fields[index]}"
    if dataclasses.is_dataclass(kind):
        names = tuple(field.name for field in dataclasses.fields(kind))
        return [getattr(value, name) for name in names], names, lambda index: f".{names[index]}"
    if kind.__module__.startswith("dopegraph."):
        _leaves.add(kind)
    return None


def flatten(value: Any, path: str = "") -> tuple[list[tuple[str, Any]], Structure]:
    """Leaves with the path Python reaches them by, and the structure around them."""
    leaves: list[tuple[str, Any]] = []
    return leaves, _flatten(value, path, leaves, ())


def take_apart(value: Any) -> tuple[list[Any], Structure]:
    """Leaves without their paths, and the structure around them."""
    leaves: list[Any] = []
    return leaves, _take_apart(value, leaves, ())


def _take_apart(value: Any, leaves: list[Any], around: tuple[int, ...]) -> Structure:
    kind = type(value)
    parts: Any
    if kind is tuple or kind is list:
        parts, rest = value, None
    elif kind is dict:
        parts, rest = value.values(), tuple(value)
    else:
        found = children_of(value)
        if found is None:
            leaves.append(value)
            return LEAF
        parts, rest, _ = found
    if id(value) in around:
        raise StructureError("the container contains itself")
    around = (*around, id(value))
    return Structure(kind, rest, tuple([_take_apart(part, leaves, around) for part in parts]))


def _flatten(value: Any, path: str, leaves: list[tuple[str, Any]], around: tuple[int, ...]) -> Structure:
    found = children_of(value)
    if found is None:
        leaves.append((path, value))
        return LEAF
    if id(value) in around:
        raise StructureError(f"{path or 'the container'} contains itself")
    parts, rest, access = found
    children = tuple(
        _flatten(part, path + access(index), leaves, (*around, id(value))) for index, part in enumerate(parts)
    )
    return Structure(type(value), rest, children)
