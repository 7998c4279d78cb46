"""Average precision: by hand, and by its definition at every threshold."""

import math

import numpy
import pytest

import dopegraph.numpy as np
from dopegraph import metrics
from dopegraph.runtime.errors import ShapeError

A, B, C = [0.0, 0.0, 0.2, 0.2], [0.5, 0.5, 0.7, 0.7], [0.0, 0.5, 0.2, 0.7]
NEAR_A = [0.0, 0.0, 0.2, 0.15]  # three quarters in common


def ap(objects, boxes, **how):
    metric = metrics.AveragePrecision(**how)
    metric.update(np.array([objects]), np.array([boxes]).reshape((1, -1, 6)))
    return metric.get()[1]


def test_by_hand():
    assert ap([[0, *A]], [[0, 0.9, *A]]) == 1
    assert ap([[0, *A]], [[0, 0.9, *B], [0, 0.8, *A]]) == 0.5
    assert ap([[0, *A]], [[0, 0.8, *A], [0, 0.7, *B]]) == 1  # what comes after everything is found costs nothing
    assert ap([[0, *A]], [[0, 0.9, *NEAR_A], [0, 0.8, *A]]) == 1
    assert ap([[0, *A]], [[0, 0.9, *NEAR_A], [0, 0.8, *A]], iou=0.8) == 0.5
    assert ap([[0, *A], [0, *B]], [[0, 0.9, *A], [0, 0.8, *A]]) == 0.5  # an object is found once
    assert ap([[0, *A], [0, *B]], [[0, 0.9, *A], [0, 0.8, *C], [0, 0.7, *B]]) == pytest.approx((1 + 2 / 3) / 2)
    assert ap([[0, *A]], []) == 0
    assert ap([[0, *A], [-1, *B]], [[0, 0.9, *A], [-1, 0.99, *C]]) == 1


def test_classes_count_alike():
    assert ap([[0, *A], [1, *B]], [[0, 0.9, *A], [0, 0.5, *B]]) == 0.5
    assert ap([[1, *A]], [[1, 0.9, *A], [0, 0.95, *A]]) == 1  # a class without objects has no figure
    assert math.isnan(ap([[-1, *A]], [[0, 0.9, *A]]))


def test_scores_are_compared_over_all_batches():
    metric = metrics.create("ap")
    metric.update(np.array([[[0, *A]]]), np.array([[[0, 0.5, *A]]]))
    metric.update(np.array([[[0, *A]]]), np.array([[[0, 0.9, *B]]]))
    assert metric.get() == ("ap", 0.25)
    metric.reset()
    assert math.isnan(metric.get()[1])


def test_it_is_the_area_under_the_best_precision_at_each_recall():
    rng = numpy.random.default_rng(0)
    objects = numpy.full((30, 1, 5), 0.0)
    objects[:, 0, 1:] = A
    right = rng.random(30) < 0.6
    boxes = numpy.array([[[0, score, *(A if one else B)]] for score, one in zip(rng.permutation(30) / 30, right)])
    metric = metrics.AveragePrecision()
    metric.update(objects, boxes)
    curve = []
    for threshold in boxes[:, 0, 1]:
        taken = boxes[:, 0, 1] >= threshold
        curve.append((right[taken].sum() / 30, right[taken].mean()))
    grid = (numpy.arange(3000) + 0.5) / 3000
    wanted = numpy.mean([max((p for r, p in curve if r >= recall), default=0) for recall in grid])
    assert metric.get()[1] == pytest.approx(wanted, abs=1e-6)


def test_other_shapes_are_refused():
    with pytest.raises(ShapeError, match="AveragePrecision: labels of shape"):
        metrics.AveragePrecision().update(np.zeros((1, 5)), np.zeros((1, 1, 6)))
