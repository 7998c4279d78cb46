"""Optimizers from online learning, which count all gradients so far: AdaGrad, AdaDelta, FTRL."""

from __future__ import annotations

from typing import Any

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.optim.optimizer import Optimizer, register


@register()
class AdaGrad(Optimizer):
    """Duchi et al., *Adaptive Subgradient Methods*, 2011: divide by the root of the sum of all squares.

    Parameters
    ----------
    eps : float
    **kwargs
        Of `Optimizer`.
    """

    def __init__(self, eps: float = 1e-7, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.eps = eps

    def create_state(self, weight: ndarray) -> tuple[ndarray, ...]:
        """The sum of squares."""
        return (np.zeros_like(weight),)

    def update(
        self, weight: ndarray, grad: ndarray, state: tuple[ndarray, ...], lr_mult: float = 1.0, wd_mult: float = 1.0
    ) -> None:
        """Go downhill in steps that become smaller."""
        grad = self._gradient(grad)
        (history,) = state
        history += np.square(grad)
        direction = grad / np.sqrt(history + self.eps)
        weight -= self.rate_for(weight, lr_mult) * (direction + self.wd * wd_mult * weight)


@register()
class AdaDelta(Optimizer):
    """Zeiler, *ADADELTA: An Adaptive Learning Rate Method*, 2012: without a learning rate.

    Parameters
    ----------
    rho : float
        How much of the averages is kept.
    epsilon : float
    **kwargs
        Of `Optimizer`; the learning rate is not used.
    """

    def __init__(self, rho: float = 0.9, epsilon: float = 1e-5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rho = rho
        self.epsilon = epsilon

    def create_state(self, weight: ndarray) -> tuple[ndarray, ...]:
        """The averages of the squares of gradients and of changes."""
        return np.zeros_like(weight), np.zeros_like(weight)

    def update(
        self, weight: ndarray, grad: ndarray, state: tuple[ndarray, ...], lr_mult: float = 1.0, wd_mult: float = 1.0
    ) -> None:
        """Go downhill in steps of the size of the last ones."""
        grad = self._gradient(grad)
        gradients, changes = state
        gradients[...] = self.rho * gradients + (1 - self.rho) * np.square(grad)
        change = np.sqrt(changes + self.epsilon) / np.sqrt(gradients + self.epsilon) * grad
        changes[...] = self.rho * changes + (1 - self.rho) * np.square(change)
        weight -= change + self.wd * wd_mult * weight


@register()
class Ftrl(Optimizer):
    """McMahan et al., *Ad Click Prediction: a View from the Trenches*, 2013: most weights are exactly 0.

    Parameters
    ----------
    lamda1 : float
        The larger, the more zeros.
    learning_rate : float, optional
    beta : float
    **kwargs
        Of `Optimizer`.
    """

    default_rate = 0.1

    def __init__(
        self, lamda1: float = 0.01, learning_rate: float | None = None, beta: float = 1, **kwargs: Any
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.lamda1 = lamda1
        self.beta = beta

    def create_state(self, weight: ndarray) -> tuple[ndarray, ...]:
        """The paper's z and n."""
        return np.zeros_like(weight), np.zeros_like(weight)

    def update(
        self, weight: ndarray, grad: ndarray, state: tuple[ndarray, ...], lr_mult: float = 1.0, wd_mult: float = 1.0
    ) -> None:
        """Compute the weight anew from all gradients."""
        grad = self._gradient(grad)
        lr = self.rate_for(weight, lr_mult)
        z, n = state
        squares = n + np.square(grad)
        z += grad - (np.sqrt(squares) - np.sqrt(n)) / lr * weight
        n[...] = squares
        shrunk = (np.sign(z) * self.lamda1 - z) / ((self.beta + np.sqrt(n)) / lr + self.wd * wd_mult)
        weight[...] = np.where(np.abs(z) > self.lamda1, shrunk, 0)
