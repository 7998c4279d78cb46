"""Boxes as corners (left, top, right, bottom): what two have in common, and one relative to another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located

VARIANCES = (0.1, 0.1, 0.2, 0.2)
"""By what offsets are divided, so that they are about as large as what networks give."""


def corners(name: str, boxes: Any) -> ndarray:
    """Boxes as an array of shape (..., 4)."""
    array = np.asarray(boxes)
    if not array.ndim or array.shape[-1] != 4:
        message = f"{name}: boxes of shape {array.shape}; the last axis must be left, top, right, bottom"
        raise ShapeError(located(message, here()))
    return array if array.dtype.kind == "f" else array.astype(np.float32)


def box_iou(lhs: Any, rhs: Any) -> ndarray:
    """The area that each box of the first array has in common with each of the second, by what the two cover together.

    Parameters
    ----------
    lhs : array_like, shape (..., n, 4)
    rhs : array_like, shape (..., m, 4)

    Returns
    -------
    ndarray, shape (..., n, m)
        From 0 to 1; 0 where both are empty.

    Examples
    --------
    >>> from dopegraph import vision
    >>> vision.box_iou([[0, 0, 2, 2]], [[1, 0, 3, 2], [0, 0, 2, 2], [5, 5, 6, 6]])
    array([[0.33333334, 1.        , 0.        ]], dtype=float32)
    """
    a, b = corners("box_iou", lhs), corners("box_iou", rhs)
    if a.ndim < 2 or b.ndim < 2:
        raise ShapeError(located("box_iou: boxes of shape (..., n, 4) and (..., m, 4), not a single one", here()))
    a, b = a[..., :, None, :], b[..., None, :, :]
    width = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    height = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    union = _area(a) + _area(b) - shared
    return np.where(union > 0, shared / np.where(union > 0, union, 1), 0)


def _area(boxes: ndarray) -> ndarray:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def _middles(boxes: ndarray) -> tuple[ndarray, ndarray]:
    """Middles and lengths, each (..., 2)."""
    first, last = boxes[..., :2], boxes[..., 2:]
    return (first + last) / 2, last - first


def offsets_of_boxes(anchors: Any, boxes: Any, variances: Sequence[float] = VARIANCES) -> ndarray:
    """How anchors must be moved and stretched to become boxes: what a network learns to predict.

    The way of the middle in lengths of the anchor, and logarithms of how many times as long the box is, divided by
    the variances. Girshick et al., *Rich feature hierarchies*, 2014, appendix C; Liu et al., *SSD*, 2016, equation 2.

    Parameters
    ----------
    anchors, boxes : array_like, shape (..., 4)
    variances : sequence of float

    Returns
    -------
    ndarray, shape (..., 4)
    """
    middle, length = _middles(corners("offsets_of_boxes", anchors))
    to, grown = _middles(corners("offsets_of_boxes", boxes))
    moved, stretched = (to - middle) / length, np.log(grown / length)
    return np.concatenate([moved, stretched], axis=-1) / np.array(variances, dtype=moved.dtype)


def boxes_of_offsets(anchors: Any, offsets: Any, variances: Sequence[float] = VARIANCES) -> ndarray:
    """The boxes that anchors become: the inverse of `offsets_of_boxes`.

    Examples
    --------
    >>> from dopegraph import vision
    >>> vision.boxes_of_offsets([[0.0, 0.0, 1.0, 1.0]], [[5.0, 0.0, 0.0, 0.0]])
    array([[0.5, 0. , 1.5, 1. ]], dtype=float32)
    """
    middle, length = _middles(corners("boxes_of_offsets", anchors))
    scaled = corners("boxes_of_offsets", offsets)
    scaled = scaled * np.array(variances, dtype=scaled.dtype)
    to, half = scaled[..., :2] * length + middle, np.exp(scaled[..., 2:]) * length / 2
    return np.concatenate([to - half, to + half], axis=-1)
