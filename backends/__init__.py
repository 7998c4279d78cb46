"""From optimized graphs to something that runs: the NumPy reference, MXNet, and the partition of a graph among them."""

from dopegraph.backends.program import Fallback, Program, compile_graph

__all__ = ["Fallback", "Program", "compile_graph"]
