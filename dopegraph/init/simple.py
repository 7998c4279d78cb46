"""Initializers that do not look at shapes: numbers, and uniform and normal random numbers of a given size."""

from __future__ import annotations

from typing import Any

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.init.initializer import Initializer, register


@register("zeros")
class Zero(Initializer):
    """Zeros."""

    def _init_weight(self, name: str, array: ndarray) -> None:
        array[...] = 0


@register("ones")
class One(Initializer):
    """Ones."""

    def _init_weight(self, name: str, array: ndarray) -> None:
        array[...] = 1


@register()
class Constant(Initializer):
    """A number, or an array of the parameter's shape."""

    def __init__(self, value: Any) -> None:
        super().__init__(value=value)
        self.value = value

    def _init_weight(self, name: str, array: ndarray) -> None:
        array[...] = self.value


@register()
class Uniform(Initializer):
    """Uniform random numbers in [-scale, scale); what Gluon begins with when nothing is said."""

    def __init__(self, scale: float = 0.07) -> None:
        super().__init__(scale=scale)
        self.scale = scale

    def _init_weight(self, name: str, array: ndarray) -> None:
        array[...] = np.random.uniform(-self.scale, self.scale, array.shape)


@register("gaussian")
class Normal(Initializer):
    """Normal random numbers with mean 0 and standard deviation `sigma`.

    Examples
    --------
    >>> from dopegraph import init
    >>> init.Normal(sigma=1.0)
    Normal(sigma=1.0)
    """

    def __init__(self, sigma: float = 0.01) -> None:
        super().__init__(sigma=sigma)
        self.sigma = sigma

    def _init_weight(self, name: str, array: ndarray) -> None:
        array[...] = np.random.normal(0.0, self.sigma, array.shape)
