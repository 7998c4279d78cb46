"""Convolutions, plain and transposed, with Gluon's arguments; data is (batch, channels, *space)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Union

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.nn.activations import activation_block
from dopegraph.nn.block import Block
from dopegraph.nn.functional import conv, conv_transpose
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located

Lengths = Union[int, Sequence[int]]
LAYOUTS = {1: "NCW", 2: "NCHW", 3: "NCDHW"}


def lengths_of(given: Lengths, space: int) -> tuple[int, ...]:
    """One number for each spatial axis."""
    lengths = (given,) * space if isinstance(given, int) else tuple(given)
    if len(lengths) != space:
        message = f"{lengths} has {len(lengths)} numbers; there are {space} spatial axes"
        raise ShapeError(located(message, here()))
    return lengths


def check_layout(layout: str | None, space: int, kind: str) -> None:
    """Channels come first; MXNet's CPU kernels know no other order either."""
    if layout not in (None, LAYOUTS[space]):
        message = f"{kind}: the layout is {LAYOUTS[space]}, not {layout}; use np.transpose before and after"
        raise ValueError(located(message, here()))


class _Conv(Block):
    """What all convolutions share."""

    space = 0

    def __init__(
        self,
        channels: int,
        kernel_size: Lengths,
        strides: Lengths = 1,
        padding: Lengths = 0,
        dilation: Lengths = 1,
        groups: int = 1,
        layout: str | None = None,
        activation: str | None = None,
        use_bias: bool = True,
        weight_initializer: Any = None,
        bias_initializer: Any = "zeros",
        in_channels: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(prefix, params)
        check_layout(layout, self.space, type(self).__name__)
        self.channels = channels
        self.kernel_size = lengths_of(kernel_size, self.space)
        self.strides = lengths_of(strides, self.space)
        self.padding = lengths_of(padding, self.space)
        self.dilation = lengths_of(dilation, self.space)
        self.groups = groups
        self.weight = self.params.get(
            "weight", shape=self._weight_shape(in_channels), init=weight_initializer, allow_deferred_init=True
        )
        self.bias = None
        if use_bias:
            self.bias = self.params.get("bias", shape=(channels,), init=bias_initializer, allow_deferred_init=True)
        self.act = activation_block(activation)

    def _alias(self) -> str:
        return "conv"

    def _weight_shape(self, inputs: int) -> tuple[int, ...]:
        return (self.channels, inputs // self.groups, *self.kernel_size)

    def infer_shape(self, x: Any) -> None:
        """The channels of the data."""
        shape = np.shape(x)
        if len(shape) != 2 + self.space:
            message = f"{self.name}: data of shape {shape}; {type(self).__name__} takes {LAYOUTS[self.space]}"
            raise ShapeError(located(message, here()))
        self.weight.shape = self._weight_shape(shape[1])

    def forward(self, x: Any) -> ndarray:
        """Convolve, add, activate."""
        bias = None if self.bias is None else self.bias.data()
        y = conv(x, self.weight.data(), bias, self.strides, self.padding, self.dilation, self.groups)
        return y if self.act is None else self.act(y)

    def _channels(self) -> tuple[int, int]:
        assert self.weight.shape is not None
        return self.weight.shape[1] * self.groups, self.channels

    def __repr__(self) -> str:
        inputs, outputs = self._channels()
        text = f"{inputs or None} -> {outputs}, kernel_size={self.kernel_size}, stride={self.strides}"
        if any(self.padding):
            text += f", padding={self.padding}"
        if any(one != 1 for one in self.dilation):
            text += f", dilation={self.dilation}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        return f"{type(self).__name__}({text}{'' if self.act is None else f', {self.act}'})"


class Conv1D(_Conv):
    """Convolution (cross-correlation) along one axis; see `Conv2D`."""

    space = 1


class Conv2D(_Conv):
    """Convolution (cross-correlation) of images, plus a bias for each channel, and an activation.

    Parameters
    ----------
    channels : int
        Of the output.
    kernel_size, strides, padding, dilation : int or tuple of int
        For both axes, or for each; `padding` zeros on both sides.
    groups : int
        Channels are divided into so many groups that do not mix.
    layout : {"NCHW"}, optional
    activation : str, optional
        See `Activation`.
    use_bias : bool
    weight_initializer, bias_initializer : Initializer or str, optional
    in_channels : int
        By default found out in the first call.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> from dopegraph import nn
    >>> layer = nn.Conv2D(20, kernel_size=5, activation="relu")
    >>> layer.initialize()
    >>> layer(np.ones((2, 1, 28, 28))).shape
    (2, 20, 24, 24)
    >>> layer
    Conv2D(1 -> 20, kernel_size=(5, 5), stride=(1, 1), Activation(relu))
    """

    space = 2


class Conv3D(_Conv):
    """Convolution (cross-correlation) of volumes; see `Conv2D`."""

    space = 3


class _ConvTranspose(_Conv):
    """What all transposed convolutions share."""

    def __init__(
        self,
        channels: int,
        kernel_size: Lengths,
        strides: Lengths = 1,
        padding: Lengths = 0,
        output_padding: Lengths = 0,
        dilation: Lengths = 1,
        groups: int = 1,
        layout: str | None = None,
        activation: str | None = None,
        use_bias: bool = True,
        weight_initializer: Any = None,
        bias_initializer: Any = "zeros",
        in_channels: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(
            *(channels, kernel_size, strides, padding, dilation, groups, layout, activation, use_bias),
            *(weight_initializer, bias_initializer, in_channels, prefix, params),
        )
        self.output_padding = lengths_of(output_padding, self.space)

    def _weight_shape(self, inputs: int) -> tuple[int, ...]:
        return (inputs, self.channels // self.groups, *self.kernel_size)

    def forward(self, x: Any) -> ndarray:
        """Convolve the other way round, add, activate."""
        bias = None if self.bias is None else self.bias.data()
        y = conv_transpose(
            *(x, self.weight.data(), bias, self.strides, self.padding),
            *(self.output_padding, self.dilation, self.groups),
        )
        return y if self.act is None else self.act(y)

    def _channels(self) -> tuple[int, int]:
        assert self.weight.shape is not None
        return self.weight.shape[0], self.channels


class Conv1DTranspose(_ConvTranspose):
    """Transposed convolution along one axis; see `Conv2DTranspose`."""

    space = 1


class Conv2DTranspose(_ConvTranspose):
    """Transposed convolution of images: what a `Conv2D` does to gradients, so that images become larger.

    Parameters
    ----------
    channels : int
        Of the output.
    kernel_size, strides, padding, output_padding, dilation : int or tuple of int
        An axis of length n becomes one of ``(n - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding
        + 1``.
    groups, layout, activation, use_bias, weight_initializer, bias_initializer, in_channels
        See `Conv2D`.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> from dopegraph import nn
    >>> layer = nn.Conv2DTranspose(3, kernel_size=4, strides=2, padding=1)
    >>> layer.initialize()
    >>> layer(np.ones((2, 8, 16, 16))).shape
    (2, 3, 32, 32)
    """

    space = 2


class Conv3DTranspose(_ConvTranspose):
    """Transposed convolution of volumes; see `Conv2DTranspose`."""

    space = 3
