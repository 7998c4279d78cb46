"""Differentiation of graphs: from the nodes of a recording to more nodes that compute derivatives, to any order."""

from dopegraph.autodiff.linear import LinearMap, forward_map, reverse_map
from dopegraph.autodiff.region import close_region, inline, needed, reads
from dopegraph.autodiff.reverse import dependents, left_out, pullback

__all__ = [
    "LinearMap", "close_region", "dependents", "forward_map", "inline", "left_out", "needed", "pullback", "reads",
    "reverse_map",
]  # fmt: skip
