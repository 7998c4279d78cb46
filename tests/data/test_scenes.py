"""Pairs of label maps and pictures: the same for a seed, one colour a class, and a picture that the labels tell."""

from __future__ import annotations

import numpy as np
import pytest

from dopegraph.data import facades, maps, streets
from dopegraph.data.scenes import FACADE, MAP, STREET

KINDS = pytest.mark.parametrize(
    ("draw", "materials"), [(facades, FACADE), (streets, STREET), (maps, MAP)], ids=["facades", "streets", "maps"]
)


def classes_of(labels, materials):
    """The number of each pixel's class; every pixel has a class's colour."""
    colours = np.array([one.label for one in materials])
    is_class = (labels.transpose(0, 2, 3, 1)[..., None, :] == colours).all(axis=-1)
    assert is_class.sum(axis=-1).min() == 1
    return is_class.argmax(axis=-1)


@KINDS
def test_pairs_are_bytes_and_the_same_for_a_seed(draw, materials):
    labels, pictures = draw(6, seed=3, size=48)
    for found, again, other in zip((labels, pictures), draw(6, seed=3, size=48), draw(6, seed=4, size=48)):
        assert found.shape == (6, 3, 48, 48) and found.dtype == np.uint8
        assert (found == again).all() and (found != other).any()
    assert [one.shape for one in draw(0)] == [(0, 3, 64, 64)] * 2


@KINDS
def test_every_class_is_drawn(draw, materials):
    classes = classes_of(draw(60, seed=1)[0], materials)
    assert np.bincount(classes.ravel(), minlength=len(materials)).min() > 0.003 * classes.size
    assert min(len(np.unique(one)) for one in classes) >= 3  # in every picture


@KINDS
def test_the_label_tells_the_picture(draw, materials):
    """Most of how pictures differ is what their classes look like."""
    labels, pictures = draw(40, seed=2)
    classes, pictures = classes_of(labels, materials), pictures.transpose(0, 2, 3, 1).astype(float)
    means = np.array([pictures[classes == number].mean(axis=0) for number in range(len(materials))])
    assert ((pictures - means[classes]) ** 2).mean() < 0.35 * pictures.reshape(-1, 3).var(axis=0).mean()
    # But not all: there are textures and shadows.
    assert ((pictures - means[classes]) ** 2).mean() > 100


def test_facades_stand_upright():
    """The sky is above, doors reach the ground."""
    classes = classes_of(facades(50, seed=1)[0], FACADE)
    assert (classes[:, 0] == 0).all()
    assert ((classes[:, -1] == 3).any(axis=1)).all()
