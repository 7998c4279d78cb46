"""Says which nodes MXNet cannot run, with a stable reason and a sentence for the user; those run on NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Optional

from dopegraph.backends.mxnet.lowering.context import result_type
from dopegraph.backends.mxnet.lowering.foreign import alone
from dopegraph.backends.mxnet.lowering.shape import sliced_axes
from dopegraph.backends.mxnet.lowering.without import WITHOUT_LOWERING
from dopegraph.ir.graph import Node, Value

DTYPES = frozenset({"bool", "int8", "uint8", "int32", "int64", "float16", "float32", "float64"})

# How many axes MXNet's kernels take: for broadcasting and reducing, after joining axes that are treated alike; for
# slicing, after joining those that are kept whole; and for all else.
_BROADCAST_AXES = 5
_SLICED_AXES = 5
_AXES = 6


@dataclass(frozen=True)
class Lacking:
    """Why a node cannot run on MXNet: a stable id, and a sentence without its full stop."""

    reason: str
    detail: str


Check = Callable[[Node], Optional[Lacking]]


def lacking(node: Node) -> Lacking | None:
    """What MXNet lacks for a node, or None if there is a lowering for it."""
    from dopegraph.backends.mxnet.lowering.lower import RULES

    name = node.op.name
    if name in WITHOUT_LOWERING:
        return Lacking(*WITHOUT_LOWERING[name])
    if name not in RULES:
        return Lacking("no-lowering", f"there is no MXNet lowering of {name}")
    for value in (*node.inputs, *node.outputs):
        found = _type(value)
        if found is not None:
            return found
    check = _CHECKS.get(name, _elementwise if node.op.elementwise else None)
    return check(node) if check is not None else None


def _type(value: Value) -> Lacking | None:
    dtype = value.type.dtype.name
    if dtype not in DTYPES:
        return Lacking("dtype", f"MXNet has no {dtype}")
    if value.type.size == 0:
        return Lacking("empty-array", f"MXNet has no arrays without elements, such as {value.type}")
    if value.type.ndim > _AXES:
        return Lacking("too-many-axes", f"MXNet takes arrays of up to {_AXES} axes, not {value.type}")
    return None


def _patterns(shapes: Any, shape: Any) -> int:
    """How many axes remain when neighbours that every operand treats alike are joined."""
    joined = 0
    before = None
    for axis in range(len(shape)):
        if shape[axis] == 1:
            continue
        pattern = tuple(axis >= len(shape) - len(one) and one[axis - len(shape) + len(one)] != 1 for one in shapes)
        joined += pattern != before
        before = pattern
    return joined


def _too_many(count: int, limit: int) -> Lacking | None:
    if count <= limit:
        return None
    return Lacking("too-many-axes", f"MXNet's kernel takes {limit} axes, this needs {count}")


def _elementwise(node: Node) -> Lacking | None:
    shape = result_type(node).shape
    return _too_many(_patterns([value.shape for value in node.inputs], shape), _BROADCAST_AXES)


def _reduction(node: Node) -> Lacking | None:
    x, axes = node.inputs[0], node.attrs["axes"]
    kept = tuple(1 if axis in axes else length for axis, length in enumerate(x.shape))
    return _too_many(_patterns([kept, x.shape], x.shape), _BROADCAST_AXES)


def _sliced(node: Node) -> Lacking | None:
    whole = result_type(node) if node.op.name == "unslice" else node.inputs[0].type
    bounds = (node.attrs[key] for key in ("starts", "stops", "steps"))
    return _too_many(len(sliced_axes(whole.shape, *bounds)[0]), _SLICED_AXES)


def _floats(node: Node) -> Lacking | None:
    dtype = node.inputs[0].type.dtype
    if dtype.name in ("float32", "float64"):
        return None
    return Lacking("dtype", f"MXNet's {node.op.name} takes float32 and float64 on the CPU, not {dtype}")


def _matmul(node: Node) -> Lacking | None:
    batch = result_type(node).shape[:-2]
    return _floats(node) or _too_many(
        max(_patterns([(*value.shape[:-2], 2), (*batch, 2)], (*batch, 2)) for value in node.inputs), _BROADCAST_AXES
    )


def _spatial(node: Node) -> Lacking | None:
    axes = result_type(node).ndim - 2
    if axes > 3:
        return Lacking("too-many-axes", f"MXNet's {node.op.name} takes up to 3 spatial axes, not {axes}")
    return _floats(node)


def _reciprocal(node: Node) -> Lacking | None:
    if result_type(node).dtype.kind != "f":
        return Lacking("dtype", "MXNet's reciprocals of integers differ from NumPy's at 0")
    return _elementwise(node)


def _pow(node: Node) -> Lacking | None:
    if result_type(node).dtype.kind != "f":
        return Lacking("dtype", "MXNet's powers of integers go through floating numbers")
    return _elementwise(node)


def _foreign(node: Node) -> Lacking | None:
    why = alone(node)
    return Lacking("opaque-operator", why) if why is not None else None


_CHECKS: dict[str, Check] = {
    "mxnet_operator": _foreign,
    "det": _floats,
    **dict.fromkeys(("sum", "prod", "max", "min", "all", "any"), _reduction),
    **dict.fromkeys(("conv", "conv_grad_data", "conv_grad_weight", "max_pool", "max_pool_grad"), _spatial),
    **dict.fromkeys(("max_pool_take", "avg_pool", "avg_pool_grad"), _spatial),
    **dict.fromkeys(("strided_slice", "slice_update", "unslice"), _sliced),
    "broadcast_to": _elementwise,
    "matmul": _matmul,
    "pow": _pow,
    "reciprocal": _reciprocal,
}
