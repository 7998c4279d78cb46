"""Gives you small grey faces: a hundred of *Labeled Faces in the Wild* where they are, drawn ones where they are not.

Stands on `files.py` for the folders. Nothing is downloaded: the file is part of scikit-image's package.
"""

from __future__ import annotations

import warnings
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .errors import DataCorrupt, DataMissing
from .files import data_folders

__all__ = ["drawn_faces", "faces", "faces_or_drawn"]

NAME = "lfw_subset.npy"
SIZE = 25


def faces() -> NDArray[np.uint8]:
    """A hundred faces cut from *Labeled Faces in the Wild*, as scikit-image's ``lfw_subset`` has them.

    Read from ``$DOPEGRAPH_DATA/lfw/lfw_subset.npy``, from the user's cache, or from scikit-image's package, which is
    not imported. Huang et al., *Labeled Faces in the Wild*, 2007.

    Returns
    -------
    numpy.ndarray
        uint8, (100, 25, 25).

    Raises
    ------
    DataMissing
        If the file is not on this machine.
    DataCorrupt
        If the file is another one: 100 faces, and then 100 other cuts of 25 x 25 pixels.
    """
    folders = [folder / "lfw" for folder in data_folders()]
    package = find_spec("skimage")
    if package is not None and package.origin is not None:
        folders.append(Path(package.origin).parent / "data")
    for folder in folders:
        path = folder / NAME
        if path.is_file():
            return _first_half(path)
    raise DataMissing(
        f"{NAME} is not on this machine; looked in {', '.join(map(str, folders))}.\n"
        "To go on, `pip install scikit-image`, whose package holds it."
    )


def _first_half(path: Path) -> NDArray[np.uint8]:
    try:
        found = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise DataCorrupt(f"{path} cannot be read: {error}") from error
    if not isinstance(found, np.ndarray) or found.shape != (200, SIZE, SIZE) or found.dtype.kind != "f":
        raise DataCorrupt(f"{path} is not scikit-image's: floating numbers of shape (200, {SIZE}, {SIZE})")
    return np.rint(255 * found[:100].clip(0, 1)).astype(np.uint8)


def faces_or_drawn(count: int = 100) -> tuple[NDArray[np.uint8], str]:
    """Faces and their name: those of `faces`, or in their place, with a warning that says why, `drawn_faces`.

    Parameters
    ----------
    count : int
        How many are drawn, or taken of the hundred.

    Examples
    --------
    >>> images, name = faces_or_drawn(20)
    >>> images.shape
    (20, 25, 25)
    """
    try:
        return faces()[:count], "faces of LFW"
    except DataMissing as error:
        _say_once(str(error))
    return drawn_faces(count, seed=1), "drawn faces"


def drawn_faces(count: int, seed: int = 0) -> NDArray[np.uint8]:
    """Grey faces of 25 x 25 pixels: hair, eyes, nose and mouth in places, sizes and brightness of chance.

    Parameters
    ----------
    count : int
    seed : int
        The same seed draws the same images.

    Returns
    -------
    numpy.ndarray
        uint8, (count, 25, 25).
    """
    rng = np.random.default_rng(seed)

    def chance(low: float, high: float) -> NDArray[np.float64]:
        return rng.uniform(low, high, (count, 1, 1))

    # Places relative to the middle of the face: from -1 to 1 inside of it, turned a little.
    row, column = np.meshgrid(np.linspace(-1.2, 1.2, SIZE), np.linspace(-1.2, 1.2, SIZE), indexing="ij")
    turn = chance(-0.15, 0.15)
    y, x = row + chance(-0.1, 0.1) + turn * column, column * chance(1.15, 1.4) + chance(-0.1, 0.1) - turn * row
    skin, looks = chance(0.45, 0.85), chance(-0.2, 0.2)
    image = chance(0, 1) + chance(-0.2, 0.2) * row
    light = skin * (1 + chance(-0.25, 0.25) * x)
    hair, hairline = chance(0.02, 0.5), chance(-0.75, -0.4)

    def paint(inside: NDArray[np.bool_], tone: NDArray[np.float64]) -> None:
        nonlocal image
        image = np.where(inside, tone, image)

    paint(np.hypot(x, y + 0.1) < 1.12, hair)
    paint((np.hypot(x / 0.95, y) < 1) & (y > hairline), light)
    eye_height, apart = chance(-0.3, -0.15), chance(0.33, 0.45)
    for side in (-1, 1):
        aside = x - side * apart
        paint((abs(y - eye_height + 0.2) < 0.06) & (abs(aside) < 0.22), 0.5 * hair + 0.3 * skin)
        paint(np.hypot(aside / 0.2, (y - eye_height) / 0.1) < 1, 0.4 + 0.5 * skin)
        paint(np.hypot(aside - 0.5 * looks, y - eye_height) < 0.1, 0.1 * skin)
    paint((abs(x - 0.1) < 0.06) & (y > -0.1) & (y < 0.25), 0.75 * light)
    smile = chance(-0.15, 0.3)
    mouth = abs(y - 0.55 + smile * x**2) / chance(0.06, 0.14)
    paint((mouth < 1) & (abs(x) < chance(0.25, 0.45)), 0.45 * skin)
    noisy = image + rng.normal(0, 0.03, (count, SIZE, SIZE))
    return np.rint(255 * noisy.clip(0, 1)).astype(np.uint8)


@cache
def _say_once(reason: str) -> None:
    warnings.warn(f"using drawn faces instead of LFW's, because:\n{reason}", UserWarning, stacklevel=3)
