"""Pictures of other sizes and others of the same, with their boxes; drawn creatures on textures."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from dopegraph.data import augmented, center_crop, normalized, resized, resized_short, sprites, textures
from dopegraph.data.images import IMAGENET_MEAN, IMAGENET_STD


def test_resizing_interpolates_between_the_middles_of_pixels():
    ramp = np.arange(8.0)[None, None] * np.ones((1, 3, 1))
    half = resized(ramp, (3, 4))
    np.testing.assert_allclose(half[0, 0], [0.5, 2.5, 4.5, 6.5])
    np.testing.assert_allclose(resized(ramp, (6, 16))[0, 0, 1:-1], np.arange(1, 15) / 2 - 0.25)
    assert resized(ramp, (3, 8)).tolist() == ramp.tolist()


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32", "float64"])
def test_resizing_keeps_dtype_and_range(dtype):
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 7, 5)).astype(dtype)
    found = resized(images, (11, 3))
    assert found.dtype == dtype and found.shape == (2, 3, 11, 3)
    assert found.min() >= images.min() and found.max() <= images.max()


def test_the_shorter_side_and_the_middle():
    image = np.zeros((3, 30, 41), np.uint8)
    image[:, 10:20, 16:26] = 200
    short = resized_short(image, 15)
    assert short.shape == (3, 15, 20)
    assert (center_crop(short, (3, 3)) == 200).all()
    with pytest.raises(ValueError, match="resized_short"):
        center_crop(short, (16, 16))


def test_normalizing_is_the_books():
    image = np.array([255, 0, 51], np.uint8).reshape(3, 1, 1)
    wanted = [(value - mean) / std for value, mean, std in zip((1, 0, 0.2), IMAGENET_MEAN, IMAGENET_STD)]
    found = normalized(image)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.ravel(), wanted, rtol=1e-5)


def bright(picture):
    """The box around what is bright, from 0 to 1."""
    there = picture.max(axis=0) > 128
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    size = len(there)
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]) / size


def test_boxes_move_with_pictures():
    rng = np.random.default_rng(0)
    images, labels = np.zeros((40, 3, 64, 64), np.uint8), np.full((40, 2, 5), -1.0, np.float32)
    for number in range(40):
        x, y = rng.integers(4, 30, 2)
        images[number, :, y : y + 20, x : x + 25] = 255
        labels[number, 0] = (0, x / 64, y / 64, (x + 25) / 64, (y + 20) / 64)
    found, boxes = augmented(images, 1, labels)
    assert found.dtype == np.uint8 and boxes.dtype == np.float32
    assert (boxes[:, 1] == -1).all()
    assert np.abs(boxes[:, 0, 1:] - labels[:, 0, 1:]).max() > 0.1
    for picture, box in zip(found, boxes[:, 0, 1:]):
        np.testing.assert_allclose(bright(picture), box, atol=0.035)
    again, _ = augmented(images, 1, labels)
    assert (again == found).all()
    assert augmented(images, 2)[1] is None


def test_a_picture_stays_whose_objects_would_be_cut():
    images = np.random.default_rng(0).integers(0, 255, (5, 3, 16, 16)).astype(np.uint8)
    labels = np.tile(np.array([0, 0, 0, 1, 1], np.float32), (5, 1, 1))
    found, boxes = augmented(images, 1, labels, min_object_covered=1, mirror=False, brightness=0)
    assert (found == images).all() and (boxes == labels).all()


def test_creatures_are_in_their_boxes():
    images, labels = sprites(6, 48, seed=3, most=3)
    assert images.dtype == np.uint8 and labels.dtype == np.float32
    assert (labels[:, 0, 0] == 0).all() and (labels[:, :, 0] == -1).any()
    there = labels[labels[:, :, 0] == 0][:, 1:]
    assert (there >= 0).all() and (there <= 1).all() and (there[:, 2:] - there[:, :2] > 0.15).all()
    assert (sprites(6, 48, seed=3, most=3)[0] == images).all()
    assert (sprites(6, 48, seed=4, most=3)[0] != images).any()
    one, label = sprites(1, 96, seed=5)
    left, top, right, bottom = np.rint(label[0, 0, 1:] * 96).astype(int)
    yellow = (one[0, 0] > 1.5 * one[0, 2].astype(int)) & (one[0, 1] > 1.3 * one[0, 2].astype(int))
    assert yellow[top:bottom, left:right].mean() > 0.3


def test_textures_are_made_up_without_scikit_image(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage", None)
    textures.cache_clear()
    name, pictures = textures()
    textures.cache_clear()
    assert name == "generated" and len(pictures) == 7
    for picture in pictures:
        assert picture.dtype == np.uint8 and picture.shape == (256, 256, 3)
        assert picture.std() > 5
