"""Losses of detectors: one number for each image."""

from __future__ import annotations

from typing import Any

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.nn import Loss, log_softmax, one_hot, smooth_l1
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located


class FocalLoss(Loss):
    """Cross entropy that counts less where the answer is right and sure already: where the many background anchors are.

    ``-alpha (1 - p)^gamma log p`` for the probability p of the label; Lin et al., *Focal Loss for Dense Object
    Detection*, 2017, equation 5 with one alpha. A label below 0 is taken for 0, the background.

    Parameters
    ----------
    axis : int
        The classes.
    alpha, gamma : float

    Examples
    --------
    >>> from dopegraph import vision
    >>> vision.FocalLoss()([[[0.0, 0.0]], [[9.0, 0.0]]], [[1], [0]]).round(6)
    array([0.043322, 0.      ], dtype=float32)
    """

    def __init__(
        self,
        axis: int = -1,
        alpha: float = 0.25,
        gamma: float = 2,
        weight: float | None = None,
        batch_axis: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(weight, batch_axis, **kwargs)
        self.axis, self.alpha, self.gamma = axis, alpha, gamma

    def forward(self, pred: Any, label: Any, sample_weight: Any = None) -> ndarray:
        """The mean over the anchors of each image."""
        pred, label = np.asarray(pred), np.asarray(label)
        axis = self.axis % pred.ndim
        if label.shape != pred.shape[:axis] + pred.shape[axis + 1 :]:
            message = f"FocalLoss: labels of shape {label.shape} for predictions of shape {pred.shape}"
            raise ShapeError(located(message, here()))
        marks = one_hot(np.maximum(label, 0).astype("int32"), pred.shape[axis], bool)
        logs = np.sum(np.where(np.moveaxis(marks, -1, axis), log_softmax(pred, axis), 0), axis=axis)
        return self._mean(-self.alpha * (1 - np.exp(logs)) ** self.gamma * logs, sample_weight)


class SmoothL1Loss(Loss):
    """The mean of `nn.smooth_l1` of the differences that a mask leaves.

    Parameters
    ----------
    scalar : float
        That of `nn.smooth_l1`.

    Examples
    --------
    >>> from dopegraph import vision
    >>> vision.SmoothL1Loss()([[3.0, 0.5, 7.0]], [[1.0, 0.0, 0.0]], [[1.0, 1.0, 0.0]])
    array([0.5416667], dtype=float32)
    """

    def __init__(self, scalar: float = 1.0, weight: float | None = None, batch_axis: int = 0, **kwargs: Any) -> None:
        super().__init__(weight, batch_axis, **kwargs)
        self.scalar = scalar

    def forward(self, pred: Any, label: Any, mask: Any = 1, sample_weight: Any = None) -> ndarray:
        """The mean over the numbers of each image."""
        difference = (np.asarray(pred) - np.asarray(label)) * np.asarray(mask)
        return self._mean(smooth_l1(difference, self.scalar), sample_weight)
