"""Classes that are found by name: initializers, optimizers, metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from dopegraph.runtime.location import here, located

Kind = TypeVar("Kind", bound=Callable[..., Any])


class Registry:
    """Names, in small letters, and what they stand for.

    Parameters
    ----------
    where, what : str
        What messages begin with, and what they call an entry.
    error : type of Exception
        What an unknown name is.
    """

    def __init__(self, where: str, what: str, error: type[Exception]) -> None:
        self._where, self._what, self._error = where, what, error
        self._entries: dict[str, Any] = {}

    def register(self, *names: str) -> Callable[[Kind], Kind]:
        """Let `create` find a class under names, besides its own in small letters."""

        def remember(kind: Kind) -> Kind:
            for name in (kind.__name__, *names):
                self._entries[name.lower()] = kind
            return kind

        return remember

    def find(self, name: Any) -> Any:
        """What a name stands for."""
        found = self._entries.get(str(name).lower())
        if found is None:
            known = ", ".join(sorted(self._entries))
            message = f"{self._where}: there is no {self._what} {name!r}; there are {known}"
            raise self._error(located(message, here()))
        return found
