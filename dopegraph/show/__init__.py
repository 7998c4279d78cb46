"""Looking at graphs: text is in `dopegraph.ir.printer`; here are Graphviz DOT and SVG, and networkx."""

from dopegraph.show.dot import render, to_dot
from dopegraph.show.networkx import to_networkx

__all__ = ["render", "to_dot", "to_networkx"]
