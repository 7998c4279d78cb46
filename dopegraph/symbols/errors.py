"""The error that names what is wrong with a symbol."""

from __future__ import annotations

from dopegraph.runtime.errors import BackendError, DopegraphError


class SymbolError(BackendError, ValueError):
    """A symbol that is damaged, or that asks for what MXNet does not have."""


class Unsupported(DopegraphError, ValueError):
    """What an import rule has no primitives for; MXNet's own operator is asked then."""
