"""Rules of products: matrices, sequences, convolutions of images. The examples become rows, or groups of channels."""

from __future__ import annotations

from typing import Any

from dopegraph.batching.call import Call, Rule, folded, lengths, moved, reshaped, unfolded
from dopegraph.batching.loop import loop
from dopegraph.batching.movement import elementwise
from dopegraph.ir.graph import Value
from dopegraph.ops import conv, flip, mul

# Matrices -----------------------------------------------------------------------------------------------------------


def _matmul(call: Call) -> Any:
    """One product of two matrices wherever rows of all examples meet the same matrix; else a stack of products."""
    x, y = call.shape(0), call.shape(1)
    transpose_x, transpose_y = call.attr("transpose_x"), call.attr("transpose_y")
    m, k = x[:-3:-1] if transpose_x else x[-2:]
    p = y[-2] if transpose_y else y[-1]
    if call.mapped == (True, False) and len(y) == 2 and (not transpose_x or 1 in (m, k)):
        rows = reshaped(call.operands[0], (call.size * lengths(x[:-2]) * m, k))
        found = call.emit(rows, call.operands[1], transpose_x=False)
        return reshaped(found, (call.size, *x[:-2], m, p))
    if call.mapped == (False, True) and len(x) == 2 and p == 1:
        rows = reshaped(call.operands[1], (call.size * lengths(y[:-2]), k))
        found = call.emit(rows, call.operands[0], transpose_x=False, transpose_y=not transpose_x)
        return reshaped(found, (call.size, *y[:-2], m, 1))
    if k == 1 and all(call.mapped):
        left = _with_matrices(call.aligned(0, max(len(x), len(y))), m, 1)
        right = _with_matrices(call.aligned(1, max(len(x), len(y))), 1, p)
        return mul(left, right)
    return elementwise(call)


def _with_matrices(stack: Value, rows: int, columns: int) -> Value:
    """A stack of rows or columns as matrices of a shape; no element moves."""
    return reshaped(stack, (*stack.shape[:-2], rows, columns))


# Sequences ----------------------------------------------------------------------------------------------------------


def _convolve(call: Call) -> Any:
    """A convolution with a channel for every example; that of real floating numbers only."""
    if call.node.outputs[0].type.dtype.kind != "f":
        return loop(call)
    (long,), (short,) = call.shape(0), call.shape(1)
    turned = flip(call.operands[1], axes=(call.operands[1].ndim - 1,))
    pad = (short - 1,) if call.attr("full") else (0,)
    how: dict[str, Any] = {"stride": (1,), "pad": pad, "dilate": (1,)}
    if call.mapped == (True, False):
        found = conv(reshaped(call.operands[0], (call.size, 1, long)), reshaped(turned, (1, 1, short)), **how)
    else:
        weight = reshaped(turned, (call.size, 1, short))
        if call.mapped[0]:
            found = conv(reshaped(call.operands[0], (1, call.size, long)), weight, groups=call.size, **how)
        else:
            found = conv(reshaped(call.operands[0], (1, 1, long)), weight, **how)
    return reshaped(found, (call.size, found.shape[-1]))


# Images: (batch, channels, *space) and (outputs, inputs of a group, *kernel) ----------------------------------------


def _channels(x: Value) -> Value:
    """From (examples, batch, channels, ...) to (batch, examples * channels, ...)."""
    turned = moved(x, 0, 1)
    batch, size, channels, *space = turned.shape
    return reshaped(turned, (batch, size * channels, *space))


def _from_channels(x: Value, size: int) -> Value:
    """From (batch, examples * channels, ...) to (examples, batch, channels, ...)."""
    return moved(unfolded(x, size, axis=1), 1, 0)


def _conv(call: Call) -> Any:
    size, groups = call.size, call.attr("groups")
    if call.mapped == (True, False):
        return unfolded_batch(call.emit(folded(call.operands[0]), call.operands[1]), call)
    if call.mapped == (True, True):
        found = call.emit(_channels(call.operands[0]), folded(call.operands[1]), groups=size * groups)
        return _from_channels(found, size)
    # The kernels of all examples, side by side in each group.
    weight = call.operands[1]
    outputs, *rest = weight.shape[1:]
    in_groups = moved(reshaped(weight, (size, groups, outputs // groups, *rest)), 0, 1)
    found = call.emit(call.operands[0], reshaped(in_groups, (size * outputs, *rest)))
    batch, _, *space = found.shape
    apart = moved(reshaped(found, (batch, groups, size, outputs // groups, *space)), 2, 0)
    return reshaped(apart, (size, batch, outputs, *space))


def _conv_grad_data(call: Call) -> Any:
    size, (batch, channels, *space) = call.size, call.attr("shape")
    if call.mapped == (True, False):
        whole = (size * batch, channels, *space)
        return unfolded_batch(call.emit(folded(call.operands[0]), call.operands[1], shape=whole), call)
    found = call.emit(
        _channels(call.each(0)),
        folded(call.operands[1]),
        shape=(batch, size * channels, *space),
        groups=size * call.attr("groups"),
    )
    return _from_channels(found, size)


def _conv_grad_weight(call: Call) -> Any:
    size, (outputs, *rest) = call.size, call.attr("shape")
    whole = (size * outputs, *rest)
    if call.mapped == (True, False) and call.attr("groups") == 1:
        found = call.emit(_channels(call.operands[0]), call.operands[1], shape=whole)
    else:
        groups = size * call.attr("groups")
        found = call.emit(_channels(call.each(0)), _channels(call.each(1)), shape=whole, groups=groups)
    return unfolded(found, size)


def unfolded_batch(found: Value, call: Call) -> Value:
    """The batch of all examples taken apart again."""
    return reshaped(found, (call.size, *call.node.outputs[0].shape))


def _windows(call: Call) -> Any:
    """Pooling: the examples are more of the batch."""
    attrs = (
        {"shape": (call.size * call.attr("shape")[0], *call.attr("shape")[1:])} if "shape" in call.node.attrs else {}
    )
    return unfolded_batch(call.emit(*map(folded, call.all_each()), **attrs), call)


# Vectors of a covariance --------------------------------------------------------------------------------------------


def _correlated(call: Call) -> Any:
    if call.mapped[1]:
        return loop(call)
    return unfolded_batch(call.emit(folded(call.operands[0]), call.operands[1]), call)


RULES: dict[str, Rule] = {
    "matmul": _matmul,
    "convolve": _convolve,
    "conv": _conv,
    "conv_grad_data": _conv_grad_data,
    "conv_grad_weight": _conv_grad_weight,
    **dict.fromkeys(["max_pool", "max_pool_grad", "max_pool_take", "avg_pool", "avg_pool_grad"], _windows),
    "correlated": _correlated,
}
