"""How many objects were found, and where."""

from __future__ import annotations

import math
from typing import Any

import numpy

from dopegraph.metrics.metric import Array, EvalMetric, register
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located


@register("ap", "map")
class AveragePrecision(EvalMetric):
    """The mean over classes of the area under precision as a function of recall, of boxes from the surest to the least.

    A box is right if it has `iou` of its area in common with an object of its class that no surer box has found.
    Precision at a recall is the best at that or any higher one. (Everingham et al., *The PASCAL Visual Object Classes
    Challenge: A Retrospective*, 2015, section 4.2, with the area instead of eleven points.)

    Parameters
    ----------
    iou : float

    Examples
    --------
    >>> from dopegraph import metrics
    >>> ap = metrics.AveragePrecision()
    >>> ap.update([[[0, 0.0, 0.0, 0.5, 0.5]]], [[[0, 0.9, 0.5, 0.5, 1, 1], [0, 0.8, 0.0, 0.0, 0.5, 0.4]]])
    >>> ap.get()
    ('ap', 0.5)
    """

    def __init__(self, iou: float = 0.5, name: str = "ap") -> None:
        self.iou = iou
        super().__init__(name)

    def reset(self) -> None:
        """Forget all batches."""
        super().reset()
        self._found: dict[int, list[tuple[float, bool]]] = {}
        self._there: dict[int, int] = {}

    def update_one(self, label: Array, pred: Array) -> tuple[Any, Any]:
        """Objects (batch, objects, 5): class, box; detections (batch, n, 6): class, score, box; class -1 is none."""
        if label.ndim != 3 or pred.ndim != 3 or label.shape[2] < 5 or pred.shape[2] != 6 or len(label) != len(pred):
            message = f"AveragePrecision: labels of shape {label.shape}, detections of shape {pred.shape}"
            raise ShapeError(located(f"{message}; they must be (batch, objects, 5) and (batch, n, 6)", here()))
        for objects, boxes in zip(label, pred):
            for kind in numpy.unique(numpy.concatenate([objects[:, 0], boxes[:, 0]])):
                if kind >= 0:
                    self._count(int(kind), objects[objects[:, 0] == kind, 1:5], boxes[boxes[:, 0] == kind, 1:])
        return 0.0, len(label)

    def _count(self, kind: int, objects: Array, boxes: Array) -> None:
        self._there[kind] = self._there.get(kind, 0) + len(objects)
        found, free = self._found.setdefault(kind, []), numpy.ones(len(objects), bool)
        for score, *box in boxes[numpy.argsort(-boxes[:, 0], kind="stable")].tolist():
            shared = numpy.where(free, _shared(objects, numpy.array(box)), -1)
            best = int(numpy.argmax(shared)) if len(shared) else -1
            is_right = best >= 0 and shared[best] >= self.iou
            if is_right:
                free[best] = False
            found.append((score, bool(is_right)))

    def value(self) -> float:
        """The figure, NaN without any object."""
        figures = [self._of_class(self._found.get(kind, []), count) for kind, count in self._there.items() if count]
        return sum(figures) / len(figures) if figures else math.nan

    @staticmethod
    def _of_class(found: list[tuple[float, bool]], count: int) -> float:
        right = numpy.array([one for _, one in sorted(found, key=lambda pair: -pair[0])], float)
        hits = numpy.cumsum(right)
        precision = hits / numpy.arange(1, len(hits) + 1)
        best = numpy.maximum.accumulate(precision[::-1])[::-1]
        return float(numpy.sum(best * right) / count)


def _shared(objects: Array, box: Array) -> Array:
    inside = numpy.minimum(objects[:, 2:], box[2:]) - numpy.maximum(objects[:, :2], box[:2])
    shared = numpy.prod(inside.clip(0), axis=1)
    union = numpy.prod(objects[:, 2:] - objects[:, :2], axis=1) + numpy.prod(box[2:] - box[:2]) - shared
    return numpy.where(union > 0, shared / numpy.where(union > 0, union, 1), 0)
