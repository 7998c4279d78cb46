"""Anchors: boxes of given sizes and shapes around every pixel, which a network moves and stretches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located


def multibox_prior(
    x: Any,
    sizes: Sequence[float] = (1.0,),
    ratios: Sequence[float] = (1.0,),
    clip: bool = False,
    steps: Sequence[float] = (-1.0, -1.0),
    offsets: Sequence[float] = (0.5, 0.5),
) -> ndarray:
    """Boxes around each pixel of a map: of every size with the first ratio, and of the first size with all others.

    They follow from the shape of `x` alone: in a compiled function they are a constant.

    Parameters
    ----------
    x : array_like, shape (batch, channels, height, width)
    sizes : sequence of float
        Heights of square boxes, as shares of the image's.
    ratios : sequence of float
        Widths divided by heights.
    clip : bool
        Whether boxes end where the image does.
    steps : sequence of float
        From a pixel to the next, down and to the right, as shares of the image; where negative, pixels fill it.
    offsets : sequence of float
        Where in its pixel a box has its middle, down and to the right.

    Returns
    -------
    ndarray, shape (1, height * width * (len(sizes) + len(ratios) - 1), 4)
        Left, top, right and bottom, from 0 to 1 inside the image.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> from dopegraph import vision
    >>> boxes = vision.multibox_prior(np.zeros((1, 3, 40, 40)), sizes=[0.5, 0.25, 0.1], ratios=[1, 2, 0.5])
    >>> boxes.shape
    (1, 8000, 4)
    >>> boxes.reshape((40, 40, -1, 4))[20, 20, 0]
    array([0.2625, 0.2625, 0.7625, 0.7625], dtype=float32)
    """
    shape = np.shape(x)
    if len(shape) != 4:
        message = f"multibox_prior: a map of shape {shape}; it needs 4 axes (batch, channels, height, width)"
        raise ShapeError(located(message, here()))
    if not len(sizes) or not len(ratios):
        raise ValueError(located("multibox_prior: at least one size and one ratio", here()))
    height, width = shape[2:]
    down, right = (1 / length if step <= 0 else step for step, length in zip(steps, (height, width)))
    dtype = "float64" if getattr(x, "dtype", None) == "float64" else "float32"
    y = (np.arange(height, dtype=dtype) + offsets[0]) * down
    x = (np.arange(width, dtype=dtype) + offsets[1]) * right
    shapes = [(size, ratios[0]) for size in sizes] + [(sizes[0], ratio) for ratio in ratios[1:]]
    half = [(size * height / width * math.sqrt(ratio) / 2, size / math.sqrt(ratio) / 2) for size, ratio in shapes]
    w, h = (np.array(one, dtype=dtype) for one in zip(*half))
    full = (height, width, len(shapes))
    middles = (np.broadcast_to(x[:, None], full), np.broadcast_to(y[:, None, None], full))
    boxes = np.stack([middles[0] - w, middles[1] - h, middles[0] + w, middles[1] + h], axis=-1).reshape((1, -1, 4))
    return np.clip(boxes, 0, 1) if clip else boxes
