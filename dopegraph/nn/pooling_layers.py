"""Pooling as blocks: the largest element or the mean of windows, or of everything."""

from __future__ import annotations

import functools
from typing import Any

import numpy

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.nn.block import Block
from dopegraph.nn.conv_layers import Lengths, check_layout, lengths_of
from dopegraph.nn.functional import avg_pool, max_pool
from dopegraph.runtime.config import default_dtype
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located


class _Windows:
    """Windows along one axis when there is one more for what the last of equal length would leave out.

    Attributes
    ----------
    after : int
        The padding at the end with which windows of equal length cover the axis.
    """

    def __init__(self, length: int, kernel: int, stride: int, pad: int) -> None:
        self.length, self.kernel, self.pad = length, kernel, pad
        count = 1 - (-(length + 2 * pad - kernel) // stride)
        self.starts = numpy.arange(count) * stride - pad
        self.after = (count - 1) * stride + kernel - pad - length

    def counts(self, include_pad: bool) -> numpy.ndarray[Any, Any]:
        """How many elements each window averages."""
        pad = self.pad if include_pad else 0
        begin, end = numpy.maximum(self.starts, -pad), numpy.minimum(self.starts + self.kernel, self.length + pad)
        return end - begin


def _padded(x: ndarray, axes: list[_Windows], value: float) -> ndarray:
    if x.dtype.kind != "f":
        x = x.astype(default_dtype())
    return np.pad(x, [(0, 0), (0, 0), *((one.pad, one.after) for one in axes)], constant_values=value)


class _Pool(Block):
    """What all layers share that look at windows."""

    space = 0

    def __init__(
        self,
        pool_size: Lengths = 2,
        strides: Lengths | None = None,
        padding: Lengths = 0,
        layout: str | None = None,
        ceil_mode: bool = False,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(prefix, params)
        check_layout(layout, self.space, type(self).__name__)
        self.pool_size = lengths_of(pool_size, self.space)
        self.strides = self.pool_size if strides is None else lengths_of(strides, self.space)
        self.padding = lengths_of(padding, self.space)
        self.ceil_mode = ceil_mode

    def _alias(self) -> str:
        return "pool"

    def forward(self, x: Any) -> ndarray:
        """Pool."""
        shape = np.shape(x)
        if len(shape) != 2 + self.space:
            message = f"{type(self).__name__}: data of shape {shape}; it needs {2 + self.space} axes"
            raise ShapeError(located(message, here()))
        if self.ceil_mode:
            axes = [_Windows(*each) for each in zip(shape[2:], self.pool_size, self.strides, self.padding)]
            if any(one.after != one.pad for one in axes):
                return self._pooled_to_the_end(np.asarray(x), axes)
        return self._pooled(x)

    def _pooled(self, x: Any) -> ndarray:
        raise NotImplementedError

    def _pooled_to_the_end(self, x: ndarray, axes: list[_Windows]) -> ndarray:
        """With more padding at the end than at the beginning."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.pool_size}, stride={self.strides}, padding={self.padding})"


class _MaxPool(_Pool):
    def _pooled(self, x: Any) -> ndarray:
        return max_pool(x, self.pool_size, self.strides, self.padding)

    def _pooled_to_the_end(self, x: ndarray, axes: list[_Windows]) -> ndarray:
        return max_pool(_padded(x, axes, -numpy.inf), self.pool_size, self.strides)


class _AvgPool(_Pool):
    def __init__(
        self,
        pool_size: Lengths = 2,
        strides: Lengths | None = None,
        padding: Lengths = 0,
        layout: str | None = None,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(pool_size, strides, padding, layout, ceil_mode, prefix, params)
        self.count_include_pad = count_include_pad

    def _pooled(self, x: Any) -> ndarray:
        return avg_pool(x, self.pool_size, self.strides, self.padding, self.count_include_pad)

    def _pooled_to_the_end(self, x: ndarray, axes: list[_Windows]) -> ndarray:
        mean = avg_pool(_padded(x, axes, 0.0), self.pool_size, self.strides)
        # What was padded only to come to the end never counts.
        counts = [one.counts(self.count_include_pad) for one in axes]
        share = functools.reduce(numpy.multiply.outer, counts) / numpy.prod(self.pool_size)
        return mean / np.asarray(share).astype(mean.dtype)


class MaxPool1D(_MaxPool):
    """The largest element of each window along one axis; see `MaxPool2D`."""

    space = 1


class MaxPool2D(_MaxPool):
    """The largest element of each window of an image.

    Parameters
    ----------
    pool_size : int or tuple of int
    strides : int or tuple of int, optional
        By default windows do not overlap.
    padding : int or tuple of int
        On both sides; it is never the largest.
    ceil_mode : bool
        Whether one more window begins for elements at the end that would be left out.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> from dopegraph import nn
    >>> nn.MaxPool2D(2)(np.arange(16.0).reshape((1, 1, 4, 4)))[0, 0]
    array([[ 5.,  7.],
           [13., 15.]], dtype=float32)
    """

    space = 2


class MaxPool3D(_MaxPool):
    """The largest element of each window of a volume; see `MaxPool2D`."""

    space = 3


class AvgPool1D(_AvgPool):
    """The mean of each window along one axis; see `AvgPool2D`."""

    space = 1


class AvgPool2D(_AvgPool):
    """The mean of each window of an image; see `MaxPool2D`. Without `count_include_pad` padding does not count."""

    space = 2


class AvgPool3D(_AvgPool):
    """The mean of each window of a volume; see `AvgPool2D`."""

    space = 3


class _GlobalPool(Block):
    """What layers share that look at everything; spatial axes have length 1 afterwards."""

    space = 0

    def __init__(self, layout: str | None = None, prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix, params)
        check_layout(layout, self.space, type(self).__name__)

    def _alias(self) -> str:
        return "pool"

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class _GlobalAvgPool(_GlobalPool):
    def forward(self, x: Any) -> ndarray:
        """The mean over all spatial axes."""
        return np.mean(np.asarray(x), axis=tuple(range(2, 2 + self.space)), keepdims=True)


class _GlobalMaxPool(_GlobalPool):
    def forward(self, x: Any) -> ndarray:
        """The largest element over all spatial axes."""
        return np.max(np.asarray(x), axis=tuple(range(2, 2 + self.space)), keepdims=True)


class GlobalAvgPool1D(_GlobalAvgPool):
    """The mean along one axis."""

    space = 1


class GlobalAvgPool2D(_GlobalAvgPool):
    """The mean of each channel of an image.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> from dopegraph import nn
    >>> nn.GlobalAvgPool2D()(np.ones((2, 3, 4, 5))).shape
    (2, 3, 1, 1)
    """

    space = 2


class GlobalAvgPool3D(_GlobalAvgPool):
    """The mean of each channel of a volume."""

    space = 3


class GlobalMaxPool1D(_GlobalMaxPool):
    """The largest element along one axis."""

    space = 1


class GlobalMaxPool2D(_GlobalMaxPool):
    """The largest element of each channel of an image."""

    space = 2


class GlobalMaxPool3D(_GlobalMaxPool):
    """The largest element of each channel of a volume."""

    space = 3
