"""Places where Python keeps values: what they held before a call, what changed, and how a value is stored there."""

from __future__ import annotations

import types
from collections.abc import Callable, Collection, Iterator
from typing import Any

MISSING = object()
"""Stands for a value that is not there."""


class Place:
    """Something that holds values under keys, as it was before the call.

    Attributes
    ----------
    holder : Any
    variable : str
        Names the holder in the generated code.
    path : str
        How the user reaches it.
    before : dict
    """

    def __init__(self, holder: Any, variable: str, path: str, before: dict[Any, Any] | None = None) -> None:
        self.holder = holder
        self.variable = variable
        self.path = path
        self.before = self.now() if before is None else before

    def now(self) -> dict[Any, Any]:
        """What it holds."""
        raise NotImplementedError

    def put(self, key: Any, value: Any) -> None:
        """Set a key."""
        self.holder[key] = value

    def target(self, holder: str, key: Any) -> str:
        """The Python that a value is assigned to, given the name of the holder."""
        return f"{holder}[{key!r}]"

    def changes(self) -> Iterator[tuple[Any, Any, Any]]:
        """Keys whose values are other objects now, with the old and the new value."""
        now = self.now()
        for key, value in now.items():
            old = self.before.get(key, MISSING)
            if value is not old:
                yield key, old, value
        for key, old in self.before.items():
            if key not in now:
                yield key, old, MISSING

    def restore(self) -> None:
        """Make it hold what it held before, in the same order."""
        if list(self.now()) != list(self.before) or any(True for _ in self.changes()):
            self.holder.clear()
            self.holder.update(self.before)


class ListPlace(Place):
    """A list."""

    def now(self) -> dict[Any, Any]:
        return dict(enumerate(self.holder))

    def restore(self) -> None:
        self.holder[:] = list(self.before.values())


class DictPlace(Place):
    """A dict."""

    def now(self) -> dict[Any, Any]:
        return dict(self.holder)


class SetPlace(Place):
    """A set; what is added or removed cannot be replayed."""

    def now(self) -> dict[Any, Any]:
        return {element: None for element in self.holder}

    def restore(self) -> None:
        if self.holder != set(self.before):
            self.holder.clear()
            self.holder.update(self.before)


class NamesPlace(Place):
    """Chosen names (or all) of a namespace: of globals, or of the ``__dict__`` of an object."""

    def __init__(self, holder: Any, variable: str, path: str, names: Collection[str] | None) -> None:
        self.names = names
        self._order = tuple(holder) if type(holder) is dict else ()
        super().__init__(holder, variable, path)

    def now(self) -> dict[Any, Any]:
        # In the order they were made, so that a replay makes them in that order.
        if self.names is None:
            return dict(self.holder)
        there = {name: value for name, value in list(self.holder.items()) if name in self.names}
        return {**there, **{name: MISSING for name in self.names if name not in there}}

    def restore(self) -> None:
        if self.names is None:
            super().restore()
        else:
            deleted = any(value is MISSING for _, _, value in self.changes())
            _put_back(self, lambda name: self.holder.pop(name, None))
            if deleted:
                for name in self._order:
                    self.holder[name] = self.holder.pop(name)


class ClassPlace(NamesPlace):
    """Chosen attributes of a class."""

    names: Collection[str]

    def now(self) -> dict[Any, Any]:
        there = vars(self.holder)
        return {name: there.get(name, MISSING) for name in self.names}

    def restore(self) -> None:
        _put_back(self, lambda name: delattr(self.holder, name))

    def put(self, key: Any, value: Any) -> None:
        setattr(self.holder, key, value)

    def target(self, holder: str, key: Any) -> str:
        return f"{holder}.{key}"


class CellPlace(Place):
    """A variable of an enclosing function."""

    holder: types.CellType

    def now(self) -> dict[Any, Any]:
        try:
            return {None: self.holder.cell_contents}
        except ValueError:
            return {None: MISSING}

    def restore(self) -> None:
        _put_back(self, lambda _: delattr(self.holder, "cell_contents"))

    def put(self, key: Any, value: Any) -> None:
        self.holder.cell_contents = value

    def target(self, holder: str, key: Any) -> str:
        return f"{holder}.cell_contents"


class GradientPlace(Place):
    """What `attach_grad` sets of an array."""

    def now(self) -> dict[Any, Any]:
        return {name: getattr(self.holder, name) for name in ("_gradient", "_grad_req")}

    def restore(self) -> None:
        _put_back(self, lambda _: None)

    def put(self, key: Any, value: Any) -> None:
        setattr(self.holder, key, value)

    def target(self, holder: str, key: Any) -> str:
        return f"{holder}.{key}"


def _put_back(place: Place, remove: Callable[[Any], Any]) -> None:
    for key, old, _ in list(place.changes()):
        if old is MISSING:
            remove(key)
        else:
            place.put(key, old)
