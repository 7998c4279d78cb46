"""Makes pictures of other sizes, and others of the same: resizing, cropping, mirroring, normalizing. NumPy alone.

Pictures are (..., channels, height, width).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["IMAGENET_MEAN", "IMAGENET_STD", "augmented", "center_crop", "normalized", "resized", "resized_short"]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

Array = NDArray[Any]


def resized(images: Array, size: tuple[int, int]) -> Array:
    """Pictures of another height and width, by linear interpolation between the middles of pixels.

    The dtype stays; integers are rounded.

    Examples
    --------
    >>> import numpy as np
    >>> resized(np.array([[[0, 4]]], np.uint8), (1, 4))
    array([[[0, 1, 3, 4]]], dtype=uint8)
    """
    images = np.asarray(images)
    found = images
    for axis, length in zip((-2, -1), size):
        found = _along(found, axis, length)
    if images.dtype.kind in "iu":
        return np.rint(found).astype(images.dtype)
    return found.astype(images.dtype, copy=False)


def _along(images: Array, axis: int, length: int) -> Array:
    old = images.shape[axis]
    if old == length:
        return images
    at = ((np.arange(length) + 0.5) * old / length - 0.5).clip(0, old - 1)
    first = np.floor(at).astype(int)
    share = (at - first).astype(np.float32 if images.dtype.itemsize < 8 else np.float64)
    share = share.reshape(-1, 1) if axis == -2 else share
    low, high = images.take(first, axis), images.take(np.minimum(first + 1, old - 1), axis)
    return low * (1 - share) + high * share


def resized_short(images: Array, length: int) -> Array:
    """Pictures whose shorter side has a length, without distortion.

    Examples
    --------
    >>> import numpy as np
    >>> resized_short(np.zeros((3, 10, 20)), 5).shape
    (3, 5, 10)
    """
    height, width = np.shape(images)[-2:]
    short = min(height, width)
    return resized(images, (round(height * length / short), round(width * length / short)))


def center_crop(images: Array, size: tuple[int, int]) -> Array:
    """The middle of pictures, a view.

    Raises
    ------
    ValueError
        If they are smaller.
    """
    images = np.asarray(images)
    starts = [(old - new) // 2 for old, new in zip(images.shape[-2:], size)]
    if min(starts) < 0:
        raise ValueError(f"pictures of {images.shape[-2:]} have no middle of {tuple(size)}; see resized_short")
    return images[..., starts[0] : starts[0] + size[0], starts[1] : starts[1] + size[1]]


def normalized(
    images: Array, mean: Sequence[float] = IMAGENET_MEAN, std: Sequence[float] = IMAGENET_STD
) -> NDArray[np.float32]:
    """Pictures with values from 0 to 255 as float32: by 255, less the mean, by the deviation of each channel."""
    scaled = np.asarray(images, np.float32) / np.float32(255)
    middle, width = (np.asarray(one, np.float32).reshape(-1, 1, 1) for one in (mean, std))
    return (scaled - middle) / width


def augmented(
    images: Array,
    seed: int | np.random.Generator | None = None,
    labels: Array | None = None,
    smallest: float = 0.7,
    mirror: bool = True,
    min_object_covered: float = 0.95,
    brightness: float = 0.2,
    attempts: int = 20,
) -> tuple[Array, Array | None]:
    """Of each picture a part, which takes its whole place, mirrored and brightened by chance.

    Parameters
    ----------
    images : numpy.ndarray, shape (n, channels, height, width)
    seed : int or numpy.random.Generator, optional
    labels : numpy.ndarray, shape (n, objects, 5), optional
        Boxes, as `sprites` gives them; they move with the pictures, and end where those do.
    smallest : float
        The least side of a part, as a share.
    mirror : bool
    min_object_covered : float
        How much of each box must be in the part; after `attempts` that left out more a picture stays as it is.
    brightness : float
        By what share pictures become lighter or darker at most.
    attempts : int

    Returns
    -------
    images, labels : numpy.ndarray
        New arrays of the same shapes and dtypes.

    Examples
    --------
    >>> import numpy as np
    >>> pictures, boxes = augmented(np.zeros((2, 3, 8, 8), np.uint8), 1, np.array([[[0, 0.2, 0.2, 0.5, 0.5]]] * 2))
    >>> pictures.shape, boxes.shape
    ((2, 3, 8, 8), (2, 1, 5))
    """
    rng = np.random.default_rng(seed)
    images = np.asarray(images)
    result, boxes = np.empty_like(images), None if labels is None else np.array(labels)
    height, width = images.shape[-2:]
    for number, picture in enumerate(images):
        part = _part(rng, smallest, None if boxes is None else boxes[number], min_object_covered, attempts)
        rows = slice(round(part[1] * height), round(part[3] * height))
        columns = slice(round(part[0] * width), round(part[2] * width))
        cut = resized(picture[:, rows, columns], (height, width))
        if mirror and rng.random() < 0.5:
            cut = cut[:, :, ::-1]
            part[0], part[2] = part[2], part[0]  # what was right is left
        cut = cut * np.float32(1 + rng.uniform(-brightness, brightness))
        result[number] = cut.clip(0, 255) if images.dtype.kind in "iu" else cut
        if boxes is not None:
            boxes[number] = _moved(boxes[number], part)
    return result, boxes


def _part(
    rng: np.random.Generator, smallest: float, boxes: Array | None, covered: float, attempts: int
) -> NDArray[np.float64]:
    """Left, top, right, bottom of a square part that has enough of every box."""
    for _ in range(attempts):
        side = rng.uniform(smallest, 1)
        corner = rng.uniform(0, 1 - side, 2)
        part = np.concatenate([corner, corner + side])
        if boxes is None or _covered(boxes[boxes[:, 0] >= 0, 1:5], part) >= covered:
            return part
    return np.array([0.0, 0.0, 1.0, 1.0])


def _covered(boxes: Array, part: Array) -> float:
    """The least share of a box that is in a part."""
    inside = np.minimum(boxes[:, 2:], part[2:]) - np.maximum(boxes[:, :2], part[:2])
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return float(np.min(np.prod(inside.clip(0), axis=1) / np.where(areas > 0, areas, 1), initial=1))


def _moved(boxes: Array, part: Array) -> Array:
    """Boxes relative to a part; where its left is right of its right, they are mirrored."""
    found = boxes.copy()
    there = boxes[:, 0] >= 0
    for axis in (0, 1):
        ends = (boxes[there][:, [1 + axis, 3 + axis]] - part[axis]) / (part[2 + axis] - part[axis])
        found[np.ix_(there, [1 + axis, 3 + axis])] = np.sort(ends, axis=1).clip(0, 1)
    return found
