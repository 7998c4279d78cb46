"""The rule of every primitive: the tables of the families, alignment for what is elementwise, a loop for the rest."""

from __future__ import annotations

from dopegraph.batching import chance, finding, movement, products
from dopegraph.batching.call import Rule
from dopegraph.batching.loop import loop
from dopegraph.batching.movement import elementwise
from dopegraph.ir.primitive import Primitive

RULES: dict[str, Rule] = {**movement.RULES, **products.RULES, **finding.RULES, **chance.RULES}
"""By name of the primitive. `full`, `iota` and `constant` have no operands that could be mapped."""

LOOPED = frozenset([
    "covariance_inverse", "host_call", "mxnet_gradient", "mxnet_operator", "random_advance", "recurrence",
])  # fmt: skip
"""Primitives that are done for one example after the other: no primitive does several at once.

Functions of the user's own take the arrays of one example, and so do MXNet's own operators.
"""


def rule_of(op: Primitive) -> Rule:
    """How a primitive is done for all examples at once."""
    rule = RULES.get(op.name)
    if rule is not None:
        return rule
    return elementwise if op.elementwise else loop
