"""Neural-network primitives that stay whole, because MXNet has tuned operators for them: softmax, convolution, pooling.

Data is (batch, channels, *space); `stride`, `pad` and `dilate` have one number for each spatial axis.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy
from numpy.lib.stride_tricks import sliding_window_view

from dopegraph.ir.graph import Value
from dopegraph.ir.primitive import Primitive, primitive
from dopegraph.ir.types import Shape, TensorType
from dopegraph.ops.elementwise import exp
from dopegraph.ops.reduction import sum
from dopegraph.ops.typing import normalize_axis, require_kind, require_lengths, same_dtype
from dopegraph.runtime.errors import ShapeError

Axes = tuple[int, ...]


# Softmax ----------------------------------------------------------------------------------------------------------


def _infer_softmax(x: TensorType, *, axis: int) -> TensorType:
    require_kind(x, "f", "floating numbers")
    normalize_axis(axis, x.ndim)
    return x


def _softmax(x: Any, *, axis: int) -> Any:
    if x.size == 0:
        return x.copy()
    unnormalized = numpy.exp(x - x.max(axis=axis, keepdims=True))
    unnormalized /= unnormalized.sum(axis=axis, keepdims=True)
    return unnormalized


def _log_softmax(x: Any, *, axis: int) -> Any:
    if x.size == 0:
        return x.copy()
    shifted = x - x.max(axis=axis, keepdims=True)
    shifted -= numpy.log(numpy.exp(shifted).sum(axis=axis, keepdims=True))
    return shifted


def _along(g: Value, axis: int) -> Value:
    return sum(g, axes=(normalize_axis(axis, g.ndim),), keepdims=True)


softmax = primitive("softmax", _infer_softmax, _softmax, [lambda g, y, x, *, axis: y * (g - _along(g * y, axis))])
log_softmax = primitive(
    "log_softmax", _infer_softmax, _log_softmax, [lambda g, y, x, *, axis: g - exp(y) * _along(g, axis)]
)


# Convolution (cross-correlation, as everywhere in deep learning) ----------------------------------------------------


def _check_windows(kernel: Axes, stride: Axes, pad: Axes, dilate: Axes) -> None:
    if min(kernel + stride + dilate, default=1) < 1 or min(pad, default=0) < 0:
        raise ShapeError(
            f"kernel {kernel}, stride {stride} and dilate {dilate} must be at least 1, pad {pad} at least 0"
        )


def _windows(length: int, kernel: int, stride: int, pad: int, dilate: int) -> int:
    return (length + 2 * pad - dilate * (kernel - 1) - 1) // stride + 1


def _infer_conv(x: TensorType, w: TensorType, *, stride: Axes, pad: Axes, dilate: Axes, groups: int = 1) -> TensorType:
    dtype = same_dtype((x, w))
    require_kind(x, "f", "floating numbers")
    space = x.ndim - 2
    if space < 1 or w.ndim != x.ndim or not len(stride) == len(pad) == len(dilate) == space:
        raise ShapeError(f"data {x} and weight {w} need the same number of spatial axes, one stride, pad, dilate each")
    _check_windows(w.shape[2:], stride, pad, dilate)
    if groups < 1 or w.shape[0] % groups or x.shape[1] != w.shape[1] * groups:
        raise ShapeError(
            f"data {x} has {x.shape[1]} channels (axis 1), weight {w} takes {w.shape[1]} in each of {groups} group(s)"
        )
    out = tuple(map(_windows, x.shape[2:], w.shape[2:], stride, pad, dilate))
    if min(out) < 1:
        raise ShapeError(f"the kernel of {w} is larger than the padded data {x}")
    return TensorType(dtype, (x.shape[0], w.shape[0], *out))


def _patches(x: Any, kernel: Shape, stride: Axes, pad: Axes, dilate: Axes, fill: float = 0) -> Any:
    """A view (batch, channels, *out, *kernel) of the padded data: what each window sees."""
    space = len(kernel)
    padded = numpy.pad(x, [(0, 0), (0, 0), *((p, p) for p in pad)], constant_values=fill) if any(pad) else x
    extent = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilate))
    view = sliding_window_view(padded, extent, axis=tuple(range(2, 2 + space)))
    steps = tuple(slice(None, None, step) for step in stride + dilate)
    return view[(slice(None), slice(None), *steps)]


def _split(array: Any, axis: int, groups: int) -> list[Any]:
    return numpy.split(array, groups, axis) if groups > 1 else [array]


def _join(parts: list[Any], axis: int) -> Any:
    return numpy.concatenate(parts, axis) if len(parts) > 1 else parts[0]


def _conv(x: Any, w: Any, *, stride: Axes, pad: Axes, dilate: Axes, groups: int = 1) -> Any:
    space = len(stride)
    kernel_axes = list(range(2 + space, 2 + 2 * space))

    def one(x: Any, w: Any) -> Any:
        patches = _patches(x, w.shape[2:], stride, pad, dilate)
        out = numpy.tensordot(patches, w, ([1, *kernel_axes], [1, *range(2, 2 + space)]))
        return numpy.moveaxis(out, -1, 1)

    return numpy.ascontiguousarray(_join([one(*part) for part in zip(_split(x, 1, groups), _split(w, 0, groups))], 1))


def _conv_grad_weight(g: Any, x: Any, *, shape: Shape, stride: Axes, pad: Axes, dilate: Axes, groups: int = 1) -> Any:
    space = len(stride)
    positions = [0, *range(2, 2 + space)]

    def one(g: Any, x: Any) -> Any:
        return numpy.tensordot(g, _patches(x, shape[2:], stride, pad, dilate), (positions, positions))

    return _join([one(*part) for part in zip(_split(g, 1, groups), _split(x, 1, groups))], 0)


def _offsets(kernel: Shape, stride: Axes, dilate: Axes, out: Shape) -> Iterator[tuple[Shape, tuple[slice, ...]]]:
    """Each position in the kernel, with the slice of the padded data that it meets."""
    for offset in itertools.product(*map(range, kernel)):
        yield (
            offset,
            tuple(slice(o * d, o * d + s * (n - 1) + 1, s) for o, d, s, n in zip(offset, dilate, stride, out)),
        )


def _unpad(padded: Any, pad: Axes) -> Any:
    return padded[(slice(None), slice(None), *(slice(p, n - p) for p, n in zip(pad, padded.shape[2:])))]


def _conv_grad_data(g: Any, w: Any, *, shape: Shape, stride: Axes, pad: Axes, dilate: Axes, groups: int = 1) -> Any:
    def one(g: Any, w: Any) -> Any:
        padded = numpy.zeros((shape[0], w.shape[1], *(n + 2 * p for n, p in zip(shape[2:], pad))), g.dtype)
        for offset, where in _offsets(w.shape[2:], stride, dilate, g.shape[2:]):
            met = numpy.tensordot(g, w[(slice(None), slice(None), *offset)], ([1], [0]))
            padded[(slice(None), slice(None), *where)] += numpy.moveaxis(met, -1, 1)
        return _unpad(padded, pad)

    return numpy.ascontiguousarray(_join([one(*part) for part in zip(_split(g, 1, groups), _split(w, 0, groups))], 1))


def _infer_conv_grad_data(
    g: TensorType, w: TensorType, *, shape: Shape, stride: Axes, pad: Axes, dilate: Axes, groups: int = 1
) -> TensorType:
    data = g.with_shape(require_lengths(shape))
    if _infer_conv(data, w, stride=stride, pad=pad, dilate=dilate, groups=groups) != g:
        raise ShapeError(f"{g} is not the type of the convolution of {data} with {w}")
    return data


def _infer_conv_grad_weight(
    g: TensorType, x: TensorType, *, shape: Shape, stride: Axes, pad: Axes, dilate: Axes, groups: int = 1
) -> TensorType:
    weight = g.with_shape(require_lengths(shape))
    if _infer_conv(x, weight, stride=stride, pad=pad, dilate=dilate, groups=groups) != g:
        raise ShapeError(f"{g} is not the type of the convolution of {x} with {weight}")
    return weight


# The three are the derivatives of each other: each is linear in both operands.
conv = primitive(
    "conv",
    _infer_conv,
    _conv,
    [
        lambda g, y, x, w, **how: conv_grad_data(g, w, shape=x.shape, **how),
        lambda g, y, x, w, **how: conv_grad_weight(g, x, shape=w.shape, **how),
    ],
)
conv_grad_data: Primitive = primitive(
    "conv_grad_data",
    _infer_conv_grad_data,
    _conv_grad_data,
    [
        lambda h, x, g, w, *, shape, **how: conv(h, w, **how),
        lambda h, x, g, w, *, shape, **how: conv_grad_weight(g, h, shape=w.shape, **how),
    ],
)
conv_grad_weight: Primitive = primitive(
    "conv_grad_weight",
    _infer_conv_grad_weight,
    _conv_grad_weight,
    [
        lambda v, w, g, x, *, shape, **how: conv(x, v, **how),
        lambda v, w, g, x, *, shape, **how: conv_grad_data(g, v, shape=x.shape, **how),
    ],
)


# Pooling ----------------------------------------------------------------------------------------------------------


def _infer_pool(x: TensorType, *, kernel: Axes, stride: Axes, pad: Axes) -> TensorType:
    require_kind(x, "f", "floating numbers")
    if not len(kernel) == len(stride) == len(pad) == x.ndim - 2:
        raise ShapeError(f"{x} has {x.ndim - 2} spatial axes: kernel, stride and pad need one number for each")
    _check_windows(kernel, stride, pad, ())
    if any(p >= k for p, k in zip(pad, kernel)):
        raise ShapeError(f"a pad of {pad} leaves windows of {kernel} without any data")
    out = tuple(_windows(n, k, s, p, 1) for n, k, s, p in zip(x.shape[2:], kernel, stride, pad))
    if min(out) < 1:
        raise ShapeError(f"windows of {kernel} are larger than the padded data {x}")
    return x.with_shape((*x.shape[:2], *out))


def _pool_patches(x: Any, kernel: Axes, stride: Axes, pad: Axes, fill: float) -> Any:
    patches = _patches(x, kernel, stride, pad, (1,) * len(kernel), fill)
    return patches.reshape((*patches.shape[: 2 + len(kernel)], math.prod(kernel)))


def _max_pool(x: Any, *, kernel: Axes, stride: Axes, pad: Axes) -> Any:
    return _pool_patches(x, kernel, stride, pad, -numpy.inf).max(axis=-1)


def _max_pool_take(h: Any, x: Any, *, kernel: Axes, stride: Axes, pad: Axes) -> Any:
    first = _pool_patches(x, kernel, stride, pad, -numpy.inf).argmax(axis=-1)
    return numpy.take_along_axis(_pool_patches(h, kernel, stride, pad, 0), first[..., None], -1)[..., 0]


def _scatter_windows(
    g_at: Callable[[int], Any], shape: Shape, kernel: Axes, stride: Axes, pad: Axes, out: Shape
) -> Any:
    """Add `g_at(position)` back to the elements that each position in the window met."""
    padded: Any = None
    for number, (_, where) in enumerate(_offsets(kernel, stride, (1,) * len(kernel), out)):
        part = g_at(number)
        if padded is None:
            padded = numpy.zeros((*shape[:2], *(n + 2 * p for n, p in zip(shape[2:], pad))), part.dtype)
        padded[(slice(None), slice(None), *where)] += part
    return numpy.ascontiguousarray(_unpad(padded, pad))


def _max_pool_grad(g: Any, x: Any, *, kernel: Axes, stride: Axes, pad: Axes) -> Any:
    first = _pool_patches(x, kernel, stride, pad, -numpy.inf).argmax(axis=-1)
    return _scatter_windows(
        lambda number: numpy.where(first == number, g, g.dtype.type(0)), x.shape, kernel, stride, pad, g.shape[2:]
    )


def _counts(shape: Shape, kernel: Axes, stride: Axes, pad: Axes, count_include_pad: bool, dtype: Any) -> Any:
    """By how much the sum of a window is divided."""
    if count_include_pad:
        return numpy.prod(kernel).astype(dtype)
    inside = numpy.ones((1, 1, *shape[2:]), dtype)
    return _pool_patches(inside, kernel, stride, pad, 0).sum(axis=-1)


def _avg_pool(x: Any, *, kernel: Axes, stride: Axes, pad: Axes, count_include_pad: bool = True) -> Any:
    counts = _counts(x.shape, kernel, stride, pad, count_include_pad, x.dtype)
    return _pool_patches(x, kernel, stride, pad, 0).sum(axis=-1, dtype=x.dtype) / counts


def _avg_pool_grad(
    g: Any, *, shape: Shape, kernel: Axes, stride: Axes, pad: Axes, count_include_pad: bool = True
) -> Any:
    divided = g / _counts(shape, kernel, stride, pad, count_include_pad, g.dtype)
    return _scatter_windows(lambda number: divided, shape, kernel, stride, pad, g.shape[2:])


def _infer_max_pool_grad(g: TensorType, x: TensorType, *, kernel: Axes, stride: Axes, pad: Axes) -> TensorType:
    if _infer_pool(x, kernel=kernel, stride=stride, pad=pad) != g:
        raise ShapeError(f"{g} is not the type of the pooled {x}")
    return x


def _infer_max_pool_take(h: TensorType, x: TensorType, *, kernel: Axes, stride: Axes, pad: Axes) -> TensorType:
    if h != x:
        raise ShapeError(f"{h} and {x} must have one type")
    return _infer_pool(x, kernel=kernel, stride=stride, pad=pad)


def _infer_avg_pool(
    x: TensorType, *, kernel: Axes, stride: Axes, pad: Axes, count_include_pad: bool = True
) -> TensorType:
    return _infer_pool(x, kernel=kernel, stride=stride, pad=pad)


def _infer_avg_pool_grad(
    g: TensorType, *, shape: Shape, kernel: Axes, stride: Axes, pad: Axes, count_include_pad: bool = True
) -> TensorType:
    data = g.with_shape(require_lengths(shape))
    if _infer_pool(data, kernel=kernel, stride=stride, pad=pad) != g:
        raise ShapeError(f"{g} is not the type of the pooled {data}")
    return data


# The first of several equal maxima of a window gets the whole cotangent, as in MXNet.
max_pool = primitive("max_pool", _infer_pool, _max_pool, [lambda g, y, x, **how: max_pool_grad(g, x, **how)])
max_pool_grad: Primitive = primitive(
    "max_pool_grad", _infer_max_pool_grad, _max_pool_grad, [lambda h, y, g, x, **how: max_pool_take(h, x, **how), None]
)
# Picks from `h` what stands where `x` has its maxima: the derivative of `max_pool` along `h`.
max_pool_take: Primitive = primitive(
    "max_pool_take", _infer_max_pool_take, _max_pool_take, [lambda g, y, h, x, **how: max_pool_grad(g, x, **how), None]
)
avg_pool = primitive(
    "avg_pool", _infer_avg_pool, _avg_pool, [lambda g, y, x, **how: avg_pool_grad(g, shape=x.shape, **how)]
)
avg_pool_grad: Primitive = primitive(
    "avg_pool_grad", _infer_avg_pool_grad, _avg_pool_grad, [lambda h, y, g, *, shape, **how: avg_pool(h, **how)]
)
