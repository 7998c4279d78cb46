"""How far predicted numbers are from true ones. As in MXNet, each is the mean over batches."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph.metrics.metric import Array, EvalMetric, register, same_size


class _Error(EvalMetric):
    def update_one(self, label: Array, pred: Array) -> tuple[Any, Any]:
        """The error of the batch."""
        same_size(self, label, pred)
        return self.error(label.reshape(pred.shape).astype("float64"), pred.astype("float64")), 1

    def error(self, label: Array, pred: Array) -> Any:
        """The error of two arrays of one shape."""
        raise NotImplementedError


@register()
class MAE(_Error):
    """The mean absolute error.

    Examples
    --------
    >>> from dopegraph import metrics
    >>> error = metrics.MAE()
    >>> error.update([1.0, 2.0], [[1.5], [2.5]])
    >>> error.get()
    ('mae', 0.5)
    """

    def __init__(self, name: str = "mae") -> None:
        super().__init__(name)

    def error(self, label: Array, pred: Array) -> Any:
        """The error of two arrays."""
        return numpy.abs(label - pred).mean()


@register()
class MSE(_Error):
    """The mean squared error."""

    def __init__(self, name: str = "mse") -> None:
        super().__init__(name)

    def error(self, label: Array, pred: Array) -> Any:
        """The error of two arrays."""
        return numpy.square(label - pred).mean()


@register()
class RMSE(MSE):
    """The root of the mean squared error."""

    def __init__(self, name: str = "rmse") -> None:
        super().__init__(name)

    def error(self, label: Array, pred: Array) -> Any:
        """The error of two arrays."""
        return numpy.sqrt(super().error(label, pred))


@register("pearsonr")
class PearsonCorrelation(_Error):
    """Pearson's correlation of predictions with labels."""

    def __init__(self, name: str = "pearsonr") -> None:
        super().__init__(name)

    def error(self, label: Array, pred: Array) -> Any:
        """The correlation of two arrays."""
        return numpy.corrcoef(pred.ravel(), label.ravel())[0, 1]
