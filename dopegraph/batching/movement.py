"""Rules of primitives whose operands line up by themselves once the examples stand in front."""

from __future__ import annotations

from typing import Any

from dopegraph.batching.call import Call, Rule, moved
from dopegraph.ir.graph import Value
from dopegraph.ops.typing import normalize_axis


def elementwise(call: Call) -> Any:
    """Operands broadcast from the last axis on: those with fewer axes get the missing ones behind the examples."""
    ndim = max(value.ndim for value in call.node.inputs)
    return call.emit(*[call.aligned(position, ndim) for position in range(len(call.operands))])


def unchanged(call: Call) -> Any:
    """What happens to the last axes only, or takes stacks: the examples are one more axis of the stack."""
    return call.emit(*call.all_each())


def along_axes(call: Call) -> Any:
    """Attributes that name axes of the first operand, counted from its front, go one up."""
    ndim = call.node.inputs[0].ndim
    attrs: dict[str, Any] = {
        name: normalize_axis(call.attr(name), ndim) + 1
        for name in ("axis", "axis1", "axis2")
        if name in call.node.attrs
    }
    if "axes" in call.node.attrs:
        attrs["axes"] = tuple([axis + 1 for axis in call.attr("axes")])
    return call.emit(*call.all_each(), **attrs)


def _transpose(call: Call) -> Any:
    return call.emit(call.operands[0], axes=(0, *[axis + 1 for axis in call.attr("axes")]))


def _reshape(call: Call) -> Any:
    return call.emit(call.operands[0], shape=(call.size, *call.attr("shape")))


def _broadcast_to(call: Call) -> Any:
    shape = call.attr("shape")
    return call.emit(call.aligned(0, len(shape)), shape=(call.size, *shape))


def _sliced(call: Call) -> Any:
    """All examples, and of each what was to be taken of one."""
    attrs: dict[str, Any] = {
        name: (first, *call.attr(name)) for name, first in (("starts", 0), ("stops", call.size), ("steps", 1))
    }
    if "shape" in call.node.attrs:
        attrs["shape"] = (call.size, *call.attr("shape"))
    return call.emit(*call.all_each(), **attrs)


def _unravel_index(call: Call) -> Value:
    return moved(call.emit(call.operands[0]), 1, 0)


def _checked(call: Call) -> Any:
    """The error is raised when the condition fails for any example."""
    return call.emit(call.each(0), call.operands[1])


def _pinv(call: Call) -> Any:
    return call.emit(call.each(0), call.aligned(1, len(call.shape(0)) - 2))


RULES: dict[str, Rule] = {
    **dict.fromkeys(
        # One operand, whose last axes matter at most.
        ["barrier", "bitcast", "one_hot", "cholesky", "inv", "det", "cofactor", "slogdet", "qr", "svd", "svdvals",
         "eigh", "eigvalsh", "eig", "eigvals", "suppress"],
        unchanged,
    ),
    **dict.fromkeys(
        ["sum", "prod", "max", "min", "all", "any", "argmax", "argmin", "cumsum", "cumprod", "cummax", "cummin",
         "sort", "argsort", "partition", "argpartition", "flip", "concat", "diagonal", "softmax", "log_softmax",
         "fft", "rfft", "irfft", "take_along_axis", "put_along_axis", "scatter_add_along_axis"],
        along_axes,
    ),
    # Stacks of matrices broadcast as elements do, and so do positions along each axis.
    **dict.fromkeys(["solve", "triangular_solve", "ravel_multi_index"], elementwise),
    **dict.fromkeys(["strided_slice", "unslice", "slice_update"], _sliced),
    "transpose": _transpose,
    "reshape": _reshape,
    "broadcast_to": _broadcast_to,
    "unravel_index": _unravel_index,
    "checked": _checked,
    "pinv": _pinv,
}  # fmt: skip
