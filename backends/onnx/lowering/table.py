"""The whole table, and what of it a node cannot use."""

from __future__ import annotations

from dopegraph.backends.onnx.context import Context, Rule
from dopegraph.backends.onnx.lowering import elementwise, layers, shape
from dopegraph.backends.onnx.lowering.without import WITHOUT_LOWERING
from dopegraph.ir.graph import Node


def _source(c: Context, node: Node) -> str:
    return c[node.outputs[0]]


RULES: dict[str, Rule] = {
    **dict.fromkeys(("full", "iota", "constant"), _source),
    **elementwise.RULES,
    **shape.RULES,
    **layers.RULES,
}

_SPATIAL = frozenset(name for name in layers.RULES if "conv" in name or "pool" in name)


def lacking(node: Node) -> str | None:
    """Why a node cannot be written in ONNX, or None."""
    name = node.op.name
    if name in WITHOUT_LOWERING:
        return WITHOUT_LOWERING[name]
    if name not in RULES:
        return f"there is no ONNX lowering of {name}"
    for value in (*node.inputs, *node.outputs):
        if value.type.dtype.kind == "c":
            return "ONNX has complex numbers in no operator"
    if name in _SPATIAL and node.inputs[0].type.dtype.name == "float16":
        return "half precision has no kernels in the runtimes; cast to float32"
    return None
