"""Stand-ins: what a function gets for float and NumPy arguments while it is recorded, and their removal afterwards."""

from __future__ import annotations

import contextlib
import types
from typing import Any

from dopegraph.array import ndarray
from dopegraph.trace.scalar import DynamicNumber


class StandIns:
    """The stand-ins of one call. Lists, dicts, namespaces and cells hold them while the function runs."""

    def __init__(self) -> None:
        self._originals: dict[int, tuple[Any, Any]] = {}
        self._slots: list[tuple[Any, Any, Any]] = []

    def add(self, stand_in: Any, original: Any) -> None:
        """Note what a stand-in stands for."""
        self._originals[id(stand_in)] = (stand_in, original)

    def hold(self, container: Any, key: Any, stand_in: Any) -> None:
        """Note that a list, a dict or a cell is to hold something else under a key."""
        self._slots.append((container, key, stand_in))
        if id(stand_in) not in self._originals:  # a tuple that was built anew around stand-ins
            self.add(stand_in, container[key])

    def __bool__(self) -> bool:
        return bool(self._originals)

    def install(self) -> None:
        """Put the stand-ins into what holds them."""
        for container, key, stand_in in self._slots:
            if isinstance(container, types.CellType):
                container.cell_contents = stand_in
            else:
                container[key] = stand_in

    def remove(self) -> None:
        """Put the originals back, wherever in their lists and dicts the stand-ins are now."""
        for container in {id(container): container for container, _, _ in self._slots}.values():
            if isinstance(container, types.CellType):
                with contextlib.suppress(ValueError):  # a variable that was deleted
                    container.cell_contents = self._originals.get(
                        id(container.cell_contents), (0, container.cell_contents)
                    )[1]
                continue
            for key, value in list(container.items() if type(container) is dict else enumerate(container)):
                if id(value) in self._originals:
                    container[key] = self._originals[id(value)][1]


def without_floats(value: Any, done: dict[int, Any] | None = None) -> Any:
    """A value with floats in place of their stand-ins; what can be changed is changed in place."""
    done = {} if done is None else done
    kind = type(value)
    if issubclass(kind, DynamicNumber):
        return value.number
    if id(value) in done:
        return done[id(value)][1]
    done[id(value)] = (value, value)
    if kind is tuple or (isinstance(value, tuple) and hasattr(kind, "_fields")):
        parts = [without_floats(part, done) for part in value]
        if any(new is not old for new, old in zip(parts, value)):
            done[id(value)] = (value, tuple(parts) if kind is tuple else kind(*parts))
    elif isinstance(value, list):
        _replace(value, enumerate(value), done)
    elif isinstance(value, dict):
        _replace(value, value.items(), done)
    elif isinstance(value, types.FunctionType):
        for cell in value.__closure__ or ():
            with contextlib.suppress(ValueError):  # a variable that has no value yet
                if issubclass(type(cell.cell_contents), DynamicNumber):
                    cell.cell_contents = cell.cell_contents.number
    elif hasattr(value, "__dict__") and not isinstance(value, (type, types.ModuleType, ndarray)):
        _replace(value.__dict__, value.__dict__.items(), done)
    return done[id(value)][1]


def _replace(holder: Any, items: Any, done: dict[int, Any]) -> None:
    given = list(items)
    if any(issubclass(type(key), DynamicNumber) for key, _ in given):
        holder.clear()
        holder.update({without_floats(key, done): part for key, part in given})
        given = list(holder.items())
    for key, part in given:
        plain = without_floats(part, done)
        if plain is not part:
            holder[key] = plain
