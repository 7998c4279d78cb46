"""From what a network predicts for every anchor to a few boxes, the surest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dopegraph.numpy as np
from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located
from dopegraph.vision.boxes import VARIANCES, boxes_of_offsets, corners


def multibox_detection(
    cls_prob: Any,
    loc_pred: Any,
    anchor: Any,
    clip: bool = True,
    threshold: float = 0.01,
    background_id: int = 0,
    nms_threshold: float = 0.5,
    force_suppress: bool = False,
    variances: Sequence[float] = VARIANCES,
    nms_topk: int = -1,
) -> ndarray:
    """The boxes that a network predicts, the surest first; of those that overlap only the surest stays.

    Parameters
    ----------
    cls_prob : array_like, shape (batch, classes + 1, anchors)
        Probabilities of the classes; the first is the background.
    loc_pred : array_like, shape (batch, anchors * 4)
        Offsets from the anchors.
    anchor : array_like, shape (1, anchors, 4)
    clip : bool
        Whether boxes end where the image does.
    threshold : float
        Boxes with a lower probability are no detections.
    background_id : int
        Always 0.
    nms_threshold : float
        A box is suppressed if it shares so much of its area with a surer one; nothing is if it is not in (0, 1].
    force_suppress : bool
        Whether a surer box of another class suppresses, too.
    variances : sequence of float
    nms_topk : int
        How many boxes are looked at; all if it is not positive.

    Returns
    -------
    ndarray, shape (batch, anchors, 6)
        For each box class (counted from 0), probability, left, top, right, bottom. A suppressed one has the class -1;
        rows behind the last detection are -1.

    Examples
    --------
    >>> from dopegraph import vision
    >>> anchors = [[[0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.5, 0.6], [0.5, 0.5, 1.0, 1.0]]]
    >>> probabilities = [[[0.25, 0.1, 0.9375], [0.75, 0.875, 0.0625]]]
    >>> vision.multibox_detection(probabilities, [[0.0] * 12], anchors, threshold=0.5)[0, :, :2]
    array([[ 0.   ,  0.875],
           [-1.   ,  0.75 ],
           [-1.   , -1.   ]], dtype=float32)
    """
    scores, anchors = np.asarray(cls_prob), corners("multibox_detection", anchor).reshape((-1, 4))
    if background_id != 0:
        raise ValueError(located(f"multibox_detection: the background is class 0, not {background_id}", here()))
    batch, count, offsets = len(scores), len(anchors), np.asarray(loc_pred)
    if scores.ndim != 3 or scores.shape[1] < 2 or scores.shape[2] != count or offsets.size != batch * count * 4:
        message = f"multibox_detection: shapes {scores.shape} and {offsets.shape} for {count} anchors"
        raise ShapeError(
            located(f"{message}; they must be (batch, classes + 1, anchors), (batch, anchors * 4)", here())
        )
    boxes = boxes_of_offsets(anchors, offsets.reshape((batch, count, 4)), variances)
    boxes = np.clip(boxes, 0, 1) if clip else boxes
    best, kinds = np.max(scores[:, 1:], axis=1), np.argmax(scores[:, 1:], axis=1)
    rows = np.concatenate([kinds.astype(boxes.dtype)[..., None], best.astype(boxes.dtype)[..., None], boxes], axis=-1)
    order = np.argsort(np.where(best >= threshold, -best, np.inf), axis=1, kind="stable")
    # Whole rows of all images at once, which is one copy.
    rows = np.take(rows.reshape((-1, 6)), order + count * np.arange(batch)[:, None], axis=0)
    found = rows[..., 1] >= threshold
    if nms_topk > 0:
        found = found & (np.arange(count) < nms_topk)
    kept = found
    if 0 < nms_threshold <= 1:
        groups = np.where(found, 0 if force_suppress else rows[..., 0].astype("int32"), -1).astype("int32")
        kept = apply(ops.suppress, rows[..., 2:], groups, threshold=float(nms_threshold))
    rows = np.concatenate([np.where(kept, rows[..., 0], -1)[..., None], rows[..., 1:]], axis=-1)
    return np.where(found[..., None], rows, -1)
