"""How often, and how surely, the right class was predicted."""

from __future__ import annotations

import math
from typing import Any

import numpy

from dopegraph.metrics.metric import Array, EvalMetric, register, same_size
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located


def _classes(label: Array) -> Array:
    return label.reshape(-1).astype("int64")


@register("acc")
class Accuracy(EvalMetric):
    """The share of examples whose class was predicted.

    Parameters
    ----------
    axis : int
        The classes, where predictions are numbers for each class.

    Examples
    --------
    >>> from dopegraph import metrics
    >>> accuracy = metrics.Accuracy()
    >>> accuracy.update([0, 1, 1], [[0.3, 0.7], [0.0, 1.0], [0.4, 0.6]])
    >>> accuracy.get()
    ('accuracy', 0.6666666666666666)
    """

    def __init__(self, axis: int = 1, name: str = "accuracy") -> None:
        super().__init__(name)
        self.axis = axis

    def update_one(self, label: Array, pred: Array) -> tuple[Any, Any]:
        """How many are right."""
        if pred.shape != label.shape and pred.ndim > 1:
            pred = numpy.argmax(pred, axis=self.axis)
        same_size(self, label, pred)
        found = _classes(pred) == _classes(label)
        return found.sum(), found.size


@register("top_k_accuracy", "top_k_acc")
class TopKAccuracy(EvalMetric):
    """The share of examples whose class was among the `top_k` that were held most likely."""

    def __init__(self, top_k: int = 2, name: str = "top_k_accuracy") -> None:
        if top_k < 2:
            raise ValueError(located(f"TopKAccuracy: top_k must be at least 2, not {top_k}; see Accuracy", here()))
        super().__init__(f"{name}_{top_k}")
        self.top_k = top_k

    def update_one(self, label: Array, pred: Array) -> tuple[Any, Any]:
        """How many are right."""
        if pred.ndim != 2:
            raise ShapeError(located(f"TopKAccuracy: predictions of shape {pred.shape}; one row an example", here()))
        same_size(self, label, pred[:, 0])
        count = min(self.top_k, pred.shape[1])
        first = numpy.argpartition(pred, -count, axis=1)[:, pred.shape[1] - count :]
        return (first == _classes(label)[:, None]).any(axis=1).sum(), len(first)


def _probabilities(metric: EvalMetric, label: Array, pred: Array, axis: int = -1) -> tuple[Array, Array]:
    """Labels, and the probability of each."""
    rows = numpy.moveaxis(pred, axis, -1)
    rows = rows.reshape(-1, rows.shape[-1])
    labels = _classes(label)
    same_size(metric, labels, rows[:, 0])
    return labels, rows[numpy.arange(len(labels)), numpy.clip(labels, 0, rows.shape[1] - 1)]


@register("ce")
class CrossEntropy(EvalMetric):
    """The mean of minus the logarithm of the probability of the right class; predictions are probabilities."""

    def __init__(self, eps: float = 1e-12, name: str = "cross-entropy") -> None:
        super().__init__(name)
        self.eps = eps

    def update_one(self, label: Array, pred: Array) -> tuple[Any, Any]:
        """The sum over the batch."""
        labels, found = _probabilities(self, label, pred)
        return -numpy.log(found + self.eps).sum(), len(labels)


@register("nll_loss", "nll-loss")
class NegativeLogLikelihood(CrossEntropy):
    """The same as `CrossEntropy` under another name."""

    def __init__(self, eps: float = 1e-12, name: str = "nll-loss") -> None:
        super().__init__(eps, name)


@register()
class Perplexity(EvalMetric):
    """Among how many equally likely classes the predictions leave one to choose: ``exp(cross entropy)``.

    Parameters
    ----------
    ignore_label : int, optional
        Examples with this label do not count.
    axis : int
        The classes.
    """

    def __init__(self, ignore_label: int | None = None, axis: int = -1, name: str = "perplexity") -> None:
        super().__init__(name)
        self.ignore_label = ignore_label
        self.axis = axis

    def update_one(self, label: Array, pred: Array) -> tuple[Any, Any]:
        """The sum over the batch."""
        labels, found = _probabilities(self, label, pred, self.axis)
        if self.ignore_label is not None:
            found = found[labels != self.ignore_label]
        return -numpy.log(numpy.maximum(found, 1e-10)).sum(), len(found)

    def value(self) -> float:
        """The perplexity."""
        return math.exp(super().value()) if self.num_inst else math.nan


@register()
class F1(EvalMetric):
    """Of two classes, 0 and 1: the harmonic mean of the share of found ones that are right and of right ones found.

    Parameters
    ----------
    average : {"macro", "micro"}
        Whether it is the mean of the batches' figures, or of all examples at once.
    """

    def __init__(self, name: str = "f1", average: str = "macro") -> None:
        if average not in ("macro", "micro"):
            raise ValueError(located(f"F1: average is 'macro' or 'micro', not {average!r}", here()))
        self.average = average
        super().__init__(name)

    def reset(self) -> None:
        """Forget all batches."""
        super().reset()
        self._counts = numpy.zeros(3, "int64")

    def update_one(self, label: Array, pred: Array) -> tuple[Any, Any]:
        """The figure of the batch."""
        if pred.ndim != 2:
            raise ShapeError(
                located(f"F1: predictions of shape {pred.shape}; one row of two numbers an example", here())
            )
        labels, found = _classes(label), numpy.argmax(pred, axis=1)
        same_size(self, labels, found)
        if not set(labels.tolist()) <= {0, 1}:
            raise ValueError(located("F1: labels are 0 and 1", here()))
        ones = numpy.array([(found & labels).sum(), found.sum(), labels.sum()], "int64")
        self._counts += ones
        return _f1(ones), 1

    def value(self) -> float:
        """The figure."""
        return _f1(self._counts) if self.average == "micro" and self.num_inst else super().value()


def _f1(counts: Array) -> float:
    right, found, there = counts.tolist()
    return 2 * right / (found + there) if found + there else 0.0
