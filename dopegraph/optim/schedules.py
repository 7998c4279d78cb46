"""Learning rates as formulas of the number of the step, which may be a traced array: no step is compiled again.

The results are those of MXNet's schedulers when they are asked for steps 1, 2, 3, ...
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.runtime.location import here, located


class LRScheduler:
    """The base of all schedules; one of your own defines ``rate(self, step)`` with `dopegraph.numpy`.

    Parameters
    ----------
    base_lr : float
        An optimizer sets it to its learning rate.
    warmup_steps : int
        In the first steps the learning rate rises from `warmup_begin_lr` to `base_lr`.
    warmup_begin_lr : float
    warmup_mode : {"linear", "constant"}
        Whether it rises, or stays at `warmup_begin_lr`.
    """

    def __init__(
        self,
        base_lr: float = 0.01,
        warmup_steps: int = 0,
        warmup_begin_lr: float = 0,
        warmup_mode: str = "linear",
    ) -> None:
        if warmup_begin_lr > base_lr:
            raise ValueError(located(f"the warm-up begins at {warmup_begin_lr}, above base_lr {base_lr}", here()))
        if warmup_steps < 0:
            raise ValueError(located(f"warmup_steps must be at least 0, not {warmup_steps}", here()))
        if warmup_mode not in ("linear", "constant"):
            raise ValueError(located(f"warmup_mode is 'linear' or 'constant', not {warmup_mode!r}", here()))
        self.base_lr = base_lr
        self.warmup_steps = warmup_steps
        self.warmup_begin_lr = warmup_begin_lr
        self.warmup_mode = warmup_mode

    def __call__(self, step: Any) -> ndarray:
        """The learning rate, float64, at a step or at each of an array of steps.

        Examples
        --------
        >>> from dopegraph import optim
        >>> schedule = optim.FactorScheduler(step=2, factor=0.5, base_lr=1.0)
        >>> schedule([1, 2, 3, 4, 5])
        array([1.  , 1.  , 0.5 , 0.5 , 0.25])
        """
        step = np.asarray(step).astype("float64")
        rate = self.rate(step)
        if not self.warmup_steps:
            return rate
        share = step / self.warmup_steps if self.warmup_mode == "linear" else step * 0
        rising = self.warmup_begin_lr + (self.base_lr - self.warmup_begin_lr) * share
        return np.where(step < self.warmup_steps, rising, rate)

    def rate(self, step: ndarray) -> ndarray:
        """The learning rate after the warm-up."""
        raise NotImplementedError(f"{type(self).__name__} must define rate(self, step)")


class FactorScheduler(LRScheduler):
    """Multiply by `factor` after every `step` steps, down to `stop_factor_lr`."""

    def __init__(
        self, step: int, factor: float = 1, stop_factor_lr: float = 1e-8, base_lr: float = 0.01, **kwargs: Any
    ) -> None:
        super().__init__(base_lr, **kwargs)
        if step < 1:
            raise ValueError(located(f"FactorScheduler: step must be at least 1, not {step}", here()))
        if factor > 1:
            raise ValueError(located(f"FactorScheduler: factor must be at most 1, not {factor}", here()))
        self.step = step
        self.factor = factor
        self.stop_factor_lr = stop_factor_lr

    def rate(self, step: ndarray) -> ndarray:
        """The learning rate after the warm-up."""
        times = np.maximum(np.ceil(step / self.step) - 1, 0)
        rate = self.base_lr * np.power(float(self.factor), times)
        return np.where(times > 0, np.maximum(rate, self.stop_factor_lr), rate)


class MultiFactorScheduler(LRScheduler):
    """Multiply by `factor` after each of the steps in a list."""

    def __init__(self, step: Sequence[int], factor: float = 1, base_lr: float = 0.01, **kwargs: Any) -> None:
        super().__init__(base_lr, **kwargs)
        self.step = tuple(step)
        if not self.step or min(self.step) < 1 or any(a >= b for a, b in zip(self.step, self.step[1:])):
            message = f"MultiFactorScheduler: step must be increasing numbers from 1 on, not {step}"
            raise ValueError(located(message, here()))
        if factor > 1:
            raise ValueError(located(f"MultiFactorScheduler: factor must be at most 1, not {factor}", here()))
        self.factor = factor

    def rate(self, step: ndarray) -> ndarray:
        """The learning rate after the warm-up."""
        times = sum((step > one).astype("float64") for one in self.step)
        return self.base_lr * np.power(float(self.factor), times)


class _Falling(LRScheduler):
    """What schedules share that fall from `base_lr` to `final_lr` until `max_update`."""

    def __init__(self, max_update: int, base_lr: float = 0.01, final_lr: float = 0, **kwargs: Any) -> None:
        super().__init__(base_lr, **kwargs)
        if max_update <= self.warmup_steps:
            message = f"max_update must be larger than warmup_steps {self.warmup_steps}, not {max_update}"
            raise ValueError(located(message, here()))
        self.max_update = max_update
        self.final_lr = final_lr

    def rate(self, step: ndarray) -> ndarray:
        """The learning rate after the warm-up."""
        share = np.clip((step - self.warmup_steps) / (self.max_update - self.warmup_steps), 0.0, 1.0)
        return self.final_lr + (self.base_lr - self.final_lr) * self.left(share)

    def left(self, share: ndarray) -> ndarray:
        """How much is left after a share of the steps: from 1 to 0."""
        raise NotImplementedError


class PolyScheduler(_Falling):
    """Fall as ``(1 - step / max_update) ** pwr``."""

    def __init__(
        self, max_update: int, base_lr: float = 0.01, pwr: float = 2, final_lr: float = 0, **kwargs: Any
    ) -> None:
        super().__init__(max_update, base_lr, final_lr, **kwargs)
        self.pwr = pwr

    def left(self, share: ndarray) -> ndarray:
        """How much is left after a share of the steps."""
        return (1 - share) ** self.pwr


class CosineScheduler(_Falling):
    """Fall as half a cosine: Loshchilov and Hutter, *SGDR*, 2017, equation 5, without restarts."""

    def left(self, share: ndarray) -> ndarray:
        """How much is left after a share of the steps."""
        return (1 + np.cos(math.pi * share)) / 2
