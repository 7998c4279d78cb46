"""What each anchor should predict: which object it stands for, and how it must be moved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.nn.functional import softmax
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located
from dopegraph.transform import stop_gradient
from dopegraph.vision.boxes import VARIANCES, box_iou, corners, offsets_of_boxes

_LEAST = 1e-6  # what has less in common with every anchor gets none


def multibox_target(
    anchor: Any,
    label: Any,
    cls_pred: Any,
    overlap_threshold: float = 0.5,
    ignore_label: float = -1.0,
    negative_mining_ratio: float = -1.0,
    negative_mining_thresh: float = 0.5,
    minimum_negative_samples: int = 0,
    variances: Sequence[float] = VARIANCES,
) -> tuple[ndarray, ndarray, ndarray]:
    """What each anchor should predict, given the objects in the images; no derivatives go through it.

    Each object gets the anchor that fits it best; other anchors get the object that they have most in common with, if
    that is more than `overlap_threshold`. The rest are background. (Liu et al., *SSD*, 2016, section 2.2.)

    Parameters
    ----------
    anchor : array_like, shape (1, anchors, 4)
    label : array_like, shape (batch, objects, 5)
        For each object its class, counted from 0, and left, top, right, bottom; after the last one a class of -1.
    cls_pred : array_like, shape (batch, classes + 1, anchors)
        Scores that were predicted; they matter only where negatives are mined.
    overlap_threshold : float
        Without a positive one, an object has no other anchors than its best.
    ignore_label : float
        The class of anchors that are not to be used: in images without objects, and those that mining leaves out.
    negative_mining_ratio : float
        How many background anchors for every one with an object are used, the worst predicted ones first; if it is
        not positive, all are.
    negative_mining_thresh : float
        Anchors that have as much in common with an object are no background then.
    minimum_negative_samples : int
    variances : sequence of float

    Returns
    -------
    box_target : ndarray, shape (batch, anchors * 4)
        The offsets that an anchor with an object should predict, else 0.
    box_mask : ndarray, shape (batch, anchors * 4)
        1 for anchors with an object, else 0.
    cls_target : ndarray, shape (batch, anchors)
        0 for background, 1 more than the class of the object, or `ignore_label`.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> from dopegraph import vision
    >>> anchors = [[[0.0, 0.0, 0.5, 0.5], [0.5, 0.5, 1.0, 1.0]]]
    >>> objects = [[[2, 0.5, 0.5, 1.0, 1.0]]]
    >>> vision.multibox_target(anchors, objects, np.zeros((1, 4, 2)))[2]
    array([[0., 3.]], dtype=float32)
    """
    anchors, label, scores = (
        corners("multibox_target", anchor).reshape((-1, 4)),
        np.asarray(label),
        np.asarray(cls_pred),
    )
    if label.ndim != 3 or label.shape[2] < 5:
        message = f"multibox_target: labels of shape {label.shape}; they must be (batch, objects, 5)"
        raise ShapeError(located(message, here()))
    batch, count, objects = len(label), len(anchors), label.shape[1]
    if scores.ndim != 3 or (scores.shape[0], scores.shape[2]) != (batch, count):
        message = f"multibox_target: scores of shape {scores.shape} for {count} anchors and labels of {label.shape}"
        raise ShapeError(located(f"{message}; they must be (batch, classes + 1, anchors)", here()))
    label = label.astype(anchors.dtype)
    if not objects or not count:
        nothing = np.zeros((batch, count * 4), dtype=anchors.dtype)
        return nothing, nothing.copy(), np.full((batch, count), ignore_label, dtype=anchors.dtype)

    there = np.cumsum((label[:, :, 0] == -1).astype("int32"), axis=1) == 0
    overlaps = np.where(there[:, None, :], box_iou(anchors, label[:, :, 1:5]), -1)
    own = _best_anchors(overlaps)
    most, which = np.max(overlaps, axis=2), np.argmax(overlaps, axis=2)
    has_object = own >= 0
    which = np.where(has_object, own, which)
    if overlap_threshold > 0:
        has_object = has_object | (most > overlap_threshold)

    chosen = (which[:, :, None] == np.arange(objects))[..., None]
    kinds = np.sum(np.where(chosen, label[:, None, :, :5], 0), axis=2)
    inside = has_object[:, :, None]
    boxes = np.where(inside, kinds[:, :, 1:], anchors)
    offsets = np.where(inside, offsets_of_boxes(anchors, boxes, variances), 0)
    mask = np.broadcast_to(inside, offsets.shape).astype(anchors.dtype)

    background = ~has_object
    if negative_mining_ratio > 0:
        may = background & (most < negative_mining_thresh)
        wanted = np.sum(has_object, axis=1) * negative_mining_ratio
        background = may & _first(softmax(scores, axis=1)[:, 0], may, np.maximum(wanted, minimum_negative_samples))
    ignored = np.full((), ignore_label, dtype=anchors.dtype)
    classes = np.where(has_object, kinds[:, :, 0] + 1, np.where(background, 0, ignored))
    classes = np.where(there[:, :1], classes, ignored)
    flat = (batch, -1)
    return stop_gradient(offsets.reshape(flat)), stop_gradient(mask.reshape(flat)), stop_gradient(classes)


def _best_anchors(overlaps: ndarray) -> ndarray:
    """The object that each anchor fits best of all, or -1: from (batch, anchors, objects) to (batch, anchors).

    Of all pairs the best one is taken, then of what is left, until every object has its anchor.
    """
    batch, count, objects = overlaps.shape
    free, own = overlaps, np.full((batch, count), -1, dtype="int64")
    for _ in range(objects):
        pairs = free.reshape((batch, -1))
        best, found = np.argmax(pairs, axis=1)[:, None], np.max(pairs, axis=1)[:, None] > _LEAST
        anchor = (np.arange(count) == best // objects) & found
        thing = (np.arange(objects) == best % objects) & found
        own = np.where(anchor, best % objects, own)
        free = np.where(anchor[:, :, None] | thing[:, None, :], -1, free)
    return own


def _first(values: ndarray, may: ndarray, wanted: ndarray) -> ndarray:
    """Of each row's elements that may be taken, whether one is among the `wanted` smallest."""
    order = np.argsort(np.where(may, values, np.inf), axis=1, kind="stable")
    return np.argsort(order, axis=1, kind="stable") < wanted[:, None]
