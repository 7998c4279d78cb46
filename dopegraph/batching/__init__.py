"""Nodes for one example become nodes for all examples at once: what `vmap` is made of.

`batch` replaces the nodes of a builder; a table of rules, one file for each family of primitives, says by what.
"""

from dopegraph.batching.replacement import batch
from dopegraph.batching.rules import LOOPED, RULES

__all__ = ["LOOPED", "RULES", "batch"]
