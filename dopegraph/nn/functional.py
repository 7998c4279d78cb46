"""Functions of neural networks that are one primitive each: activations, softmax, convolution, pooling, one-hot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Union

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply, explained
from dopegraph.ir.primitive import Primitive
from dopegraph.numpy.creation import dtype_or_default, integers
from dopegraph.numpy.promotion import as_array, convert, promote
from dopegraph.numpy.shape import axis_of, reshape
from dopegraph.runtime.config import default_dtype
from dopegraph.runtime.errors import DopegraphError, DTypeError, ShapeError
from dopegraph.runtime.location import here, located

Lengths = Union[int, Sequence[int]]


def _floating(x: Any) -> ndarray:
    array = as_array(x)
    return array if array.dtype.kind in "fc" else convert(array, default_dtype())


def _apply(op: Primitive, *operands: ndarray, **attrs: Any) -> ndarray:
    """Check the types first: kernels that run at once would compute something of wrong arguments, too."""
    try:
        op.result_types([x._type for x in operands], attrs)
    except DopegraphError as cause:
        raise explained(op, operands, attrs, cause) from cause
    return apply(op, *operands, **attrs)


def relu(x: Any) -> ndarray:
    """The positive part; its derivative at 0 is 0.

    Examples
    --------
    >>> from dopegraph import nn
    >>> nn.relu([-1.0, 2.0])
    array([0., 2.], dtype=float32)
    """
    return _apply(ops.relu, as_array(x))


def sigmoid(x: Any) -> ndarray:
    """``1 / (1 + exp(-x))``, without overflow.

    Examples
    --------
    >>> from dopegraph import nn
    >>> nn.sigmoid([0.0, 1000.0])
    array([0.5, 1. ], dtype=float32)
    """
    return _apply(ops.sigmoid, _floating(x))


def erf(x: Any) -> ndarray:
    """The error function."""
    return _apply(ops.erf, _floating(x))


def softmax(x: Any, axis: int = -1) -> ndarray:
    """Exponentials divided by their sum along an axis, without overflow.

    Examples
    --------
    >>> from dopegraph import nn
    >>> nn.softmax([[0.0, 0.0]])
    array([[0.5, 0.5]], dtype=float32)
    """
    array = _floating(x)
    return _apply(ops.softmax, array, axis=axis_of(axis, array.ndim, "softmax"))


def log_softmax(x: Any, axis: int = -1) -> ndarray:
    """The logarithm of `softmax`, without overflow and without the logarithm of 0."""
    array = _floating(x)
    return _apply(ops.log_softmax, array, axis=axis_of(axis, array.ndim, "log_softmax"))


def one_hot(x: Any, depth: int, dtype: Any = None) -> ndarray:
    """For each integer a row of zeros with a one at its place; of zeros alone when it is not in [0, depth).

    Parameters
    ----------
    x : array_like of int
        Floats are accepted, as labels often are floats.
    depth : int
        Length of the new last axis.
    dtype : dtype, optional
        The default floating dtype.

    Examples
    --------
    >>> from dopegraph import nn
    >>> nn.one_hot([1, 0], 3)
    array([[0., 1., 0.],
           [1., 0., 0.]], dtype=float32)
    """
    indices = as_array(x)
    if indices.dtype.kind not in "iu":
        indices = convert(indices, numpy.dtype("int64"))
    chosen = dtype_or_default(dtype)
    (length,) = integers(depth, "one_hot: depth")
    return _apply(ops.one_hot, indices, depth=length, dtype=chosen)


def _lengths(given: Lengths, space: int, name: str) -> tuple[int, ...]:
    """One number for each spatial axis."""
    lengths = integers(given, name)
    if not isinstance(given, Sequence):
        return lengths * space
    if len(lengths) != space:
        raise ShapeError(located(f"{name} {lengths} for data with {space} spatial axes", here()))
    return lengths


def _space(x: ndarray, name: str) -> int:
    if x.ndim < 3:
        message = f"{name}: data of shape {x.shape}; it needs axes for batch, channels and space"
        raise ShapeError(located(message, here()))
    return x.ndim - 2


def conv(
    x: Any, w: Any, b: Any = None, stride: Lengths = 1, pad: Lengths = 0, dilate: Lengths = 1, groups: int = 1
) -> ndarray:
    """Convolution (cross-correlation) of data with a weight, plus a bias for each channel.

    Parameters
    ----------
    x : array_like, shape (batch, channels, *space)
    w : array_like, shape (filters, channels // groups, *kernel)
    b : array_like, shape (filters,), optional
    stride, pad, dilate : int or sequence of int
        For all spatial axes, or for each; `pad` zeros on both sides.
    groups : int
        Channels and filters are divided into so many groups that do not mix.

    Returns
    -------
    ndarray, shape (batch, filters, *out)

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> from dopegraph import nn
    >>> nn.conv(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2))).shape
    (1, 1, 2, 2)
    """
    data, weight = promote((x, w))
    if data.dtype.kind != "f":
        raise DTypeError(located(f"conv: takes floating numbers, not {data.dtype}", here()))
    space = _space(data, "conv")
    result = _apply(
        ops.conv,
        data,
        weight,
        stride=_lengths(stride, space, "conv: stride"),
        pad=_lengths(pad, space, "conv: pad"),
        dilate=_lengths(dilate, space, "conv: dilate"),
        groups=integers(groups, "conv: groups")[0],
    )
    if b is None:
        return result
    bias = as_array(b)
    if bias.shape != (weight.shape[0],):
        raise ShapeError(located(f"conv: a bias of shape {bias.shape} for {weight.shape[0]} filters", here()))
    return result + reshape(bias, (-1,) + (1,) * space)


def conv_transpose(
    x: Any,
    w: Any,
    b: Any = None,
    stride: Lengths = 1,
    pad: Lengths = 0,
    output_pad: Lengths = 0,
    dilate: Lengths = 1,
    groups: int = 1,
) -> ndarray:
    """Transposed convolution: what `conv` with the same weight does to the gradient of its data.

    Parameters
    ----------
    x : array_like, shape (batch, channels, *space)
    w : array_like, shape (channels, filters // groups, *kernel)
    b : array_like, shape (filters,), optional
    stride, pad, dilate, groups
        Of that convolution.
    output_pad : int or sequence of int
        How much longer the result is; less than `stride`.

    Returns
    -------
    ndarray, shape (batch, filters, *out)

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> from dopegraph import nn
    >>> nn.conv_transpose(np.ones((1, 1, 1, 2)), np.ones((1, 1, 2, 2)), stride=2)[0, 0]
    array([[1., 1., 1., 1.],
           [1., 1., 1., 1.]], dtype=float32)
    """
    data, weight = promote((x, w))
    if data.dtype.kind != "f":
        raise DTypeError(located(f"conv_transpose: takes floating numbers, not {data.dtype}", here()))
    space = _space(data, "conv_transpose")
    if weight.ndim != data.ndim or weight.shape[0] != data.shape[1]:
        message = f"conv_transpose: a weight of shape {weight.shape} for data of shape {data.shape}"
        raise ShapeError(located(f"{message}; it must be (channels, filters // groups, *kernel)", here()))
    strides, pads, extra, dilates = (
        _lengths(given, space, f"conv_transpose: {name}")
        for given, name in ((stride, "stride"), (pad, "pad"), (output_pad, "output_pad"), (dilate, "dilate"))
    )
    if any(not 0 <= more < step for more, step in zip(extra, strides)):
        message = f"conv_transpose: output_pad {extra} must be less than stride {strides}"
        raise ShapeError(located(message, here()))
    count = integers(groups, "conv_transpose: groups")[0]
    filters = weight.shape[1] * count
    out = [
        (n - 1) * s - 2 * p + d * (k - 1) + 1 + more
        for n, s, p, d, k, more in zip(data.shape[2:], strides, pads, dilates, weight.shape[2:], extra)
    ]
    result = _apply(
        ops.conv_grad_data,
        data,
        weight,
        shape=(data.shape[0], filters, *out),
        stride=strides,
        pad=pads,
        dilate=dilates,
        groups=count,
    )
    if b is None:
        return result
    bias = as_array(b)
    if bias.shape != (filters,):
        raise ShapeError(located(f"conv_transpose: a bias of shape {bias.shape} for {filters} filters", here()))
    return result + reshape(bias, (-1,) + (1,) * space)


def max_pool(x: Any, kernel: Lengths, stride: Lengths | None = None, pad: Lengths = 0) -> ndarray:
    """The largest element of each window; windows do not overlap unless `stride` is smaller than `kernel`.

    Parameters
    ----------
    x : array_like, shape (batch, channels, *space)
    kernel, stride, pad : int or sequence of int
        For all spatial axes, or for each; padding never is the largest element.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> from dopegraph import nn
    >>> nn.max_pool(np.arange(4.0).reshape(1, 1, 2, 2), 2).item()
    3.0
    """
    data = _floating(x)
    space = _space(data, "max_pool")
    return _apply(
        ops.max_pool,
        data,
        kernel=_lengths(kernel, space, "max_pool: kernel"),
        stride=_lengths(kernel if stride is None else stride, space, "max_pool: stride"),
        pad=_lengths(pad, space, "max_pool: pad"),
    )


def avg_pool(
    x: Any, kernel: Lengths, stride: Lengths | None = None, pad: Lengths = 0, count_include_pad: bool = True
) -> ndarray:
    """The mean of each window; see `max_pool`. Without `count_include_pad` padding does not count."""
    data = _floating(x)
    space = _space(data, "avg_pool")
    return _apply(
        ops.avg_pool,
        data,
        kernel=_lengths(kernel, space, "avg_pool: kernel"),
        stride=_lengths(kernel if stride is None else stride, space, "avg_pool: stride"),
        pad=_lengths(pad, space, "avg_pool: pad"),
        count_include_pad=bool(count_include_pad),
    )
