"""Writes composite primitives as the operations that fuse: softmax as its passes over a row, `unslice` as a write."""

from __future__ import annotations

from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.ir.primitive import primitives
from dopegraph.ops.typing import normalize_axis
from dopegraph.passes.pass_ import Pass, rewrite_nodes


class Expand(Pass):
    name = "expand"

    def run(self, graph: Graph) -> bool:
        return rewrite_nodes(graph, _expanded)


def _expanded(node: Node) -> Value | None:
    name, value = node.op.name, node.outputs[0]
    if name in ("softmax", "log_softmax") and value.type.size:
        x = node.inputs[0]
        axes = (normalize_axis(node.attrs["axis"], x.ndim),)
        shifted: Value = x - primitives["max"](x, axes=axes, keepdims=True)
        powers: Value = primitives["exp"](shifted)
        whole: Value = primitives["sum"](powers, axes=axes, keepdims=True)
        if name == "softmax":
            return powers / whole
        logarithm: Value = primitives["log"](whole)
        return shifted - logarithm
    if name in ("softmax", "log_softmax"):
        same: Value = primitives["identity"](node.inputs[0])
        return same
    if name == "unslice":
        attrs = dict(node.attrs)
        nothing = primitives["full"](value=_zero(value), shape=attrs.pop("shape"), dtype=value.type.dtype)
        written: Value = primitives["slice_update"](nothing, node.inputs[0], **attrs)
        return written
    return None


def _zero(value: Value) -> float:
    zero: float = value.type.dtype.type(0).item()
    return zero
