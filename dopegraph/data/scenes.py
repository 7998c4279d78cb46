"""Draws you pairs of a label map and a picture of it: facades, streets and maps, which stand in for the photographs.

For networks that translate one into the other. Plain NumPy; needs nothing else of `dopegraph.data`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["facades", "maps", "streets"]

Classes = NDArray[np.int64]
Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]
Draw = Callable[[np.random.Generator, int], Classes]


@dataclass(frozen=True)
class Material:
    """How a class looks: its colour in the label map; in the picture its colour, texture, and how far it stands out."""

    label: tuple[int, int, int]
    colour: tuple[int, int, int]
    texture: str = "plain"
    height: int = 0


# In the order of the numbers that the functions below draw with.
FACADE = [
    Material((0, 0, 170), (140, 180, 230), "falling"),  # sky
    Material((0, 60, 255), (180, 110, 80), "bricks", 2),  # wall
    Material((0, 220, 255), (60, 80, 100), "falling", 1),  # window
    Material((255, 170, 0), (110, 70, 40), "boards", 1),  # door
    Material((170, 0, 0), (120, 60, 50), "rows", 3),  # roof
    Material((0, 255, 160), (215, 205, 190), "plain", 4),  # sill
]
STREET = [
    Material((70, 130, 180), (170, 200, 235), "falling"),  # sky
    Material((128, 64, 128), (95, 95, 100), "grains"),  # road
    Material((244, 35, 232), (165, 155, 145), "bricks"),  # sidewalk
    Material((70, 70, 70), (190, 160, 130), "windows", 1),  # building
    Material((107, 142, 35), (60, 110, 50), "grains", 2),  # tree
    Material((0, 0, 142), (190, 40, 40), "falling", 3),  # car
]
MAP = [
    Material((242, 239, 233), (150, 140, 110), "grains"),  # ground
    Material((255, 255, 255), (110, 110, 115), "plain"),  # street
    Material((200, 225, 175), (60, 100, 55), "grains", 1),  # park
    Material((170, 210, 225), (40, 70, 105), "rows"),  # water
    Material((215, 205, 195), (190, 185, 180), "plain", 2),  # house
    Material((250, 215, 120), (135, 125, 120), "boards"),  # highway
]


def facades(count: int, seed: int = 0, size: int = 64) -> Pair:
    """Fronts of houses: sky, roof, wall, door and rows of windows.

    Parameters
    ----------
    count : int
    seed : int
        The same seed draws the same pairs.
    size : int
        Pixels along each side.

    Returns
    -------
    labels, pictures : numpy.ndarray
        uint8, (count, 3, size, size); a class has one colour in all labels.

    Examples
    --------
    >>> labels, pictures = facades(2)
    >>> pictures.shape
    (2, 3, 64, 64)
    """
    return _pairs(_facade, FACADE, count, seed, size)


def streets(count: int, seed: int = 0, size: int = 64) -> Pair:
    """Streets between houses, with trees and cars; see `facades`."""
    return _pairs(_street, STREET, count, seed, size)


def maps(count: int, seed: int = 0, size: int = 64) -> Pair:
    """Towns from above: streets, houses, parks and water; see `facades`."""
    return _pairs(_map, MAP, count, seed, size)


def _pairs(draw: Draw, materials: list[Material], count: int, seed: int, size: int) -> Pair:
    rng = np.random.default_rng(seed)
    classes = np.zeros((count, size, size), np.int64)
    for one in classes:
        one[...] = draw(rng, size)
    labels = np.array([one.label for one in materials], np.uint8)[classes]
    pictures = np.rint(_picture(classes, materials, rng).clip(0, 255)).astype(np.uint8)
    return np.moveaxis(labels, -1, 1), np.moveaxis(pictures, -1, 1)


def _picture(classes: Classes, materials: list[Material], rng: np.random.Generator) -> NDArray[np.float64]:
    """Textures, light from the upper left, shadows of what stands out, and a little noise."""
    size = classes.shape[-1]
    y, x = np.mgrid[:size, :size]
    textures = {
        "plain": np.zeros((size, size)),
        "falling": 0.25 - 0.5 * y / size,
        "bricks": -0.25 * ((y % 4 == 0) | ((x + 4 * (y // 4 % 2)) % 8 == 0)),
        "boards": -0.2 * (x % 3 == 0),
        "rows": -0.2 * (y % 3 == 0),
        "windows": -0.5 * ((y % 6 > 2) & (x % 5 > 2)),
        "grains": 0.15 * np.sin(1.7 * x + np.sin(2.3 * y)) * np.sin(1.9 * y + np.sin(1.3 * x)),
    }
    colours = np.array([[one.colour] for one in materials])[:, :, None]
    painted = np.array([1 + textures[one.texture] for one in materials])[..., None] * colours
    picture = painted[classes, y, x]
    heights = np.array([one.height for one in materials])[classes]
    before = np.pad(heights, ((0, 0), (2, 0), (2, 0)), mode="edge")[:, :size, :size]
    after = np.pad(heights, ((0, 0), (0, 1), (0, 1)), mode="edge")[:, 1:, 1:]
    light = np.where(before > heights, 0.6, 1.0) * np.where(after < heights, 0.75, 1.0)
    return picture * light[..., None] + rng.normal(0, 4, picture.shape)


def _facade(rng: np.random.Generator, size: int) -> Classes:
    made = np.zeros((size, size), np.int64)
    left, right = rng.integers(0, size // 8), size - rng.integers(0, size // 8)
    top, roof = rng.integers(size // 10, size // 4), rng.integers(size // 12, size // 7)
    made[top : top + roof, left:right] = 4
    made[top + roof :, left:right] = 1
    floors, columns = rng.integers(2, 5), rng.integers(2, 6)
    tall, wide = (size - top - roof) // floors, (right - left) // columns
    high, broad = int(tall * rng.uniform(0.4, 0.65)), int(wide * rng.uniform(0.4, 0.7))
    door, with_sills = rng.integers(columns), rng.random() < 0.6
    for floor in range(floors):
        for column in range(columns):
            y, x = top + roof + floor * tall + (tall - high) // 2, left + column * wide + (wide - broad) // 2
            if floor == floors - 1 and column == door:
                made[y:, x : x + broad] = 3
            elif rng.random() < 0.93:
                made[y : y + high, x : x + broad] = 2
                if with_sills:
                    made[y + high : y + high + 2, x - 1 : x + broad + 1] = 5
    return made


def _street(rng: np.random.Generator, size: int) -> Classes:
    made = np.zeros((size, size), np.int64)
    y, x = np.mgrid[:size, :size] / size
    horizon, vanishing = rng.uniform(0.35, 0.5), rng.uniform(0.35, 0.65)
    for side in (-1, 1):
        edge = vanishing
        while 0 < edge < 1:  # houses, larger the nearer they are
            far = abs(edge - vanishing)
            width, height = rng.uniform(0.08, 0.15) + 0.4 * far, 0.12 + 0.7 * far + rng.uniform(0, 0.15)
            low, high = sorted((edge, edge + side * width))
            made[(x >= low) & (x < high) & (y > horizon - height)] = 3
            edge += side * width
    below = y - horizon
    for reach, number in ((1.7, 2), (rng.uniform(0.8, 1.2), 1)):
        made[(below > 0) & (abs(x - vanishing) < 0.03 + reach * below)] = number
    made[(below > 0) & (made == 0)] = 2
    made[(below > 0.05) & (made == 3)] = 2
    for _ in range(rng.integers(1, 5)):  # trees on both sides, cars on the road
        side, depth = rng.choice((-1, 1)), rng.uniform(0.1, 0.4)
        middle, foot = vanishing + side * (0.1 + 1.3 * depth), horizon + depth
        made[(abs(x - middle) < 0.1 * depth) & (y < foot) & (y > foot - depth)] = 4
        made[np.hypot(x - middle, y - foot + 1.2 * depth) < 0.45 * depth] = 4
    for depth in np.sort(rng.uniform(0.08, 0.4, rng.integers(0, 4))):
        middle, foot = vanishing + rng.uniform(-0.6, 0.6) * depth, horizon + depth
        made[(abs(x - middle) < 0.3 * depth) & (y < foot) & (y > foot - 0.35 * depth)] = 5
        made[(abs(x - middle) < 0.2 * depth) & (y < foot) & (y > foot - 0.5 * depth)] = 5
    return made


def _map(rng: np.random.Generator, size: int) -> Classes:
    made = np.zeros((size, size), np.int64)
    y, x = np.mgrid[:size, :size] / size
    cuts = [np.cumsum(rng.uniform(0.15, 0.35, 8)) - rng.uniform(0, 0.3) for _ in range(2)]
    edges = [np.rint(size * one[(one > 0) & (one < 1)]).astype(int) for one in cuts]
    rows, columns = ([0, *one, size] for one in edges)
    for top, bottom in zip(rows, rows[1:]):
        for left, right in zip(columns, columns[1:]):
            if rng.random() < 0.2:
                made[top:bottom, left:right] = 2
                continue
            for _ in range(rng.integers(1, 6)):
                high, wide = rng.integers(3, max(4, size // 8), 2)
                up, aside = rng.integers(top, bottom + 1), rng.integers(left, right + 1)
                if up + high < bottom - 1 and aside + wide < right - 1:
                    made[up + 1 : up + 1 + high, aside + 1 : aside + 1 + wide] = 4
    if rng.random() < 0.6:  # a river, or a lake
        way = rng.uniform(0.2, 0.8) + rng.uniform(-0.4, 0.4) * (y - 0.5) + 0.05 * np.sin(9 * y + rng.uniform(0, 6))
        lake = np.hypot(x - rng.uniform(0, 1), y - rng.uniform(0, 1)) < rng.uniform(0.15, 0.3)
        made[abs(x - way) < rng.uniform(0.05, 0.1) if rng.random() < 0.5 else lake] = 3
    for row in rows[1:-1]:
        made[row - 1 : row + 1] = 1
    for column in columns[1:-1]:
        made[:, column - 1 : column + 1] = 1
    if rng.random() < 0.5:
        made[abs(y - rng.uniform(0, 1) - rng.uniform(-0.7, 0.7) * x) < 0.04] = 5
    return made
