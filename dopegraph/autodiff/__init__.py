"""Differentiation of graphs: from the nodes of a recording to more nodes that compute derivatives, to any order."""

from dopegraph.autodiff.reverse import pullback

__all__ = ["pullback"]
