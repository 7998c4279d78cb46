"""What Python saw of a recorded program: looks, after which a plan goes on for each outcome seen, and escapes, which no
plan can do again.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from dopegraph.ir.graph import Value
from dopegraph.runtime.location import Location
from dopegraph.runtime.reasons import hint_of


@dataclass(frozen=True)
class Escape:
    """Python looked at a traced value or did what cannot be replayed: a stable reason id, what happened, where.

    Attributes
    ----------
    looks : int
        How many looks came before.
    """

    reason: str
    detail: str
    location: Location | None
    looks: int = 0

    @property
    def hint(self) -> str:
        """What to change."""
        return hint_of(self.reason)

    def __str__(self) -> str:
        where = f" at {self.location}" if self.location is not None else ""
        return f"{self.reason}{where}: {self.detail}"


@dataclass
class Look:
    """A point of a recording from which Python went on with something that it saw of values.

    Attributes
    ----------
    escape : Escape
        What a call is run as Python for if it cannot be looked at in a plan: reason, what happened, where.
    kind : str
        Names `read`.
    read : callable
        What gives the outcome, of the values' NumPy arrays or of the number. Of a host call: what gives the results,
        whose types are the outcome.
    outcome : hashable
    values : tuple of Value
        What is looked at.
    expression : str or None
        Of a float argument: how Python computes the number.
    results : tuple of Value
        Of a host call.
    nodes, inputs : int
        How many of either had been recorded.
    """

    escape: Escape
    kind: str
    read: Callable[..., Any]
    outcome: Hashable
    values: tuple[Value, ...] = ()
    expression: str | None = None
    results: tuple[Value, ...] = ()
    nodes: int = 0
    inputs: int = 0
