"""MNIST itself, from the real files, and what stands in for it where there is none."""

from __future__ import annotations

import doctest
import gzip
import importlib
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from dopegraph.data import DataCorrupt, DataMissing, Digits, digits_or_mnist, mnist

TRAIN_COUNTS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
TEST_COUNTS = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.mark.parametrize(("train", "counts"), [(True, TRAIN_COUNTS), (False, TEST_COUNTS)])
def test_mnist(real_data: Path, train: bool, counts: list[int]) -> None:
    images, labels = mnist(train=train)
    assert images.shape == (sum(counts), 784) and images.dtype == np.float32
    assert labels.shape == (sum(counts),) and labels.dtype == np.int64
    assert np.bincount(labels).tolist() == counts
    assert images.min() == 0 and images.max() == 1
    assert images.flags.c_contiguous and images.flags.writeable and labels.flags.writeable
    # The pixels are the file's, in its order.
    name = "train-images-idx3-ubyte.gz" if train else "t10k-images-idx3-ubyte.gz"
    raw = np.frombuffer(gzip.decompress((real_data / "mnist" / name).read_bytes()), np.uint8, offset=16)
    np.testing.assert_array_equal(np.rint(images.ravel() * 255).astype(np.uint8), raw)
    if train:
        assert images.mean(dtype=np.float64) == pytest.approx(0.1307, abs=5e-5)
        assert images.std(dtype=np.float64) == pytest.approx(0.3081, abs=5e-5)


def test_not_flattened(real_data: Path) -> None:
    images, _ = mnist(False, flatten=False)
    assert images.shape == (10000, 28, 28)
    np.testing.assert_array_equal(images.reshape(10000, 784), mnist(False)[0])


def test_missing() -> None:
    with pytest.raises(DataMissing, match="mnist/train-images-idx3-ubyte"):
        mnist()
    with pytest.raises(FileNotFoundError, match="mnist/t10k-images-idx3-ubyte"):
        mnist(train=False)


@pytest.mark.parametrize("damage", ["truncated", "flipped"])
def test_damaged_copy(real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    shutil.copytree(real_data / "mnist", tmp_path / "mnist")
    path = tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz"
    path.chmod(0o600)
    raw = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(raw[: len(raw) // 2])
    else:
        labels = bytearray(gzip.decompress(raw))
        labels[100] ^= 1  # a wrong label: nothing but the hash can tell
        path.write_bytes(gzip.compress(labels))
    monkeypatch.setenv("DOPEGRAPH_DATA", str(tmp_path))
    with pytest.raises(DataCorrupt, match=r"t10k-labels-idx1-ubyte\.gz"):
        mnist(train=False)


def test_digits_or_mnist_prefers_mnist(real_data: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        digits = digits_or_mnist()
    assert digits.name == "mnist"
    assert digits.train_images.shape == (60000, 784) and digits.test_images.shape == (10000, 784)
    assert np.bincount(digits.train_labels).tolist() == TRAIN_COUNTS
    assert np.bincount(digits.test_labels).tolist() == TEST_COUNTS
    assert repr(digits) == "Digits('mnist', train (60000, 784), test (10000, 784))"


def check_fallback(digits: Digits) -> None:
    assert digits.name == "scikit-learn digits"
    assert digits.train_images.shape == (1540, 784) and digits.test_images.shape == (257, 784)
    for images in (digits.train_images, digits.test_images):
        assert images.dtype == np.float32 and images.flags.c_contiguous and images.min() == 0 and images.max() == 1
    for labels in (digits.train_labels, digits.test_labels):
        assert labels.dtype == np.int64
        shares = np.bincount(labels, minlength=10) / len(labels)
        assert shares.min() > 0.07 and shares.max() < 0.13


def test_fallback_without_a_network() -> None:
    pytest.importorskip("sklearn")
    with pytest.warns(UserWarning, match="instead of MNIST(.|\n)*DOPEGRAPH_OFFLINE forbids") as caught:
        first = digits_or_mnist()
    assert [warning.filename for warning in caught] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # said once
        second = digits_or_mnist(flatten=False)
    check_fallback(first)
    np.testing.assert_array_equal(first.train_images.reshape(-1, 28, 28), second.train_images)
    np.testing.assert_array_equal(first.test_labels, second.test_labels)


def test_fallback_keeps_the_pictures() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    with pytest.warns(UserWarning):
        images = digits_or_mnist(flatten=False).test_images
    # The middle of each 3x3 block is the original pixel; the frame is background.
    np.testing.assert_array_equal(images[:, 3:26:3, 3:26:3] * 16, datasets.load_digits().images[::7])
    assert images[:, :2].max() == images[:, -2:].max() == images[:, :, :2].max() == images[:, :, -2:].max() == 0


def test_fallback_when_mnist_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn")
    path = tmp_path / "mnist" / "train-images-idx3-ubyte"
    path.parent.mkdir()
    path.write_bytes(b"damaged")
    monkeypatch.setenv("DOPEGRAPH_DATA", str(tmp_path))
    with pytest.warns(UserWarning, match="Delete or replace"):
        check_fallback(digits_or_mnist())


def test_neither_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(DataMissing) as caught:
        digits_or_mnist()
    for way in ("pip install scikit-learn", "DOPEGRAPH_DATA", "unset DOPEGRAPH_OFFLINE"):
        assert way in str(caught.value)


@pytest.mark.parametrize("name", ["digits", "files", "idx", "loader", "mnist"])
def test_examples_run(real_data: Path, name: str) -> None:
    pytest.importorskip("sklearn")
    result = doctest.testmod(importlib.import_module(f"dopegraph.data.{name}"))
    assert result.attempted > 0 and result.failed == 0
