"""Gives you CIFAR-10's small colour images where they are, and drawn shapes of ten kinds where they are not.

Stands on `files.py` for the folders; CIFAR-10 is not downloaded: put its binary files into a folder ``cifar10``.
"""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
from numpy.typing import NDArray

from .digits import Digits
from .errors import DataCorrupt, DataMissing
from .files import data_folders

__all__ = ["cifar10", "cifar10_or_shapes", "shapes"]

# train -> files of 10,000 records: a label and 3 x 32 x 32 bytes each.
FILES = {True: [f"data_batch_{number}.bin" for number in range(1, 6)], False: ["test_batch.bin"]}
RECORD = 1 + 3 * 32 * 32

KINDS = ("disc", "square", "triangle", "ring", "cross", "diamond", "bars", "columns", "checks", "half moon")


def cifar10(train: bool = True) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """CIFAR-10's images: 50,000 to train on, or 10,000 to test on.

    Read from the binary version's files (``data_batch_1.bin``, ..., ``test_batch.bin``) in ``$DOPEGRAPH_DATA/cifar10``
    or in the user's cache.

    Returns
    -------
    images : numpy.ndarray
        uint8, (n, 3, 32, 32).
    labels : numpy.ndarray
        int64, (n,), from 0 to 9.

    Raises
    ------
    DataMissing
        If a file is not on this machine.
    DataCorrupt
        If a file does not have the length of 10,000 records, or has labels above 9.
    """
    found = [_records(name) for name in FILES[bool(train)]]
    records = np.concatenate(found)
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0].astype(np.int64)


def _records(name: str) -> NDArray[np.uint8]:
    folders = [folder / "cifar10" for folder in data_folders()]
    for folder in folders:
        path = folder / name
        if path.is_file():
            content = np.frombuffer(path.read_bytes(), np.uint8)
            if content.size != 10000 * RECORD or content[::RECORD].max() > 9:
                raise DataCorrupt(
                    f"{path} is not a file of CIFAR-10's binary version: 10,000 records of {RECORD} bytes"
                )
            return content.reshape(-1, RECORD)
    looked = ", ".join(map(str, folders))
    raise DataMissing(
        f"CIFAR-10's {name} is not on this machine; looked in {looked}.\n"
        "To go on, unpack cifar-10-binary.tar.gz from https://www.cs.toronto.edu/~kriz/cifar.html into one of them."
    )


def cifar10_or_shapes(train: int = 5000, test: int = 1000) -> Digits:
    """CIFAR-10, or in its place, with a warning that says why, `shapes` of the same form.

    Parameters
    ----------
    train, test : int
        How many shapes are drawn; of CIFAR-10 there are 50,000 and 10,000.

    Examples
    --------
    >>> images = cifar10_or_shapes(100, 50)
    >>> images.train_images.shape[1:]
    (3, 32, 32)
    """
    try:
        return Digits(*cifar10(True), *cifar10(False), name="CIFAR-10")
    except DataMissing as error:
        _say_once(str(error))
    return Digits(*shapes(train, seed=1), *shapes(test, seed=2), name="drawn shapes")


def shapes(count: int, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images of 32 x 32 pixels, each with a shape of one of ten kinds, in colours, places, sizes and noise of chance.

    Parameters
    ----------
    count : int
    seed : int
        The same seed draws the same images.

    Returns
    -------
    images : numpy.ndarray
        uint8, (count, 3, 32, 32).
    labels : numpy.ndarray
        int64, (count,): numbers of `KINDS`, as many of each.
    """
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % len(KINDS))
    size = rng.uniform(6, 12, (count, 1, 1))
    middle = rng.uniform(11, 21, (2, count, 1, 1))
    # Of each pixel, the place relative to the shape: about -1 to 1 inside.
    y = (np.arange(32).reshape(32, 1) - middle[0]) / size
    x = (np.arange(32).reshape(1, 32) - middle[1]) / size
    radius, square, diamond = np.hypot(x, y), np.maximum(abs(x), abs(y)), abs(x) + abs(y)
    row, column = np.floor(2.5 * (y + 1)) % 2 == 0, np.floor(2.5 * (x + 1)) % 2 == 0
    inside = [
        radius < 1,
        square < 0.9,
        (y < 0.9) & (abs(x) < (y + 1) / 2),
        (radius < 1) & (radius > 0.55),
        (square < 1) & (np.minimum(abs(x), abs(y)) < 0.3),
        diamond < 1.1,
        (square < 1) & row,
        (square < 1) & column,
        (square < 1) & (row ^ column),
        (radius < 1) & (np.hypot(x - 0.5, y) > 0.8),
    ]
    mask = np.choose(labels.reshape(-1, 1, 1), inside)[:, None]
    ground = rng.uniform(0, 255, (count, 3, 1, 1))
    # The shape's colour is far from the ground's.
    ink = (ground + rng.uniform(80, 175, (count, 3, 1, 1))) % 255
    noisy = np.where(mask, ink, ground) + rng.normal(0, 15, (count, 3, 32, 32))
    return noisy.clip(0, 255).astype(np.uint8), labels.astype(np.int64)


@cache
def _say_once(reason: str) -> None:
    warnings.warn(f"using drawn shapes instead of CIFAR-10, because:\n{reason}", UserWarning, stacklevel=3)
