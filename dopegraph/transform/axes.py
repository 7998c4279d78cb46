"""``in_axes`` and ``out_axes``: an axis for every array in nested containers, given for each or for many at once."""

from __future__ import annotations

from typing import Any

from dopegraph.runtime.errors import StructureError
from dopegraph.runtime.location import here, located
from dopegraph.trace.tree import Structure, children_of, flatten


def check_axes(name: str, axes: Any) -> None:
    """Raise unless what is given is an integer or None, or containers of them."""
    for path, leaf in flatten(axes, name)[0]:
        if leaf is not None and (not isinstance(leaf, int) or isinstance(leaf, bool)):
            raise StructureError(located(f"vmap: {path} must be an integer or None, not {leaf!r}", here()))


def axes_of(name: str, axes: Any, structure: Structure, path: str) -> list[int | None]:
    """The axis of every leaf of a structure; one that is given for containers is that of all their leaves."""
    if axes is None or isinstance(axes, int):
        return [axes] * _count(structure)
    found = children_of(axes)
    if structure.children is None or found is None or structure.kind is None:
        raise _unlike(name, path)
    parts, rest, access = found
    of_sequence = structure.kind in (list, tuple) and type(axes) in (list, tuple)
    if not of_sequence and type(axes) is not structure.kind:
        raise _unlike(name, path)
    if structure.kind is dict and set(rest) == set(structure.rest):
        parts, rest = [axes[key] for key in structure.rest], structure.rest
    if rest != structure.rest or len(parts) != len(structure.children):
        raise _unlike(name, path)
    keys = structure.rest if structure.kind is dict else None
    return [
        axis
        for index, (part, child) in enumerate(zip(parts, structure.children))
        for axis in axes_of(name, part, child, path + (f"[{keys[index]!r}]" if keys else access(index)))
    ]


def _count(structure: Structure) -> int:
    return 1 if structure.children is None else sum(map(_count, structure.children))


def _unlike(name: str, path: str) -> StructureError:
    message = f"{name} has other containers than {path}: give an integer or None for it, or containers like its own"
    return StructureError(located(f"vmap: {message}", here()))
