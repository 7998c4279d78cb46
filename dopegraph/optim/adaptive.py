"""Optimizers that divide by a moving average of the gradient's size: RMSProp, Adam, AdamW."""

from __future__ import annotations

import math
from typing import Any

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.optim.optimizer import Optimizer, register


@register()
class RMSProp(Optimizer):
    """Tieleman and Hinton's RMSProp, or Graves's centered version (*Generating Sequences*, 2013, equations 38 to 45).

    Parameters
    ----------
    learning_rate : float, optional
    gamma1, gamma2 : float
        How much of the averages is kept; of the velocity, where it is centered.
    epsilon : float
    centered : bool
    clip_weights : float, optional
        Weights are cut to [-clip_weights, clip_weights].
    **kwargs
        Of `Optimizer`.
    """

    default_rate = 0.001

    def __init__(
        self,
        learning_rate: float | None = None,
        gamma1: float = 0.9,
        gamma2: float = 0.9,
        epsilon: float = 1e-8,
        centered: bool = False,
        clip_weights: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.gamma1 = gamma1
        self.gamma2 = gamma2
        self.epsilon = epsilon
        self.centered = centered
        self.clip_weights = clip_weights

    def create_state(self, weight: ndarray) -> tuple[ndarray, ...]:
        """The average of squares; besides, where it is centered, the average and the velocity."""
        return tuple(np.zeros_like(weight) for _ in range(3 if self.centered else 1))

    def update(
        self, weight: ndarray, grad: ndarray, state: tuple[ndarray, ...], lr_mult: float = 1.0, wd_mult: float = 1.0
    ) -> None:
        """Go downhill in steps of about the same size."""
        grad = self._gradient(grad, self.wd * wd_mult * weight)
        lr = self.rate_for(weight, lr_mult)
        squares = state[0]
        squares[...] = (1 - self.gamma1) * np.square(grad) + self.gamma1 * squares
        if self.centered:
            _, average, velocity = state
            average[...] = (1 - self.gamma1) * grad + self.gamma1 * average
            size = np.sqrt(squares - np.square(average) + self.epsilon)
            velocity[...] = self.gamma2 * velocity - lr * grad / size
            weight += velocity
        else:
            weight -= lr * grad / np.sqrt(squares + self.epsilon)
        if self.clip_weights is not None:
            weight[...] = np.clip(weight, -self.clip_weights, self.clip_weights)


@register()
class Adam(Optimizer):
    """Kingma and Ba, *Adam: A Method for Stochastic Optimization*, 2015, as at the end of its section 2.

    Parameters
    ----------
    learning_rate : float, optional
    beta1, beta2, epsilon : float
    **kwargs
        Of `Optimizer`.
    """

    default_rate = 0.001

    def __init__(
        self,
        learning_rate: float | None = None,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon

    def create_state(self, weight: ndarray) -> tuple[ndarray, ...]:
        """The averages of gradients and of their squares."""
        return np.zeros_like(weight), np.zeros_like(weight)

    def _direction(self, weight: ndarray, grad: ndarray, state: tuple[ndarray, ...]) -> ndarray:
        """Where to go at the learning rate 1."""
        average, squares = state
        average[...] = self.beta1 * average + (1 - self.beta1) * grad
        squares[...] = self.beta2 * squares + (1 - self.beta2) * np.square(grad)
        count = self.count_for(weight)
        # 1 - beta ** count, also where that is close to 0.
        first, second = (-np.expm1(count * math.log(beta)) if beta else 1.0 for beta in (self.beta1, self.beta2))
        return np.sqrt(second) / first * (average / (np.sqrt(squares) + self.epsilon))

    def update(
        self, weight: ndarray, grad: ndarray, state: tuple[ndarray, ...], lr_mult: float = 1.0, wd_mult: float = 1.0
    ) -> None:
        """Go downhill in steps of about the learning rate."""
        grad = self._gradient(grad, self.wd * wd_mult * weight)
        weight -= self.rate_for(weight, lr_mult) * self._direction(weight, grad, state)


@register()
class AdamW(Adam):
    """`Adam` with the weight decay outside: Loshchilov and Hutter, *Decoupled Weight Decay Regularization*, 2019."""

    def update(
        self, weight: ndarray, grad: ndarray, state: tuple[ndarray, ...], lr_mult: float = 1.0, wd_mult: float = 1.0
    ) -> None:
        """Go downhill in steps of about the learning rate, and make the weights smaller."""
        direction = self._direction(weight, self._gradient(grad), state)
        weight -= self.rate_for(weight, lr_mult) * (direction + self.wd * wd_mult * weight)
