"""Lowering of MXNet's own operators: back to what they were."""

from __future__ import annotations

from dopegraph.backends.mxnet import operators
from dopegraph.backends.mxnet.lowering.context import Context, Entry, Rule
from dopegraph.ir.graph import Node
from dopegraph.runtime.errors import BackendError


def alone(node: Node) -> str | None:
    """Why an operator cannot stand in a symbol; a wrong number of operands would end the process there."""
    attrs = node.attrs
    if attrs["training"]:
        return "in training mode it runs beside the symbol, which is not in that mode"
    try:
        types = operators.result_types(attrs["operator"], attrs["attributes"], tuple([v.type for v in node.inputs]))
        found = operators.describe(attrs["operator"], attrs["attributes"])
    except BackendError as cause:
        return str(cause)
    if types != attrs["types"]:
        return f"MXNet says that it gives {types}"
    return "it updates its operands" if found.auxiliary else None


def _operator(c: Context, node: Node) -> tuple[Entry, ...]:
    made = c.node(node.attrs["operator"], [c[value] for value in node.inputs], dict(node.attrs["attributes"]))
    entries = [Entry(made, place, value.shape, value.type.dtype) for place, value in enumerate(node.outputs)]
    # Nobody knows whether MXNet has a gradient for it.
    return tuple(entries if c.portable else [c.writer.block(entry) for entry in entries])


RULES: dict[str, Rule] = {"mxnet_operator": _operator}
