"""Gives you pictures to find things in: a drawn creature on photographed (or made-up) textures, with its box.

NumPy alone; with scikit-image the textures are its photographs.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from .images import resized

__all__ = ["paste", "sprites", "textures"]

# Those photographs of scikit-image that are in its package.
PHOTOGRAPHS = ("grass", "gravel", "brick", "coffee", "chelsea", "rocket", "astronaut")

Image = NDArray[np.uint8]

# Ellipses, one over the other: the middle (x to the right, y down), both radii, the turn in degrees, the colour.
_CREATURE = [
    (-0.5, -0.55, 0.15, 0.45, -25, (250, 205, 30)), (0.5, -0.55, 0.15, 0.45, 25, (250, 205, 30)),
    (-0.63, -0.82, 0.10, 0.17, -25, (40, 30, 30)), (0.63, -0.82, 0.10, 0.17, 25, (40, 30, 30)),
    (0.0, 0.25, 0.78, 0.72, 0, (250, 205, 30)),
    (-0.3, 0.1, 0.11, 0.14, 0, (40, 30, 30)), (0.3, 0.1, 0.11, 0.14, 0, (40, 30, 30)),
    (-0.55, 0.45, 0.15, 0.13, 0, (220, 60, 50)), (0.55, 0.45, 0.15, 0.13, 0, (220, 60, 50)),
    (0.0, 0.5, 0.16, 0.07, 0, (150, 60, 40)),
]  # fmt: skip


@cache
def textures() -> tuple[str, tuple[Image, ...]]:
    """Where the textures are from, and they: uint8, (height, width, 3).

    scikit-image's photographs where it is installed (``pip install scikit-image``); otherwise clouds of noise.
    """
    try:
        from skimage import data
    except ImportError:
        return "generated", tuple(_clouds(seed) for seed in range(7))
    found = [np.asarray(getattr(data, name)()) for name in PHOTOGRAPHS]
    coloured = [one if one.ndim == 3 else np.repeat(one[:, :, None], 3, axis=2) for one in found]
    return "scikit-image", tuple(coloured)


def _clouds(seed: int, size: int = 256) -> Image:
    """Noise of several grains, with a colour for its lightest and its darkest places."""
    rng = np.random.default_rng(seed)
    height = np.zeros((size, size))
    for grain in (4, 8, 16, 32, 64, 128):
        coarse = rng.normal(size=(1, 1, grain, grain))
        height += resized(coarse, (size, size))[0, 0] * grain ** (-rng.uniform(0.2, 0.9))
    share = (height - height.min()) / np.ptp(height)
    dark, light = rng.uniform(0, 150, 3), rng.uniform(90, 255, 3)
    return (dark + share[:, :, None] * (light - dark)).astype(np.uint8)


def piece(size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """A piece of a texture, (size, size, 3), turned and brightened by chance."""
    pictures = textures()[1]
    picture = pictures[rng.integers(len(pictures))]
    step = int(rng.integers(1, max(2, min(picture.shape[:2]) // size + 1)))
    y, x = (int(rng.integers(length - step * size + 1)) for length in picture.shape[:2])
    cut = picture[y : y + step * size : step, x : x + step * size : step].astype(np.float64)
    return np.rot90(cut, int(rng.integers(4))) * rng.uniform(0.6, 1.2)


def drawn(
    size: int, middle: tuple[float, float], radius: float, turn: float, is_mirrored: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The creature's colours, (size, size, 3), and how much of each pixel it covers, by four points in each."""
    points = (np.arange(2 * size) + 0.5) / 2
    x, y = points[None, :] - middle[0], points[:, None] - middle[1]
    angle = np.deg2rad(turn)
    u, v = (np.cos(angle) * x + np.sin(angle) * y) / radius, (np.cos(angle) * y - np.sin(angle) * x) / radius
    u = -u if is_mirrored else u
    colours, cover = np.zeros((2 * size, 2 * size, 3)), np.zeros((2 * size, 2 * size), bool)
    for at_u, at_v, wide, high, lean, colour in _CREATURE:
        tilt = np.deg2rad(lean)
        a, b = u - at_u, v - at_v
        inside = ((np.cos(tilt) * a + np.sin(tilt) * b) / wide) ** 2 + (
            (np.cos(tilt) * b - np.sin(tilt) * a) / high
        ) ** 2 < 1
        colours[inside], cover = colour, cover | inside
    return tuple(one.reshape(size, 2, size, 2, -1).mean(axis=(1, 3)) for one in (colours, cover))  # type: ignore


def paste(
    picture: NDArray[np.float64], rng: np.random.Generator, smallest: float, largest: float
) -> tuple[float, float, float, float]:
    """Put a creature of a size by chance into a picture; the box of what is seen of it, from 0 to 1."""
    size = len(picture)
    radius = rng.uniform(smallest, largest) * size / 2
    middle = rng.uniform(radius, size - radius, 2)
    turn, is_mirrored = rng.uniform(-25, 25), rng.random() < 0.5
    left, top = np.floor(middle - 1.3 * radius).astype(int)  # nothing of it is further from its middle
    colours, cover = drawn(
        int(np.ceil(2.6 * radius)) + 1, (middle[0] - left, middle[1] - top), radius, turn, is_mirrored
    )
    inside = tuple(slice(max(0, -start), max(0, size - start)) for start in (top, left))
    colours, cover = colours[inside], cover[inside]
    left, top = max(0, left), max(0, top)
    place = picture[top : top + len(cover), left : left + cover.shape[1]]
    place *= 1 - cover
    place += colours * rng.uniform(0.7, 1.05)
    rows, columns = (np.flatnonzero(cover[..., 0].any(axis=axis)) for axis in (1, 0))
    return tuple((start + one) / size for start, one in (  # type: ignore
        (left, columns[0]), (top, rows[0]), (left, columns[-1] + 1), (top, rows[-1] + 1)
    ))  # fmt: skip


def sprites(
    count: int, size: int = 128, seed: int = 0, most: int = 1, smallest: float = 0.25, largest: float = 0.6
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Pictures of creatures on textures, with their boxes: what stands in for the book's Pikachus.

    Parameters
    ----------
    count, size : int
    seed : int
        The same seed draws the same pictures of the same textures.
    most : int
        How many creatures a picture has at most; at least it has one.
    smallest, largest : float
        How large creatures are, as shares of the picture.

    Returns
    -------
    images : numpy.ndarray
        uint8, (count, 3, size, size): red, green, blue.
    labels : numpy.ndarray
        float32, (count, most, 5): the class, which is 0, then left, top, right, bottom from 0 to 1; -1 for no object.

    Examples
    --------
    >>> images, labels = sprites(2, 32)
    >>> images.shape, labels.shape
    ((2, 3, 32, 32), (2, 1, 5))
    """
    rng = np.random.default_rng(seed)
    images, labels = np.zeros((count, 3, size, size), np.uint8), np.full((count, most, 5), -1, np.float32)
    for number in range(count):
        picture = piece(size, rng)
        for thing in range(int(rng.integers(1, most + 1))):
            labels[number, thing] = (0, *paste(picture, rng, smallest, largest))
        noisy = picture + rng.normal(0, 4, picture.shape)
        images[number] = noisy.clip(0, 255).astype(np.uint8).transpose(2, 0, 1)
    return images, labels
