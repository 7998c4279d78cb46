"""Gradient descent: plain, with momentum, with Nesterov's."""

from __future__ import annotations

from typing import Any

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.optim.optimizer import Optimizer, register


@register()
class SGD(Optimizer):
    """Stochastic gradient descent: ``v = momentum * v - lr * (grad + wd * weight)``, ``weight += v``.

    Parameters
    ----------
    momentum : float
        Polyak, *Some methods of speeding up the convergence of iteration methods*, 1964.
    **kwargs
        Of `Optimizer`.
    """

    def __init__(self, momentum: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.momentum = momentum

    def create_state(self, weight: ndarray) -> tuple[ndarray, ...]:
        """The velocity."""
        return (np.zeros_like(weight),) if self.momentum else ()

    def _descent(self, weight: ndarray, grad: ndarray, lr_mult: float, wd_mult: float) -> ndarray:
        """The learning rate times the gradient with weight decay, which is not clipped."""
        rate, wd = self.rate_for(weight, lr_mult), self.wd * wd_mult
        # Numbers are multiplied first: an array of gradients is gone over just once.
        down = (rate * self.rescale_grad) * grad if self.clip_gradient is None else rate * self._gradient(grad)
        return down + (rate * wd) * weight if wd else down

    def update(
        self, weight: ndarray, grad: ndarray, state: tuple[ndarray, ...], lr_mult: float = 1.0, wd_mult: float = 1.0
    ) -> None:
        """Go downhill."""
        down = self._descent(weight, grad, lr_mult, wd_mult)
        if state:
            (velocity,) = state
            velocity[...] = self.momentum * velocity - down
            weight += velocity
        else:
            weight -= down


@register("nesterov")
class NAG(SGD):
    """Nesterov's accelerated gradient: the gradient counts as if it were taken where the momentum leads.

    Nesterov, *A method of solving a convex programming problem with convergence rate O(1/k^2)*, 1983, in the form of
    Sutskever et al., 2013.
    """

    def update(
        self, weight: ndarray, grad: ndarray, state: tuple[ndarray, ...], lr_mult: float = 1.0, wd_mult: float = 1.0
    ) -> None:
        """Go downhill, and on as before."""
        down = self._descent(weight, grad, lr_mult, wd_mult)
        if state:
            (velocity,) = state
            velocity[...] = self.momentum * velocity - down
            weight += self.momentum * velocity - down
        else:
            weight -= down
