"""Gives you handwritten digits in MNIST's form on any machine: MNIST itself, or scikit-learn's small set instead.

For examples and tests that must run without a network. Stands on `mnist.py`; scikit-learn is optional.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from .errors import DataError, DataMissing
from .mnist import mnist

__all__ = ["Digits", "digits_or_mnist", "load_digits_fallback"]


@dataclass(frozen=True, eq=False, repr=False)
class Digits:
    """Digit images with labels, to train and to test on.

    Attributes
    ----------
    train_images, test_images : numpy.ndarray
        float32, (n, 784) or (n, 28, 28), from 0 (background) to 1 (ink).
    train_labels, test_labels : numpy.ndarray
        int64, (n,), from 0 to 9.
    name : str
        ``"mnist"`` or ``"scikit-learn digits"``.
    """

    train_images: NDArray[np.float32]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.float32]
    test_labels: NDArray[np.int64]
    name: str

    def __repr__(self) -> str:
        return f"Digits({self.name!r}, train {self.train_images.shape}, test {self.test_images.shape})"


def digits_or_mnist(flatten: bool = True) -> Digits:
    """MNIST when it can be had; otherwise scikit-learn's digits, with a warning that says why.

    Parameters
    ----------
    flatten : bool, optional
        One row of 784 pixels an image (default), or 28 rows of 28.

    Returns
    -------
    Digits
        Its ``name`` says which of the two it is.

    Warns
    -----
    UserWarning
        The first time MNIST cannot be had for a given reason.

    Raises
    ------
    DataMissing
        If scikit-learn is not installed either.

    Examples
    --------
    >>> digits = digits_or_mnist()
    >>> digits.train_images.shape[1:]
    (784,)
    """
    try:
        return Digits(*mnist(True, flatten), *mnist(False, flatten), name="mnist")
    except DataError as error:
        reason = error
    try:
        digits = load_digits_fallback(flatten)
    except ImportError as error:
        raise DataMissing(
            f"neither MNIST nor scikit-learn's digits can be had.\nMNIST: {reason}\n"
            f"scikit-learn: {error}. The other way out is `pip install scikit-learn`, whose package holds its digits."
        ) from reason
    _say_once(str(reason))
    return digits


def load_digits_fallback(flatten: bool = True) -> Digits:
    """scikit-learn's bundled digits in MNIST's form: 1,797 images of 8x8, each pixel made 3x3, in a frame of 2.

    Every seventh image is for testing, MNIST's own share: no random numbers, so the same split everywhere.

    Parameters
    ----------
    flatten : bool, optional
        One row of 784 pixels an image (default), or 28 rows of 28.

    Returns
    -------
    Digits
        1,540 images to train on and 257 to test on.

    Raises
    ------
    ImportError
        If scikit-learn is not installed.

    Examples
    --------
    >>> load_digits_fallback()
    Digits('scikit-learn digits', train (1540, 784), test (257, 784))
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    enlarged = (bunch.images / 16).astype(np.float32).repeat(3, axis=1).repeat(3, axis=2)
    images = np.pad(enlarged, ((0, 0), (2, 2), (2, 2)))
    images = images.reshape(len(images), -1) if flatten else images
    labels = bunch.target.astype(np.int64)
    # The labels come mostly in runs of 0 to 9; seven has no factor in common with ten, so all classes are tested.
    test = np.arange(len(labels)) % 7 == 0
    return Digits(images[~test], labels[~test], images[test], labels[test], "scikit-learn digits")


@cache
def _say_once(reason: str) -> None:
    message = f"using scikit-learn's digits (1,797 images of 8x8, enlarged) instead of MNIST, because:\n{reason}"
    warnings.warn(message, UserWarning, stacklevel=3)  # at the caller of digits_or_mnist
