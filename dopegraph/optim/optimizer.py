"""What all optimizers share: learning rate and step counter as arrays, weight decay, clipping, creation by name."""

from __future__ import annotations

from typing import Any

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.optim.schedules import LRScheduler
from dopegraph.runtime.errors import DopegraphError
from dopegraph.runtime.location import here, located
from dopegraph.runtime.registry import Registry


class OptimizerError(DopegraphError, ValueError):
    """An optimizer that does not exist, or what it cannot do."""


class Optimizer:
    """The base of all optimizers; one of your own defines `create_state` and `update`.

    Learning rate and step counter are arrays, so that a compiled step follows them without being compiled again.

    Parameters
    ----------
    learning_rate : float, optional
        By default that of `lr_scheduler`, or `default_rate` where there is none. One that is given replaces the
        schedule's.
    wd : float
        Weight decay: the gradient of ``wd / 2 * sum(weight ** 2)`` is added.
    rescale_grad : float
        A factor for all gradients.
    clip_gradient : float, optional
        Elements of gradients are cut to [-clip_gradient, clip_gradient].
    lr_scheduler : LRScheduler, optional
        Gives the learning rate for each step.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> from dopegraph import optim
    >>> w = np.array([1.0, 2.0])
    >>> sgd = optim.SGD(learning_rate=0.5)
    >>> sgd.step(), sgd.update(w, np.array([1.0, 1.0]), sgd.create_state(w))
    (None, None)
    >>> w
    array([0.5, 1.5], dtype=float32)
    """

    default_rate = 0.01

    def __init__(
        self,
        learning_rate: float | None = None,
        wd: float = 0.0,
        rescale_grad: float = 1.0,
        clip_gradient: float | None = None,
        lr_scheduler: LRScheduler | None = None,
    ) -> None:
        self.wd = wd
        self.rescale_grad = rescale_grad
        self.clip_gradient = clip_gradient
        self.lr_scheduler = lr_scheduler
        if learning_rate is None:
            learning_rate = self.default_rate if lr_scheduler is None else lr_scheduler.base_lr
        if lr_scheduler is not None:
            lr_scheduler.base_lr = learning_rate
        self._learning_rate = np.array(learning_rate, dtype="float64")
        self._steps = np.array(0, dtype="int64")

    @property
    def learning_rate(self) -> float:
        """Of the next step (of the last one, where there is a schedule)."""
        return float(self._rate())

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        if self.lr_scheduler is not None:
            message = "the learning rate comes from lr_scheduler; it cannot be set besides"
            raise OptimizerError(located(message, here()))
        self._learning_rate[...] = value

    def set_learning_rate(self, value: float) -> None:
        """Set the learning rate."""
        self.learning_rate = value

    @property
    def num_update(self) -> int:
        """How many steps were taken."""
        return int(self._steps)

    def _rate(self) -> ndarray:
        return self._learning_rate if self.lr_scheduler is None else self.lr_scheduler(self._steps)

    def rate_for(self, weight: ndarray, lr_mult: float) -> ndarray:
        """The learning rate of this step for an array, in its dtype."""
        return (self._rate() * lr_mult).astype(weight.dtype)

    def count_for(self, weight: ndarray) -> ndarray:
        """The number of this step, from 1 on, in the dtype of an array."""
        return self._steps.astype(weight.dtype)

    def step(self) -> None:
        """Begin a step: afterwards `update` is called for each array."""
        self._steps += 1

    def create_state(self, weight: ndarray) -> tuple[ndarray, ...]:
        """The arrays that belong to a parameter, to begin with."""
        return ()

    def update(
        self, weight: ndarray, grad: ndarray, state: tuple[ndarray, ...], lr_mult: float = 1.0, wd_mult: float = 1.0
    ) -> None:
        """Change a parameter and what belongs to it, in place.

        Parameters
        ----------
        weight, grad : ndarray
        state : tuple of ndarray
            From `create_state`.
        lr_mult, wd_mult : float
            Factors for the learning rate and the weight decay of this parameter.
        """
        raise NotImplementedError(f"{type(self).__name__} must define update")

    def _gradient(self, grad: ndarray, decay: ndarray | None = None) -> ndarray:
        """The gradient as it is used: rescaled, with a term for the weight decay, clipped."""
        if self.rescale_grad != 1.0:
            grad = grad * self.rescale_grad
        if decay is not None:
            grad = grad + decay
        if self.clip_gradient is not None:
            grad = np.clip(grad, -self.clip_gradient, self.clip_gradient)
        return grad

    def __repr__(self) -> str:
        return f"{type(self).__name__}(learning_rate={self.learning_rate}, wd={self.wd})"


_registry = Registry("optim", "optimizer", OptimizerError)
register = _registry.register


def create(optimizer: Any, **kwargs: Any) -> Optimizer:
    """An optimizer from its name and arguments, or itself.

    Examples
    --------
    >>> from dopegraph import optim
    >>> optim.create("sgd", learning_rate=0.5, wd=0.25)
    SGD(learning_rate=0.5, wd=0.25)
    """
    if isinstance(optimizer, Optimizer):
        if kwargs:
            message = f"optim: arguments {sorted(kwargs)} besides an optimizer that is made already"
            raise OptimizerError(located(message, here()))
        return optimizer
    made: Optimizer = _registry.find(optimizer)(**kwargs)
    return made
