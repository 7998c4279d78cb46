"""What a function reaches: arguments, closure, globals, attributes; the guards under which a recording of it may be
replayed, and the watch over what it does besides computing."""

from dopegraph.state.effects import Watch
from dopegraph.state.guards import configuration
from dopegraph.state.walk import Walk, unchanged_since, walk

__all__ = ["Walk", "Watch", "configuration", "unchanged_since", "walk"]
