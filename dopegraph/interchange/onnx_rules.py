"""From ONNX's operators to NumPy calls: the mirror of the table in `dopegraph.backends.onnx`.

It has the operators that `export` writes and those of plain networks; a model with others is refused by name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy

import dopegraph.numpy as np
from dopegraph import ops
from dopegraph.array import owned
from dopegraph.backends.onnx import library
from dopegraph.dispatch import apply
from dopegraph.nn import functional as nn
from dopegraph.numpy.stored import FileError

Rule = Callable[..., Any]


def _numbers(x: Any) -> tuple[int, ...]:
    """The numbers of an operand that has to be known: a shape, axes."""
    if not isinstance(x, Known):
        raise FileError("a shape or an axis is computed, which no function can be traced with")
    return tuple([int(one) for one in x.array.reshape(-1)])


class Known:
    """A constant of the model: an array, and its numbers for those operators that need them."""

    def __init__(self, array: Any) -> None:
        self.array = array


def _axes(x: Any, axes: Any, attrs: dict[str, Any]) -> tuple[int, ...] | None:
    if axes is not None:
        return _numbers(axes) or None
    return tuple(attrs["axes"]) if "axes" in attrs else None


def _reduced(function: Rule) -> Rule:
    def rule(x: Any, axes: Any = None, **attrs: Any) -> Any:
        over = _axes(x, axes, attrs)
        if over is None and attrs.get("noop_with_empty_axes"):
            return x
        return function(x, axis=over, keepdims=bool(attrs.get("keepdims", 1)))

    return rule


def _position(function: Rule) -> Rule:
    def rule(x: Any, axis: int = 0, keepdims: int = 1, select_last_index: int = 0) -> Any:
        _only(select_last_index == 0)
        return function(x, axis=axis, keepdims=bool(keepdims)).astype("int64")

    return rule


def _only(condition: bool) -> None:
    if not condition:
        raise FileError("one of its attributes has a value that is not known here")


def _space(x: Any) -> int:
    return x.ndim - 2


def _pads(pads: Sequence[int] | None, space: int, auto_pad: Any) -> tuple[int, ...]:
    _only(auto_pad in (b"NOTSET", b"VALID"))
    given = tuple(pads or (0,) * (2 * space))
    _only(len(given) == 2 * space and given[:space] == given[space:] and min(given, default=0) >= 0)
    return given[:space]


def _conv(
    x: Any, w: Any, b: Any = None, *, auto_pad: bytes = b"NOTSET", dilations: Any = None, group: int = 1,
    kernel_shape: Any = None, pads: Any = None, strides: Any = None,
) -> Any:  # fmt: skip
    space = _space(x)
    return nn.conv(x, w, b, strides or 1, _pads(pads, space, auto_pad), dilations or 1, group)


def _conv_transpose(
    x: Any, w: Any, b: Any = None, *, auto_pad: bytes = b"NOTSET", dilations: Any = None, group: int = 1,
    kernel_shape: Any = None, pads: Any = None, strides: Any = None, output_padding: Any = None,
    output_shape: Any = None,
) -> Any:  # fmt: skip
    space = _space(x)
    _only(output_shape is None)
    pad, ones = _pads(pads, space, auto_pad), [1] * space
    stride, dilate = tuple(strides or ones), tuple(dilations or ones)
    rest = tuple(output_padding or [0] * space)
    windows = zip(x.shape[2:], w.shape[2:], stride, dilate, pad, rest)
    lengths = [s * (n - 1) + d * (k - 1) + 1 - 2 * p + r for n, k, s, d, p, r in windows]
    shape = (x.shape[0], w.shape[1] * group, *lengths)
    how = {"stride": stride, "pad": pad, "dilate": dilate, "groups": group}
    ops.conv_grad_data.result_types([x._type, w._type], {"shape": shape, **how})
    y = apply(ops.conv_grad_data, x, w, shape=shape, **how)
    return y if b is None else y + np.reshape(b, (-1, *ones))


def _max_pool(x: Any, *, kernel_shape: Any, auto_pad: bytes = b"NOTSET", ceil_mode: int = 0, dilations: Any = None,
              pads: Any = None, storage_order: int = 0, strides: Any = None) -> Any:  # fmt: skip
    space = _space(x)
    _only(not ceil_mode and set(dilations or [1]) == {1} and not storage_order)
    pad, stride = _pads(pads, space, auto_pad), tuple(strides or [1] * space)
    y = nn.max_pool(x, kernel_shape, stride, pad)
    places = np.reshape(np.arange(x.size, dtype="float64"), x.shape)
    how = {"kernel": tuple(kernel_shape), "stride": stride, "pad": pad}
    found = apply(ops.max_pool_take, places.astype(x.dtype), x, **how) if x.size < 2**24 else None
    return y, None if found is None else found.astype("int64")


def _average_pool(x: Any, *, kernel_shape: Any, auto_pad: bytes = b"NOTSET", ceil_mode: int = 0,
                  count_include_pad: int = 0, pads: Any = None, strides: Any = None) -> Any:  # fmt: skip
    _only(not ceil_mode)
    pad = _pads(pads, _space(x), auto_pad)
    return nn.avg_pool(x, kernel_shape, strides or 1, pad, bool(count_include_pad))


def _batch_norm(x: Any, scale: Any, b: Any, mean: Any, var: Any, *, epsilon: float = 1e-5, momentum: float = 0.9,
                training_mode: int = 0, spatial: int = 1) -> Any:  # fmt: skip
    _only(not training_mode and spatial == 1)
    shape = (-1,) + (1,) * _space(x)
    scale, b, mean, var = (np.reshape(one, shape) for one in (scale, b, mean, var))
    return (x - mean) / np.sqrt(var + epsilon) * scale + b


def _gemm(x: Any, y: Any, c: Any = None, *, alpha: float = 1.0, beta: float = 1.0, transA: int = 0,
          transB: int = 0) -> Any:  # fmt: skip
    made = np.matmul(x.T if transA else x, y.T if transB else y)
    made = made if alpha == 1 else made * alpha
    return made if c is None else made + (c if beta == 1 else c * beta)


def _reshape(x: Any, shape: Any, *, allowzero: int = 0) -> Any:
    lengths = [
        x.shape[place] if length == 0 and not allowzero else length for place, length in enumerate(_numbers(shape))
    ]
    return np.reshape(x, tuple(lengths))


def _flatten(x: Any, *, axis: int = 1) -> Any:
    return np.reshape(x, (math.prod(x.shape[: axis % max(x.ndim, 1) if axis < 0 else axis]), -1))


def _expand(x: Any, shape: Any) -> Any:
    wanted = _numbers(shape)
    return np.broadcast_to(x, np.broadcast_shapes(x.shape, wanted))


def _slice(x: Any, starts: Any, ends: Any, axes: Any = None, steps: Any = None) -> Any:
    first, last = _numbers(starts), _numbers(ends)
    over = _numbers(axes) if axes is not None else tuple(range(len(first)))
    by = _numbers(steps) if steps is not None else (1,) * len(first)
    key: list[Any] = [slice(None)] * x.ndim
    for axis, start, stop, step in zip(over, first, last, by):
        length = x.shape[axis]
        begin = max(start + length, 0 if step > 0 else -1) if start < 0 else start
        end = max(stop + length, -1) if stop < 0 else stop
        _only(step != 0)
        key[axis] = slice(begin, None if end < 0 else end, step)
    return x[tuple(key)]


def _split(x: Any, split: Any = None, *, axis: int = 0, num_outputs: int = 0, outputs: int = 1) -> Any:
    count = num_outputs or outputs
    if split is None:
        each = -(-x.shape[axis] // count)
        places = [each * one for one in range(1, count)]
    else:
        places = np.cumsum(owned(numpy.array(_numbers(split)))).tolist()[:-1]
    return tuple(np.split(x, places, axis=axis))


def _scatter_nd(data: Any, indices: Any, updates: Any, *, reduction: bytes = b"none") -> Any:
    _only(reduction == b"add" and indices.ndim == 2 and indices.shape[1] == 1)
    return apply(ops.scatter_add, data, np.reshape(indices, (-1,)), updates, axis=0)


def _scatter_elements(data: Any, indices: Any, updates: Any, *, axis: int = 0, reduction: bytes = b"none") -> Any:
    _only(reduction == b"add")
    length = data.shape[axis]
    _only(all(n == m for place, (n, m) in enumerate(zip(data.shape, updates.shape)) if place != axis % data.ndim))
    return data + apply(ops.scatter_add_along_axis, updates, indices, axis=axis % data.ndim, length=length)


def _top_k(x: Any, k: Any, *, axis: int = -1, largest: int = 1, sorted: int = 1) -> Any:
    (count,) = _numbers(k)
    _only(not largest and count == x.shape[axis])
    return np.sort(x, axis=axis, kind="stable"), np.argsort(x, axis=axis, kind="stable").astype("int64")


def _gather(x: Any, indices: Any, *, axis: int = 0) -> Any:
    return np.take(x, indices, axis=axis)


def _cumsum(x: Any, axis: Any, *, exclusive: int = 0, reverse: int = 0) -> Any:
    _only(not exclusive)
    (along,) = _numbers(axis)
    return np.flip(np.cumsum(np.flip(x, along), axis=along), along) if reverse else np.cumsum(x, axis=along)


def _cast(x: Any, *, to: int, saturate: int = 1) -> Any:
    return x.astype(library.load().helper.tensor_dtype_to_np_dtype(to))


def _softmax(function: Rule) -> Rule:
    return lambda x, axis=-1: function(x, axis)


def _clip(x: Any, low: Any = None, high: Any = None) -> Any:
    x = x if low is None else np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


def _several(function: Rule) -> Rule:
    def rule(*xs: Any) -> Any:
        made = xs[0]
        for one in xs[1:]:
            made = function(made, one)
        return made

    return rule


def _div(x: Any, y: Any) -> Any:
    if x.dtype.kind == "f":
        return x / y
    return np.sign(x) * np.sign(y) * (abs(x) // abs(y))  # cuts off


def _mod(x: Any, y: Any, *, fmod: int = 0) -> Any:
    return np.fmod(x, y) if fmod else np.mod(x, y)


def _global(function: Rule) -> Rule:
    return lambda x: function(x, axis=tuple(range(2, x.ndim)), keepdims=True)


def _squeeze(x: Any, axes: Any = None, **attrs: Any) -> Any:
    return np.squeeze(x, axis=_axes(x, axes, attrs))


def _unsqueeze(x: Any, axes: Any = None, **attrs: Any) -> Any:
    return np.expand_dims(x, _axes(x, axes, attrs) or ())


def _dropout(x: Any, ratio: Any = None, training_mode: Any = None, *, seed: int = 0) -> Any:
    _only(training_mode is None or not any(_numbers(training_mode)))
    return x


RULES: dict[str, Rule] = {
    **{name: getattr(np, name.lower()) for name in ("Exp", "Log", "Sqrt", "Floor", "Ceil", "Sin", "Cos", "Tan", "Sinh",
                                                    "Cosh", "Tanh", "Abs", "Sign", "IsNaN", "Equal", "Greater", "Less",
                                                    "Reciprocal", "MatMul", "Where")},
    "Asin": np.arcsin, "Acos": np.arccos, "Atan": np.arctan, "Asinh": np.arcsinh, "Acosh": np.arccosh,
    "Atanh": np.arctanh, "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": _div, "Mod": _mod,
    "Pow": np.power, "Neg": np.negative, "Round": np.rint, "And": np.logical_and, "Or": np.logical_or,
    "Xor": np.logical_xor, "Not": np.logical_not, "LessOrEqual": np.less_equal, "GreaterOrEqual": np.greater_equal,
    "IsInf": np.isinf, "BitwiseAnd": np.bitwise_and, "BitwiseOr": np.bitwise_or, "BitwiseXor": np.bitwise_xor,
    "BitwiseNot": np.invert, "Max": _several(np.maximum), "Min": _several(np.minimum), "Sum": _several(np.add),
    "Relu": nn.relu, "Sigmoid": nn.sigmoid, "Erf": nn.erf, "Softplus": lambda x: np.logaddexp(x, 0.0),
    "LeakyRelu": lambda x, alpha=0.01: np.where(x >= 0, x, alpha * x),
    "Elu": lambda x, alpha=1.0: np.where(x >= 0, x, alpha * np.expm1(np.minimum(x, 0.0))),
    "Clip": _clip, "Cast": _cast, "Identity": lambda x: x, "Dropout": _dropout,
    "Softmax": _softmax(nn.softmax), "LogSoftmax": _softmax(nn.log_softmax),
    "ReduceSum": _reduced(np.sum), "ReduceProd": _reduced(np.prod), "ReduceMax": _reduced(np.max),
    "ReduceMin": _reduced(np.min), "ReduceMean": _reduced(np.mean), "ArgMax": _position(np.argmax),
    "ArgMin": _position(np.argmin), "CumSum": _cumsum, "Det": np.linalg.det, "Gemm": _gemm, "Conv": _conv,
    "ConvTranspose": _conv_transpose, "MaxPool": _max_pool, "AveragePool": _average_pool,
    "BatchNormalization": _batch_norm, "GlobalAveragePool": _global(np.mean), "GlobalMaxPool": _global(np.max),
    "Reshape": _reshape, "Flatten": _flatten, "Expand": _expand, "Slice": _slice, "Split": _split, "Gather": _gather,
    "Transpose": lambda x, perm=None: np.transpose(x, perm), "Squeeze": _squeeze, "Unsqueeze": _unsqueeze,
    "Concat": lambda *xs, axis: np.concatenate(xs, axis=axis), "TopK": _top_k,
    "GatherElements": lambda x, indices, axis=0: np.take_along_axis(x, indices, axis),
    "ScatterND": _scatter_nd, "ScatterElements": _scatter_elements,
}  # fmt: skip

# Operators that need to know some of their operands: positions of those.
NEEDS: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(("Reshape", "Expand", "Split", "CumSum", "TopK", "Squeeze", "Unsqueeze"), (1,)),
    **dict.fromkeys(("ReduceSum", "ReduceProd", "ReduceMax", "ReduceMin", "ReduceMean"), (1,)),
    "Slice": (1, 2, 3, 4),
    "Dropout": (2,),
}
