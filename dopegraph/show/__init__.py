"""Looking at graphs: DOT and SVG, networkx, summaries, differences; their text is in `dopegraph.ir.printer`."""

from dopegraph.show.difference import Difference, diff
from dopegraph.show.dot import render, to_dot
from dopegraph.show.networkx import from_networkx, to_networkx
from dopegraph.show.summary import Summary, summary

__all__ = ["Difference", "Summary", "diff", "from_networkx", "render", "summary", "to_dot", "to_networkx"]
