"""CIFAR-10 from its binary files, and the shapes that stand in for it."""

from __future__ import annotations

import numpy as np
import pytest

from dopegraph.data import DataCorrupt, DataMissing, cifar10, cifar10_or_shapes, shapes
from dopegraph.data.cifar10 import RECORD


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DOPEGRAPH_DATA", str(tmp_path))
    monkeypatch.setenv("DOPEGRAPH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cifar10").mkdir()
    return tmp_path / "cifar10"


def records(first: int) -> np.ndarray:
    content = np.zeros((10000, RECORD), np.uint8)
    content[:, 0] = (np.arange(10000) + first) % 10
    content[:, 1], content[:, 1 + 32], content[:, 1 + 1024] = 1, 2, 3
    return content


def test_a_record_is_a_label_and_three_planes(folder):
    (folder / "test_batch.bin").write_bytes(records(4).tobytes())
    images, labels = cifar10(train=False)
    assert images.shape == (10000, 3, 32, 32) and images.dtype == np.uint8
    assert labels[:3].tolist() == [4, 5, 6] and labels.dtype == np.int64
    assert (images[:, 0, 0, 0] == 1).all() and (images[:, 0, 1, 0] == 2).all() and (images[:, 1, 0, 0] == 3).all()
    assert images.sum() == 6 * 10000


def test_the_training_set_is_five_files_in_order(folder):
    for number in range(1, 6):
        (folder / f"data_batch_{number}.bin").write_bytes(records(number).tobytes())
    images, labels = cifar10()
    assert images.shape == (50000, 3, 32, 32)
    assert labels[::10000].tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("content", [b"", records(0).tobytes()[:-1], records(0).tobytes().replace(b"\x09", b"\x0a")])
def test_another_file_is_refused(folder, content):
    (folder / "test_batch.bin").write_bytes(content)
    with pytest.raises(DataCorrupt, match=r"test_batch\.bin is not a file of CIFAR-10"):
        cifar10(train=False)


def test_without_files_shapes_stand_in(folder):
    with pytest.raises(DataMissing, match=r"data_batch_1\.bin is not on this machine"):
        cifar10()
    with pytest.warns(UserWarning, match="drawn shapes instead of CIFAR-10"):
        found = cifar10_or_shapes(30, 20)
    assert found.name == "drawn shapes"
    assert found.train_images.shape == (30, 3, 32, 32) and found.test_images.shape == (20, 3, 32, 32)
    assert (found.train_images[:20] != found.test_images).any()


def test_shapes_are_the_same_for_a_seed_and_balanced():
    images, labels = shapes(200, seed=3)
    again, _ = shapes(200, seed=3)
    other, _ = shapes(200, seed=4)
    assert (images == again).all() and (images != other).any()
    assert np.bincount(labels).tolist() == [20] * 10
    assert images.dtype == np.uint8 and shapes(0)[0].shape == (0, 3, 32, 32)


def test_shapes_can_be_told_apart():
    """Each image has ink of another colour than the ground, and kinds cover different areas."""
    images, labels = shapes(500, seed=1)
    ground = np.median(images[:, :, :3].reshape(500, 3, -1), axis=2)[:, :, None, None]
    covered = (abs(images.astype(float) - ground).max(axis=1) > 60).mean(axis=(1, 2))
    means = [covered[labels == kind].mean() for kind in range(10)]
    assert min(means) > 0.05
    assert means[1] > means[9]  # a square and a half moon
