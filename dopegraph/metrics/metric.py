"""What all metrics share, and those that are made of others."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy

from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located
from dopegraph.runtime.registry import Registry

Array = numpy.ndarray[Any, Any]


class EvalMetric:
    """The base of all metrics: ``update(labels, preds)`` for every batch, then ``get()``.

    A metric of your own defines ``update_one(label, pred)``, which gives a sum and a number of examples.

    Parameters
    ----------
    name : str

    Examples
    --------
    >>> from dopegraph import metrics
    >>> class Exact(metrics.EvalMetric):
    ...     def update_one(self, label, pred):
    ...         return (label == pred).sum(), label.size
    >>> exact = Exact("exact")
    >>> exact.update([1, 2], [1, 3])
    >>> exact.get()
    ('exact', 0.5)
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        self.sum_metric: float = 0.0
        self.num_inst: float = 0

    def update(self, labels: Any, preds: Any) -> None:
        """Count a batch.

        Parameters
        ----------
        labels, preds : array_like, or list of arrays
            Several outputs are counted one after the other.
        """
        for label, pred in zip(*_lists(labels, preds)):
            total, count = self.update_one(label, pred)
            self.sum_metric += float(total)
            self.num_inst += int(count)

    def update_one(self, label: Array, pred: Array) -> tuple[Any, Any]:
        """The sum over a batch, and the number of what was summed."""
        raise NotImplementedError(f"{type(self).__name__} must define update_one(self, label, pred)")

    def value(self) -> float:
        """The figure, NaN before the first batch."""
        return self.sum_metric / self.num_inst if self.num_inst else math.nan

    def get(self) -> tuple[Any, Any]:
        """Name and figure."""
        return self.name, self.value()

    def get_name_value(self) -> list[tuple[str, float]]:
        """All names with their figures."""
        name, value = self.get()
        return list(zip(name, value)) if isinstance(name, list) else [(name, value)]

    def __str__(self) -> str:
        return f"EvalMetric: {dict(self.get_name_value())}"


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and hasattr(value[0], "shape")


def _lists(labels: Any, preds: Any) -> tuple[list[Array], list[Array]]:
    """One NumPy array for each output."""
    found = []
    for given in (labels, preds):
        found.append([numpy.asarray(one) for one in given] if _is_list(given) else [numpy.asarray(given)])
    if len(found[0]) != len(found[1]):
        message = f"metrics: {len(found[0])} arrays of labels for {len(found[1])} arrays of predictions"
        raise ShapeError(located(message, here()))
    return found[0], found[1]


def same_size(metric: EvalMetric, label: Array, pred: Array) -> None:
    """Check that there is a label for each prediction."""
    if label.size != pred.size:
        message = f"{type(metric).__name__}: labels of shape {label.shape} for predictions of shape {pred.shape}"
        raise ShapeError(located(message, here()))


class CompositeEvalMetric(EvalMetric):
    """Several metrics as one."""

    def __init__(self, metrics: Sequence[Any] = (), name: str = "composite") -> None:
        self.metrics: list[EvalMetric] = [create(one) for one in metrics]
        super().__init__(name)

    def add(self, metric: Any) -> None:
        """Add one."""
        self.metrics.append(create(metric))

    def reset(self) -> None:
        """Forget all batches."""
        for metric in self.metrics:
            metric.reset()

    def update(self, labels: Any, preds: Any) -> None:
        """Count a batch."""
        for metric in self.metrics:
            metric.update(labels, preds)

    def get(self) -> tuple[list[str], list[float]]:
        """All names, and all figures."""
        pairs = [pair for metric in self.metrics for pair in metric.get_name_value()]
        return [name for name, _ in pairs], [value for _, value in pairs]


class Loss(EvalMetric):
    """The mean of losses: ``update(None, losses)``."""

    def __init__(self, name: str = "loss") -> None:
        super().__init__(name)

    def update(self, labels: Any, preds: Any) -> None:
        """Count a batch; labels are not looked at."""
        for pred in preds if _is_list(preds) else [preds]:
            losses = numpy.asarray(pred)
            self.sum_metric += float(losses.sum())
            self.num_inst += losses.size


class CustomMetric(EvalMetric):
    """A function of labels and predictions that gives a number, or a sum and a number of examples."""

    def __init__(self, feval: Callable[[Array, Array], Any], name: str | None = None) -> None:
        shown = getattr(feval, "__name__", "custom")
        super().__init__(name or (f"custom({shown})" if "<" in shown else shown))
        self.feval = feval

    def update_one(self, label: Array, pred: Array) -> tuple[Any, Any]:
        """What the function gives."""
        found = self.feval(label, pred)
        return found if isinstance(found, tuple) else (found, 1)


_registry = Registry("metrics", "metric", ValueError)
register = _registry.register


register()(Loss)


def create(metric: Any, *args: Any, **kwargs: Any) -> EvalMetric:
    """A metric from its name, a function, a list, or itself.

    Examples
    --------
    >>> from dopegraph import metrics
    >>> metrics.create(["acc", "ce"]).get()
    (['accuracy', 'cross-entropy'], [nan, nan])
    """
    if isinstance(metric, EvalMetric):
        return metric
    if isinstance(metric, (list, tuple)):
        return CompositeEvalMetric(metric)
    if callable(metric):
        return CustomMetric(metric, *args, **kwargs)
    made: EvalMetric = _registry.find(metric)(*args, **kwargs)
    return made
