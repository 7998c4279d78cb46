"""Layers of plain matrix products and lookups: dense, dropout, flatten, embedding."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.nn.activations import activation_block
from dopegraph.nn.block import Block
from dopegraph.runtime.config import is_training
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located


class Dense(Block):
    """A fully connected layer: ``activation(x @ weight.T + bias)``.

    Parameters
    ----------
    units : int
        Length of the output's last axis.
    activation : str, optional
        See `Activation`.
    use_bias : bool
    flatten : bool
        Whether all axes of the input but the first count as one; otherwise only the last one is multiplied.
    dtype : dtype, optional
    weight_initializer, bias_initializer : Initializer or str, optional
    in_units : int
        Length of the input; by default found out in the first call.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> from dopegraph import nn
    >>> layer = nn.Dense(2, in_units=3)
    >>> layer.initialize("ones")
    >>> layer(np.ones((1, 3)))
    array([[3., 3.]], dtype=float32)
    """

    def __init__(
        self,
        units: int,
        activation: str | None = None,
        use_bias: bool = True,
        flatten: bool = True,
        dtype: Any = None,
        weight_initializer: Any = None,
        bias_initializer: Any = "zeros",
        in_units: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(prefix, params)
        self.units = units
        self.flatten = flatten
        self.weight = self.params.get(
            "weight", shape=(units, in_units), init=weight_initializer, dtype=dtype, allow_deferred_init=True
        )
        self.bias = None
        if use_bias:
            self.bias = self.params.get(
                "bias", shape=(units,), init=bias_initializer, dtype=dtype, allow_deferred_init=True
            )
        self.act = activation_block(activation)

    def infer_shape(self, x: Any) -> None:
        """The input's length is that of all axes but the first, or of the last."""
        shape = np.shape(x)
        self.weight.shape = (self.units, math.prod(shape[1:]) if self.flatten else shape[-1])

    def forward(self, x: Any) -> ndarray:
        """Multiply, add, activate."""
        x = np.asarray(x)
        if self.flatten and x.ndim != 2:
            x = x.reshape((x.shape[0], math.prod(x.shape[1:])))
        weight = self.weight.data()
        if x.shape[-1] != weight.shape[1]:
            message = f"{self.name}: an input of shape {x.shape} for a weight of shape {weight.shape}"
            raise ShapeError(located(f"{message}; the input's length must be {weight.shape[1]}", here()))
        y = np.dot(x, weight.T)
        if self.bias is not None:
            y = y + self.bias.data()
        return y if self.act is None else self.act(y)

    def __repr__(self) -> str:
        assert self.weight.shape is not None
        units, inputs = self.weight.shape
        return f"Dense({inputs or None} -> {units}, {'linear' if self.act is None else self.act})"


class Dropout(Block):
    """In training mode sets elements to 0 with a probability, and divides the others by the rest; else nothing.

    Srivastava et al., *Dropout: a simple way to prevent neural networks from overfitting*, 2014.

    Parameters
    ----------
    rate : float
        Probability of 0.
    axes : sequence of int
        Axes along which all elements share one decision.

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np
    >>> from dopegraph import nn
    >>> nn.Dropout(0.5)(np.ones(4))
    array([1., 1., 1., 1.], dtype=float32)
    >>> with dopegraph.train_mode():
    ...     set(nn.Dropout(0.5)(np.ones(1000)).tolist()) == {0.0, 2.0}
    True
    """

    def __init__(self, rate: float, axes: Sequence[int] = (), prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix, params)
        if not 0 <= rate <= 1:
            raise ValueError(located(f"Dropout: the rate is a probability, not {rate}", here()))
        self.rate = rate
        self.axes = tuple(axes)

    def forward(self, x: Any) -> ndarray:
        """Drop elements, in training mode."""
        x = np.asarray(x)
        if not is_training() or self.rate == 0:
            return x
        keep = 1 - self.rate
        if keep == 0:
            return np.zeros_like(x)
        shape = [1 if axis in self.axes else length for axis, length in enumerate(x.shape)]
        mask = (np.random.uniform(0.0, 1.0, shape) < keep).astype(x.dtype)
        return x * mask * (1 / keep)

    def __repr__(self) -> str:
        return f"Dropout(p = {self.rate}, axes={self.axes})"


class Flatten(Block):
    """All axes but the first as one.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> from dopegraph import nn
    >>> nn.Flatten()(np.ones((2, 3, 4))).shape
    (2, 12)
    """

    def forward(self, x: Any) -> ndarray:
        """Reshape."""
        x = np.asarray(x)
        return x.reshape((x.shape[0], math.prod(x.shape[1:])))

    def __repr__(self) -> str:
        return "Flatten"


class Embedding(Block):
    """A row of numbers for each integer: ``weight[x]``, with integers outside moved to the ends.

    Parameters
    ----------
    input_dim : int
        How many integers there are.
    output_dim : int
        Length of a row.
    dtype : dtype, optional
    weight_initializer : Initializer or str, optional

    Examples
    --------
    >>> from dopegraph import nn
    >>> layer = nn.Embedding(5, 2)
    >>> layer.initialize("ones")
    >>> layer([[0, 4, 1]]).shape
    (1, 3, 2)
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        dtype: Any = None,
        weight_initializer: Any = None,
        sparse_grad: bool = False,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(prefix, params)
        self.input_dim = input_dim
        self.output_dim = output_dim
        self.weight = self.params.get(
            "weight", shape=(input_dim, output_dim), init=weight_initializer, dtype=dtype, allow_deferred_init=True
        )

    def forward(self, x: Any) -> ndarray:
        """Look up rows; numbers that are not integers are cut off."""
        x = np.asarray(x)
        if x.dtype.kind not in "iu":
            x = x.astype("int64")
        return np.take(self.weight.data(), np.clip(x, 0, self.input_dim - 1), axis=0)

    def __repr__(self) -> str:
        return f"Embedding({self.input_dim} -> {self.output_dim}, {self.weight.dtype})"
