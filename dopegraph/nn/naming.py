"""Names as Gluon gives them: ``dense0_``, ``mlp0_dense1_``; parameters in files and graphs are found by them."""

from __future__ import annotations

import threading
from typing import Any

from dopegraph.runtime.unchanging import Unchanging


class _Scopes(threading.local):
    """The scope that new blocks of this thread belong to, and how many of each kind have none."""

    def __init__(self) -> None:
        self.current: NameScope | None = None
        self.counts: dict[str, int] = {}


_scopes = _Scopes()


def _numbered(counts: dict[str, int], hint: str) -> str:
    number = counts.get(hint, 0)
    counts[hint] = number + 1
    return f"{hint}{number}_"


def new_prefix(prefix: str | None, hint: str) -> tuple[str, NameScope | None]:
    """The prefix of a new block, and the scope it is in."""
    scope = _scopes.current
    if prefix is None:
        prefix = _numbered(_scopes.counts if scope is None else scope.counts, hint)
    return (prefix if scope is None else scope.prefix + prefix), scope


class NameScope(Unchanging):
    """What ``block.name_scope()`` gives: blocks that are made inside the ``with`` get its prefix before theirs."""

    def __init__(self, prefix: str, shared: Any, transparent: bool) -> None:
        self.prefix = prefix
        self.shared = shared
        self.counts: dict[str, int] = {}
        self.transparent = transparent

    def __enter__(self) -> NameScope:
        if not self.transparent:
            self._outer, _scopes.current = _scopes.current, self
        return self

    def __exit__(self, *exc: object) -> None:
        if not self.transparent:
            _scopes.current = self._outer
            del self._outer
