"""Gives you MNIST as NumPy arrays ready to train on.

Stands on `files.py`, which finds or downloads the four files, and `idx.py`, which reads them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .entry import DataFile
from .files import read
from .idx import parse_idx

__all__ = ["FILES", "mnist"]

# LeCun's own server no longer hands the files out; these two are the public copies most libraries use.
_MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")


def _file(name: str, sha256: str) -> DataFile:
    return DataFile("mnist", name, sha256, tuple(f"{mirror}{name}.gz" for mirror in _MIRRORS))


# train -> (images, labels)
FILES = {
    True: (
        _file("train-images-idx3-ubyte", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        _file("train-labels-idx1-ubyte", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    ),
    False: (
        _file("t10k-images-idx3-ubyte", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        _file("t10k-labels-idx1-ubyte", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    ),
}


def mnist(train: bool = True, flatten: bool = True) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """MNIST's handwritten digits: 60,000 to train on, or 10,000 to test on.

    The files are looked for in ``$DOPEGRAPH_DATA/mnist``, then in the user's cache (``$DOPEGRAPH_CACHE/data/mnist``
    if set), then downloaded, which ``DOPEGRAPH_OFFLINE=1`` forbids.

    Parameters
    ----------
    train : bool, optional
        The training set (default) or the test set.
    flatten : bool, optional
        One row of 784 pixels an image (default), or 28 rows of 28.

    Returns
    -------
    images : numpy.ndarray
        float32, (n, 784) or (n, 28, 28), from 0 (background) to 1 (ink).
    labels : numpy.ndarray
        int64, (n,), from 0 to 9.

    Raises
    ------
    DataMissing
        If a file is not on this machine and cannot be downloaded.
    DataCorrupt
        If a file's content is not MNIST's.

    Examples
    --------
    >>> images, labels = mnist(train=False)
    >>> images.shape, images.dtype, labels[:5]
    ((10000, 784), dtype('float32'), array([7, 2, 1, 0, 4]))
    """
    pixels, classes = (parse_idx(read(file), str(file)) for file in FILES[bool(train)])
    images = pixels.astype(np.float32)
    images /= 255
    return (images.reshape(len(images), -1) if flatten else images), classes.astype(np.int64)
