"""From optimized graphs to something that runs: the NumPy reference, MXNet, and the partition of a graph among them."""

from dopegraph.backends.placement import Fallback
from dopegraph.backends.program import Program, compile_graph

__all__ = ["Fallback", "Program", "compile_graph"]
