"""Activations, as blocks and by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.nn.block import Block
from dopegraph.nn.functional import erf, relu, sigmoid
from dopegraph.runtime.location import here, located


def softrelu(x: Any) -> ndarray:
    """``log(1 + exp(x))``, without overflow.

    Examples
    --------
    >>> from dopegraph import nn
    >>> nn.softrelu([-1000.0, 0.0, 1000.0])
    array([0.000000e+00, 6.931472e-01, 1.000000e+03], dtype=float32)
    """
    x = np.asarray(x)
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def softsign(x: Any) -> ndarray:
    """``x / (1 + abs(x))``."""
    x = np.asarray(x)
    return x / (1 + np.abs(x))


# The names are those of MXNet's operator Activation.
ACTIVATIONS: dict[str, Callable[[Any], ndarray]] = {
    "relu": relu,
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "softrelu": softrelu,
    "softsign": softsign,
}


class Activation(Block):
    """A function of each element by its name: ``relu``, ``sigmoid``, ``tanh``, ``softrelu`` or ``softsign``.

    Examples
    --------
    >>> from dopegraph import nn
    >>> nn.Activation("relu")([-1.0, 2.0])
    array([0., 2.], dtype=float32)
    """

    def __init__(self, activation: str, prefix: str | None = None, params: Any = None) -> None:
        if activation not in ACTIVATIONS:
            message = f"Activation: {activation!r} is none of {', '.join(ACTIVATIONS)}"
            raise ValueError(located(message, here()))
        self.activation = activation
        super().__init__(prefix, params)

    def _alias(self) -> str:
        return self.activation

    def forward(self, x: Any) -> ndarray:
        """Apply the function."""
        return ACTIVATIONS[self.activation](x)

    def __repr__(self) -> str:
        return f"Activation({self.activation})"


def activation_block(name: str | None) -> Activation | None:
    """The block of a layer's ``activation=``."""
    return None if name is None else Activation(name, prefix=f"{name}_")


class LeakyReLU(Block):
    """``x`` where it is positive, ``alpha * x`` elsewhere."""

    def __init__(self, alpha: float, prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix, params)
        if alpha < 0:
            raise ValueError(located(f"LeakyReLU: alpha must be at least 0, not {alpha}", here()))
        self.alpha = alpha

    def forward(self, x: Any) -> ndarray:
        """Apply the function."""
        x = np.asarray(x)
        return np.where(x > 0, x, self.alpha * x)

    def __repr__(self) -> str:
        return f"LeakyReLU({self.alpha})"


class PReLU(Block):
    """A leaky rectifier whose slope is learned, for each channel (axis 1).

    He et al., *Delving Deep into Rectifiers*, 2015.
    """

    def __init__(
        self, alpha_initializer: Any = None, in_channels: int = 1, prefix: str | None = None, params: Any = None
    ) -> None:
        super().__init__(prefix, params)
        from dopegraph.init import Constant

        chosen = Constant(0.25) if alpha_initializer is None else alpha_initializer
        self.alpha = self.params.get("alpha", shape=(in_channels,), init=chosen)

    def forward(self, x: Any) -> ndarray:
        """Apply the function."""
        x = np.asarray(x)
        alpha = self.alpha.data()
        if alpha.shape[0] > 1:
            alpha = alpha.reshape((-1,) + (1,) * (x.ndim - 2))
        return np.where(x > 0, x, alpha * x)


class ELU(Block):
    """``x`` where it is positive, ``alpha * (exp(x) - 1)`` elsewhere.

    Clevert et al., *Fast and Accurate Deep Network Learning by Exponential Linear Units*, 2016.
    """

    def __init__(self, alpha: float = 1.0, prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix, params)
        self.alpha = alpha

    def forward(self, x: Any) -> ndarray:
        """Apply the function."""
        x = np.asarray(x)
        return np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0)))


class SELU(Block):
    """A scaled `ELU` that keeps mean 0 and variance 1.

    Klambauer et al., *Self-Normalizing Neural Networks*, 2017, equation 2 and the numbers after it.
    """

    def forward(self, x: Any) -> ndarray:
        """Apply the function."""
        x = np.asarray(x)
        return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0)))


class GELU(Block):
    """``x`` times the probability that a normal random number is smaller.

    Hendrycks and Gimpel, *Gaussian Error Linear Units*, 2016.
    """

    def forward(self, x: Any) -> ndarray:
        """Apply the function."""
        x = np.asarray(x)
        return 0.5 * x * (1 + erf(x * 0.7071067811865476))


class Swish(Block):
    """``x * sigmoid(beta * x)``: Ramachandran et al., *Searching for Activation Functions*, 2017."""

    def __init__(self, beta: float = 1.0, prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix, params)
        self.beta = beta

    def forward(self, x: Any) -> ndarray:
        """Apply the function."""
        x = np.asarray(x)
        return x * sigmoid(self.beta * x)
