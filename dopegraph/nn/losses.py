"""Losses as blocks: one number for each example of a batch, with Gluon's definitions and weights."""

from __future__ import annotations

import math
from typing import Any

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.nn.activations import softrelu
from dopegraph.nn.block import Block
from dopegraph.nn.functional import log_softmax, one_hot, relu
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located


class Loss(Block):
    """The base of all losses: ``loss(prediction, label, sample_weight=None)`` gives one number for each example.

    Parameters
    ----------
    weight : float, optional
        A factor for everything.
    batch_axis : int
        The axis of the examples; over all others the mean is taken.
    """

    def __init__(
        self, weight: float | None = None, batch_axis: int = 0, prefix: str | None = None, params: Any = None
    ) -> None:
        super().__init__(prefix, params)
        self.weight = weight
        self.batch_axis = batch_axis

    def __repr__(self) -> str:
        return f"{type(self).__name__}(batch_axis={self.batch_axis}, w={self.weight})"

    def _weighted(self, loss: ndarray, sample_weight: Any) -> ndarray:
        if sample_weight is not None:
            loss = loss * np.asarray(sample_weight)
        return loss if self.weight is None else loss * self.weight

    def _mean(self, loss: ndarray, sample_weight: Any) -> ndarray:
        loss = self._weighted(loss, sample_weight)
        return np.mean(loss, axis=self._others(loss))

    def _others(self, loss: ndarray) -> tuple[int, ...]:
        return tuple(axis for axis in range(loss.ndim) if axis != self.batch_axis % loss.ndim)


def _pair(loss: Loss, pred: Any, label: Any) -> tuple[ndarray, ndarray]:
    """The arrays, with the label in the prediction's shape and dtype."""
    pred, label = np.asarray(pred), np.asarray(label)
    if label.size != pred.size:
        message = f"{type(loss).__name__}: a label of shape {label.shape} for predictions of shape {pred.shape}"
        raise ShapeError(located(message, here()))
    return pred, label.astype(pred.dtype).reshape(pred.shape)


class L2Loss(Loss):
    """Half the mean of the squared differences.

    Examples
    --------
    >>> from dopegraph import nn
    >>> nn.L2Loss()([[1.0], [3.0]], [1.0, 1.0])
    array([0., 2.], dtype=float32)
    """

    def __init__(self, weight: float | None = 1.0, batch_axis: int = 0, **kwargs: Any) -> None:
        super().__init__(weight, batch_axis, **kwargs)

    def forward(self, pred: Any, label: Any, sample_weight: Any = None) -> ndarray:
        """The loss of each example."""
        pred, label = _pair(self, pred, label)
        loss = np.square(label - pred)
        if sample_weight is not None:
            loss = loss * np.asarray(sample_weight)
        half = 0.5 if self.weight is None else self.weight / 2
        return half * np.mean(loss, axis=self._others(loss))


class L1Loss(Loss):
    """The mean of the absolute differences."""

    def forward(self, pred: Any, label: Any, sample_weight: Any = None) -> ndarray:
        """The loss of each example."""
        pred, label = _pair(self, pred, label)
        return self._mean(np.abs(label - pred), sample_weight)


class SoftmaxCrossEntropyLoss(Loss):
    """The negative logarithm of the probability that `softmax` gives the label, computed without overflow.

    Parameters
    ----------
    axis : int
        The axis of the classes.
    sparse_label : bool
        Whether labels are the numbers of classes (default), or probabilities of all classes.
    from_logits : bool
        Whether predictions are logarithms of probabilities already.

    Examples
    --------
    >>> from dopegraph import nn
    >>> nn.SoftmaxCrossEntropyLoss()([[0.0, 0.0], [100.0, 0.0]], [1, 0])
    array([0.6931472, 0.       ], dtype=float32)
    """

    def __init__(
        self,
        axis: int = -1,
        sparse_label: bool = True,
        from_logits: bool = False,
        weight: float | None = None,
        batch_axis: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(weight, batch_axis, **kwargs)
        self.axis = axis
        self.sparse_label = sparse_label
        self.from_logits = from_logits

    def forward(self, pred: Any, label: Any, sample_weight: Any = None) -> ndarray:
        """The loss of each example."""
        pred, label = np.asarray(pred), np.asarray(label)
        logs = pred if self.from_logits else log_softmax(pred, self.axis)
        axis = self.axis % pred.ndim
        if not self.sparse_label:
            loss = -np.sum(logs * _pair(self, pred, label)[1], axis=axis, keepdims=True)
            return self._mean(loss, sample_weight)
        expected = pred.shape[:axis] + pred.shape[axis + 1 :]
        if label.size != math.prod(expected):
            message = f"SoftmaxCrossEntropyLoss: labels of shape {label.shape} for predictions of shape {pred.shape}"
            raise ShapeError(located(f"{message}; there must be one label for each {expected}", here()))
        chosen = np.clip(label.astype("int64").reshape(expected), 0, pred.shape[axis] - 1)
        # Not a product with zeros: a logarithm of minus infinity that is not asked for does no harm.
        marks = np.moveaxis(one_hot(chosen, pred.shape[axis], bool), -1, axis)
        loss = -np.sum(np.where(marks, logs, 0), axis=axis, keepdims=True)
        return self._mean(loss, sample_weight)


SoftmaxCELoss = SoftmaxCrossEntropyLoss


class SigmoidBinaryCrossEntropyLoss(Loss):
    """The negative logarithm of the probability of a label that is 0 or 1 (or between).

    Parameters
    ----------
    from_sigmoid : bool
        Whether predictions are probabilities; otherwise `sigmoid` makes them so (default, and exact).
    """

    def __init__(
        self, from_sigmoid: bool = False, weight: float | None = None, batch_axis: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(weight, batch_axis, **kwargs)
        self.from_sigmoid = from_sigmoid

    def forward(self, pred: Any, label: Any, sample_weight: Any = None, pos_weight: Any = None) -> ndarray:
        """The loss of each example; `pos_weight` is a factor where the label is 1."""
        pred, label = _pair(self, pred, label)
        if self.from_sigmoid:
            positive = np.log(pred + 1e-12) * label
            if pos_weight is not None:
                positive = positive * np.asarray(pos_weight)
            return self._mean(-(positive + np.log(1 - pred + 1e-12) * (1 - label)), sample_weight)
        if pos_weight is None:
            loss = relu(pred) - pred * label + softrelu(-np.abs(pred))
        else:
            factor = 1 + (np.asarray(pos_weight) - 1) * label
            loss = pred - pred * label + factor * (softrelu(-np.abs(pred)) + relu(-pred))
        return self._mean(loss, sample_weight)


SigmoidBCELoss = SigmoidBinaryCrossEntropyLoss


class KLDivLoss(Loss):
    """The Kullback-Leibler divergence of predicted (logarithms of) probabilities from the labels', a sum, no mean."""

    def __init__(
        self,
        from_logits: bool = True,
        axis: int = -1,
        weight: float | None = None,
        batch_axis: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(weight, batch_axis, **kwargs)
        self.from_logits = from_logits
        self.axis = axis

    def forward(self, pred: Any, label: Any, sample_weight: Any = None) -> ndarray:
        """The loss of each example."""
        pred, label = _pair(self, pred, label)
        logs = pred if self.from_logits else log_softmax(pred, self.axis)
        loss = self._weighted(label * (np.log(label + 1e-12) - logs), sample_weight)
        return np.sum(loss, axis=self._others(loss))


def smooth_l1(x: Any, scalar: float = 1.0) -> ndarray:
    """Half the square where a number is small, its magnitude less a constant elsewhere; MXNet's operator.

    Girshick, *Fast R-CNN*, 2015, equation 3, has it for ``scalar=1``.

    Parameters
    ----------
    x : array_like
    scalar : float
        Squares reach up to ``1 / scalar**2``, where their slope is 1.

    Examples
    --------
    >>> from dopegraph import nn
    >>> nn.smooth_l1([-2.0, 0.5, 0.0])
    array([1.5  , 0.125, 0.   ], dtype=float32)
    """
    x = np.asarray(x)
    square, size = scalar**2, np.abs(x)
    return np.where(size < 1 / square, 0.5 * square * np.square(x), size - 0.5 / square)


class HuberLoss(Loss):
    """Half the square of a difference divided by `rho` where it is small; the difference less ``rho / 2`` elsewhere."""

    def __init__(self, rho: float = 1, weight: float | None = None, batch_axis: int = 0, **kwargs: Any) -> None:
        super().__init__(weight, batch_axis, **kwargs)
        self.rho = rho

    def forward(self, pred: Any, label: Any, sample_weight: Any = None) -> ndarray:
        """The loss of each example."""
        pred, label = _pair(self, pred, label)
        difference = np.abs(label - pred)
        loss = np.where(difference > self.rho, difference - 0.5 * self.rho, np.square(difference) * (0.5 / self.rho))
        return self._mean(loss, sample_weight)


class HingeLoss(Loss):
    """``max(0, margin - pred * label)`` for labels -1 and 1."""

    def __init__(self, margin: float = 1, weight: float | None = None, batch_axis: int = 0, **kwargs: Any) -> None:
        super().__init__(weight, batch_axis, **kwargs)
        self.margin = margin

    def forward(self, pred: Any, label: Any, sample_weight: Any = None) -> ndarray:
        """The loss of each example."""
        pred, label = _pair(self, pred, label)
        return self._mean(relu(self.margin - pred * label), sample_weight)


class SquaredHingeLoss(HingeLoss):
    """The square of the hinge loss."""

    def forward(self, pred: Any, label: Any, sample_weight: Any = None) -> ndarray:
        """The loss of each example."""
        pred, label = _pair(self, pred, label)
        return self._mean(np.square(relu(self.margin - pred * label)), sample_weight)


class LogisticLoss(Loss):
    """``log(1 + exp(-pred * label))``.

    Parameters
    ----------
    label_format : {"signed", "binary"}
        Labels are -1 and 1, or 0 and 1.
    """

    def __init__(
        self, weight: float | None = None, batch_axis: int = 0, label_format: str = "signed", **kwargs: Any
    ) -> None:
        super().__init__(weight, batch_axis, **kwargs)
        if label_format not in ("signed", "binary"):
            message = f"LogisticLoss: label_format must be 'signed' or 'binary', not {label_format!r}"
            raise ValueError(located(message, here()))
        self.label_format = label_format

    def forward(self, pred: Any, label: Any, sample_weight: Any = None) -> ndarray:
        """The loss of each example."""
        pred, label = _pair(self, pred, label)
        if self.label_format == "signed":
            label = (label + 1) / 2
        return self._mean(relu(pred) - pred * label + softrelu(-np.abs(pred)), sample_weight)


class TripletLoss(Loss):
    """``max(0, margin + |pred - positive|^2 - |pred - negative|^2)``, summed over all axes but the batch's."""

    def __init__(self, margin: float = 1, weight: float | None = None, batch_axis: int = 0, **kwargs: Any) -> None:
        super().__init__(weight, batch_axis, **kwargs)
        self.margin = margin

    def forward(self, pred: Any, positive: Any, negative: Any, sample_weight: Any = None) -> ndarray:
        """The loss of each example."""
        pred, positive = _pair(self, pred, positive)
        negative = _pair(self, pred, negative)[1]
        difference = np.square(positive - pred) - np.square(negative - pred)
        loss = relu(np.sum(difference, axis=self._others(difference)) + self.margin)
        return self._weighted(loss, sample_weight)
